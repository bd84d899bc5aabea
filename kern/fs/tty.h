/* kern/fs/tty.h - terminals: a line discipline above each serial port. */
#pragma once
#include "kern/fs/file.h"
#include "lib/abi/termios.h"

struct tty;
extern const struct file_ops tty_serial0_ops, tty_serial1_ops, tty_controlling_ops;
void tty_init(void);
/* The group that a terminal's keys signal; 0: none. For /proc/PID/stat. */
int tty_foreground(const struct tty *tty);
int tty_number(const struct tty *tty);
/* A session's leader has ended: nobody's terminal any more. */
void tty_leave(struct tty *tty, int sid);
