/* kern/sys/sys_user.c - system calls on users, groups and capabilities. A call makes a copy of who the
 * process is, changes it by the rules and puts it back whole. */
#include "kern/sys/sys_user.h"
#include "kern/proc/process.h"
#include "kern/sys/syscall.h"
#include "lib/string.h"

#define AS_IT_IS UINT32_MAX

SYSCALL_DEFINE0(getuid)
{
    return current_cred()->uid.real;
}

SYSCALL_DEFINE0(getgid)
{
    return current_cred()->gid.real;
}

SYSCALL_DEFINE0(geteuid)
{
    return current_cred()->uid.effective;
}

SYSCALL_DEFINE0(getegid)
{
    return current_cred()->gid.effective;
}

static int64_t tell_ids(const struct ids *ids, uintptr_t real, uintptr_t effective, uintptr_t saved)
{
    if (copy_to_user(real, &ids->real, 4) || copy_to_user(effective, &ids->effective, 4) ||
        copy_to_user(saved, &ids->saved, 4))
        return -EFAULT;
    return 0;
}

SYSCALL_DEFINE3(getresuid, uintptr_t, real, uintptr_t, effective, uintptr_t, saved)
{
    return tell_ids(&current_cred()->uid, real, effective, saved);
}

SYSCALL_DEFINE3(getresgid, uintptr_t, real, uintptr_t, effective, uintptr_t, saved)
{
    return tell_ids(&current_cred()->gid, real, effective, saved);
}

/* ---- the rules, the same for users and groups; may: the capability to be anybody ---- */

static bool is_one_of(const struct ids *ids, uint32_t id)
{
    return id == AS_IT_IS || id == ids->real || id == ids->effective || id == ids->saved;
}

static int set_one(struct ids *ids, uint32_t id, bool may)
{
    if (id == AS_IT_IS)
        return -EINVAL;
    if (!may && id != ids->real && id != ids->saved)
        return -EPERM;
    if (may)
        ids->real = ids->saved = id;
    ids->effective = ids->fs = id;
    return 0;
}

static int set_two(struct ids *ids, uint32_t real, uint32_t effective, bool may)
{
    const struct ids old = *ids;

    if (!may &&
        ((real != AS_IT_IS && real != old.real && real != old.effective) || !is_one_of(&old, effective)))
        return -EPERM;
    if (real != AS_IT_IS)
        ids->real = real;
    if (effective != AS_IT_IS)
        ids->effective = effective;
    if (real != AS_IT_IS || (effective != AS_IT_IS && effective != old.real))
        ids->saved = ids->effective;
    ids->fs = ids->effective;
    return 0;
}

static int set_three(struct ids *ids, uint32_t real, uint32_t effective, uint32_t saved, bool may)
{
    const struct ids old = *ids;

    if (!may && !(is_one_of(&old, real) && is_one_of(&old, effective) && is_one_of(&old, saved)))
        return -EPERM;
    ids->real = real == AS_IT_IS ? old.real : real;
    ids->effective = effective == AS_IT_IS ? old.effective : effective;
    ids->saved = saved == AS_IT_IS ? old.saved : saved;
    ids->fs = ids->effective;
    return 0;
}

/* What was there before is told, changed or not. */
static uint32_t set_fs(struct ids *ids, uint32_t id, bool may)
{
    uint32_t old = ids->fs;

    if (id != AS_IT_IS && (may || id == old || is_one_of(ids, id)))
        ids->fs = id;
    return old;
}

/* Put back c, whose user ids a rule has changed from old. */
static int64_t commit_users(struct cred *c, const struct ids *old, int err)
{
    if (err)
        return err;
    cred_change_users(c, old);
    cred_commit(c);
    return 0;
}

static int64_t commit_groups(const struct cred *c, int err)
{
    if (!err)
        cred_commit(c);
    return err;
}

SYSCALL_DEFINE1(setuid, uint32_t, uid)
{
    struct cred c = *current_cred();
    const struct ids old = c.uid;

    return commit_users(&c, &old, set_one(&c.uid, uid, capable(CAP_SETUID)));
}

SYSCALL_DEFINE1(setgid, uint32_t, gid)
{
    struct cred c = *current_cred();

    return commit_groups(&c, set_one(&c.gid, gid, capable(CAP_SETGID)));
}

