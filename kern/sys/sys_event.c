/* kern/sys/sys_event.c - eventfd, timerfd and signalfd: their arguments to and from kern/fs. */
#include "kern/fs/eventfd.h"
#include "kern/fs/files.h"
#include "kern/proc/signals.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
#include "lib/abi/fcntl.h"

/* A descriptor for f, which may be NULL. */
static int64_t install(struct file *f, uint32_t flags)
{
    return f ? fd_install(f, 0, flags & O_CLOEXEC) : -ENOMEM;
}

/* ---- eventfd ---- */

SYSCALL_DEFINE2(eventfd2, uint32_t, count, uint32_t, flags)
{
    if (flags & ~(uint32_t)(EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC))
        return -EINVAL;
    return install(eventfd_create(count, flags & EFD_SEMAPHORE, flags & O_NONBLOCK), flags);
}

SYSCALL_DEFINE1(eventfd, uint32_t, count)
{
    return install(eventfd_create(count, false, 0), 0);
}

/* ---- timerfd ---- */

SYSCALL_DEFINE2(timerfd_create, int, clock, uint32_t, flags)
{
    bool known = clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC || clock == CLOCK_BOOTTIME ||
                 clock == CLOCK_REALTIME_ALARM || clock == CLOCK_BOOTTIME_ALARM; /* we never sleep */

    if (!known || (flags & ~(uint32_t)(TFD_NONBLOCK | TFD_CLOEXEC)))
        return -EINVAL;
    if (clock == CLOCK_REALTIME_ALARM)
        clock = CLOCK_REALTIME;
    return install(timerfd_create(clock, flags & O_NONBLOCK), flags);
}

/* With a reference: 0, -EBADF, -EINVAL. */
static int get_timerfd(int fd, struct file **f)
{
    *f = fd_get(fd);
    if (!*f)
        return -EBADF;
    if (file_is_timerfd(*f))
        return 0;
    file_put(*f);
    return -EINVAL;
}

static struct timespec timespec_of(uint64_t ns)
{
    return (struct timespec){ (int64_t)(ns / sec(1)), (int64_t)(ns % sec(1)) };
}

static struct itimerspec read_timer(struct file *f)
{
    uint64_t left, interval;

    timerfd_get(f, &left, &interval);
    return (struct itimerspec){ .it_interval = timespec_of(interval), .it_value = timespec_of(left) };
}

SYSCALL_DEFINE4(timerfd_settime, int, fd, int, how, uintptr_t, user_new, uintptr_t, user_old)
{
    struct itimerspec new, old;
    struct file *f;
    int err;

    if (copy_from_user(&new, user_new, sizeof new))
        return -EFAULT;
    if ((how & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) || !timespec_is_valid(&new.it_value) ||
        !timespec_is_valid(&new.it_interval))
        return -EINVAL;
    err = get_timerfd(fd, &f);
    if (err)
        return err;
    old = read_timer(f);
    timerfd_set(f, how & TFD_TIMER_ABSTIME, timespec_ns(&new.it_value), timespec_ns(&new.it_interval));
    file_put(f);
    return user_old ? copy_to_user(user_old, &old, sizeof old) : 0;
}

SYSCALL_DEFINE2(timerfd_gettime, int, fd, uintptr_t, user)
{
    struct itimerspec now;
    struct file *f;
    int err = get_timerfd(fd, &f);

    if (err)
        return err;
    now = read_timer(f);
    file_put(f);
    return copy_to_user(user, &now, sizeof now);
}

/* ---- signalfd ---- */

static int64_t change_mask(int fd, uint64_t mask)
{
    struct file *f = fd_get(fd);
    int err;

    if (!f)
        return -EBADF;
    err = signalfd_set_mask(f, mask);
    file_put(f);
    return err ? err : fd;
}

static int64_t signalfd_for(int fd, uintptr_t user_mask, size_t size, uint32_t flags)
{
    uint64_t mask;

    if ((flags & ~(uint32_t)(SFD_NONBLOCK | SFD_CLOEXEC)) || size != sizeof mask)
        return -EINVAL;
    if (copy_from_user(&mask, user_mask, sizeof mask))
        return -EFAULT;
    mask &= ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
    if (fd != -1)
        return change_mask(fd, mask);
    return install(signalfd_create(mask, flags & O_NONBLOCK), flags);
}

SYSCALL_DEFINE3(signalfd, int, fd, uintptr_t, mask, size_t, size)
{
    return signalfd_for(fd, mask, size, 0);
}

SYSCALL_DEFINE4(signalfd4, int, fd, uintptr_t, mask, size_t, size, uint32_t, flags)
{
    return signalfd_for(fd, mask, size, flags);
}
