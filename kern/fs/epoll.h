/* kern/fs/epoll.h - epoll: sets of files whose readiness is remembered between waits. */
#pragma once
#include "kern/fs/file.h"
#include "lib/abi/epoll.h"

/* A file that is an empty set, with one reference. NULL: memory is out. */
struct file *epoll_create(void);
bool file_is_epoll(const struct file *f);
/* epoll_ctl(2) on set, which file_is_epoll(), for (f, fd), the two that make an entry's key. 0, -EEXIST,
 * -ENOENT, -EPERM (f has no readiness), -EINVAL, -ELOOP, -ENOMEM, -ENOSPC. Process context. */
int epoll_control(struct file *set, int op, struct file *f, int fd, const struct epoll_event *event);
/* Wait until something in set is ready, or deadline, and write up to max events to the user's array. How
 * many, 0 at the deadline, -EINTR, -EFAULT. Nothing is allocated; the time is that of the ready files.
 * Process context. */
int64_t epoll_wait_events(struct file *set, uintptr_t user, int max, uint64_t deadline);
/* f's last reference is gone: take it out of every set. Before the ops' release. */
void epoll_forget_file(struct file *f);
