/* kern/fs/sysctlfs.c - /proc/sys as a tree.
 *
 * There are only tables of paths; a directory is the first part of some of them. An inode, made for each
 * look-up, names an entry and how much of its path it stands for: all of it is a file. Tables do not change
 * once programs run, so an inode needs nothing kept alive. */
#include "kern/fs/sysctlfs.h"
#include "kern/fs/file.h"
#include "kern/fs/mount.h"
#include "kern/mm/mm.h"
#include "kern/sys/sys_socket.h"
#include "lib/abi/fcntl.h"
#include "lib/abi/stat.h"
#include "lib/string.h"

enum { FIRST_POSITION = 2, LINE_MAX = SYSCTL_TEXT_MAX + 2 };

struct sysctl_inode {
    struct inode inode;
    const struct sysctl *entry; /* one of those in or below it; NULL: the root */
    void *base;
    size_t prefix; /* so much of the entry's path */
};
static const struct inode_ops sysctl_ops;
static const struct file_ops sysctl_file_ops;

static struct sysctl_inode *sysctl_of(struct inode *inode)
{
    return container_of(inode, struct sysctl_inode, inode);
}

/* ---- all entries ---- */

struct cursor {
    const struct sysctl_table *own, *net; /* the table that entry is in; net: behind the kernel's own */
    const struct sysctl *entry;
};

static const struct sysctl_table *table_of(const struct cursor *c)
{
    return c->net ? c->net : c->own;
}

/* The first entry of the next table: the kernel's own first. False: there is none. */
static bool next_table(struct cursor *c)
{
    if (!c->own)
        c->own = kernel_sysctls;
    else if (!c->net && c->own[1].entries)
        c->own++;
    else if (net_sysctl_next(kernel_net, c->net))
        c->net = net_sysctl_next(kernel_net, c->net);
    else
        return false;
    c->entry = table_of(c)->entries;
    return true;
}

/* The entry behind *c; false at the end. Begins with an empty cursor. */
static bool next_entry(struct cursor *c)
{
    if (!c->entry || !c->entry[1].path)
        return next_table(c);
    c->entry++;
    return true;
}

/* ---- the tree ---- */

static bool is_file(const struct sysctl_inode *s)
{
    return s->entry && !s->entry->path[s->prefix];
}

static uint32_t mode_of(const struct sysctl *entry, size_t prefix)
{
    if (!entry || entry->path[prefix])
        return S_IFDIR | 0555;
    return S_IFREG | (entry->read_only ? 0444 : 0644);
}

/* The same place has the same number each time. */
static uint64_t ino_of(const struct sysctl *entry, size_t prefix)
{
    return 3ull << 62 | (uint64_t)prefix << 40 | ((uintptr_t)entry & 0xffffffff);
}

static struct inode *make_inode(struct inode *parent, const struct sysctl *entry, void *base, size_t prefix)
{
    struct sysctl_inode *s = kzalloc(sizeof *s);
    uint32_t mode = mode_of(entry, prefix);

    if (!s)
        return INODE_NO_MEMORY;
    inode_init(&s->inode, mode, &sysctl_ops, S_ISDIR(mode) ? &directory_file_ops : &sysctl_file_ops);
    s->inode.ino = ino_of(entry, prefix);
    s->inode.dev = DEV_PROC;
    s->inode.uid = s->inode.gid = 0; /* whoever looks it up */
    s->entry = entry;
    s->base = base;
    s->prefix = prefix;
    if (S_ISDIR(mode))
        s->inode.parent = inode_get(parent);
    return &s->inode;
}

struct inode *sysctlfs_create_root(struct inode *parent)
{
    return make_inode(parent, NULL, NULL, 0);
}

static void sysctl_evict(struct inode *inode)
{
    kfree(sysctl_of(inode));
}

/* If entry lies in dir: where the part of its path begins that is a name there; else NULL. */
static const char *name_in(const struct sysctl_inode *dir, const struct sysctl *entry)
{
    if (!dir->entry)
        return entry->path;
    if (strncmp(entry->path, dir->entry->path, dir->prefix) || entry->path[dir->prefix] != '/')
        return NULL;
    return entry->path + dir->prefix + 1;
}

