/* kern/fs/tty.h - terminals: a line discipline above each serial port, and pairs of terminals (ptys). */
#pragma once
#include "kern/fs/file.h"
#include "lib/abi/termios.h"

struct tty;
struct process;
extern const struct file_ops tty_serial0_ops, tty_serial1_ops, tty_controlling_ops, ptmx_ops;
void tty_init(void);
/* The directory /dev/pts: an entry for each pty whose master is open. NULL: memory is out. */
struct inode *devpts_create_root(struct inode *parent);
/* The group that a terminal's keys signal; 0: none. For /proc/PID/stat. */
int tty_foreground(const struct tty *tty);
int tty_number(const struct tty *tty);
/* leader, the caller, which leads its session, ends: nobody's terminal any more, and the group in front is
 * told. Files stay usable, as Linux has it with ptys (a serial line it would hang up). */
void tty_session_ends(struct process *leader);
