/* kern/sys/sys_time.c - system calls about time: clocks, sleeping, alarms. */
#include "kern/proc/cred.h"
#include "kern/proc/itimer.h"
#include "kern/proc/vdso.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
#include "kern/time/time.h"

enum { TICKS_PER_SECOND = 100 }; /* AT_CLKTCK */

static int64_t cpu_ns(struct resource_use use)
{
    return (int64_t)(use.user_ns + use.system_ns);
}

static bool timeval_to_ns(const struct timeval *tv, uint64_t *ns)
{
    if (tv->tv_sec < 0 || tv->tv_usec < 0 || tv->tv_usec >= 1000000)
        return false;
    *ns = timespec_ns(&(struct timespec){ tv->tv_sec, tv->tv_usec * 1000 });
    return true;
}

/* The clock's reading in ns, or -EINVAL. */
static int64_t read_clock(int clock)
{
    switch (clock) {
    case CLOCK_REALTIME:
    case CLOCK_REALTIME_COARSE:
        return (int64_t)time_wall();
    case CLOCK_MONOTONIC:
    case CLOCK_MONOTONIC_RAW:
    case CLOCK_MONOTONIC_COARSE:
    case CLOCK_BOOTTIME:
        return (int64_t)time_now();
    case CLOCK_PROCESS_CPUTIME_ID:
        return cpu_ns(process_use(current_process()));
    case CLOCK_THREAD_CPUTIME_ID:
        return cpu_ns(task_use(current_task()));
    default:
        return -EINVAL;
    }
}

SYSCALL_DEFINE2(clock_gettime, int, clock, uintptr_t, user)
{
    int64_t ns = read_clock(clock);

    return ns < 0 ? ns : timespec_to_user(user, (uint64_t)ns);
}

static int set_wall(uint64_t ns)
{
    int err = capable(CAP_SYS_TIME) ? time_wall_set(ns) : -EPERM;

    if (!err)
        vdso_update_clock();
    return err;
}

SYSCALL_DEFINE2(clock_settime, int, clock, uintptr_t, user)
{
    uint64_t ns;
    int err = clock == CLOCK_REALTIME ? timespec_from_user(user, &ns) : -EINVAL;

    return err ? err : set_wall(ns);
}

SYSCALL_DEFINE2(clock_getres, int, clock, uintptr_t, user)
{
    if (read_clock(clock) < 0)
        return -EINVAL;
    return user ? timespec_to_user(user, 1) : 0;
}

SYSCALL_DEFINE2(gettimeofday, uintptr_t, user_tv, uintptr_t, user_tz)
{
    uint64_t ns = time_wall();
    struct timeval tv = { (int64_t)(ns / sec(1)), (int64_t)(ns % sec(1) / us(1)) };
    struct timezone tz = { 0, 0 };

    if (user_tv && copy_to_user(user_tv, &tv, sizeof tv))
        return -EFAULT;
    return user_tz ? copy_to_user(user_tz, &tz, sizeof tz) : 0;
}

SYSCALL_DEFINE2(settimeofday, uintptr_t, user_tv, uintptr_t, user_tz)
{
    struct timezone tz;
    struct timeval tv;
    uint64_t ns;

    if ((user_tv && copy_from_user(&tv, user_tv, sizeof tv)) ||
        (user_tz && copy_from_user(&tz, user_tz, sizeof tz)))
        return -EFAULT;
    if (!user_tv)
        return 0; /* the zone is the programs' business */
    return timeval_to_ns(&tv, &ns) ? set_wall(ns) : -EINVAL;
}

SYSCALL_DEFINE1(time, uintptr_t, user)
{
    int64_t now = (int64_t)(time_wall() / sec(1));

    return user && copy_to_user(user, &now, sizeof now) ? -EFAULT : now;
}

