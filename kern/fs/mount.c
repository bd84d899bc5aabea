/* kern/fs/mount.c - the table of mounts.
 *
 * One mutex over the table and over every change to it; the inodes' fields `mounted` and `mount_root` change
 * under fs_lock too, so that a walk may follow them. Whoever uses a file system has references to its inodes:
 * taking a mount away while it is used cuts the tree, it frees nothing that is held. */
#include "kern/fs/mount.h"
#include "kern/fs/files.h"
#include "kern/fs/fs.h"
#include "kern/fs/ramfs.h"
#include "kern/mm/mm.h"
#include "kern/proc/process.h"
#include "lib/abi/mount.h"
#include "lib/abi/stat.h"
#include "lib/format.h"
#include "lib/string.h"

struct mount {
    struct list_head link;
    int id, parent;
    struct inode *dir, *root; /* references; dir NULL: the root of the tree */
    unsigned flags;
    char type[MOUNT_TEXT], source[MOUNT_TEXT];
    char path[]; /* where it was mounted */
};

static struct mutex mutex;
static struct list_head mounts;  /* oldest first */
static unsigned readonly_mounts; /* atomic */

static void mount_lock(void)
{
    static bool ready; /* set at boot, by the first mount */

    if (!ready) {
        mutex_init(&mutex, "mounts");
        list_init(&mounts);
        ready = true;
    }
    mutex_lock(&mutex);
}

unsigned mount_new_dev(void)
{
    static unsigned last = DEV_FIRST_FREE;

    return __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED);
}

static void copy_text(char *to, const char *from)
{
    size_t n = strnlen(from, MOUNT_TEXT - 1);

    memcpy(to, from, n);
    to[n] = 0;
}

/* ---- the mutex held ---- */

static struct mount *find_dev(unsigned dev)
{
    struct mount *m;

    list_for_each_entry (m, &mounts, link)
        if (m->root->dev == dev)
            return m;
    return NULL;
}

static struct mount *find_root(const struct inode *root)
{
    struct mount *m;

    list_for_each_entry (m, &mounts, link)
        if (m->root == root)
            return m;
    return NULL;
}

static struct mount *mount_create(struct inode *dir, struct inode *root, const char *path)
{
    static int last_id;
    size_t n = strlen(path) + 1;
    struct mount *m = kzalloc(sizeof *m + n);
    const struct mount *parent = dir ? find_dev(dir->dev) : NULL;

    if (!m)
        return NULL;
    m->id = ++last_id;
    m->parent = parent ? parent->id : 0;
    m->dir = dir ? inode_get(dir) : NULL;
    m->root = inode_get(root);
    memcpy(m->path, path, n);
    return m;
}

/* Make the walk go into root; what root had as its parent is put by the caller. */
static struct inode *hang_in(struct mount *m)
{
    uint64_t flags = spin_lock(&fs_lock);
    struct inode *old = m->root->parent;

    m->root->mount_root = true;
    if (m->dir) {
        m->dir->mounted = m->root;
        m->root->parent = inode_get(m->dir->parent == m->dir ? m->dir : m->dir->parent);
    }
    spin_unlock(&fs_lock, flags);
    return m->dir && old != m->root ? old : NULL;
}

static struct inode *take_out(struct mount *m)
{
    uint64_t flags = spin_lock(&fs_lock);
    struct inode *old = m->root->parent;

    m->dir->mounted = NULL;
    m->root->mount_root = false;
    m->root->parent = inode_get(fs_root); /* for whoever still stands there */
    spin_unlock(&fs_lock, flags);
    return old;
}

static void count_readonly(unsigned flags, int by)
{
    if (flags & MS_RDONLY)
        __atomic_add_fetch(&readonly_mounts, (unsigned)by, __ATOMIC_RELAXED);
}

static int add(struct inode *dir, struct inode *root, const char *type, const char *source, unsigned flags,
               const char *path)
{
    struct mount *m = mount_create(dir, root, path);

    if (!m)
        return -ENOMEM;
    m->flags = flags;
    copy_text(m->type, type);
    copy_text(m->source, source);
    inode_put(hang_in(m));
    count_readonly(flags, 1);
    list_add_tail(&m->link, &mounts);
    return 0;
}

static struct mount *find_child(const struct mount *m)
{
    struct mount *child;

    list_for_each_entry (child, &mounts, link)
        if (child->dir && child != m && child->dir->dev == m->root->dev)
            return child;
    return NULL;
}

struct use {
    unsigned dev;
    bool found;
};

static void look_at_process(struct process *p, void *arg)
{
    struct use *u = arg;

    u->found |= (p->cwd && p->cwd->dev == u->dev) || (p->root && p->root->dev == u->dev) ||
                (p->files && files_use_dev(p->files, u->dev));
}

