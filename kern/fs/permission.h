/* kern/fs/permission.h - what the calling process may do to a file (path_resolution(7), inode(7)). */
#pragma once
#include "kern/fs/fs.h"

enum { MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4 }; /* as access(2)'s X_OK, W_OK, R_OK */

/* 0, -EACCES if one of `want` is not allowed, -EROFS; to search a directory is MAY_EXEC. */
int inode_permission(const struct inode *inode, unsigned want);
/* -EROFS if it may not be changed at all, else 0. */
int inode_is_readonly(const struct inode *inode);
/* Is it the caller's, or may the caller act as if it were? */
bool inode_is_own(const struct inode *inode);
/* May the caller put a name into p's directory? 0, -EACCES. */
int path_may_create(const struct path *p);
/* May it take p's name away? 0, -EACCES, -EPERM (a sticky directory, somebody else's file). */
int path_may_remove(const struct path *p);
/* A file that was written or given away does not run as somebody else any more. */
void inode_drop_setid(struct inode *inode);
/* What a new inode in dir has from it: its file system, and if dir says so its group. */
void inode_inherit(struct inode *inode, const struct inode *dir);
