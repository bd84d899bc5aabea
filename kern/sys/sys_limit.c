/* kern/sys/sys_limit.c - getrlimit, setrlimit, prlimit64. */
#include "kern/proc/limits.h"
#include "kern/proc/process.h"
#include "kern/sys/syscall.h"

SYSCALL_DEFINE2(getrlimit, unsigned, resource, uintptr_t, user)
{
    struct rlimit now;
    int err = limit_change(current_process(), resource, NULL, &now);

    return err ? err : copy_to_user(user, &now, sizeof now);
}

SYSCALL_DEFINE2(setrlimit, unsigned, resource, uintptr_t, user)
{
    struct rlimit new;

    if (copy_from_user(&new, user, sizeof new))
        return -EFAULT;
    return limit_change(current_process(), resource, &new, NULL);
}

/* prlimit(2): whoever asks has the same ids, or root's rights. */
static bool may_touch(const struct process *p)
{
    const struct process *self = current_process();

    return self == p || capable(CAP_SYS_RESOURCE) || cred_may_inspect(&p->cred);
}

static int change_of(int pid, unsigned resource, const struct rlimit *new, struct rlimit *old)
{
    struct process *p = pid ? process_find(pid) : NULL;
    int err;

    if (pid && !p)
        return -ESRCH;
    err = p && !may_touch(p) ? -EPERM : limit_change(p ? p : current_process(), resource, new, old);
    if (p)
        process_put(p);
    return err;
}

SYSCALL_DEFINE4(prlimit64, int, pid, unsigned, resource, uintptr_t, user_new, uintptr_t, user_old)
{
    struct rlimit new, old;
    int err;

    if (user_new && copy_from_user(&new, user_new, sizeof new))
        return -EFAULT;
    err = change_of(pid, resource, user_new ? &new : NULL, &old);
    return !err && user_old ? copy_to_user(user_old, &old, sizeof old) : err;
}
