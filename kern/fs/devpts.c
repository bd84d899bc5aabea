/* kern/fs/devpts.c - /dev/pts: a directory that has an entry for each pty whose master is open. */
#include "kern/fs/ldisc.h"
#include "kern/fs/tty.h"
#include "kern/mm/mm.h"
#include "kern/proc/cred.h"
#include "lib/abi/stat.h"
#include "lib/format.h"
#include "lib/string.h"

enum { GID_TTY = 5, MAJOR_SLAVE = 136 }; /* Debian's group tty; Linux's major number */

static struct inode *directory; /* set once, at boot */

static void pts_evict(struct inode *inode)
{
    kfree(inode);
}

static int parse_index(const char *name)
{
    int index = 0;

    if (*name == '0' && name[1])
        return -1;
    for (; *name >= '0' && *name <= '9' && index < PTYS_MAX; name++)
        index = index * 10 + (*name - '0');
    return *name ? -1 : index;
}

static struct inode *pts_lookup(struct inode *dir, const char *name)
{
    int index = parse_index(name);

    (void)dir;
    return index < 0 ? NULL : pty_entry((unsigned)index);
}

static int pts_readdir(struct inode *dir, uint64_t *pos, struct dir_buffer *out)
{
    bool room = dir_emit_dots(dir, pos, out);

    for (; room && *pos < 2 + PTYS_MAX; ++*pos) {
        struct inode *entry = pty_entry((unsigned)*pos - 2);
        char name[12];
        if (!entry)
            continue;
        ksnprintf(name, sizeof name, "%u", (unsigned)*pos - 2);
        room = dir_emit(out, name, entry->ino, entry->mode, *pos + 1);
        inode_put(entry);
        if (!room)
            break;
    }
    return room || out->used ? 0 : -EINVAL;
}

static const struct inode_ops pts_root_ops = { .lookup = pts_lookup,
                                               .readdir = pts_readdir,
                                               .evict = pts_evict };
static const struct inode_ops pts_entry_ops = { .evict = pts_evict };

struct inode *devpts_create_root(struct inode *parent)
{
    struct inode *dir = kzalloc(sizeof *dir);

    if (!dir)
        return NULL;
    inode_init(dir, S_IFDIR | 0755, &pts_root_ops, &directory_file_ops);
    dir->nlink = 2;
    dir->parent = inode_get(parent);
    directory = inode_get(dir);
    return dir;
}

struct inode *devpts_directory(void)
{
    return inode_get(directory);
}

struct inode *devpts_create_entry(unsigned index)
{
    struct inode *entry = kzalloc(sizeof *entry);

    if (!entry)
        return NULL;
    inode_init(entry, S_IFCHR | 0620, &pts_entry_ops, &pty_slave_ops);
    entry->rdev = MAJOR_SLAVE << 8 | index;
    entry->uid = current_cred()->uid.fs;
    entry->gid = GID_TTY;
    return entry;
}