SYSCALL_DEFINE2(setreuid, uint32_t, real, uint32_t, effective)
{
    struct cred c = *current_cred();
    const struct ids old = c.uid;

    return commit_users(&c, &old, set_two(&c.uid, real, effective, capable(CAP_SETUID)));
}

SYSCALL_DEFINE2(setregid, uint32_t, real, uint32_t, effective)
{
    struct cred c = *current_cred();

    return commit_groups(&c, set_two(&c.gid, real, effective, capable(CAP_SETGID)));
}

SYSCALL_DEFINE3(setresuid, uint32_t, real, uint32_t, effective, uint32_t, saved)
{
    struct cred c = *current_cred();
    const struct ids old = c.uid;

    return commit_users(&c, &old, set_three(&c.uid, real, effective, saved, capable(CAP_SETUID)));
}

SYSCALL_DEFINE3(setresgid, uint32_t, real, uint32_t, effective, uint32_t, saved)
{
    struct cred c = *current_cred();

    return commit_groups(&c, set_three(&c.gid, real, effective, saved, capable(CAP_SETGID)));
}

SYSCALL_DEFINE1(setfsuid, uint32_t, uid)
{
    struct cred c = *current_cred();
    const struct ids before = c.uid;
    uint32_t old = set_fs(&c.uid, uid, capable(CAP_SETUID));

    commit_users(&c, &before, 0);
    return old;
}

SYSCALL_DEFINE1(setfsgid, uint32_t, gid)
{
    struct cred c = *current_cred();
    uint32_t old = set_fs(&c.gid, gid, capable(CAP_SETGID));

    cred_commit(&c);
    return old;
}

SYSCALL_DEFINE2(getgroups, int, size, uintptr_t, list)
{
    const struct cred c = *current_cred();

    if (size < 0 || (size && (unsigned)size < c.n_groups))
        return -EINVAL;
    if (size && copy_to_user(list, c.groups, c.n_groups * sizeof *c.groups))
        return -EFAULT;
    return c.n_groups;
}

SYSCALL_DEFINE2(setgroups, size_t, size, uintptr_t, list)
{
    struct cred c = *current_cred();

    if (!capable(CAP_SETGID))
        return -EPERM;
    if (size > GROUPS_MAX)
        return -EINVAL;
    if (copy_from_user(c.groups, list, size * sizeof *c.groups))
        return -EFAULT;
    c.n_groups = (unsigned)size;
    cred_commit(&c);
    return 0;
}

/* ---- capabilities ---- */

/* The halves that a version of the struct has; 0: no such version, and the header is told ours. */
static int halves_of(uintptr_t user_header, struct cap_header *h)
{
    const uint32_t ours = CAPABILITY_VERSION_3;

    if (copy_from_user(h, user_header, sizeof *h))
        return -EFAULT;
    if (h->version == CAPABILITY_VERSION_1)
        return 1;
    if (h->version == CAPABILITY_VERSION_2 || h->version == CAPABILITY_VERSION_3)
        return 2;
    return copy_to_user(user_header, &ours, sizeof ours) ? -EFAULT : 0;
}

static int cred_of_pid(int pid, struct cred *c)
{
    struct process *p;

    if (pid < 0)
        return -EINVAL;
    *c = *current_cred();
    if (!pid || pid == current_task()->tid || pid == current_process()->pid)
        return 0;
    p = process_find(pid);
    if (!p)
        return -ESRCH;
    *c = p->cred;
    process_put(p);
    return 0;
}

SYSCALL_DEFINE2(capget, uintptr_t, user_header, uintptr_t, user_data)
{
    struct cap_header h;
    struct cred c;
    int halves = halves_of(user_header, &h), err;

    if (halves < 0 || !halves)
        return halves ? halves : user_data ? -EINVAL : 0;
    err = cred_of_pid(h.pid, &c);
    if (err || !user_data)
        return err;
    struct cap_data data[2] = { { (uint32_t)c.effective, (uint32_t)c.permitted, (uint32_t)c.inheritable },
                                { (uint32_t)(c.effective >> 32), (uint32_t)(c.permitted >> 32),
                                  (uint32_t)(c.inheritable >> 32) } };
    return copy_to_user(user_data, data, (size_t)halves * sizeof *data);
}

static bool is_within(uint64_t set, uint64_t limit)
{
    return !(set & ~limit);
}

