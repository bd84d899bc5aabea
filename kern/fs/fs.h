/* kern/fs/fs.h - the tree of files: an in-memory file system filled from the initramfs, with /dev and /proc.
 */
#pragma once
#include "kern/fs/file.h"
#include "lib/abi/fcntl.h"

/* Make the tree: the archives in boot_info.modules, then /dev and /proc. Process context, once. A machine
 * without memory for it panics; a broken archive is one line in the log and what came before it stays. */
void fs_init(void);

/* What a path leads to. */
struct path {
    struct inode *dir;       /* where the last component was looked for; a reference */
    struct inode *inode;     /* what it is; a reference, or NULL with WALK_PARENT */
    char name[NAME_MAX + 1]; /* the last component; "." for the root and for a path that ends in a dot */
    bool slash;              /* the path ended in a slash: only a directory will do */
};
enum { WALK_FOLLOW = 1, WALK_PARENT = 2, WALK_EMPTY = 4, WALK_ENTRY = 8 };
enum { MAX_LINKS = 40 }; /* symbolic links followed in one walk */

/* Walk path from start (from the root if it begins with a slash). WALK_FOLLOW: follow a link in the last
 * place; WALK_PARENT: the last component need not exist; WALK_ENTRY: it is meant as an entry of its
 * directory, a link there is never followed. 0 and *out to be released with path_put, or -ENOENT, -ENOTDIR,
 * -ELOOP, -ENAMETOOLONG, -ENOMEM. Process context. */
int path_walk(struct inode *start, const char *path, unsigned flags, struct path *out);
void path_put(struct path *p);
/* The inode a path leads to from start, links followed. 0 or -errno. */
int path_lookup(struct inode *start, const char *path, struct inode **inode);
/* Open a path with O_* flags, creating a file with mode where O_CREAT asks. 0 or -errno. */
int path_open(struct inode *start, const char *path, uint32_t flags, uint32_t mode, struct file **out);
/* The absolute path of a directory, NUL included, to the end of buf: its start. NULL: it was removed, or is
 * longer than size. */
char *path_of_directory(struct inode *dir, char *buf, size_t size);
/* The same of an open file, wherever it stands now; NULL also when it never had a name. */
char *path_of_file(struct file *f, char *buf, size_t size);
