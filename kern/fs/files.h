/* kern/fs/files.h - a process's table of open files. Threads share one; fork copies it. */
#pragma once
#include "kern/fs/file.h"

enum {
    FILES_MAX = 1 << 20, /* what root may raise RLIMIT_NOFILE to (fs.nr_open) */
    FILES_HARD = 4096    /* what it may be raised to from the beginning, as Linux's INR_OPEN_MAX */
};
struct files;

struct files *files_create(void);             /* empty; NULL: memory is out */
struct files *files_clone(struct files *old); /* the same files; NULL: memory is out */
struct files *files_get(struct files *files); /* one more sharer */
void files_put(struct files *files);          /* the last one closes all */
void files_close_on_exec(struct files *files);

/* The calling process's table. */
struct files *current_files(void);

/* Places in the calling process's table: no descriptor so high is open. */
int fd_table_size(void);
/* One above the highest descriptor that the current process may make now (RLIMIT_NOFILE). */
int fd_limit(void);
/* The file behind fd in the current process, with a reference; NULL: -EBADF. A place (O_PATH) is no open
 * file: only fd_get_any gives it. */
struct file *fd_get(int fd);
struct file *fd_get_any(int fd);
/* Give f (takes the reference, also on failure) the least free descriptor >= least. It, or -EMFILE, -ENOMEM.
 */
int fd_install(struct file *f, int least, bool cloexec);
/* Make fd stand for f (takes the reference), closing what it was. fd, -EBADF or -ENOMEM. */
int fd_replace(int fd, struct file *f, bool cloexec);
int fd_close(int fd);                     /* 0 or -EBADF */
int fd_get_cloexec(int fd);               /* 0, 1 or -EBADF */
int fd_set_cloexec(int fd, bool cloexec); /* 0 or -EBADF */
/* Is a file of the file system with this number open in the table? */
bool files_use_dev(struct files *files, unsigned dev);
/* The least open descriptor >= fd of a table; -1: none. For /proc/PID/fd. */
int fd_next(struct files *files, int fd);
struct file *files_at(struct files *files, int fd); /* with a reference; NULL: none */