static int set_caps(struct cred *c, uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
    uint64_t may_inherit =
        capable(CAP_SETPCAP) ? c->inheritable | c->bounding : c->inheritable | c->permitted;

    if (!is_within(inheritable, may_inherit) || !is_within(inheritable, c->inheritable | c->bounding) ||
        !is_within(permitted, c->permitted) || !is_within(effective, permitted))
        return -EPERM;
    c->effective = effective;
    c->permitted = permitted;
    c->inheritable = inheritable;
    c->ambient &= permitted & inheritable;
    return 0;
}

SYSCALL_DEFINE2(capset, uintptr_t, user_header, uintptr_t, user_data)
{
    struct cap_header h;
    struct cap_data d[2] = { { 0 } };
    struct cred c = *current_cred();
    int halves = halves_of(user_header, &h), err;

    if (halves <= 0)
        return halves ? halves : -EINVAL;
    if (h.pid && h.pid != current_task()->tid)
        return -EPERM;
    if (copy_from_user(d, user_data, (size_t)halves * sizeof *d))
        return -EFAULT;
    err = set_caps(&c, (d[0].effective | (uint64_t)d[1].effective << 32) & CAPS_ALL,
                   (d[0].permitted | (uint64_t)d[1].permitted << 32) & CAPS_ALL,
                   (d[0].inheritable | (uint64_t)d[1].inheritable << 32) & CAPS_ALL);
    if (!err)
        cred_commit(&c);
    return err;
}

/* ---- prctl ---- */

static int64_t drop_bounding(uint64_t cap)
{
    struct cred c = *current_cred();

    if (!capable(CAP_SETPCAP))
        return -EPERM;
    if (cap > CAP_LAST_CAP)
        return -EINVAL;
    c.bounding &= ~CAP_BIT(cap);
    cred_commit(&c);
    return 0;
}

static int64_t raise_ambient(struct cred *c, uint64_t bit)
{
    if (!(c->permitted & c->inheritable & bit))
        return -EPERM;
    c->ambient |= bit;
    return 0;
}

static int64_t prctl_ambient(uint64_t what, uint64_t cap)
{
    struct cred c = *current_cred();
    int64_t err = 0;

    if (what == PR_CAP_AMBIENT_CLEAR_ALL ? cap != 0 : cap > CAP_LAST_CAP)
        return -EINVAL;
    if (what == PR_CAP_AMBIENT_IS_SET)
        return c.ambient >> cap & 1;
    if (what == PR_CAP_AMBIENT_CLEAR_ALL)
        c.ambient = 0;
    else if (what == PR_CAP_AMBIENT_LOWER)
        c.ambient &= ~CAP_BIT(cap);
    else
        err = what == PR_CAP_AMBIENT_RAISE ? raise_ambient(&c, CAP_BIT(cap)) : -EINVAL;
    if (!err)
        cred_commit(&c);
    return err;
}

static int64_t set_keep_caps(uint64_t on)
{
    struct cred c = *current_cred();

    if (on > 1)
        return -EINVAL;
    c.keep_caps = on;
    cred_commit(&c);
    return 0;
}

static int64_t set_no_new_privs(uint64_t on, uint64_t rest)
{
    struct cred c = *current_cred();

    if (on != 1 || rest)
        return -EINVAL;
    c.no_new_privs = true;
    cred_commit(&c);
    return 0;
}

int64_t prctl_user(int option, uint64_t arg, uint64_t arg2, uint64_t arg3, uint64_t arg4)
{
    switch (option) {
    case PR_GET_KEEPCAPS:
        return current_cred()->keep_caps;
    case PR_SET_KEEPCAPS:
        return set_keep_caps(arg);
    case PR_CAPBSET_READ:
        return arg > CAP_LAST_CAP ? -EINVAL : (int64_t)(current_cred()->bounding >> arg & 1);
    case PR_CAPBSET_DROP:
        return drop_bounding(arg);
    case PR_GET_SECUREBITS:
        return 0;
    case PR_SET_SECUREBITS:
        return !capable(CAP_SETPCAP) || arg ? -EPERM : 0;
    case PR_SET_NO_NEW_PRIVS:
        return set_no_new_privs(arg, arg2 | arg3 | arg4);
    case PR_GET_NO_NEW_PRIVS:
        return arg | arg2 | arg3 | arg4 ? -EINVAL : current_cred()->no_new_privs;
    case PR_CAP_AMBIENT:
        return arg3 | arg4 ? -EINVAL : prctl_ambient(arg, arg2);
    default:
        return -ENOSYS;
    }
}
