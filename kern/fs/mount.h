/* kern/fs/mount.h - file systems in the one tree: what is mounted where (mount(2)).
 *
 * A mount lays the root of a file system over a directory: a walk that comes to the directory goes on in the
 * root, and the root's parent is the directory's. Which file system an inode is of says its dev, the number
 * that stat tells as st_dev. */
#pragma once
#include "kern/fs/inode.h"

enum { MOUNT_TEXT = 64 };
enum { DEV_ROOTFS = 1, DEV_PROC = 4, DEV_SYSFS = 5, DEV_FIRST_FREE = 16 };

/* Lay root over dir (references of its own are taken). type and source are cut to MOUNT_TEXT. 0, -ENOTDIR,
 * -ENOMEM, -ENOENT (dir was removed), -ENAMETOOLONG. Process context. */
int mount_add(struct inode *dir, struct inode *root, const char *type, const char *source, unsigned flags);
/* Take away what has this root; lazily: in use or not. 0, -EINVAL (no such mount), -EBUSY. */
int mount_remove(struct inode *root, bool lazily);
/* Other flags for what has this root. 0, -EINVAL. */
int mount_change(struct inode *root, unsigned flags);
/* What is on top of a directory that has something mounted on it; takes and gives a reference. */
struct inode *mount_enter(struct inode *dir);
/* The number under which dir stands in its parent: what it is mounted on has that name. */
uint64_t mount_ino(const struct inode *dir);
/* Is the file system with this number mounted to be read only? */
bool mount_is_readonly(unsigned dev);
/* The type of the file system with this number (its MOUNT_TEXT bytes) and its flags; false: it is not
 * mounted. */
bool mount_type(unsigned dev, char *type, unsigned *flags);
unsigned mount_new_dev(void);
/* /proc/mounts and /proc/self/mountinfo. */
struct textbuf;
void mount_show(struct textbuf *out);
void mount_show_info(struct textbuf *out);
