/* kern/fs/namei.c - from a path to an inode.
 * A walk keeps a reference to the directory it stands in and the text still to go; a symbolic link replaces
 * that text by its target and the rest. Nothing is recursive: at most MAX_LINKS links, PATH_MAX bytes. */
#include "kern/fs/mount.h"
#include "kern/fs/permission.h"
#include "kern/mm/mm.h"
#include "kern/proc/process.h"
#include "lib/abi/stat.h"
#include "lib/string.h"

struct walk {
    struct inode *root; /* a reference: the process's */
    struct inode *dir;  /* a reference */
    char *text;         /* PATH_MAX bytes, ours once a link was followed; else NULL */
    const char *rest;
    unsigned links;
    char *name;           /* the component just cut off, NAME_MAX + 1 bytes */
    struct inode *target; /* a reference: what a link led to that is no text; looked at next */
};

/* Cut the next component off rest. 0 or -ENAMETOOLONG. */
static int next_component(struct walk *w)
{
    const char *slash;
    size_t n;

    while (*w->rest == '/')
        w->rest++;
    slash = strchr(w->rest, '/');
    n = slash ? (size_t)(slash - w->rest) : strlen(w->rest);
    if (n > NAME_MAX)
        return -ENAMETOOLONG;
    memcpy(w->name, w->rest, n);
    w->name[n] = 0;
    w->rest += n;
    if (!n)
        memcpy(w->name, ".", 2); /* the path was only slashes */
    return 0;
}

static bool only_slashes(const char *s)
{
    while (*s == '/')
        s++;
    return !*s;
}

/* The inode that name is in the walk's directory, with a reference; NULL: none; INODE_NO_MEMORY. */
static struct inode *look_up(struct walk *w)
{
    struct inode *inode;

    if (!strcmp(w->name, "."))
        return inode_get(w->dir);
    if (!strcmp(w->name, ".."))
        return w->dir == w->root ? inode_get(w->dir) : inode_parent(w->dir);
    inode = w->dir->ops->lookup(w->dir, w->name);
    if (!inode || inode == INODE_NO_MEMORY)
        return inode;
    return READ_ONCE(inode->mounted) ? mount_enter(inode) : inode;
}

static void step_to(struct walk *w, struct inode *dir)
{
    inode_put(w->dir);
    w->dir = dir;
}

/* Go on at the very thing that a link of /proc stands for. Takes link. */
static int jump_to_target(struct walk *w, struct inode *link)
{
    struct inode *dir = NULL, *target = link->ops->target(link, &dir);

    w->links++;
    inode_put(link);
    if (dir)
        step_to(w, dir);
    if (!target)
        return -ENOENT;
    w->target = target;
    return 0;
}

/* Go on with the target of link instead of its name. Takes link. */
static int follow_link(struct walk *w, struct inode *link)
{
    char *text;
    size_t rest = strlen(w->rest);
    int64_t n = -ENOMEM;

    if (link->ops->target && w->links < MAX_LINKS)
        return jump_to_target(w, link);
    text = kmalloc(PATH_MAX);
    if (++w->links > MAX_LINKS)
        n = -ELOOP;
    else if (text)
        n = link->ops->readlink(link, text, PATH_MAX);
    inode_put(link);
    if (n >= 0 && (size_t)n + rest >= PATH_MAX)
        n = -ENAMETOOLONG;
    if (n < 0) {
        kfree(text);
        return (int)n;
    }
    memcpy(text + n, w->rest, rest + 1); /* the rest is empty or begins with a slash */
    kfree(w->text);
    w->text = text;
    w->rest = text;
    if (*text == '/')
        step_to(w, inode_get(w->root));
    return 0;
}

static bool should_follow(const struct inode *inode, bool last, bool slash, unsigned flags)
{
    if (!S_ISLNK(inode->mode) || (last && (flags & WALK_ENTRY)))
        return false;
    return !last || slash || (flags & WALK_FOLLOW);
}

