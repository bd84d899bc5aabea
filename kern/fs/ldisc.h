/* kern/fs/ldisc.h - the line discipline: what a typed byte does, how output looks. Private to the terminal.
 */
#pragma once
#include "kern/fs/file.h"
#include "lib/abi/termios.h"

enum { TTY_BUFFER = 4096, TTY_END_OF_FILE = 0x100 };

struct tty {
    unsigned port;
    struct waitq wq;

    struct spinlock lock; /* rank TTY; guards what follows */
    struct termios termios;
    struct winsize winsize;
    int sid, pgid; /* the session it controls and its foreground group; 0: none */
    /* Input: positions only grow, read <= commit <= write; what is committed may be read, the rest is the
     * line being typed. An entry is a byte or TTY_END_OF_FILE. */
    uint32_t read_pos, commit_pos, write_pos;
    uint16_t ring[TTY_BUFFER];
};

void ldisc_init(struct tty *tty, unsigned port);
/* Bytes from the line. Softirq. */
void ldisc_input(struct tty *tty, const uint8_t *bytes, size_t n);
/* Bytes of a program. Any context. */
void ldisc_output(struct tty *tty, const char *bytes, size_t n);
void ldisc_flush(struct tty *tty); /* forget input */
