/* kern/fs/procfs_kernel.h - what kern/fs/procfs_system.c's table takes from kern/fs/procfs_kernel.c. */
#pragma once

struct process;
struct textbuf;

void proc_show_timers(struct textbuf *out, struct process *p);
void proc_show_buddyinfo(struct textbuf *out, struct process *p);
void proc_show_vmstat(struct textbuf *out, struct process *p);
void proc_show_schedstat(struct textbuf *out, struct process *p);
