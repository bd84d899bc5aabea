/* kern/fs/permission.c - owner, group and others; directories' x and sticky bit; what root may anyway. */
#include "kern/fs/permission.h"
#include "kern/fs/mount.h"
#include "kern/proc/process.h"
#include "lib/abi/stat.h"

static bool is_owner(const struct cred *c, const struct inode *inode)
{
    return c->uid.fs == READ_ONCE(inode->uid);
}

/* The three bits that hold for the caller. */
static unsigned bits_for(const struct cred *c, const struct inode *inode, uint32_t mode)
{
    if (is_owner(c, inode))
        return mode >> 6 & 7;
    return (cred_in_group(c, READ_ONCE(inode->gid)) ? mode >> 3 : mode) & 7;
}

/* Root reads and writes everything, searches every directory, and runs what anybody may run. */
static bool may_override(uint32_t mode, unsigned want)
{
    bool runs = (want & MAY_EXEC) && !S_ISDIR(mode);

    if (capable(CAP_DAC_OVERRIDE) && (!runs || (mode & 0111)))
        return true;
    return capable(CAP_DAC_READ_SEARCH) && !(want & MAY_WRITE) && !runs;
}

/* What is no device or socket is as writable as its file system. */
int inode_is_readonly(const struct inode *inode)
{
    bool stored = S_ISREG(inode->mode) || S_ISDIR(inode->mode) || S_ISLNK(inode->mode);

    return stored && mount_is_readonly(inode->dev) ? -EROFS : 0;
}

int inode_permission(const struct inode *inode, unsigned want)
{
    uint32_t mode = READ_ONCE(inode->mode);

    if ((want & MAY_WRITE) && inode_is_readonly(inode))
        return -EROFS;
    if ((mode & want & mode >> 3 & mode >> 6) == want)
        return 0; /* everybody may */
    if ((bits_for(current_cred(), inode, mode) & want) == want || may_override(mode, want))
        return 0;
    return -EACCES;
}

bool inode_is_own(const struct inode *inode)
{
    return is_owner(current_cred(), inode) || capable(CAP_FOWNER);
}

int path_may_create(const struct path *p)
{
    return inode_permission(p->dir, MAY_WRITE | MAY_EXEC);
}

int path_may_remove(const struct path *p)
{
    const struct cred *c = current_cred();
    int err = inode_permission(p->dir, MAY_WRITE | MAY_EXEC);

    if (err || !(READ_ONCE(p->dir->mode) & S_ISVTX))
        return err;
    return is_owner(c, p->inode) || is_owner(c, p->dir) || capable(CAP_FOWNER) ? 0 : -EPERM;
}

void inode_drop_setid(struct inode *inode)
{
    const uint32_t group_runs = S_ISGID | 0010;
    uint64_t flags = spin_lock(&fs_lock);

    if (S_ISREG(inode->mode)) {
        inode->mode &= ~(uint32_t)S_ISUID;
        if ((inode->mode & group_runs) == group_runs)
            inode->mode &= ~(uint32_t)S_ISGID;
    }
    spin_unlock(&fs_lock, flags);
}

void inode_inherit(struct inode *inode, const struct inode *dir)
{
    inode->dev = dir->dev;
    if (!(READ_ONCE(dir->mode) & S_ISGID))
        return;
    inode->gid = dir->gid;
    if (S_ISDIR(inode->mode))
        inode->mode |= S_ISGID;
}
