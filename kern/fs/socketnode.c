/* kern/fs/socketnode.c - what net/port.h asks of the tree of files: the nodes that bind() of a path makes,
 * and open files that travel between processes. A struct fs_name is an inode under another name, a struct
 * passed_file a file. */
#include "kern/fs/fs.h"
#include "kern/fs/permission.h"
#include "kern/fs/socketfile.h"
#include "kern/proc/process.h"
#include "lib/abi/stat.h"

/* ---- places ---- */

static struct inode *inode_of(struct fs_name *name)
{
    return (struct inode *)name;
}

static int walk(const char *path, unsigned flags, struct path *p)
{
    struct inode *cwd = process_cwd(current_process());
    int err = path_walk(cwd, path, flags, p);

    inode_put(cwd);
    return err;
}

int fs_name_create(const char *path, struct fs_name **name)
{
    uint32_t mode = 0777 & ~current_process()->umask;
    struct inode *inode = NULL;
    struct path p;
    int err = walk(path, WALK_PARENT, &p);

    if (err)
        return err;
    if (p.inode)
        err = -EEXIST;
    else if (p.slash)
        err = -ENOENT;
    else
        err = path_may_create(&p);
    if (!err)
        err = p.dir->ops->create ? p.dir->ops->create(p.dir, p.name, S_IFSOCK | mode, &inode) : -EPERM;
    path_put(&p);
    *name = (struct fs_name *)inode;
    return err == -EEXIST ? -EADDRINUSE : err;
}

int fs_name_find(const char *path, struct fs_name **name)
{
    struct path p;
    int err = walk(path, WALK_FOLLOW, &p);

    if (err)
        return err;
    err = inode_permission(p.inode, MAY_WRITE);
    if (!err && (p.inode->mode & S_IFMT) != S_IFSOCK)
        err = -ECONNREFUSED;
    if (!err)
        *name = (struct fs_name *)inode_get(p.inode);
    path_put(&p);
    return err;
}

void fs_name_put(struct fs_name *name)
{
    inode_put(inode_of(name));
}

/* ---- files ---- */

void passed_file_get(struct passed_file *f)
{
    file_get((struct file *)f);
}

void passed_file_put(struct passed_file *f)
{
    file_put((struct file *)f);
}

unsigned passed_file_users(const struct passed_file *f)
{
    return (unsigned)refcount_read(&((const struct file *)f)->refs);
}

struct sock *passed_file_sock(const struct passed_file *f)
{
    return socket_of((struct file *)(uintptr_t)f);
}

/* ---- who calls ---- */

void credentials_now(struct credentials *c)
{
    const struct process *p = current_process();

    *c = (struct credentials){ .pid = 0 };
    if (p)
        *c = (struct credentials){ .pid = p->pid,
                                   .uid = p->cred.uid.real,
                                   .gid = p->cred.gid.real,
                                   .euid = p->cred.uid.effective,
                                   .egid = p->cred.gid.effective,
                                   .net_raw = capable(CAP_NET_RAW),
                                   .net_admin = capable(CAP_NET_ADMIN),
                                   .net_bind = capable(CAP_NET_BIND_SERVICE) };
}