static size_t name_length(const char *name)
{
    size_t n = 0;
    while (name[n] && name[n] != '/')
        n++;
    return n;
}

/* The first entry in or below dir whose name there is this one of n bytes. */
static bool find(const struct sysctl_inode *dir, const char *name, size_t n, struct cursor *c)
{
    *c = (struct cursor){ 0 };
    while (next_entry(c)) {
        const char *here = name_in(dir, c->entry);
        if (here && name_length(here) == n && !strncmp(here, name, n))
            return true;
    }
    return false;
}

static struct inode *sysctl_lookup(struct inode *inode, const char *name)
{
    struct sysctl_inode *dir = sysctl_of(inode);
    struct cursor c;
    size_t n = strlen(name);

    if (!find(dir, name, n, &c))
        return NULL;
    size_t begin = (size_t)(name_in(dir, c.entry) - c.entry->path);
    return make_inode(inode, c.entry, table_of(&c)->base, begin + n);
}

/* A name counts where its first entry is. */
static bool is_first(const struct sysctl_inode *dir, const struct sysctl *entry, const char *name, size_t n)
{
    struct cursor first;
    return find(dir, name, n, &first) && first.entry == entry;
}

static bool list_names(struct sysctl_inode *dir, uint64_t *pos, struct dir_buffer *out)
{
    struct cursor c = { 0 };
    uint64_t at = FIRST_POSITION;

    while (next_entry(&c)) {
        const char *name = name_in(dir, c.entry);
        size_t n = name ? name_length(name) : 0, prefix = name ? (size_t)(name - c.entry->path) + n : 0;
        char copy[SYSCTL_TEXT_MAX];
        if (!name || !is_first(dir, c.entry, name, n) || at++ != *pos)
            continue;
        memcpy(copy, name, n);
        copy[n] = '\0';
        if (!dir_emit(out, copy, ino_of(c.entry, prefix), mode_of(c.entry, prefix), *pos + 1))
            return false;
        ++*pos;
    }
    return true;
}

static int sysctl_readdir(struct inode *inode, uint64_t *pos, struct dir_buffer *out)
{
    struct sysctl_inode *dir = sysctl_of(inode);

    if (is_file(dir))
        return -ENOTDIR;
    bool room = dir_emit_dots(inode, pos, out) && list_names(dir, pos, out);
    return room || out->used ? 0 : -EINVAL;
}

/* `echo 1 > knob` begins with O_TRUNC: the value stays until another is written. */
static int sysctl_truncate(struct inode *inode, uint64_t size)
{
    (void)size;
    return is_file(sysctl_of(inode)) ? 0 : -EISDIR;
}

static const struct inode_ops sysctl_ops = {
    .lookup = sysctl_lookup, .readdir = sysctl_readdir, .truncate = sysctl_truncate, .evict = sysctl_evict
};

/* ---- files ---- */

static int sysctl_open(struct file *f)
{
    bool writes = (f->flags & O_ACCMODE) != O_RDONLY;
    return writes && sysctl_of(f->inode)->entry->read_only ? -EACCES : 0;
}

static int64_t sysctl_file_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    const struct sysctl_inode *s = sysctl_of(f->inode);
    char line[LINE_MAX];
    size_t len = (size_t)sysctl_read(s->entry, s->base, line, sizeof line);
    size_t n = *pos < len ? MIN(len - (size_t)*pos, it->count) : 0;

    if (n && copy_to_iter(line + *pos, n, it))
        return -EFAULT;
    *pos += n;
    return (int64_t)n;
}

/* A value is written whole, at the beginning: what comes behind it is refused. */
static int64_t sysctl_file_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    const struct sysctl_inode *s = sysctl_of(f->inode);
    char line[LINE_MAX];
    size_t n = it->count;

    if (*pos || n > sizeof line)
        return -EINVAL;
    if (copy_from_iter(line, n, it))
        return -EFAULT;
    int err = sysctl_write(s->entry, s->base, line, n);
    if (err)
        return err;
    *pos += n;
    return (int64_t)n;
}

static const struct file_ops sysctl_file_ops = {
    .seekable = true, .open = sysctl_open, .read = sysctl_file_read, .write = sysctl_file_write
};
