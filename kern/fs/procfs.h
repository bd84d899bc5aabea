/* kern/fs/procfs.h - /proc: texts made at the moment a file is opened. */
#pragma once
#include "kern/fs/inode.h"

struct process;
struct textbuf;

/* A file or directory of /proc that is about the machine; show gets NULL. */
struct proc_entry {
    const char *name;
    void (*show)(struct textbuf *out, struct process *p); /* NULL: a directory */
    const struct proc_entry *children;                    /* a directory's; ends with a NULL name */
};
extern const struct proc_entry proc_system_entries[]; /* kern/fs/procfs_system.c */

/* The directory to be attached as /proc, with one reference. NULL: memory is out. */
struct inode *procfs_create_root(struct inode *parent);

/* ---- open files whose text is made at once: for file_ops ---- */

struct file;
struct iov_iter;
typedef void (*proc_show_fn)(struct textbuf *out, struct inode *inode);
int proc_text_open(struct file *f, proc_show_fn fn); /* 0, -EACCES, -ENOMEM, -EFBIG */
int64_t proc_text_read(struct file *f, struct iov_iter *it, uint64_t *pos);
void proc_text_release(struct file *f);

/* ---- kern/fs/procfs_pid.c: a directory for each process, with one for each of its threads ---- */

enum { PROC_PID_POSITION = 1000 }; /* where the pids begin in the root's listing */
struct inode *procfs_pid_lookup(struct inode *root, const char *name); /* NULL: no such process */
bool procfs_pid_list(uint64_t *pos, struct dir_buffer *out);           /* false: no room */

/* ---- kern/fs/procfs_process.c, procfs_memory.c: the texts of a process ---- */

/* Whom a text is about: a process, with a reference, or one of its threads. */
struct proc_subject {
    struct process *process;
    int tid; /* 0: the whole process */
};
typedef void (*proc_subject_show)(struct textbuf *out, const struct proc_subject *s);
void proc_show_stat(struct textbuf *out, const struct proc_subject *s);
void proc_show_status(struct textbuf *out, const struct proc_subject *s);
void proc_show_comm(struct textbuf *out, const struct proc_subject *s);
void proc_show_limits(struct textbuf *out, const struct proc_subject *s);
void proc_show_oom_score_adj(struct textbuf *out, const struct proc_subject *s);
void proc_show_wchan(struct textbuf *out, const struct proc_subject *s);
void proc_show_statm(struct textbuf *out, const struct proc_subject *s);
void proc_show_maps(struct textbuf *out, const struct proc_subject *s);
void proc_show_cmdline(struct textbuf *out, const struct proc_subject *s);
void proc_show_environ(struct textbuf *out, const struct proc_subject *s);
void proc_show_auxv(struct textbuf *out, const struct proc_subject *s);

/* How much memory of which kind a process has, in pages; all zero for one that has none. */
struct memory_use {
    uint64_t size, resident, code, data, stack;
};
struct memory_use proc_memory_use(struct process *p);
