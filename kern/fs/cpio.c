/* kern/fs/cpio.c - unpacking the initramfs.
 *
 * "newc": a header of 110 characters (magic 070701 or 070702, thirteen numbers in hexadecimal), the name, the
 * data, each padded to four bytes; an entry called TRAILER!!! ends an archive, zero bytes may follow, then
 * another archive. Linux: Documentation/driver-api/early-userspace/buffer-format.rst. Every length is checked
 * against what is left before it is used. */
#include "kern/fs/cpio.h"
#include "kern/fs/fs.h"
#include "lib/abi/stat.h"
#include "lib/string.h"

enum {
    HEADER_SIZE = 110,
    FIELD_MODE = 1,
    FIELD_UID = 2,
    FIELD_GID = 3,
    FIELD_FILESIZE = 6,
    FIELD_NAMESIZE = 11
};

struct cpio_entry {
    uint32_t mode, uid, gid;
    const char *name; /* NUL-terminated within the archive */
    const uint8_t *data;
    size_t size;
};

/* Eight hexadecimal digits, or -1. */
static int64_t hex_field(const uint8_t *header, unsigned index)
{
    const uint8_t *digits = header + 6 + 8 * index;
    int64_t value = 0;

    for (int i = 0; i < 8; i++) {
        uint8_t c = digits[i] | 0x20;
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static bool has_magic(const uint8_t *p, size_t n)
{
    return n >= HEADER_SIZE && (!memcmp(p, "070701", 6) || !memcmp(p, "070702", 6));
}

/* Read the entry at p: the bytes it takes, padding included, or -EINVAL. */
static int64_t parse_entry(const uint8_t *p, size_t n, struct cpio_entry *e)
{
    int64_t mode, uid, gid, size, name_size;
    size_t data_at;

    if (!has_magic(p, n))
        return -EINVAL;
    mode = hex_field(p, FIELD_MODE);
    uid = hex_field(p, FIELD_UID);
    gid = hex_field(p, FIELD_GID);
    size = hex_field(p, FIELD_FILESIZE);
    name_size = hex_field(p, FIELD_NAMESIZE);
    if (mode < 0 || uid < 0 || gid < 0 || size < 0 || name_size < 1 || name_size > PATH_MAX)
        return -EINVAL;
    data_at = ROUND_UP((size_t)(HEADER_SIZE + name_size), 4);
    if (data_at > n || (size_t)size > n - data_at || p[HEADER_SIZE + name_size - 1])
        return -EINVAL;
    *e = (struct cpio_entry){ .mode = (uint32_t)mode,
                              .uid = (uint32_t)uid,
                              .gid = (uint32_t)gid,
                              .name = (const char *)p + HEADER_SIZE,
                              .data = p + data_at,
                              .size = (size_t)size };
    return (int64_t)MIN(ROUND_UP(data_at + e->size, 4), n);
}

static int write_file(struct inode *inode, const struct cpio_entry *e)
{
    struct io_vector v = { (uintptr_t)e->data, e->size };
    struct iov_iter it;
    struct file *f;
    int64_t n;
    int err = file_open_inode(inode, O_WRONLY, &f);

    if (err)
        return err;
    iov_iter_init(&it, ITER_KERNEL, &v, 1);
    n = file_write(f, &it, NULL);
    file_put(f);
    return n < 0 ? (int)n : (size_t)n == e->size ? 0 : -ENOSPC;
}

static int make_link(struct path *p, const struct cpio_entry *e)
{
    char target[NAME_MAX + 1];

    if (e->size > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(target, e->data, e->size);
    target[e->size] = 0;
    return p->dir->ops->symlink(p->dir, p->name, target);
}

/* Put one entry where its name says. What stands there already goes, unless both are directories. */
static int place(struct path *p, const struct cpio_entry *e)
{
    struct inode *made = NULL;
    int err = 0;

    if (p->inode && S_ISDIR(p->inode->mode))
        return S_ISDIR(e->mode) ? 0 : -EISDIR;
    if (!p->dir->ops->create)
        return -EPERM;
    if (p->inode)
        err = p->dir->ops->unlink(p->dir, p->name, false);
    if (err)
        return err;
    if (S_ISLNK(e->mode))
        return make_link(p, e);
    if (!S_ISDIR(e->mode) && !S_ISREG(e->mode))
        return 0; /* devices are devfs's business */
    err = p->dir->ops->create(p->dir, p->name, e->mode & (S_IFMT | 07777), &made);
    if (!err) {
        made->uid = e->uid;
        made->gid = e->gid;
    }
    if (!err && S_ISREG(e->mode))
        err = write_file(made, e);
    inode_put(made);
    return err;
}

static int unpack_entry(struct inode *root, const struct cpio_entry *e)
{
    struct path p;
    int err = path_walk(root, e->name, WALK_PARENT, &p);

    if (err)
        return err;
    err = place(&p, e);
    path_put(&p);
    return err;
}

int cpio_unpack(struct inode *root, const uint8_t *bytes, size_t n)
{
    while (n) {
        struct cpio_entry e;
        int64_t taken = 1;

        if (!bytes[0]) { /* padding between archives */
            bytes++, n--;
            continue;
        }
        taken = parse_entry(bytes, n, &e);
        if (taken < 0)
            return (int)taken;
        if (strcmp(e.name, "TRAILER!!!")) {
            int err = unpack_entry(root, &e);
            if (err == -ENOMEM || err == -ENOSPC)
                return err;
            if (err)
                klog(LOG_WARNING, "initramfs: %s: error %d", e.name, -err);
        }
        bytes += taken;
        n -= (size_t)taken;
    }
    return 0;
}
