/* kern/fs/procfs.c - /proc as a tree: constant tables, a directory for each process, one for the network.
 *
 * An inode is made for each look-up and names its entry. A file's text is made whole at open and read from
 * there. What is below a process's directory is procfs_pid.c's. */
#include "kern/fs/procfs.h"
#include "kern/fs/file.h"
#include "kern/fs/files.h"
#include "kern/fs/mount.h"
#include "kern/fs/sysctlfs.h"
#include "kern/mm/mm.h"
#include "kern/proc/process.h"
#include "kern/sys/sys_socket.h"
#include "lib/abi/fcntl.h"
#include "lib/abi/stat.h"
#include "lib/format.h"
#include "lib/string.h"

enum { TEXT_FIRST = 4096, TEXT_MOST = 1 << 20 };
enum kind { ROOT, TABLE, SELF, THREAD_SELF, NET, FILE, NET_FILE };

struct proc_inode {
    struct inode inode;
    enum kind kind;
    const struct proc_entry *entry;       /* TABLE, FILE */
    const struct net_proc_file *net_file; /* NET_FILE */
};

static const struct inode_ops proc_ops;
static const struct file_ops proc_file_ops;

static struct proc_inode *proc(struct inode *inode)
{
    return container_of(inode, struct proc_inode, inode);
}

/* The same thing has the same number each time. */
static uint64_t ino_of(enum kind kind, const void *what)
{
    return 1ull << 63 | (uint64_t)kind << 56 | ((uintptr_t)what & 0xffffffff);
}

static bool is_link(enum kind kind)
{
    return kind == SELF || kind == THREAD_SELF;
}

static uint32_t mode_of(enum kind kind)
{
    return is_link(kind)                      ? S_IFLNK | 0777
           : kind == FILE || kind == NET_FILE ? S_IFREG | 0444
                                              : S_IFDIR | 0555;
}

static struct inode *make_inode(struct inode *parent, enum kind kind, const void *what)
{
    struct proc_inode *p = kzalloc(sizeof *p);
    bool directory = S_ISDIR(mode_of(kind));
    const struct file_ops *fops = directory ? &directory_file_ops : is_link(kind) ? NULL : &proc_file_ops;

    if (!p)
        return INODE_NO_MEMORY;
    inode_init(&p->inode, mode_of(kind), &proc_ops, fops);
    p->inode.ino = ino_of(kind, what);
    p->inode.dev = DEV_PROC;
    p->inode.uid = p->inode.gid = 0; /* whoever looks it up */
    p->kind = kind;
    if (kind == NET_FILE)
        p->net_file = what;
    else
        p->entry = what;
    if (directory)
        p->inode.parent = inode_get(parent);
    return &p->inode;
}

struct inode *procfs_create_root(struct inode *parent)
{
    struct inode *root = make_inode(parent, ROOT, NULL);
    return root == INODE_NO_MEMORY ? NULL : root;
}

static void proc_evict(struct inode *inode)
{
    kfree(proc(inode));
}

/* ---- finding ---- */

static const struct proc_entry *find_entry(const struct proc_entry *table, const char *name)
{
    for (; table->name; table++)
        if (!strcmp(table->name, name))
            return table;
    return NULL;
}

static struct inode *look_in_table(struct inode *dir, const struct proc_entry *table, const char *name)
{
    const struct proc_entry *e = find_entry(table, name);

    return e ? make_inode(dir, e->show ? FILE : TABLE, e) : NULL;
}

static struct inode *proc_lookup(struct inode *dir, const char *name)
{
    const struct net_proc_file *file;

    switch (proc(dir)->kind) {
    case ROOT:
        if (!strcmp(name, "self"))
            return make_inode(dir, SELF, NULL);
        if (!strcmp(name, "thread-self"))
            return make_inode(dir, THREAD_SELF, NULL);
        if (!strcmp(name, "net"))
            return make_inode(dir, NET, NULL);
        if (*name >= '0' && *name <= '9')
            return procfs_pid_lookup(dir, name);
        if (!strcmp(name, "sys"))
            return sysctlfs_create_root(dir);
        return look_in_table(dir, proc_system_entries, name);
    case TABLE:
        return look_in_table(dir, proc(dir)->entry->children, name);
    case NET:
        file = net_proc_find(kernel_net, name);
        return file ? make_inode(dir, NET_FILE, file) : NULL;
    default:
        return NULL;
    }
}

/* ---- listing: after the dots, position 2 + i is the i-th entry; from PROC_PID_POSITION on, pids ---- */

