/* kern/fs/ramfs.c - directories and links in memory.
 *
 * fs_lock guards it all. A directory is a list of entries, oldest first; each has a cookie that only grows,
 * so that a reader of the directory finds its place again whatever came and went. What an operation lets go
 * of is put after the lock is dropped, because an eviction frees memory. */
#include "kern/fs/ramfs.h"
#include "kern/fs/file.h"
#include "kern/fs/permission.h"
#include "kern/fs/pipe.h"
#include "kern/mm/mm.h"
#include "lib/abi/fcntl.h"
#include "lib/abi/stat.h"
#include "lib/string.h"

enum { FIRST_COOKIE = 3 }; /* 0 to 2: the dots */

struct entry {
    struct list_head link;
    struct inode *inode; /* a reference */
    uint64_t cookie;
    char name[];
};

struct ramfs_inode {
    struct inode inode;
    union {
        struct {
            struct list_head entries;
            uint64_t next_cookie;
        } dir;
        struct ramfs_data data; /* a regular file */
        char *target;           /* a link: kmalloc'ed */
    };
};

static struct ramfs_inode *ramfs(struct inode *inode)
{
    return container_of(inode, struct ramfs_inode, inode);
}

struct ramfs_data *ramfs_data_of(struct inode *inode)
{
    return &ramfs(inode)->data;
}

struct inode *ramfs_inode_of(struct ramfs_data *data)
{
    return &container_of(data, struct ramfs_inode, data)->inode;
}

struct vm_object *ramfs_object(struct inode *inode)
{
    return inode->ops == &ramfs_ops && S_ISREG(inode->mode) ? &ramfs(inode)->data.object : NULL;
}

static const struct file_ops *fops_of_mode(uint32_t mode)
{
    return S_ISDIR(mode)    ? &directory_file_ops
           : S_ISREG(mode)  ? &ramfile_ops
           : S_ISFIFO(mode) ? &fifo_ops
                            : NULL;
}

static struct inode *ramfs_inode_create(uint32_t mode)
{
    struct ramfs_inode *r = kzalloc(sizeof *r);

    if (!r)
        return NULL;
    inode_init(&r->inode, mode, &ramfs_ops, fops_of_mode(mode));
    if (S_ISDIR(mode)) {
        list_init(&r->dir.entries);
        r->dir.next_cookie = FIRST_COOKIE;
        r->inode.nlink = 2;
    } else if (S_ISREG(mode)) {
        ramfile_init(&r->data);
    }
    return &r->inode;
}

static struct entry *entry_create(const char *name, struct inode *inode)
{
    size_t n = strlen(name) + 1;
    struct entry *e = kmalloc(sizeof *e + n);

    if (!e)
        return NULL;
    e->inode = inode;
    memcpy(e->name, name, n);
    return e;
}

/* fs_lock held in all that follows up to the next line of this kind. */
static struct entry *find(struct inode *dir, const char *name)
{
    struct entry *e;

    list_for_each_entry (e, &ramfs(dir)->dir.entries, link)
        if (!strcmp(e->name, name))
            return e;
    return NULL;
}

static bool is_dead(const struct inode *dir)
{
    return !dir->nlink;
}

static void touch(struct inode *inode)
{
    inode->mtime = inode->ctime = time_wall();
}

/* Hang e, whose reference to its inode goes with it, into dir. */
static void insert(struct inode *dir, struct entry *e)
{
    e->cookie = ramfs(dir)->dir.next_cookie++;
    list_add_tail(&e->link, &ramfs(dir)->dir.entries);
    if (S_ISDIR(e->inode->mode))
        dir->nlink++;
    touch(dir);
}

/* Take e out of dir; the caller frees it and puts its inode. */
static void take_out(struct inode *dir, struct entry *e)
{
    list_del(&e->link);
    if (S_ISDIR(e->inode->mode))
        dir->nlink--;
    touch(dir);
}

static bool is_ancestor(const struct inode *what, const struct inode *dir)
{
    for (;; dir = dir->parent) {
        if (dir == what)
            return true;
        if (dir == dir->parent)
            return false;
    }
}

/* fs_lock not held from here on. */

static struct inode *ramfs_lookup(struct inode *dir, const char *name)
{
    uint64_t flags = spin_lock(&fs_lock);
    struct entry *e = find(dir, name);
    struct inode *inode = e ? inode_get(e->inode) : NULL;

    spin_unlock(&fs_lock, flags);
    return inode;
}

/* Put a new name for inode into dir; the entry gets the caller's reference, which comes back on failure. */
static int add_name(struct inode *dir, const char *name, struct inode *inode)
{
    struct entry *e = entry_create(name, inode);
    int err = 0;
    uint64_t flags;

    if (!e)
        return -ENOMEM;
    flags = spin_lock(&fs_lock);
    if (is_dead(dir))
        err = -ENOENT;
    else if (find(dir, name) || !strcmp(name, ".") || !strcmp(name, ".."))
        err = -EEXIST;
    else
        insert(dir, e);
    if (!err && S_ISDIR(inode->mode) && !inode->parent)
        inode->parent = inode_get(dir);
    spin_unlock(&fs_lock, flags);
    if (err)
        kfree(e);
    return err;
}

