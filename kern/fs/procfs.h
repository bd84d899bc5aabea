/* kern/fs/procfs.h - /proc: texts made at the moment a file is opened. */
#pragma once
#include "kern/fs/inode.h"

struct process;
struct textbuf;

/* A file or directory of /proc. In a directory of a process, show gets it (with a reference held). */
struct proc_entry {
    const char *name;
    void (*show)(struct textbuf *out, struct process *p); /* NULL: a directory */
    const struct proc_entry *children;                    /* a directory's; ends with a NULL name */
};
extern const struct proc_entry proc_system_entries[];  /* kern/fs/procfs_system.c */
extern const struct proc_entry proc_process_entries[]; /* kern/fs/procfs_process.c */

/* The directory to be attached as /proc, with one reference. NULL: memory is out. */
struct inode *procfs_create_root(struct inode *parent);
