/* kern/fs/inode.c - what all inodes have in common: references, numbers, stat, records of directories. */
#include "kern/fs/mount.h"
#include "kern/proc/process.h"
#include "lib/abi/errno.h"
#include "lib/abi/stat.h"
#include "lib/string.h"
#include "net/port.h"

struct spinlock fs_lock = SPINLOCK_INIT("fs", RANK_FS);
struct inode *fs_root;

void inode_init(struct inode *inode, uint32_t mode, const struct inode_ops *ops, const struct file_ops *fops)
{
    static uint64_t last_ino;
    uint64_t now = time_wall();

    refcount_set(&inode->refs, 1);
    inode->ops = ops;
    inode->fops = fops;
    inode->ino = __atomic_add_fetch(&last_ino, 1, __ATOMIC_RELAXED);
    inode->mode = mode;
    inode->dev = DEV_ROOTFS;
    inode->uid = current_cred()->uid.fs;
    inode->gid = current_cred()->gid.fs;
    inode->nlink = 1;
    inode->atime = inode->mtime = inode->ctime = now;
}

struct inode *inode_get(struct inode *inode)
{
    refcount_get(&inode->refs);
    return inode;
}

/* Evicting a directory lets go of its parent, which may be evicted in its turn. */
void inode_put(struct inode *inode)
{
    while (inode && refcount_put(&inode->refs)) {
        struct inode *parent = inode->parent != inode ? inode->parent : NULL;
        inode->ops->evict(inode);
        inode = parent;
    }
}

static int count_use(struct inode *inode, int by)
{
    uint64_t flags = spin_lock(&fs_lock);
    int err = inode->writers * by < 0 ? -ETXTBSY : 0;

    if (!err)
        inode->writers += by;
    spin_unlock(&fs_lock, flags);
    return err;
}

static void uncount_use(struct inode *inode, int by)
{
    uint64_t flags = spin_lock(&fs_lock);

    ASSERT(inode->writers * by > 0);
    inode->writers -= by;
    spin_unlock(&fs_lock, flags);
}

int inode_begin_write(struct inode *inode)
{
    return count_use(inode, 1);
}

void inode_end_write(struct inode *inode)
{
    uncount_use(inode, 1);
}

int inode_begin_run(struct inode *inode)
{
    return count_use(inode, -1);
}

void inode_end_run(struct inode *inode)
{
    uncount_use(inode, -1);
}

struct inode *inode_parent(struct inode *dir)
{
    uint64_t flags = spin_lock(&fs_lock);
    struct inode *parent = inode_get(dir->parent);

    spin_unlock(&fs_lock, flags);
    return parent;
}

unsigned inode_device(const struct inode *inode)
{
    return (inode->dev & 0xff) | (inode->dev & ~0xffu) << 12; /* as a dev_t with major number 0 */
}

void inode_stat(struct inode *inode, struct stat *st)
{
    const uint64_t second = sec(1);
    uint64_t flags = spin_lock(&fs_lock);

    *st = (struct stat){ .st_dev = inode_device(inode),
                         .st_ino = inode->ino,
                         .st_nlink = inode->nlink,
                         .st_mode = inode->mode,
                         .st_uid = inode->uid,
                         .st_gid = inode->gid,
                         .st_rdev = inode->rdev,
                         .st_size = (int64_t)inode->size,
                         .st_blksize = 4096,
                         .st_blocks = (int64_t)ROUND_UP(inode->size, 4096) / 512,
                         .st_atime = inode->atime / second,
                         .st_atime_nsec = inode->atime % second,
                         .st_mtime = inode->mtime / second,
                         .st_mtime_nsec = inode->mtime % second,
                         .st_ctime = inode->ctime / second,
                         .st_ctime_nsec = inode->ctime % second };
    spin_unlock(&fs_lock, flags);
}

bool dir_emit(struct dir_buffer *out, const char *name, uint64_t ino, uint32_t mode, uint64_t pos)
{
    size_t length = strlen(name) + 1;
    size_t record = ROUND_UP(DIRENT_HEADER + length, 8);
    struct linux_dirent64 *d = (struct linux_dirent64 *)(out->bytes + out->used);

    if (record > out->size - out->used)
        return false;
    memset(d, 0, record);
    d->d_ino = ino;
    d->d_off = (int64_t)pos;
    d->d_reclen = (uint16_t)record;
    d->d_type = (uint8_t)((mode & S_IFMT) >> 12);
    memcpy(d->d_name, name, length);
    out->used += record;
    return true;
}

bool dir_emit_dots(struct inode *dir, uint64_t *pos, struct dir_buffer *out)
{
    if (*pos == 0) {
        if (!dir_emit(out, ".", dir->ino, S_IFDIR, 1))
            return false;
        *pos = 1;
    }
    if (*pos == 1) {
        struct inode *parent = inode_parent(dir);
        bool room = dir_emit(out, "..", parent->ino, S_IFDIR, 2);
        inode_put(parent);
        if (!room)
            return false;
        *pos = 2;
    }
    return true;
}
