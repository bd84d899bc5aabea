/* kern/proc/cred.c - what users and capabilities a process has, and how they change together. */
#include "kern/proc/cred.h"
#include "kern/fs/inode.h"
#include "kern/proc/process.h"
#include "lib/abi/stat.h"
#include "lib/string.h"

/* What root may do to files, which goes with the user id for files (capabilities(7)). */
#define CAPS_OF_FILES                                                                                        \
    (CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_DAC_READ_SEARCH) | CAP_BIT(CAP_FOWNER) |   \
     CAP_BIT(CAP_FSETID) | CAP_BIT(CAP_LINUX_IMMUTABLE) | CAP_BIT(CAP_MKNOD) | CAP_BIT(CAP_MAC_OVERRIDE))

static const struct cred root = { .permitted = CAPS_ALL, .effective = CAPS_ALL, .bounding = CAPS_ALL };

void cred_init_root(struct cred *c)
{
    *c = root;
}

const struct cred *current_cred(void)
{
    const struct process *p = current_process();
    const struct task *t = current_task();

    if (!p || p->kernel_thread)
        return &root;
    return t && t->acting ? t->acting : &p->cred;
}

bool capable(int cap)
{
    return current_cred()->effective & CAP_BIT(cap);
}

bool cred_in_group(const struct cred *c, uint32_t gid)
{
    unsigned n = MIN(READ_ONCE(c->n_groups), (unsigned)GROUPS_MAX);

    if (gid == c->gid.fs)
        return true;
    for (unsigned i = 0; i < n; i++)
        if (c->groups[i] == gid)
            return true;
    return false;
}

static bool has_root(const struct ids *ids)
{
    return !ids->real || !ids->effective || !ids->saved;
}

void cred_change_users(struct cred *c, const struct ids *old)
{
    if (has_root(old) && !has_root(&c->uid)) {
        if (!c->keep_caps)
            c->permitted = c->effective = 0;
        c->ambient = 0;
    }
    if (!old->effective && c->uid.effective)
        c->effective = 0;
    if (old->effective && !c->uid.effective)
        c->effective = c->permitted;
    if (!old->fs && c->uid.fs)
        c->effective &= ~CAPS_OF_FILES;
    if (old->fs && !c->uid.fs)
        c->effective |= c->permitted & CAPS_OF_FILES;
}

/* The bits of the program's file. */
static void take_file_ids(struct cred *c, const struct inode *exe)
{
    const uint32_t group_runs = S_ISGID | 0010;

    if (c->no_new_privs)
        return;
    if (exe->mode & S_ISUID)
        c->uid.effective = exe->uid;
    if ((exe->mode & group_runs) == group_runs)
        c->gid.effective = exe->gid;
}

bool cred_for_exec(struct cred *c, struct inode *exe)
{
    bool changed;

    *c = *current_cred();
    take_file_ids(c, exe);
    changed = c->uid.effective != c->uid.real || c->gid.effective != c->gid.real;
    if (changed)
        c->ambient = 0;
    c->uid.saved = c->uid.fs = c->uid.effective;
    c->gid.saved = c->gid.fs = c->gid.effective;
    c->permitted = c->uid.real && c->uid.effective ? c->ambient : c->bounding | c->inheritable;
    c->effective = c->uid.effective ? c->ambient : c->permitted;
    c->keep_caps = false;
    return changed;
}

bool cred_may_signal(const struct process *target, int signo)
{
    const struct cred *me = current_cred(), *it = &target->cred;

    if (me->uid.effective == it->uid.real || me->uid.effective == it->uid.saved ||
        me->uid.real == it->uid.real || me->uid.real == it->uid.saved || capable(CAP_KILL))
        return true;
    return signo == SIGCONT && current_process()->sid == target->sid;
}

static bool are_all(const struct ids *ids, uint32_t id)
{
    return ids->real == id && ids->effective == id && ids->saved == id;
}

bool cred_may_inspect(const struct cred *target)
{
    const struct cred *me = current_cred();

    return (are_all(&target->uid, me->uid.fs) && are_all(&target->gid, me->gid.fs)) ||
           capable(CAP_SYS_PTRACE);
}

/* By the real ids, with what root may only if that is one of them. */
struct cred cred_act_as_real(void)
{
    struct cred c = *current_cred();

    c.uid.fs = c.uid.real;
    c.gid.fs = c.gid.real;
    c.effective = c.uid.real ? 0 : c.permitted;
    return c;
}

void cred_commit(const struct cred *c)
{
    uint64_t flags = spin_lock(&process_lock);

    current_process()->cred = *c;
    spin_unlock(&process_lock, flags);
}
