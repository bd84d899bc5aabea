/* kern/fs/files.c - tables of open files.
 *
 * The table's lock guards the array; a file found there is held by a reference before the lock is dropped.
 * Files are put without it, because the last put may sleep. */
#include "kern/fs/files.h"
#include "kern/fs/locks.h"
#include "kern/mm/mm.h"
#include "kern/proc/limits.h"
#include "kern/proc/process.h"
#include "lib/abi/fcntl.h"
#include "lib/string.h"

enum {
    FIRST_SIZE = 64
}; /* a word of cloexec; as Linux's, for select() asks about no more than the table has */

struct files {
    struct refcount refs;
    struct spinlock lock; /* rank FILES */
    int size;             /* of fd, a power of two, at most FILES_MAX */
    int maybe_free;       /* all below are open */
    struct file **fd;
    uint64_t *cloexec; /* size bits */
};

static size_t cloexec_bytes(int size)
{
    return (size_t)size / 8;
}

static void free_table(struct files *files)
{
    kfree(files->fd);
    kfree(files->cloexec);
    kfree(files);
}

static struct files *files_alloc(int size)
{
    struct files *files = kzalloc(sizeof *files);

    if (!files)
        return NULL;
    files->fd = kzalloc((size_t)size * sizeof(struct file *));
    files->cloexec = kzalloc(cloexec_bytes(size));
    if (!files->fd || !files->cloexec) {
        free_table(files);
        return NULL;
    }
    refcount_set(&files->refs, 1);
    spin_init(&files->lock, "files", RANK_FILES);
    files->size = size;
    return files;
}

struct files *files_create(void)
{
    return files_alloc(FIRST_SIZE);
}

/* A table as wide as old, with old's lock held in *flags; it may have grown while we had no lock. */
static struct files *alloc_for_clone(struct files *old, uint64_t *flags)
{
    for (;;) {
        int size = READ_ONCE(old->size);
        struct files *new = files_alloc(size);

        *flags = spin_lock(&old->lock);
        if (!new || old->size == size)
            return new;
        spin_unlock(&old->lock, *flags);
        files_put(new);
    }
}

struct files *files_clone(struct files *old)
{
    uint64_t flags;
    struct files *new = alloc_for_clone(old, &flags);

    if (new) {
        for (int i = 0; i < old->size; i++)
            new->fd[i] = old->fd[i] ? file_get(old->fd[i]) : NULL;
        memcpy(new->cloexec, old->cloexec, cloexec_bytes(old->size));
        new->maybe_free = old->maybe_free;
    }
    spin_unlock(&old->lock, flags);
    return new;
}

struct files *files_get(struct files *files)
{
    refcount_get(&files->refs);
    return files;
}

/* f, whose reference is given, has left the table. */
static void close_file(struct files *files, struct file *f)
{
    lock_release_posix(files, f);
    file_put(f);
}

void files_put(struct files *files)
{
    if (!refcount_put(&files->refs))
        return;
    for (int i = 0; i < files->size; i++)
        if (files->fd[i])
            close_file(files, files->fd[i]);
    free_table(files);
}

struct files *current_files(void)
{
    return current_process()->files;
}

int fd_table_size(void)
{
    return READ_ONCE(current_files()->size);
}

int fd_limit(void)
{
    return (int)MIN(limit_now(RLIMIT_NOFILE), (uint64_t)FILES_MAX);
}

/* ---- lock held ---- */

static bool is_cloexec(const struct files *files, int fd)
{
    return files->cloexec[fd / 64] >> (fd % 64) & 1;
}

static void mark_cloexec(struct files *files, int fd, bool on)
{
    uint64_t bit = 1ull << (fd % 64);

    files->cloexec[fd / 64] = on ? files->cloexec[fd / 64] | bit : files->cloexec[fd / 64] & ~bit;
}

static struct file *file_at(struct files *files, int fd)
{
    return fd >= 0 && fd < files->size ? files->fd[fd] : NULL;
}

/* A table of size places, a power of two and more than now. 0 or -ENOMEM. */
static int widen(struct files *files, int size)
{
    struct file **fd = kzalloc((size_t)size * sizeof *fd);
    uint64_t *cloexec = kzalloc(cloexec_bytes(size));

    if (!fd || !cloexec) {
        kfree(fd);
        kfree(cloexec);
        return -ENOMEM;
    }
    memcpy(fd, files->fd, (size_t)files->size * sizeof *fd);
    memcpy(cloexec, files->cloexec, cloexec_bytes(files->size));
    kfree(files->fd);
    kfree(files->cloexec);
    files->fd = fd;
    files->cloexec = cloexec;
    files->size = size;
    return 0;
}

/* Make room for fd. 0, -EMFILE or -ENOMEM. */
static int make_room(struct files *files, int fd)
{
    int size = files->size;

    if (fd >= fd_limit())
        return -EMFILE;
    while (size <= fd)
        size *= 2;
    return size == files->size ? 0 : widen(files, size);
}

