/* kern/proc/limits.h - resource limits (getrlimit(2)): each process has its own, a child its parent's, exec
 * keeps them. And the one limit that holds for all: how many threads there may be. */
#pragma once
#include "lib/abi/process.h"
#include "lib/compiler.h"

struct process;

/* What pid 1 begins with. */
void limits_init(struct process *p);
/* The soft limit in force for the current thread; RLIM_INFINITY for one of the kernel's. Any context. */
uint64_t limit_now(unsigned resource);
/* Read p's limit to *old (or NULL) and set it to *new (or NULL) in one step. 0, -EINVAL (no such resource,
 * soft above hard), -EPERM (a raised hard limit without root's rights). */
int limit_change(struct process *p, unsigned resource, const struct rlimit *new, struct rlimit *old);
/* May there be one more thread of p, whose uid is set? Charges it, until limit_uncharge_task(): the first one
 * of a process for as long as the process is there, a zombie too. 0 or -EAGAIN. */
int limit_charge_task(struct process *p);
void limit_uncharge_task(struct process *p);
/* How many threads of processes there may be at all. */
unsigned limit_threads_max(void);
/* Cut *n bytes written at pos of a file to what RLIMIT_FSIZE allows. -EFBIG, and SIGXFSZ sent, if that is
 * none. */
int limit_file_write(uint64_t pos, size_t *n);
/* The same for setting a file's size. */
int limit_file_size(uint64_t size);
