/* kern/sys/sys_timer.c - timer_create(2) and its kin. */
#include "kern/proc/posix_timer.h"
#include "kern/proc/signals.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"

static bool is_wall_or_boot(int clock)
{
    return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME;
}

/* Whom a sigevent means: its fields checked. */
static int check_event(const struct kernel_sigevent *e)
{
    bool told = e->sigev_notify != SIGEV_NONE;
    uint64_t flags;
    bool there;

    if (e->sigev_notify != SIGEV_NONE && e->sigev_notify != SIGEV_SIGNAL &&
        e->sigev_notify != SIGEV_THREAD_ID)
        return -EINVAL;
    if (told && (e->sigev_signo < 1 || e->sigev_signo > NSIG))
        return -EINVAL;
    if (e->sigev_notify != SIGEV_THREAD_ID)
        return 0;
    flags = spin_lock(&process_lock);
    there = task_find_locked(current_process(), e->sigev_tid);
    spin_unlock(&process_lock, flags);
    return there ? 0 : -EINVAL;
}

SYSCALL_DEFINE3(timer_create, int, clock, uintptr_t, user_event, uintptr_t, user_id)
{
    struct kernel_sigevent e = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM };
    int32_t id;
    int err;

    if (user_event && copy_from_user(&e, user_event, sizeof e))
        return -EFAULT;
    if (!is_wall_or_boot(clock))
        return -EINVAL;
    err = check_event(&e);
    if (err)
        return err;
    id = posix_timer_create(&(struct posix_timer_request){ .clock = clock,
                                                           .notify = e.sigev_notify,
                                                           .signo = e.sigev_signo,
                                                           .tid = e.sigev_tid,
                                                           .value = e.sigev_value,
                                                           .value_is_id = !user_event });
    if (id < 0)
        return id;
    if (!copy_to_user(user_id, &id, sizeof id))
        return 0;
    posix_timer_delete(id);
    return -EFAULT;
}

static int setting_from_user(uintptr_t user, struct posix_timer_setting *s)
{
    struct itimerspec it;

    if (copy_from_user(&it, user, sizeof it))
        return -EFAULT;
    if (!timespec_is_valid(&it.it_value) || !timespec_is_valid(&it.it_interval))
        return -EINVAL;
    s->value = timespec_ns(&it.it_value);
    s->interval = timespec_ns(&it.it_interval);
    return 0;
}

static int setting_to_user(uintptr_t user, const struct posix_timer_setting *s)
{
    int err = timespec_to_user(user, s->interval);

    return err ? err : timespec_to_user(user + sizeof(struct timespec), s->value);
}

SYSCALL_DEFINE4(timer_settime, int, id, int, flags, uintptr_t, user_new, uintptr_t, user_old)
{
    struct posix_timer_setting new, old;
    int err;

    if (!user_new)
        return -EINVAL;
    err = setting_from_user(user_new, &new);
    if (!err)
        err = posix_timer_set(id, flags & TIMER_ABSTIME, &new, &old);
    return err || !user_old ? err : setting_to_user(user_old, &old);
}

SYSCALL_DEFINE2(timer_gettime, int, id, uintptr_t, user)
{
    struct posix_timer_setting now;
    int err = posix_timer_get(id, &now);

    return err ? err : setting_to_user(user, &now);
}

SYSCALL_DEFINE1(timer_getoverrun, int, id)
{
    return posix_timer_overrun(id);
}

SYSCALL_DEFINE1(timer_delete, int, id)
{
    return posix_timer_delete(id);
}
