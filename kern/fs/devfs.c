/* kern/fs/devfs.c - the devices of /dev. One table: name, numbers as Linux's, operations. */
#include "kern/fs/devfs.h"
#include "kern/debug/console.h"
#include "kern/fs/ramfs.h"
#include "kern/fs/tty.h"

static int64_t null_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    (void)f, (void)it, (void)pos;
    return 0;
}

static int64_t null_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    (void)f, (void)pos;
    return (int64_t)it->count;
}

static int64_t zero_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    static const uint8_t zeroes[1024];
    int64_t done = 0;

    (void)f, (void)pos;
    while (it->count && !READ_ONCE(current_thread()->signal_pending)) {
        size_t n = MIN(it->count, sizeof zeroes);
        if (copy_to_iter(zeroes, n, it))
            return done ? done : -EFAULT;
        done += (int64_t)n;
    }
    return done;
}

static int64_t random_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    int64_t done = 0;

    (void)f, (void)pos;
    while (it->count && !READ_ONCE(current_thread()->signal_pending)) {
        uint8_t chunk[256];
        size_t n = MIN(it->count, sizeof chunk);
        random_bytes(chunk, n);
        if (copy_to_iter(chunk, n, it))
            return done ? done : -EFAULT;
        done += (int64_t)n;
    }
    return done;
}

/* A decimal number written here ends the machine with that status. */
static int64_t debugexit_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    char text[8] = "";
    int status = 0;

    (void)f, (void)pos;
    if (copy_from_iter(text, MIN(it->count, sizeof text - 1), it))
        return -EFAULT;
    if (*text < '0' || *text > '9')
        return -EINVAL;
    for (const char *c = text; *c >= '0' && *c <= '9'; c++)
        status = status * 10 + (*c - '0');
    machine_exit(status);
}

static const struct file_ops null_ops = {
    .ignores_seek = true, .same_anywhere = true, .read = null_read, .write = null_write
};
static const struct file_ops zero_ops = {
    .ignores_seek = true, .same_anywhere = true, .read = zero_read, .write = null_write
};
static const struct file_ops random_ops = {
    .ignores_seek = true, .same_anywhere = true, .read = random_read, .write = null_write
};
static const struct file_ops debugexit_ops = { .write = debugexit_write };

static const struct device {
    const char *name;
    unsigned major, minor;
    uint32_t mode;
    const struct file_ops *fops;
} devices[] = {
    { "null", 1, 3, 0666, &null_ops },           { "zero", 1, 5, 0666, &zero_ops },
    { "random", 1, 8, 0666, &random_ops },       { "urandom", 1, 9, 0666, &random_ops },
    { "ptmx", 5, 2, 0666, &ptmx_ops },           { "tty", 5, 0, 0666, &tty_controlling_ops },
    { "console", 5, 1, 0600, &tty_serial0_ops }, { "ttyS0", 4, 64, 0660, &tty_serial0_ops },
    { "ttyS1", 4, 65, 0660, &tty_serial1_ops },  { "debugexit", 10, 255, 0200, &debugexit_ops },
};

const struct file_ops *devfs_find(uint64_t rdev)
{
    for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
        if (rdev == (devices[i].major << 8 | devices[i].minor))
            return devices[i].fops;
    return NULL;
}

static int add_device(struct inode *dev, const struct device *d)
{
    struct inode *inode = ramfs_device(d->mode, d->major << 8 | d->minor, d->fops);
    int err = inode ? ramfs_attach(dev, d->name, inode) : -ENOMEM;

    inode_put(inode);
    return err == -EEXIST ? 0 : err;
}

static int add_pts(struct inode *dev)
{
    struct inode *pts = devpts_create_root(dev);
    int err = pts ? ramfs_attach(dev, "pts", pts) : -ENOMEM;

    inode_put(pts);
    return err;
}

int devfs_fill(struct inode *dev)
{
    int err = dev->ops->symlink(dev, "fd", "/proc/self/fd");

    for (size_t i = 0; i < ARRAY_SIZE(devices) && (!err || err == -EEXIST); i++)
        err = add_device(dev, &devices[i]);
    if (!err || err == -EEXIST)
        err = add_pts(dev);
    return err == -EEXIST ? 0 : err;
}
