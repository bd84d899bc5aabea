/* kern/sys/sys_proc.c - system calls that make, replace, end and identify processes. */
#include "kern/fs/fs.h"
#include "kern/mm/mm.h"
#include "kern/proc/exec.h"
#include "kern/proc/futex.h"
#include "kern/proc/ptrace.h"
#include "kern/proc/signals.h"
#include "kern/proc/task.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
#include "lib/abi/ptrace.h"

/* ---- fork, exec, exit ---- */

SYSCALL_DEFINE0(fork)
{
    return process_fork(&(struct fork_request){ .flags = SIGCHLD });
}

SYSCALL_DEFINE0(vfork)
{
    return process_fork(&(struct fork_request){ .flags = CLONE_VFORK | CLONE_VM | SIGCHLD });
}

SYSCALL_DEFINE5(clone, uint64_t, flags, uintptr_t, stack, uintptr_t, parent_tid, uintptr_t, child_tid,
                uint64_t, tls)
{
    return process_fork(&(struct fork_request){
        .flags = flags, .stack = stack, .parent_tid = parent_tid, .child_tid = child_tid, .tls = tls });
}

/* Is there nothing but zeros behind what is known of a struct that a newer program may have made longer? */
static int check_tail(uintptr_t user, size_t known, size_t size)
{
    uint8_t byte;

    for (size_t at = known; at < size; at++) {
        if (copy_from_user(&byte, user + at, 1))
            return -EFAULT;
        if (byte)
            return -E2BIG;
    }
    return 0;
}

static bool are_clone_args_sound(const struct clone_args *a)
{
    if ((a->flags & CSIGNAL) || a->exit_signal > NSIG)
        return false;
    return !a->stack == !a->stack_size;
}

SYSCALL_DEFINE2(clone3, uintptr_t, user_args, size_t, size)
{
    struct clone_args a;
    int err;

    if (size < sizeof a)
        return -EINVAL;
    if (size > PAGE_SIZE)
        return -E2BIG;
    if (copy_from_user(&a, user_args, sizeof a))
        return -EFAULT;
    err = check_tail(user_args, sizeof a, size);
    if (err || !are_clone_args_sound(&a))
        return err ? err : -EINVAL;
    return process_fork(&(struct fork_request){ .flags = a.flags | a.exit_signal,
                                                .stack = a.stack ? a.stack + a.stack_size : 0,
                                                .parent_tid = a.parent_tid,
                                                .child_tid = a.child_tid,
                                                .tls = a.tls });
}

/* Copy a NULL-terminated array of texts: how many, or -errno. */
static int64_t add_vector(struct exec_strings *s, uintptr_t vector)
{
    for (unsigned n = 0;; n++) {
        uintptr_t text;
        int err;
        if (!vector)
            return 0; /* Linux takes NULL for an empty array */
        if (copy_from_user(&text, vector + n * sizeof text, sizeof text))
            return -EFAULT;
        if (!text)
            return n;
        err = exec_strings_add_user(s, text);
        if (err)
            return err;
    }
}

static int64_t collect_strings(struct exec_strings *s, uintptr_t argv, uintptr_t envp)
{
    int64_t n = add_vector(s, argv);

    if (n < 0)
        return n;
    s->argc = (unsigned)n;
    n = add_vector(s, envp);
    if (n < 0)
        return n;
    s->envc = (unsigned)n;
    return s->argc ? 0 : exec_strings_prepend(s, "");
}

SYSCALL_DEFINE3(execve, uintptr_t, user_path, uintptr_t, argv, uintptr_t, envp)
{
    struct exec_strings s;
    char *path;
    int64_t err = path_from_user(user_path, &path);

    if (err)
        return err;
    err = exec_strings_init(&s);
    if (!err)
        err = collect_strings(&s, argv, envp);
    if (!err)
        err = process_exec(path, &s);
    exec_strings_free(&s);
    kfree(path);
    return err;
}

static void tell_of_exit(int status)
{
    if (READ_ONCE(current_task()->trace))
        ptrace_event(PTRACE_EVENT_EXIT, (uint64_t)status);
}

SYSCALL_DEFINE1(exit, int, status)
{
    tell_of_exit((status & 0xff) << 8);
    task_exit((status & 0xff) << 8);
}

SYSCALL_DEFINE1(exit_group, int, status)
{
    tell_of_exit((status & 0xff) << 8);
    process_begin_exit((status & 0xff) << 8);
    task_exit(current_process()->exit_status);
}

/* ---- wait ---- */

static int put_rusage(uintptr_t user, const struct resource_use *use)
{
    return user ? rusage_to_user(user, use) : 0;
}

SYSCALL_DEFINE4(wait4, int, pid, uintptr_t, user_status, int, options, uintptr_t, user_rusage)
{
    int32_t status;
    struct resource_use use;
    int64_t found;

    if (options & ~(WNOHANG | WUNTRACED | WCONTINUED | WNOTHREAD | WALL | (int)WCLONE))
        return -EINVAL;
    found = process_wait(pid, options | WEXITED, &status, &use);
    if (found <= 0)
        return found;
    if (user_status && copy_to_user(user_status, &status, sizeof status))
        return -EFAULT;
    return put_rusage(user_rusage, &use) ? -EFAULT : found;
}

