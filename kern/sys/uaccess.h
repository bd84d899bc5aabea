/* kern/sys/uaccess.h - the parts of system calls that many of them share: paths, vectors, times from the
 * user. */
#pragma once
#include "kern/fs/fs.h"
#include "lib/abi/time.h"

/* A copy of a user's path, to be given back with kfree. 0, -EFAULT, -ENAMETOOLONG, -ENOMEM. */
int path_from_user(uintptr_t user, char **path);
/* Where a path relative to dirfd starts, with a reference: AT_FDCWD is the current directory. 0, -EBADF,
 * -ENOTDIR.
 */
int start_of(int dirfd, struct inode **start);
/* Copy the path and walk it from dirfd. flags as for path_walk; WALK_EMPTY: an empty path is dirfd itself. 0
 * (then path_put), or -errno. */
int walk_user_path(int dirfd, uintptr_t user, unsigned flags, struct path *out);
/* The walk that a call's AT_* flags ask for, of which it knows those in known. -EINVAL for any other. */
int walk_of_flags(int at_flags, int known);

/* A user's array of struct iovec as an iterator; *vectors is to be given back with kfree. Lengths sum up to
 * at most IO_BYTES_MOST: what is beyond is cut, as in Linux. 0, -EFAULT, -EINVAL, -ENOMEM. */
int iovec_from_user(uintptr_t user, size_t n, struct io_vector **vectors, struct iov_iter *it);
/* One buffer as an iterator; *v must live as long. */
void iter_of_buffer(struct iov_iter *it, struct io_vector *v, uintptr_t buf, size_t n);

/* Nanoseconds from a user's struct timespec / timeval: 0, -EFAULT, -EINVAL (negative or not normal). Cut to
 * about 292 years. */
int timespec_from_user(uintptr_t user, uint64_t *ns);
int timespec_to_user(uintptr_t user, uint64_t ns);
uint64_t timespec_ns(const struct timespec *ts);
bool timespec_is_valid(const struct timespec *ts);
struct resource_use;
int rusage_to_user(uintptr_t user, const struct resource_use *use);
/* now + ns without overflow. */
uint64_t deadline_after(uint64_t ns);
/* Is [address, address + length) the user's? *length is rounded up to pages. */
bool is_user_range(uint64_t address, size_t *length);
/* Of poll's time-out, whose negative values mean for ever; 0: the past. */
uint64_t deadline_of_ms(int timeout);
/* Of a user's struct timespec, or TIME_NEVER without one. 0, -EFAULT, -EINVAL. */
int deadline_from_user(uintptr_t user, uint64_t *deadline);

/* A user's signal mask (size bytes; address 0: none) instead of the thread's own while a call sleeps. 0,
 * -EFAULT, -EINVAL. */
int temporary_mask_from_user(uintptr_t user, size_t size);
/* The call has ended with result: unless a signal ended it, no handler may run with that mask any more. The
 * same result. */
int64_t temporary_mask_end(int64_t result);
