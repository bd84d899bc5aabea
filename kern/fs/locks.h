/* kern/fs/locks.h - advisory locks on files: flock, and fcntl's on ranges of bytes (flock(2), fcntl(2)).
 *
 * Who owns a lock: of FLOCK and OFD the open file, so that all its descriptors share it and the last close
 * releases it; of POSIX the table of descriptors, that is the process, and any close of the file there
 * releases all it has on it. FLOCK does not see the others. */
#pragma once
#include "kern/fs/files.h"

enum lock_kind { LOCK_KIND_FLOCK, LOCK_KIND_POSIX, LOCK_KIND_OFD };
enum lock_type { LOCK_NONE, LOCK_READ, LOCK_WRITE };
#define LOCK_END ((uint64_t)INT64_MAX) /* to the end of the file, however long it becomes */

struct file_lock {
    struct list_head link; /* FILE_LOCKS lock */
    enum lock_kind kind;
    enum lock_type type;
    uint64_t start, end; /* bytes, both included; a FLOCK has 0 and LOCK_END */
    struct inode *inode; /* its owner holds it */
    const void *owner;
    int pid; /* who set it; -1: an OFD lock */
};

/* A request of the current process on f: owner, inode and pid are filled in. */
struct file_lock lock_request(struct file *f, enum lock_kind kind, enum lock_type type, uint64_t start,
                              uint64_t end);
/* Lock or unlock (LOCK_NONE) as wanted, instead of what the owner has there. 0, -EAGAIN (somebody else has
 * it; with `wait` it is waited for), -EINTR, -EDEADLK (POSIX: it would wait for itself), -ENOLCK. Process
 * context. */
int lock_set(struct file_lock *wanted, bool wait);
/* A lock that wanted would have to wait for, copied to *found. False: none. */
bool lock_conflict(const struct file_lock *wanted, struct file_lock *found);
/* The last reference to f is gone: its FLOCK and OFD locks go. */
void lock_release_file(struct file *f);
/* A descriptor of f in `files` is closed: the POSIX locks there go. */
void lock_release_posix(struct files *files, struct file *f);
/* /proc/locks. */
struct textbuf;
void lock_show(struct textbuf *out);
