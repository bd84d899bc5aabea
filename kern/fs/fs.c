/* kern/fs/fs.c - the tree at boot: the initramfs, /dev, /proc. */
#include "kern/fs/fs.h"
#include "kern/boot/boot.h"
#include "kern/fs/cpio.h"
#include "kern/fs/devfs.h"
#include "kern/fs/mount.h"
#include "kern/fs/procfs.h"
#include "kern/fs/ramfs.h"
#include "kern/fs/sysfs.h"
#include "kern/fs/tty.h"
#include "kern/mm/mm.h"
#include "lib/abi/stat.h"

static void unpack_modules(void)
{
    for (unsigned i = 0; i < boot_info.n_modules; i++) {
        const uint8_t *bytes = phys_to_virt(boot_info.modules[i].start);
        int err = cpio_unpack(fs_root, bytes, boot_info.modules[i].length);
        if (err == -EINVAL)
            klog(LOG_ERROR, "initramfs: module %u is no cpio archive (newc), or a broken one", i);
        else if (err)
            klog(LOG_ERROR, "initramfs: module %u does not fit in memory", i);
    }
    if (!boot_info.n_modules)
        klog(LOG_ERROR, "initramfs: the boot loader passed none");
}

/* The directory called name in the root, made if it is not there; with a reference. */
static struct inode *root_directory(const char *name)
{
    struct inode *dir = fs_root->ops->lookup(fs_root, name);

    if (!dir && fs_root->ops->create(fs_root, name, S_IFDIR | 0755, &dir))
        panic("fs: no memory for /%s", name);
    return dir;
}

static void mount_at_boot(const char *name, struct inode *(*create)(struct inode *parent))
{
    struct inode *dir = root_directory(name), *root = create(dir);
    const char *type = create == procfs_create_root ? "proc" : "sysfs";

    if (!root || mount_add(dir, root, type, type, 0))
        panic("fs: no memory for /%s", name);
    inode_put(root);
    inode_put(dir);
}

void fs_init(void)
{
    struct inode *dev;

    fs_root = ramfs_create_root();
    if (!fs_root)
        panic("fs: no memory for the root directory");
    if (mount_add(NULL, fs_root, "rootfs", "rootfs", 0))
        panic("fs: no memory for the table of mounts");
    tty_init();
    unpack_modules();
    dev = root_directory("dev");
    if (devfs_fill(dev))
        panic("fs: no memory for /dev");
    inode_put(dev);
    mount_at_boot("proc", procfs_create_root);
    mount_at_boot("sys", sysfs_create_root);
}