/* waitid tells what wait4 does, in the words of a siginfo. */
static void wait_siginfo(siginfo_t *si, int pid, int status)
{
    struct signal_info info = { .pid = pid };

    if ((status & 0xff) == 0x7f) {
        info.code = status >> 8 > NSIG ? CLD_TRAPPED : CLD_STOPPED;
        info.status = status >> 8;
    } else if (status == 0xffff) {
        info.code = CLD_CONTINUED;
        info.status = SIGCONT;
    } else {
        info.code = status & 0x7f ? CLD_KILLED : CLD_EXITED;
        info.status = status & 0x7f ? status & 0x7f : status >> 8;
    }
    signal_fill_siginfo(SIGCHLD, &info, si);
}

SYSCALL_DEFINE5(waitid, int, type, int, id, uintptr_t, user_info, int, options, uintptr_t, user_rusage)
{
    const int known = WNOHANG | WEXITED | WUNTRACED | WCONTINUED | WNOWAIT | WNOTHREAD | WALL | (int)WCLONE;
    siginfo_t si = { .si_signo = 0 };
    struct resource_use use;
    int status;
    int64_t found;

    if (type < P_ALL || type > P_PGID || (type != P_ALL && id <= 0) || (options & ~known) ||
        !(options & (WEXITED | WUNTRACED | WCONTINUED)))
        return -EINVAL;
    found = process_wait(type == P_ALL ? -1 : type == P_PID ? id : -id, options, &status, &use);
    if (found < 0)
        return found;
    if (found)
        wait_siginfo(&si, (int)found, status);
    if (user_info && copy_to_user(user_info, &si, sizeof si))
        return -EFAULT;
    return found ? put_rusage(user_rusage, &use) : 0;
}

/* ---- who am I ---- */

SYSCALL_DEFINE0(getpid)
{
    return current_process()->pid;
}

SYSCALL_DEFINE0(gettid)
{
    return current_task()->tid;
}

SYSCALL_DEFINE0(getppid)
{
    uint64_t flags = spin_lock(&process_lock);
    struct process *parent = current_process()->parent;
    int pid = parent ? parent->pid : 0;

    spin_unlock(&process_lock, flags);
    return pid;
}

SYSCALL_DEFINE0(getpgrp)
{
    return current_process()->pgid;
}

/* A field of the process with this pid (0: the caller). */
static int64_t id_of(int pid, bool session)
{
    uint64_t flags = spin_lock(&process_lock);
    struct process *p = pid ? process_find_locked(pid) : current_process();
    int64_t id = p ? session ? p->sid : p->pgid : -ESRCH;

    spin_unlock(&process_lock, flags);
    return id;
}

SYSCALL_DEFINE1(getpgid, int, pid)
{
    return id_of(pid, false);
}

SYSCALL_DEFINE1(getsid, int, pid)
{
    return id_of(pid, true);
}

struct group_search {
    int pgid, sid;
    bool found;
};

static void search_group(struct process *p, void *arg)
{
    struct group_search *g = arg;

    g->found |= p->pgid == g->pgid && p->sid == g->sid;
}

/* setpgid(2)'s rules; process_lock held. */
static int check_setpgid(struct process *self, struct process *p, int pgid)
{
    struct group_search g = { .pgid = pgid, .sid = self->sid };

    if (!p || (p != self && p->parent != self))
        return -ESRCH;
    if (p != self && p->has_execed)
        return -EACCES;
    if (p->sid != self->sid || p->sid == p->pid)
        return -EPERM;
    if (pgid == p->pid)
        return 0;
    process_for_each_locked(search_group, &g);
    return g.found ? 0 : -EPERM;
}

SYSCALL_DEFINE2(setpgid, int, pid, int, pgid)
{
    struct process *self = current_process(), *p;
    uint64_t flags;
    int err;

    if (pgid < 0 || (pid < 0 && !pgid))
        return -EINVAL;
    flags = spin_lock(&process_lock);
    p = pid ? process_find_locked(pid) : self;
    if (p && !pgid)
        pgid = p->pid;
    err = check_setpgid(self, p, pgid);
    if (!err)
        p->pgid = pgid;
    spin_unlock(&process_lock, flags);
    return err;
}

static void search_leader(struct process *p, void *arg)
{
    struct group_search *g = arg;

    g->found |= p->pgid == g->pgid;
}

SYSCALL_DEFINE0(setsid)
{
    struct process *p = current_process();
    struct group_search g = { .pgid = p->pid };
    uint64_t flags = spin_lock(&process_lock);

    process_for_each_locked(search_leader, &g);
    if (!g.found) {
        p->sid = p->pgid = p->pid;
        p->tty = NULL;
    }
    spin_unlock(&process_lock, flags);
    return g.found ? -EPERM : p->pid;
}