SYSCALL_DEFINE1(times, uintptr_t, user)
{
    const uint64_t tick = sec(1) / TICKS_PER_SECOND;
    struct resource_use self = process_use(current_process()),
                        children = process_children_use(current_process());
    struct tms t = { .tms_utime = (int64_t)(self.user_ns / tick),
                     .tms_stime = (int64_t)(self.system_ns / tick),
                     .tms_cutime = (int64_t)(children.user_ns / tick),
                     .tms_cstime = (int64_t)(children.system_ns / tick) };

    if (user && copy_to_user(user, &t, sizeof t))
        return -EFAULT;
    return (int64_t)(time_now() / (sec(1) / TICKS_PER_SECOND));
}

/* ---- sleeping ---- */

static int64_t sleep_until(uint64_t deadline, uintptr_t user_left);

static int64_t go_on_sleeping(const struct restart *r)
{
    return sleep_until(r->deadline, r->args[0]);
}

static int64_t sleep_until(uint64_t deadline, uintptr_t user_left)
{
    int err = thread_sleep_until(deadline);
    uint64_t now = time_now();

    if (err == -EINTR)
        current_task()->restart =
            (struct restart){ .fn = go_on_sleeping, .deadline = deadline, .args = { user_left } };
    if (err == -EINTR && user_left && timespec_to_user(user_left, deadline > now ? deadline - now : 0))
        return -EFAULT;
    return err == -ETIMEDOUT ? 0 : err;
}

SYSCALL_DEFINE2(nanosleep, uintptr_t, user, uintptr_t, user_left)
{
    uint64_t ns;
    int err = timespec_from_user(user, &ns);

    return err ? err : sleep_until(deadline_after(ns), user_left);
}

SYSCALL_DEFINE4(clock_nanosleep, int, clock, int, flags, uintptr_t, user, uintptr_t, user_left)
{
    int64_t now = read_clock(clock);
    uint64_t ns;
    int err;

    if (now < 0 || clock == CLOCK_THREAD_CPUTIME_ID)
        return -EINVAL;
    err = timespec_from_user(user, &ns);
    if (err)
        return err;
    if (!(flags & TIMER_ABSTIME))
        return sleep_until(deadline_after(ns), user_left);
    return ns <= (uint64_t)now ? 0 : sleep_until(deadline_after(ns - (uint64_t)now), 0);
}

/* ---- alarms ---- */

static struct timeval timeval_of(uint64_t ns)
{
    return (struct timeval){ (int64_t)(ns / sec(1)), (int64_t)(ns % sec(1) / us(1)) };
}

SYSCALL_DEFINE1(alarm, unsigned, seconds)
{
    uint64_t left, interval;

    itimer_set(current_process(), sec((uint64_t)seconds), 0, &left, &interval);
    return (int64_t)ROUND_UP(left, sec(1)) / (int64_t)sec(1);
}

SYSCALL_DEFINE2(getitimer, int, which, uintptr_t, user)
{
    struct itimerval it;
    uint64_t left, interval;

    if (which < ITIMER_REAL || which > ITIMER_PROF)
        return -EINVAL;
    if (which == ITIMER_REAL)
        itimer_get(current_process(), &left, &interval);
    else
        cpu_timer_get(current_process(), which, &left, &interval);
    it.it_value = timeval_of(left);
    it.it_interval = timeval_of(interval);
    return copy_to_user(user, &it, sizeof it);
}

SYSCALL_DEFINE3(setitimer, int, which, uintptr_t, user_new, uintptr_t, user_old)
{
    uint64_t value = 0, interval = 0, left, old_interval;
    struct itimerval it;

    if (which < ITIMER_REAL || which > ITIMER_PROF)
        return -EINVAL;
    if (user_new && copy_from_user(&it, user_new, sizeof it))
        return -EFAULT;
    if (user_new && (!timeval_to_ns(&it.it_value, &value) || !timeval_to_ns(&it.it_interval, &interval)))
        return -EINVAL;
    if (which == ITIMER_REAL)
        itimer_set(current_process(), value, interval, &left, &old_interval);
    else
        cpu_timer_set(current_process(), which, value, interval, &left, &old_interval);
    it.it_value = timeval_of(left);
    it.it_interval = timeval_of(old_interval);
    return user_old ? copy_to_user(user_old, &it, sizeof it) : 0;
}
