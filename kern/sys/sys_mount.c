/* kern/sys/sys_mount.c - system calls on the tree as a whole: mount, umount2, chroot, pivot_root. */
#include "kern/fs/devfs.h"
#include "kern/fs/mount.h"
#include "kern/fs/permission.h"
#include "kern/fs/procfs.h"
#include "kern/fs/ramfs.h"
#include "kern/fs/sysfs.h"
#include "kern/mm/vm.h"
#include "kern/proc/process.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
#include "lib/abi/mount.h"
#include "lib/abi/stat.h"
#include "lib/string.h"

enum {
    FLAGS_KEPT = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME,
    FLAGS_PROPAGATION = MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED,
    OPTIONS_MOST = 256
};

/* ---- file systems that can be mounted ---- */

static struct inode *new_tmpfs(struct inode *dir)
{
    struct inode *root = ramfs_create_root();

    (void)dir;
    if (root) {
        root->dev = mount_new_dev();
        root->mode = S_IFDIR | 01777;
    }
    return root;
}

static struct inode *new_devtmpfs(struct inode *dir)
{
    struct inode *root = new_tmpfs(dir);

    if (root) {
        root->mode = S_IFDIR | 0755;
        if (devfs_fill(root)) {
            ramfs_clear(root);
            inode_put(root);
            root = NULL;
        }
    }
    return root;
}

static const struct fs_type {
    const char *name;
    struct inode *(*create)(struct inode *dir); /* its root, a reference; NULL: memory is out */
    unsigned dev;                               /* there is one of it; 0: each is its own */
} types[] = {
    { "tmpfs", new_tmpfs, 0 },
    { "ramfs", new_tmpfs, 0 },
    { "devtmpfs", new_devtmpfs, 0 },
    { "proc", procfs_create_root, DEV_PROC },
    { "sysfs", sysfs_create_root, DEV_SYSFS },
};

static const struct fs_type *find_type(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(types); i++)
        if (!strcmp(types[i].name, name))
            return &types[i];
    return NULL;
}

/* ---- options of tmpfs: mode=, uid=, gid=; others are passed over ---- */

static uint32_t number(const char *text, unsigned base)
{
    uint32_t value = 0;

    while (*text >= '0' && *text < (char)('0' + base))
        value = value * base + (uint32_t)(*text++ - '0');
    return value;
}

static void apply_option(struct inode *root, const char *option)
{
    if (!memcmp(option, "mode=", 5))
        root->mode = S_IFDIR | (number(option + 5, 8) & 07777);
    else if (!memcmp(option, "uid=", 4))
        root->uid = number(option + 4, 10);
    else if (!memcmp(option, "gid=", 4))
        root->gid = number(option + 4, 10);
}

/* text has room for OPTIONS_MOST bytes and is terminated. */
static void apply_options(struct inode *root, char *text)
{
    for (char *comma; *text; text = comma) {
        comma = strchr(text, ',');
        if (comma)
            *comma++ = 0;
        else
            comma = text + strlen(text);
        apply_option(root, text);
    }
}

/* ---- mount ---- */

struct request {
    char source[MOUNT_TEXT], type[MOUNT_TEXT], options[OPTIONS_MOST];
};

/* A text that may be missing, cut to size. */
static int text_from_user(char *to, size_t size, uintptr_t user)
{
    int64_t n = user ? copy_string_from_user(to, user, size) : 0;

    if (n == -EFAULT)
        return -EFAULT;
    to[n < 0 ? size - 1 : (size_t)n] = 0;
    return 0;
}

static int mount_new(struct inode *dir, struct request *r, unsigned flags)
{
    const struct fs_type *type = find_type(r->type);
    struct inode *root;
    int err;

    if (!type)
        return -ENODEV;
    if (!S_ISDIR(dir->mode))
        return -ENOTDIR;
    if (type->dev && dir->dev == type->dev)
        return -EBUSY; /* it is there already */
    if (dir->ops != &ramfs_ops && !dir->mount_root)
        return -EINVAL;
    root = type->create(dir);
    if (!root)
        return -ENOMEM;
    if (!type->dev)
        apply_options(root, r->options);
    err = mount_add(dir, root, r->type, *r->source ? r->source : "none", flags);
    if (err && !type->dev)
        ramfs_clear(root);
    inode_put(root);
    return err;
}

static int mount_at(struct inode *dir, struct request *r, uint64_t flags)
{
    if (flags & FLAGS_PROPAGATION)
        return dir->mount_root ? 0 : -EINVAL; /* there is one namespace */
    if (flags & MS_REMOUNT)
        return mount_change(dir, flags & FLAGS_KEPT);
    if (flags & (MS_BIND | MS_MOVE))
        return -EINVAL;
    return mount_new(dir, r, flags & FLAGS_KEPT);
}

SYSCALL_DEFINE5(mount, uintptr_t, source, uintptr_t, target, uintptr_t, type, uint64_t, flags, uintptr_t,
                options)
{
    struct request r;
    struct path p;
    int err = text_from_user(r.type, sizeof r.type, type);

    if (!err)
        err = text_from_user(r.source, sizeof r.source, source);
    if (!err)
        err = text_from_user(r.options, sizeof r.options, options);
    if (!err)
        err = walk_user_path(AT_FDCWD, target, WALK_FOLLOW, &p);
    if (err)
        return err;
    err = capable(CAP_SYS_ADMIN) ? mount_at(p.inode, &r, flags) : -EPERM;
    path_put(&p);
    return err;
}

SYSCALL_DEFINE2(umount2, uintptr_t, target, int, flags)
{
    struct path p;
    int err;

    if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
        return -EINVAL;
    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    err = walk_user_path(AT_FDCWD, target, flags & UMOUNT_NOFOLLOW ? 0 : WALK_FOLLOW, &p);
    if (err)
        return err;
    struct inode *root = inode_get(p.inode);
    path_put(&p);
    err = mount_remove(root, flags & MNT_DETACH);
    inode_put(root);
    return err;
}

/* ---- another root ---- */

/* The root is an initramfs, which cannot be left: as in Linux, programs use chroot. */
SYSCALL_DEFINE2(pivot_root, uintptr_t, new_root, uintptr_t, put_old)
{
    (void)new_root, (void)put_old;
    return capable(CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
}

static void set_root(struct inode *dir)
{
    struct process *p = current_process();
    uint64_t flags = spin_lock(&process_lock);
    struct inode *old = p->root;

    p->root = inode_get(dir);
    spin_unlock(&process_lock, flags);
    inode_put(old);
}

SYSCALL_DEFINE1(chroot, uintptr_t, path)
{
    struct path p;
    int err = walk_user_path(AT_FDCWD, path, WALK_FOLLOW, &p);

    if (err)
        return err;
    err = S_ISDIR(p.inode->mode) ? inode_permission(p.inode, MAY_EXEC) : -ENOTDIR;
    if (!err && !capable(CAP_SYS_CHROOT))
        err = -EPERM;
    if (!err)
        set_root(p.inode);
    path_put(&p);
    return err;
}