/* One component. 1: go on, 0: *found is the last one (NULL: it does not exist), or -errno. */
static int walk_step(struct walk *w, unsigned flags, struct inode **found, bool *slash)
{
    struct inode *inode;
    bool last;
    int err = next_component(w);

    if (err)
        return err;
    if (!S_ISDIR(w->dir->mode))
        return -ENOTDIR;
    err = inode_permission(w->dir, MAY_EXEC);
    if (err)
        return err;
    last = only_slashes(w->rest);
    *slash = last && *w->rest;
    inode = look_up(w);
    if (inode == INODE_NO_MEMORY)
        return -ENOMEM;
    if (!inode && !(last && (flags & WALK_PARENT)))
        return -ENOENT;
    if (inode && should_follow(inode, last, *slash, flags)) {
        err = follow_link(w, inode);
        if (err || !w->target)
            return err ? err : 1;
        inode = w->target;
        w->target = NULL;
    }
    if (!last) {
        step_to(w, inode);
        return 1;
    }
    *found = inode;
    return 0;
}

int path_walk(struct inode *start, const char *path, unsigned flags, struct path *out)
{
    struct walk w = { .rest = path, .name = out->name };
    const unsigned new_entry = WALK_PARENT | WALK_ENTRY;
    bool may_be_named_so = (flags & new_entry) == new_entry; /* what is there is in the way anyhow */
    int more = *path ? 1 : -ENOENT;

    out->inode = NULL;
    w.root = process_root();
    w.dir = inode_get(*path == '/' ? w.root : start);
    while (more > 0)
        more = walk_step(&w, flags, &out->inode, &out->slash);
    kfree(w.text);
    inode_put(w.root);
    out->dir = w.dir;
    if (!more && out->slash && out->inode && !S_ISDIR(out->inode->mode) && !may_be_named_so)
        more = flags & WALK_PARENT ? -EISDIR
                                   : -ENOTDIR; /* open(2): whoever makes a file must not name a directory */
    if (more < 0)
        path_put(out);
    return more;
}

void path_put(struct path *p)
{
    inode_put(p->dir);
    inode_put(p->inode);
    p->dir = p->inode = NULL;
}

int path_lookup(struct inode *start, const char *path, struct inode **inode)
{
    struct path p;
    int err = path_walk(start, path, WALK_FOLLOW, &p);

    if (err)
        return err;
    *inode = inode_get(p.inode);
    path_put(&p);
    return 0;
}

/* Make the file a walk did not find. Somebody may have been faster: -EEXIST. */
static int open_create(struct path *p, uint32_t mode)
{
    if (p->slash)
        return -EISDIR;
    int err = p->dir->ops->create ? path_may_create(p) : -EACCES;

    if (err)
        return err;
    return p->dir->ops->create(p->dir, p->name, S_IFREG | (mode & 07777), &p->inode);
}

/* What opening with these flags lets a program do: MAY_* */
static unsigned access_of(uint32_t flags)
{
    static const uint8_t of_mode[] = { MAY_READ, MAY_WRITE, MAY_READ | MAY_WRITE, MAY_READ | MAY_WRITE };

    return of_mode[flags & O_ACCMODE] | (flags & O_TRUNC ? MAY_WRITE : 0);
}

/* May an existing inode be opened with these flags? */
static int open_check(const struct inode *inode, uint32_t flags)
{
    bool write = (flags & O_ACCMODE) != O_RDONLY;

    if (S_ISLNK(inode->mode) && !(flags & O_PATH))
        return -ELOOP; /* O_NOFOLLOW */
    if (S_ISDIR(inode->mode) && (write || (flags & (O_CREAT | O_TRUNC))))
        return -EISDIR;
    if (!S_ISDIR(inode->mode) && (flags & O_DIRECTORY))
        return -ENOTDIR;
    return flags & O_PATH ? 0 : inode_permission(inode, access_of(flags));
}