static int ramfs_create(struct inode *dir, const char *name, uint32_t mode, struct inode **made)
{
    struct inode *inode = ramfs_inode_create(mode);
    int err;
    if (!inode)
        return -ENOMEM;
    inode_inherit(inode, dir);
    if (made)
        inode_get(inode);
    err = add_name(dir, name, inode);
    if (err) {
        inode_put(inode);
        if (made)
            inode_put(inode);
    } else if (made) {
        *made = inode;
    }
    return err;
}

static int ramfs_symlink(struct inode *dir, const char *name, const char *target)
{
    size_t n = strlen(target);
    struct inode *inode = ramfs_inode_create(S_IFLNK | 0777);
    char *copy = kmalloc(n + 1);
    int err = -ENOMEM;

    if (inode && copy) {
        memcpy(copy, target, n + 1);
        ramfs(inode)->target = copy;
        inode->size = n;
        inode_inherit(inode, dir);
        err = add_name(dir, name, inode);
    } else {
        kfree(copy);
    }
    if (err)
        inode_put(inode);
    return err;
}

static int ramfs_link(struct inode *dir, const char *name, struct inode *target)
{
    uint64_t flags;
    int err;

    if (target->ops != &ramfs_ops || target->dev != dir->dev)
        return -EXDEV;
    if (S_ISDIR(target->mode))
        return -EPERM;
    err = add_name(dir, name, inode_get(target));
    if (err) {
        inode_put(target);
        return err;
    }
    flags = spin_lock(&fs_lock);
    target->nlink++;
    target->ctime = time_wall();
    spin_unlock(&fs_lock, flags);
    return 0;
}

/* May e be removed as a directory (rmdir) or as something else (unlink)? fs_lock held. */
static int removable(const struct entry *e, bool directory)
{
    if (!directory)
        return S_ISDIR(e->inode->mode) ? -EISDIR : 0;
    if (!S_ISDIR(e->inode->mode))
        return -ENOTDIR;
    if (e->inode->ops != &ramfs_ops || e->inode->mounted)
        return -EBUSY; /* another file system's root, or below one */
    return list_empty(&ramfs(e->inode)->dir.entries) ? 0 : -ENOTEMPTY;
}

static int ramfs_unlink(struct inode *dir, const char *name, bool directory)
{
    uint64_t flags = spin_lock(&fs_lock);
    struct entry *e = find(dir, name);
    int err = e ? removable(e, directory) : -ENOENT;

    if (!err) {
        take_out(dir, e);
        e->inode->nlink = directory ? 0 : e->inode->nlink - 1;
        e->inode->ctime = time_wall();
    }
    spin_unlock(&fs_lock, flags);
    if (!err) {
        inode_put(e->inode);
        kfree(e);
    }
    return err;
}

/* May moving replace target by moved? fs_lock held. */
static int replaceable(const struct entry *target, const struct entry *moved)
{
    bool directory = S_ISDIR(moved->inode->mode);

    if (directory && !S_ISDIR(target->inode->mode))
        return -ENOTDIR;
    return removable(target, directory);
}

/* The part of rename under fs_lock: fresh takes over moved's inode; what is replaced goes to *gone. */
static int move_entry(struct inode *from, struct entry *moved, struct inode *to, struct entry *fresh,
                      struct entry **gone)
{
    struct entry *target = find(to, fresh->name);
    int err;

    if (is_dead(to))
        return -ENOENT;
    if (moved->inode->mounted)
        return -EBUSY;
    if (S_ISDIR(moved->inode->mode) && is_ancestor(moved->inode, to))
        return -EINVAL;
    if (target && target->inode == moved->inode)
        return 0;
    err = target ? replaceable(target, moved) : 0;
    if (err)
        return err;
    if (target) {
        take_out(to, target);
        target->inode->nlink = S_ISDIR(target->inode->mode) ? 0 : target->inode->nlink - 1;
        *gone = target;
    }
    fresh->inode = moved->inode;
    take_out(from, moved);
    insert(to, fresh);
    return 1;
}

static int ramfs_rename(struct inode *from, const char *old_name, struct inode *to, const char *new_name)
{
    struct entry *fresh = entry_create(new_name, NULL), *moved, *gone = NULL;
    struct inode *old_parent = NULL;
    uint64_t flags;
    int done;

    if (!fresh)
        return -ENOMEM;
    if (to->ops != &ramfs_ops || to->dev != from->dev) {
        kfree(fresh);
        return -EXDEV;
    }
    flags = spin_lock(&fs_lock);
    moved = find(from, old_name);
    done = moved ? move_entry(from, moved, to, fresh, &gone) : -ENOENT;
    if (done > 0 && S_ISDIR(fresh->inode->mode)) {
        old_parent = fresh->inode->parent;
        fresh->inode->parent = inode_get(to);
    }
    spin_unlock(&fs_lock, flags);
    kfree(done > 0 ? moved : fresh);
    inode_put(old_parent);
    if (gone) {
        inode_put(gone->inode);
        kfree(gone);
    }
    return done > 0 ? 0 : done;
}

