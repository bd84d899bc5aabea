/* kern/sys/sys_signal.c - system calls about signals. */
#include "kern/proc/signals.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"

enum { SIGSET_SIZE = 8 };

SYSCALL_DEFINE4(rt_sigaction, int, signo, uintptr_t, user_new, uintptr_t, user_old, size_t, size)
{
    struct kernel_sigaction new, old;
    int err;

    if (size != SIGSET_SIZE)
        return -EINVAL;
    if (user_new && copy_from_user(&new, user_new, sizeof new))
        return -EFAULT;
    err = signal_action(signo, user_new ? &new : NULL, &old);
    if (err)
        return err;
    return user_old ? copy_to_user(user_old, &old, sizeof old) : 0;
}

static int change_mask(int how, uint64_t set)
{
    uint64_t mask = signal_blocked();

    switch (how) {
    case SIG_BLOCK:
        signal_set_blocked(mask | set);
        return 0;
    case SIG_UNBLOCK:
        signal_set_blocked(mask & ~set);
        return 0;
    case SIG_SETMASK:
        signal_set_blocked(set);
        return 0;
    default:
        return -EINVAL;
    }
}

SYSCALL_DEFINE4(rt_sigprocmask, int, how, uintptr_t, user_set, uintptr_t, user_old, size_t, size)
{
    uint64_t set, old = signal_blocked();
    int err = 0;

    if (size != SIGSET_SIZE)
        return -EINVAL;
    if (user_set && copy_from_user(&set, user_set, sizeof set))
        return -EFAULT;
    if (user_set)
        err = change_mask(how, set);
    if (!err && user_old)
        err = copy_to_user(user_old, &old, sizeof old);
    return err;
}

SYSCALL_DEFINE0(rt_sigreturn)
{
    return sigframe_pop(current_thread()->user);
}

/* Go on with the call that a stop, or a signal without a handler, interrupted. No program calls it by itself.
 */
SYSCALL_DEFINE0(restart_syscall)
{
    struct restart r = current_task()->restart;

    current_task()->restart.fn = NULL;
    return r.fn ? r.fn(&r) : -EINTR;
}

SYSCALL_DEFINE2(rt_sigpending, uintptr_t, user_set, size_t, size)
{
    struct task *t = current_task();
    uint64_t flags, set;

    if (size != SIGSET_SIZE)
        return -EINVAL;
    flags = spin_lock(&process_lock);
    set = (t->pending.set | t->process->pending.set) & t->blocked;
    spin_unlock(&process_lock, flags);
    return copy_to_user(user_set, &set, sizeof set);
}

SYSCALL_DEFINE2(rt_sigsuspend, uintptr_t, user_mask, size_t, size)
{
    uint64_t mask;

    if (size != SIGSET_SIZE)
        return -EINVAL;
    if (copy_from_user(&mask, user_mask, sizeof mask))
        return -EFAULT;
    signal_set_temporary_mask(mask);
    thread_sleep_until(TIME_NEVER);
    return -EINTR;
}

SYSCALL_DEFINE0(pause)
{
    thread_sleep_until(TIME_NEVER);
    return -EINTR;
}

/* Wait for one of set to be sent; the set counts as not blocked meanwhile, so that it ends the sleep. */
static int64_t wait_for_signal(uint64_t set, uint64_t deadline, struct signal_info *info)
{
    uint64_t mask = signal_blocked();
    int signo = signal_dequeue(set, info), err = 0;

    if (signo || deadline <= time_now())
        return signo ? signo : -EAGAIN;
    signal_await(set);
    err = thread_sleep_until(deadline);
    signo = signal_dequeue(set, info);
    signal_set_blocked(mask);
    return signo ? signo : err ? -EINTR : -EAGAIN;
}

SYSCALL_DEFINE4(rt_sigtimedwait, uintptr_t, user_set, uintptr_t, user_info, uintptr_t, timeout, size_t, size)
{
    struct signal_info info;
    uint64_t set, ns = 0;
    siginfo_t si;
    int64_t signo;

    if (size != SIGSET_SIZE)
        return -EINVAL;
    if (copy_from_user(&set, user_set, sizeof set))
        return -EFAULT;
    if (timeout) {
        int err = timespec_from_user(timeout, &ns);
        if (err)
            return err;
    }
    set &= ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP)); /* nobody can keep these from what they do */
    signo = wait_for_signal(set, timeout ? deadline_after(ns) : TIME_NEVER, &info);
    if (signo <= 0 || !user_info)
        return signo;
    signal_fill_siginfo((int)signo, &info, &si);
    return copy_to_user(user_info, &si, sizeof si) ? -EFAULT : signo;
}

SYSCALL_DEFINE2(kill, int, pid, int, signo)
{
    return signal_kill(pid, signo);
}

SYSCALL_DEFINE3(tgkill, int, tgid, int, tid, int, signo)
{
    return tgid <= 0 ? -EINVAL : signal_tgkill(tgid, tid, signo);
}

SYSCALL_DEFINE2(tkill, int, tid, int, signo)
{
    return signal_tgkill(0, tid, signo);
}

static int queue_from_user(int tgid, int tid, int signo, uintptr_t user_info)
{
    struct signal_info info;
    siginfo_t si;

    if (copy_from_user(&si, user_info, sizeof si))
        return -EFAULT;
    signal_read_siginfo(&si, &info);
    return signal_queue_to(tgid, tid, signo, &info);
}

SYSCALL_DEFINE3(rt_sigqueueinfo, int, tgid, int, signo, uintptr_t, user_info)
{
    return queue_from_user(tgid, 0, signo, user_info);
}

SYSCALL_DEFINE4(rt_tgsigqueueinfo, int, tgid, int, tid, int, signo, uintptr_t, user_info)
{
    return tgid <= 0 || tid <= 0 ? -EINVAL : queue_from_user(tgid, tid, signo, user_info);
}

SYSCALL_DEFINE2(sigaltstack, uintptr_t, user_new, uintptr_t, user_old)
{
    stack_t *s = &current_task()->altstack, old = *s, new;
    uint64_t rsp = current_thread()->user->rsp;
    bool in_use = !((uint32_t)old.ss_flags & (SS_DISABLE | SS_AUTODISARM)) && rsp > old.ss_sp &&
                  rsp - old.ss_sp <= old.ss_size;

    if (user_new) {
        if (copy_from_user(&new, user_new, sizeof new))
            return -EFAULT;
        if (in_use)
            return -EPERM;
        if ((uint32_t) new.ss_flags & ~(SS_DISABLE | SS_ONSTACK | SS_AUTODISARM))
            return -EINVAL;
        if (!(new.ss_flags &SS_DISABLE) && new.ss_size < MINSIGSTKSZ)
            return -ENOMEM;
        *s = new;
        s->ss_flags &= (int32_t)(SS_DISABLE | SS_AUTODISARM);
    }
    old.ss_flags |= in_use ? SS_ONSTACK : 0;
    return user_old ? copy_to_user(user_old, &old, sizeof old) : 0;
}