/* The least that is free and not below least. A server may have thousands open, so what was found is
 * remembered. */
static int least_free(struct files *files, int least)
{
    int fd = MAX(least, files->maybe_free);

    while (fd < files->size && files->fd[fd])
        fd++;
    if (least <= files->maybe_free)
        files->maybe_free = fd;
    return fd;
}

/* f leaves the table at fd, where it was. */
static void clear_slot(struct files *files, int fd)
{
    files->fd[fd] = NULL;
    mark_cloexec(files, fd, false);
    files->maybe_free = MIN(files->maybe_free, fd);
}

static int set_slot(struct files *files, int fd, struct file *f, bool cloexec)
{
    int err = make_room(files, fd);

    if (err)
        return err;
    files->fd[fd] = f;
    mark_cloexec(files, fd, cloexec);
    return fd;
}

/* ---- descriptors of the current process ---- */

/* Whether nobody but the current thread can change the table: it is shared neither with another process nor
 * with another thread, and only this thread could make one. */
static bool is_ours_alone(const struct files *files)
{
    return refcount_read(&files->refs) == 1 && READ_ONCE(current_process()->n_threads) == 1;
}

static struct file *get_at(struct files *files, int fd)
{
    struct file *f = file_at(files, fd);

    return f ? file_get(f) : NULL;
}

/* Apart from fd_get_any(), whose usual way then saves no registers. */
__attribute__((noinline)) struct file *files_at(struct files *files, int fd)
{
    uint64_t flags = spin_lock(&files->lock);
    struct file *f = get_at(files, fd);

    spin_unlock(&files->lock, flags);
    return f;
}

struct file *fd_get_any(int fd)
{
    struct files *files = current_files();

    return is_ours_alone(files) ? get_at(files, fd) : files_at(files, fd);
}

struct file *fd_get(int fd)
{
    struct file *f = fd_get_any(fd);

    if (!f || !file_is_place(f))
        return f;
    file_put(f);
    return NULL;
}

int fd_install(struct file *f, int least, bool cloexec)
{
    struct files *files = current_files();
    uint64_t flags = spin_lock(&files->lock);
    int fd = set_slot(files, least_free(files, least), f, cloexec);

    spin_unlock(&files->lock, flags);
    if (fd < 0)
        file_put(f);
    return fd;
}

int fd_replace(int fd, struct file *f, bool cloexec)
{
    struct files *files = current_files();
    uint64_t flags = spin_lock(&files->lock);
    struct file *old = file_at(files, fd);
    int result = fd < 0 || fd >= fd_limit() ? -EBADF : set_slot(files, fd, f, cloexec);

    spin_unlock(&files->lock, flags);
    if (result < 0)
        file_put(f);
    else if (old)
        close_file(files, old);
    return result;
}

int fd_close(int fd)
{
    struct files *files = current_files();
    uint64_t flags = spin_lock(&files->lock);
    struct file *f = file_at(files, fd);

    if (f)
        clear_slot(files, fd);
    spin_unlock(&files->lock, flags);
    if (!f)
        return -EBADF;
    close_file(files, f);
    return 0;
}

int fd_get_cloexec(int fd)
{
    struct files *files = current_files();
    uint64_t flags = spin_lock(&files->lock);
    int result = file_at(files, fd) ? is_cloexec(files, fd) : -EBADF;

    spin_unlock(&files->lock, flags);
    return result;
}

int fd_set_cloexec(int fd, bool cloexec)
{
    struct files *files = current_files();
    uint64_t flags = spin_lock(&files->lock);
    bool open = file_at(files, fd);

    if (open)
        mark_cloexec(files, fd, cloexec);
    spin_unlock(&files->lock, flags);
    return open ? 0 : -EBADF;
}

/* ---- whole tables ---- */

/* Take one file marked close-on-exec out of the table; NULL: none is left. */
static struct file *take_cloexec(struct files *files)
{
    struct file *f = NULL;
    uint64_t flags = spin_lock(&files->lock);

    for (int fd = 0; fd < files->size && !f; fd++) {
        if (!files->fd[fd] || !is_cloexec(files, fd))
            continue;
        f = files->fd[fd];
        clear_slot(files, fd);
    }
    spin_unlock(&files->lock, flags);
    return f;
}

void files_close_on_exec(struct files *files)
{
    struct file *f;
    while ((f = take_cloexec(files)))
        close_file(files, f);
}

int fd_next(struct files *files, int fd)
{
    uint64_t flags = spin_lock(&files->lock);

    while (fd < files->size && !files->fd[fd])
        fd++;
    if (fd >= files->size)
        fd = -1;
    spin_unlock(&files->lock, flags);
    return fd;
}

bool files_use_dev(struct files *files, unsigned dev)
{
    uint64_t flags = spin_lock(&files->lock);
    bool found = false;

    for (int fd = 0; fd < files->size && !found; fd++)
        found = files->fd[fd] && files->fd[fd]->inode && files->fd[fd]->inode->dev == dev;
    spin_unlock(&files->lock, flags);
    return found;
}
