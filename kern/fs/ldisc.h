/* kern/fs/ldisc.h - what the parts of a terminal share: the terminal itself, its line discipline, what
 * carries its bytes. Private to tty.c, ldisc.c, pty.c and job.c. */
#pragma once
#include "kern/fs/file.h"
#include "lib/abi/termios.h"

enum { TTY_BUFFER = 4096, TTY_END_OF_FILE = 0x100 };

struct tty;
/* What carries a terminal's bytes: a serial port, or the master of a pty. All but release with the terminal's
 * lock held; drained and last_close may be NULL. */
struct tty_driver {
    size_t (*write)(struct tty *tty, const char *bytes, size_t n); /* how many were taken, from the front */
    size_t (*room)(struct tty *tty);                               /* how many would be */
    size_t (*unsent)(struct tty *tty);                             /* taken, but not gone yet */
    void (*drop)(struct tty *tty);                                 /* forget what has not gone yet */
    void (*drained)(struct tty *tty);                              /* a reader made room for input */
    void (*last_close)(struct tty *tty);
    void (*release)(struct tty *tty); /* the last reference is gone */
};

struct tty {
    const struct tty_driver *driver;
    unsigned port;        /* the driver's */
    int number;           /* as /proc/PID/stat tells it */
    struct refcount refs; /* each file, and the driver */
    struct waitq wq;

    struct spinlock lock; /* rank TTY; guards what follows */
    struct termios termios;
    struct winsize winsize;
    int sid, pgid;                /* the session it controls and its foreground group; 0: none */
    unsigned opens;               /* files */
    unsigned hangups;             /* a file that was opened before the last one is dead */
    bool stopped;                 /* VSTOP: nothing goes out */
    bool literal;                 /* VLNEXT: the next byte means itself */
    unsigned column, line_column; /* of the cursor, and where the line being typed began */
    /* Input: positions only grow, read <= commit <= write; what is committed may be read, the rest is the
     * line being typed. An entry is a byte or TTY_END_OF_FILE. */
    uint32_t read_pos, commit_pos, write_pos;
    uint16_t ring[TTY_BUFFER];
};

/* What a file of a terminal keeps in private. */
struct tty_file {
    struct tty *tty; /* a reference */
    unsigned hangups;
};

/* ---- ldisc.c ---- */

void ldisc_init(struct tty *tty, const struct tty_driver *driver);
/* Bytes from the line: how many were taken; all where drop: then what has no room is lost. Softirq or
 * process, lock not held. */
size_t ldisc_input(struct tty *tty, const uint8_t *bytes, size_t n, bool drop);
/* Bytes of a program: how many went out. Lock held. */
size_t ldisc_output(struct tty *tty, const char *bytes, size_t n);
size_t ldisc_room(const struct tty *tty); /* for input that is not dropped; lock held */
void ldisc_flush(struct tty *tty);        /* forget input; lock held */

/* ---- tty.c ---- */

/* The rest of a file's opening: counts it, and makes it the controlling terminal where that is asked. Takes
 * the caller's reference to tty (also on failure). 0 or -ENOMEM. */
int tty_open_file(struct file *f, struct tty *tty);
/* Requests that mean the same on both sides of a pty. -ENOTTY: none of them. */
int64_t tty_common_ioctl(struct tty *tty, unsigned request, uintptr_t arg);
void tty_put(struct tty *tty);
/* The line is gone: all files opened so far are dead, the session's leader is told. */
void tty_hangup(struct tty *tty);
extern const struct file_ops tty_ops;

/* ---- pty.c, devpts.c ---- */

enum { PTYS_MAX = 256 };
extern const struct file_ops pty_slave_ops;
/* The inode of /dev/pts/index, with a reference; NULL: there is no such pty, or its master is closed. */
struct inode *pty_entry(unsigned index);
/* An inode for it. NULL: memory is out. */
struct inode *devpts_create_entry(unsigned index);
/* /dev/pts itself, with a reference. */
struct inode *devpts_directory(void);

/* ---- job.c: whose terminal ---- */

/* 0 if the caller may write to tty or change it (signo SIGTTOU) or read (SIGTTIN); else its group has been
 * sent the signal: -EINTR, or -EIO. Lock not held. */
int job_check(struct tty *tty, int signo);
/* TIOCSCTTY and the like; slave: asked on the terminal itself, not on a pty's master. */
int64_t job_ioctl(struct tty *tty, unsigned hangups, bool slave, unsigned request, uintptr_t arg);
/* A session's leader without a terminal gets tty, if it is nobody's. */
void job_adopt(struct tty *tty, unsigned hangups);
/* The caller's controlling terminal, with a reference, or NULL. */
struct tty *job_terminal(void);