/* O_TRUNC writes, even where nothing else is to be written: not to a program that runs. */
static int cut_opened(struct inode *inode)
{
    int err;

    if (!S_ISREG(inode->mode) || !inode->ops->truncate)
        return 0;
    err = inode_begin_write(inode);
    if (err)
        return err;
    err = inode->ops->truncate(inode, 0);
    inode_end_write(inode);
    return err;
}

static int open_walked(struct path *p, uint32_t flags, uint32_t mode, struct file **out)
{
    bool existed = p->inode;
    struct file *f;
    int err;

    if (existed && (flags & O_CREAT) && (flags & O_EXCL))
        return -EEXIST;
    err = existed ? open_check(p->inode, flags) : open_create(p, mode);
    if (err)
        return err;
    err = file_open_inode(p->inode, flags & ~(uint32_t)O_CLOEXEC, &f);
    if (err)
        return err;
    if (existed && (flags & O_TRUNC))
        err = cut_opened(p->inode);
    if (err) {
        file_put(f);
        return err;
    }
    f->dir = inode_get(p->dir);
    *out = f;
    return 0;
}

int path_open(struct inode *start, const char *path, uint32_t flags, uint32_t mode, struct file **out)
{
    bool exclusive = (flags & O_CREAT) && (flags & O_EXCL);
    unsigned walk = (flags & O_NOFOLLOW) || exclusive ? 0 : WALK_FOLLOW;
    struct path p;
    int err;

    if (flags & O_PATH)
        flags &= O_PATH | O_DIRECTORY | O_NOFOLLOW;
    do {
        err = path_walk(start, path, walk | ((flags & O_CREAT) ? WALK_PARENT : 0), &p);
        if (err)
            return err;
        err = open_walked(&p, flags, mode, out);
        path_put(&p);
    } while (err == -EEXIST && !exclusive);
    return err;
}

/* The name under which child stands in its parent: to the end of [buf, end). Its start, or NULL. */
static char *name_in_parent(struct inode *parent, uint64_t ino, char *buf, char *end)
{
    struct dir_buffer records = { .bytes = kmalloc(4096), .size = 4096 };
    uint64_t pos = 2;
    char *at = NULL;

    if (!records.bytes)
        return NULL;
    do {
        records.used = 0;
        if (parent->ops->readdir(parent, &pos, &records))
            break;
        for (size_t i = 0; i < records.used && !at;) {
            struct linux_dirent64 *d = (struct linux_dirent64 *)(records.bytes + i);
            size_t n = strlen(d->d_name);
            if (d->d_ino == ino && n < (size_t)(end - buf))
                at = memcpy(end - n, d->d_name, n);
            i += d->d_reclen;
        }
    } while (records.used && !at);
    kfree(records.bytes);
    return at;
}

/* Put the absolute path of dir before at, but no lower than buf. Its start; NULL: dir was removed, or there
 * is no room. */
static char *prepend_directory(struct inode *dir, char *buf, char *at)
{
    struct inode *root = process_root();

    dir = inode_get(dir);
    while (at && dir != root) {
        struct inode *parent = inode_parent(dir);
        at = parent != dir ? name_in_parent(parent, mount_ino(dir), buf + 1, at) : NULL;
        if (at)
            *--at = '/';
        inode_put(dir);
        dir = parent;
    }
    inode_put(dir);
    inode_put(root);
    return at;
}

char *path_of_directory(struct inode *dir, char *buf, size_t size)
{
    char *at = buf + size - 1;

    *at = 0;
    at = prepend_directory(dir, buf, at);
    if (at && !*at)
        *--at = '/';
    return at;
}

char *path_of_file(struct file *f, char *buf, size_t size)
{
    char *at = buf + size - 1;

    if (!f->inode || !f->dir)
        return NULL;
    if (S_ISDIR(f->inode->mode))
        return path_of_directory(f->inode, buf, size);
    *at = 0;
    at = name_in_parent(f->dir, f->inode->ino, buf + 1, at);
    if (!at)
        return NULL;
    *--at = '/';
    return prepend_directory(f->dir, buf, at);
}