static bool is_used(const struct mount *m)
{
    struct use u = { .dev = m->root->dev };
    uint64_t flags = spin_lock(&process_lock);

    process_for_each_locked(look_at_process, &u);
    spin_unlock(&process_lock, flags);
    return u.found;
}

/* m leaves the table; only a tmpfs of its own loses its files with it. */
static void drop(struct mount *m)
{
    list_del(&m->link);
    count_readonly(m->flags, -1);
    inode_put(take_out(m));
    if (m->root->dev > DEV_FIRST_FREE && !find_dev(m->root->dev))
        ramfs_clear(m->root);
    inode_put(m->dir);
    inode_put(m->root);
    kfree(m);
}

static int remove(struct mount *m, bool lazily)
{
    struct mount *child;

    if (!m || !m->dir)
        return -EINVAL;
    if (!lazily && (find_child(m) || is_used(m)))
        return -EBUSY;
    while ((child = find_child(m))) {
        struct mount *deeper;
        while ((deeper = find_child(child)))
            child = deeper;
        drop(child);
    }
    drop(m);
    return 0;
}

/* ---- not held ---- */

int mount_add(struct inode *dir, struct inode *root, const char *type, const char *source, unsigned flags)
{
    char *text = kmalloc(PATH_MAX), *path;
    int err;

    if (!text)
        return -ENOMEM;
    path = dir ? path_of_directory(dir, text, PATH_MAX) : memcpy(text, "/", 2);
    mount_lock();
    err = dir && !S_ISDIR(dir->mode) ? -ENOTDIR : path ? add(dir, root, type, source, flags, path) : -ENOENT;
    mutex_unlock(&mutex);
    kfree(text);
    return err;
}

int mount_remove(struct inode *root, bool lazily)
{
    int err;

    mount_lock();
    err = remove(find_root(root), lazily);
    mutex_unlock(&mutex);
    return err;
}

int mount_change(struct inode *root, unsigned flags)
{
    struct mount *m;

    mount_lock();
    m = find_root(root);
    if (m) {
        count_readonly(m->flags, -1);
        m->flags = flags;
        count_readonly(m->flags, 1);
    }
    mutex_unlock(&mutex);
    return m ? 0 : -EINVAL;
}

struct inode *mount_enter(struct inode *dir)
{
    for (;;) {
        uint64_t flags = spin_lock(&fs_lock);
        struct inode *root = dir->mounted ? inode_get(dir->mounted) : NULL;
        spin_unlock(&fs_lock, flags);
        if (!root)
            return dir;
        inode_put(dir);
        dir = root;
    }
}

uint64_t mount_ino(const struct inode *dir)
{
    const struct mount *m;
    uint64_t ino;

    if (!READ_ONCE(dir->mount_root))
        return dir->ino;
    mount_lock();
    while (dir->mount_root && (m = find_root(dir)) && m->dir)
        dir = m->dir;
    ino = dir->ino;
    mutex_unlock(&mutex);
    return ino;
}

bool mount_type(unsigned dev, char *type, unsigned *flags)
{
    const struct mount *m;

    mount_lock();
    m = find_dev(dev);
    if (m) {
        memcpy(type, m->type, MOUNT_TEXT);
        *flags = m->flags;
    }
    mutex_unlock(&mutex);
    return m;
}

bool mount_is_readonly(unsigned dev)
{
    char type[MOUNT_TEXT];
    unsigned flags;

    return __atomic_load_n(&readonly_mounts, __ATOMIC_RELAXED) && mount_type(dev, type, &flags) &&
           (flags & MS_RDONLY);
}

/* ---- /proc ---- */

/* Options in the order in which Linux has them. */
static void show_options(struct textbuf *out, unsigned flags)
{
    textbuf_printf(out, "%s%s%s%s%s", flags & MS_RDONLY ? "ro" : "rw", flags & MS_NOSUID ? ",nosuid" : "",
                   flags & MS_NODEV ? ",nodev" : "", flags & MS_NOEXEC ? ",noexec" : "",
                   flags & MS_NOATIME ? ",noatime" : "");
}

void mount_show(struct textbuf *out)
{
    const struct mount *m;

    mount_lock();
    list_for_each_entry (m, &mounts, link) {
        textbuf_printf(out, "%s %s %s ", m->source, m->path, m->type);
        show_options(out, m->flags);
        textbuf_printf(out, " 0 0\n");
    }
    mutex_unlock(&mutex);
}

void mount_show_info(struct textbuf *out)
{
    const struct mount *m;

    mount_lock();
    list_for_each_entry (m, &mounts, link) {
        textbuf_printf(out, "%d %d 0:%u / %s ", m->id, m->parent ? m->parent : m->id, m->root->dev, m->path);
        show_options(out, m->flags);
        textbuf_printf(out, " - %s %s %s\n", m->type, m->source, m->flags & MS_RDONLY ? "ro" : "rw");
    }
    mutex_unlock(&mutex);
}