static bool emit(const char *name, enum kind kind, const void *what, uint64_t *pos, struct dir_buffer *out)
{
    if (!dir_emit(out, name, ino_of(kind, what), mode_of(kind), *pos + 1))
        return false;
    ++*pos;
    return true;
}

/* The entries of a table from *pos on; base is the position of the first. False: no room. */
static bool list_table(const struct proc_entry *table, uint64_t base, uint64_t *pos, struct dir_buffer *out)
{
    for (uint64_t i = 0; table[i].name; i++)
        if (base + i == *pos && !emit(table[i].name, table[i].show ? FILE : TABLE, &table[i], pos, out))
            return false;
    return true;
}

static bool list_net(uint64_t *pos, struct dir_buffer *out)
{
    const struct net_proc_file *f = NULL;

    for (uint64_t at = 2; (f = net_proc_next(kernel_net, f)); at++)
        if (at == *pos && !emit(f->name, NET_FILE, f, pos, out))
            return false;
    return true;
}

static bool list_root(uint64_t *pos, struct dir_buffer *out)
{
    if (*pos == 2 && !emit("self", SELF, NULL, pos, out))
        return false;
    if (*pos == 3 && !emit("thread-self", THREAD_SELF, NULL, pos, out))
        return false;
    if (*pos == 4 && !emit("net", NET, NULL, pos, out))
        return false;
    if (*pos == 5 && !emit("sys", TABLE, NULL, pos, out))
        return false;
    if (!list_table(proc_system_entries, 6, pos, out))
        return false;
    *pos = MAX(*pos, (uint64_t)PROC_PID_POSITION);
    return procfs_pid_list(pos, out);
}

static int proc_readdir(struct inode *dir, uint64_t *pos, struct dir_buffer *out)
{
    bool room = dir_emit_dots(dir, pos, out);

    if (room && proc(dir)->kind == ROOT)
        room = list_root(pos, out);
    else if (room && proc(dir)->kind == NET)
        room = list_net(pos, out);
    else if (room && proc(dir)->kind == TABLE)
        room = list_table(proc(dir)->entry->children, 2, pos, out);
    return room || out->used ? 0 : -EINVAL;
}

static int64_t proc_readlink(struct inode *link, char *buf, size_t size)
{
    int pid = current_process()->pid;

    if (proc(link)->kind == SELF)
        return MIN(ksnprintf(buf, size, "%d", pid), (int)size);
    if (proc(link)->kind == THREAD_SELF)
        return MIN(ksnprintf(buf, size, "%d/task/%d", pid, current_task()->tid), (int)size);
    return -EINVAL;
}

static const struct inode_ops proc_ops = {
    .lookup = proc_lookup, .readdir = proc_readdir, .readlink = proc_readlink, .evict = proc_evict
};

/* ---- files ---- */

static void show(struct textbuf *out, struct inode *inode)
{
    const struct proc_inode *p = proc(inode);

    if (p->kind == NET_FILE)
        p->net_file->show(kernel_net, out);
    else
        p->entry->show(out, NULL);
}

/* The whole text, in a buffer that is made larger until it fits. */
static int make_text(struct textbuf *out, struct inode *inode, proc_show_fn fn)
{
    for (size_t size = TEXT_FIRST; size <= TEXT_MOST;
         size = MAX(size * 2, ROUND_UP(out->len + 1, TEXT_FIRST))) {
        *out = (struct textbuf){ .buf = kmalloc(size), .size = size };
        if (!out->buf)
            return -ENOMEM;
        fn(out, inode);
        if (out->len < out->size)
            return 0;
        kfree(out->buf);
    }
    return -EFBIG;
}

int proc_text_open(struct file *f, proc_show_fn fn)
{
    struct textbuf *text;
    int err;

    if ((f->flags & O_ACCMODE) != O_RDONLY)
        return -EACCES;
    text = kzalloc(sizeof *text);
    err = text ? make_text(text, f->inode, fn) : -ENOMEM;
    if (err)
        kfree(text);
    else
        f->private = text;
    return err;
}

int64_t proc_text_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    const struct textbuf *text = f->private;
    size_t n = *pos < text->len ? MIN(text->len - (size_t)*pos, it->count) : 0;

    if (n && copy_to_iter(text->buf + *pos, n, it))
        return -EFAULT;
    *pos += n;
    return (int64_t)n;
}

void proc_text_release(struct file *f)
{
    struct textbuf *text = f->private;

    kfree(text->buf);
    kfree(text);
}

static int proc_open(struct file *f)
{
    return proc_text_open(f, show);
}

static const struct file_ops proc_file_ops = {
    .seekable = true, .open = proc_open, .read = proc_text_read, .release = proc_text_release
};