static int ramfs_readdir(struct inode *dir, uint64_t *pos, struct dir_buffer *out)
{
    struct entry *e;
    uint64_t flags;
    bool room;

    if (is_dead(dir))
        return -ENOENT;
    room = dir_emit_dots(dir, pos, out);
    if (!room)
        return out->used ? 0 : -EINVAL;
    flags = spin_lock(&fs_lock);
    list_for_each_entry (e, &ramfs(dir)->dir.entries, link) {
        if (e->cookie < *pos)
            continue;
        room = dir_emit(out, e->name, e->inode->ino, e->inode->mode, e->cookie + 1);
        if (!room)
            break;
        *pos = e->cookie + 1;
    }
    spin_unlock(&fs_lock, flags);
    return room || out->used ? 0 : -EINVAL;
}

/* A link's target never changes, so it needs no lock. */
static int64_t ramfs_readlink(struct inode *link, char *buf, size_t size)
{
    size_t n = MIN((size_t)link->size, size);

    if (!S_ISLNK(link->mode))
        return -EINVAL;
    memcpy(buf, ramfs(link)->target, n);
    return (int64_t)n;
}

static int ramfs_truncate(struct inode *inode, uint64_t size)
{
    return S_ISREG(inode->mode) ? ramfile_truncate(inode, size) : -EINVAL;
}

static void ramfs_evict(struct inode *inode)
{
    struct ramfs_inode *r = ramfs(inode);

    if (S_ISREG(inode->mode))
        ramfile_free(&r->data);
    if (S_ISLNK(inode->mode))
        kfree(r->target);
    kfree(r);
}

const struct inode_ops ramfs_ops = { .lookup = ramfs_lookup,
                                     .create = ramfs_create,
                                     .symlink = ramfs_symlink,
                                     .link = ramfs_link,
                                     .unlink = ramfs_unlink,
                                     .rename = ramfs_rename,
                                     .readdir = ramfs_readdir,
                                     .readlink = ramfs_readlink,
                                     .truncate = ramfs_truncate,
                                     .evict = ramfs_evict };

struct inode *ramfs_create_root(void)
{
    struct inode *root = ramfs_inode_create(S_IFDIR | 0755);

    if (root)
        root->parent = root;
    return root;
}

/* fs_lock held. The first entry of *dir if it may be taken out; else *dir moves on to a directory that has
 * something in it, or back up. */
static struct entry *step_to_leaf(struct inode *root, struct inode **dir)
{
    struct entry *e = list_first_entry(&ramfs(*dir)->dir.entries, struct entry, link);
    bool full = e && S_ISDIR(e->inode->mode) && e->inode->ops == &ramfs_ops &&
                !list_empty(&ramfs(e->inode)->dir.entries);

    if (full)
        *dir = e->inode;
    else if (!e && *dir != root)
        *dir = (*dir)->parent;
    return full ? NULL : e;
}

void ramfs_clear(struct inode *root)
{
    struct inode *dir = root;
    struct entry *e;
    bool done = false;

    while (!done) {
        uint64_t flags = spin_lock(&fs_lock);
        e = step_to_leaf(root, &dir);
        if (e) {
            take_out(dir, e);
            e->inode->nlink = S_ISDIR(e->inode->mode) ? 0 : e->inode->nlink - 1;
        }
        done = dir == root && list_empty(&ramfs(root)->dir.entries);
        spin_unlock(&fs_lock, flags);
        if (e) {
            inode_put(e->inode);
            kfree(e);
        }
    }
}

int ramfs_attach(struct inode *dir, const char *name, struct inode *inode)
{
    int err = add_name(dir, name, inode_get(inode));

    if (err)
        inode_put(inode);
    return err;
}

struct inode *ramfs_unnamed(uint32_t mode, uint64_t size)
{
    struct inode *inode = ramfs_inode_create(S_IFREG | mode);

    if (inode) {
        inode->nlink = 0;
        inode->size = size;
        ramfs(inode)->data.sealable = true;
        ramfs(inode)->data.seals = F_SEAL_SEAL;
    }
    return inode;
}

struct inode *ramfs_device(uint32_t mode, uint64_t rdev, const struct file_ops *fops)
{
    struct inode *inode = ramfs_inode_create(S_IFCHR | mode);

    if (inode) {
        inode->rdev = rdev;
        inode->fops = fops;
    }
    return inode;
}
