/* kern/sys/sys_epoll.c - epoll's calls: their arguments to and from kern/fs/epoll.c. */
#include "kern/fs/epoll.h"
#include "kern/fs/files.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
#include "lib/abi/fcntl.h"

static int64_t create(uint32_t flags)
{
    struct file *f;

    if (flags & ~(uint32_t)EPOLL_CLOEXEC)
        return -EINVAL;
    f = epoll_create();
    return f ? fd_install(f, 0, flags & EPOLL_CLOEXEC) : -ENOMEM;
}

SYSCALL_DEFINE1(epoll_create, int, size)
{
    return size > 0 ? create(0) : -EINVAL;
}

SYSCALL_DEFINE1(epoll_create1, uint32_t, flags)
{
    return create(flags);
}

SYSCALL_DEFINE4(epoll_ctl, int, epfd, int, op, int, fd, uintptr_t, user)
{
    struct epoll_event event = { 0 };
    struct file *set, *f;
    int result = -EBADF;

    if (op != EPOLL_CTL_DEL && copy_from_user(&event, user, sizeof event))
        return -EFAULT;
    set = fd_get(epfd);
    f = fd_get(fd);
    if (set && f)
        result = epoll_control(set, op, f, fd, &event);
    if (f)
        file_put(f);
    if (set)
        file_put(set);
    return result;
}

/* ---- waiting ---- */

static int64_t wait_until(int epfd, uintptr_t user, int max, uint64_t deadline)
{
    struct file *set;
    int64_t n = -EINVAL;

    if (max <= 0 || (size_t)max > INT32_MAX / sizeof(struct epoll_event))
        return -EINVAL;
    if (!user_range_is_valid(user, (size_t)max * sizeof(struct epoll_event)))
        return -EFAULT;
    set = fd_get(epfd);
    if (!set)
        return -EBADF;
    if (file_is_epoll(set))
        n = epoll_wait_events(set, user, max, deadline);
    file_put(set);
    return n;
}

SYSCALL_DEFINE4(epoll_wait, int, epfd, uintptr_t, user, int, max, int, timeout)
{
    return wait_until(epfd, user, max, deadline_of_ms(timeout));
}

SYSCALL_DEFINE6(epoll_pwait, int, epfd, uintptr_t, user, int, max, int, timeout, uintptr_t, mask, size_t,
                size)
{
    int err = temporary_mask_from_user(mask, size);

    return err ? err : temporary_mask_end(wait_until(epfd, user, max, deadline_of_ms(timeout)));
}

SYSCALL_DEFINE6(epoll_pwait2, int, epfd, uintptr_t, user, int, max, uintptr_t, timeout, uintptr_t, mask,
                size_t, size)
{
    uint64_t deadline;
    int err = deadline_from_user(timeout, &deadline);

    if (!err)
        err = temporary_mask_from_user(mask, size);
    return err ? err : temporary_mask_end(wait_until(epfd, user, max, deadline));
}
