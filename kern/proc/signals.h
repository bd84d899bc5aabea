/* kern/proc/signals.h - sending signals, and what happens when one arrives.
 *
 * A signal waits in a queue of the process or of one thread until a thread that does not block it is on its
 * way back to user mode (return_to_user); there it starts a handler, ends or stops the process. Sending sets
 * the thread's signal_pending, which ends its sleep with -EINTR. */
#pragma once
#include "kern/proc/process.h"

#define SIGNAL_BIT(signo) (1ull << ((signo)-1))

/* Send to a process; process_lock held or not, as the name says. Any context that may take it. Dropped when
 * it would be ignored. */
void signal_send(struct process *p, int signo, const struct signal_info *info);
void signal_send_locked(struct process *p, int signo, const struct signal_info *info);
void signal_send_task_locked(struct task *t, int signo, const struct signal_info *info);
/* What is about to end the caller ends child too, which it has just made: sent to their group, it was sent
 * before the child was there to get it. process_lock held. */
void signal_share_end_locked(struct process *child);
/* To every process of group pgid; how many there are. */
unsigned signal_send_group(int pgid, int signo, const struct signal_info *info);
/* kill(2): 0, -ESRCH, -EINVAL. */
int signal_kill(int pid, int signo);
int signal_tgkill(int tgid, int tid, int signo);
/* From the kernel to the running program for what it just did (SIGPIPE). */
void signal_send_self(int signo);
/* An exception: cannot be blocked or ignored. */
void signal_force(int signo, const struct signal_info *info);

/* Replace / read the thread's mask of blocked signals. */
void signal_set_blocked(uint64_t mask);
/* Let those of set that are blocked end a sleep, until signal_set_blocked(). For a sender they stay blocked:
 * what is ignored by default is not dropped, for somebody waits for it. */
void signal_await(uint64_t set);
uint64_t signal_blocked(void);
/* Until the next handler or return to user mode, block mask instead (sigsuspend, ppoll). */
void signal_set_temporary_mask(uint64_t mask);
/* Back to the thread's own mask now; nothing without a temporary one. */
void signal_end_temporary_mask(void);
/* Is one of set queued for the current thread or its process, blocked or not? */
bool signal_waits(uint64_t set);
extern struct waitq signal_arrivals; /* woken when a signal is queued anywhere */
/* One that waits and may be delivered to the current thread now. */
bool signal_deliverable(void);
/* Take one of set off the queues: signo with *info, or 0. */
int signal_dequeue(uint64_t set, struct signal_info *info);
int signal_action(int signo, const struct kernel_sigaction *new, struct kernel_sigaction *old);
/* exec: handlers become default, ignored stay ignored. */
void signal_reset_handlers(struct process *p);
void signal_fill_siginfo(int signo, const struct signal_info *info, siginfo_t *out);

/* kern/proc/sigframe.c: push what a handler needs on the user's stack and point *tf at it. -EFAULT: no room
 * there. */
int sigframe_push(struct trapframe *tf, int signo, const struct signal_info *info,
                  const struct kernel_sigaction *action, uint64_t old_mask);
/* rt_sigreturn: put back what sigframe_push saved; the value of rax. A bad frame ends in SIGSEGV. */
int64_t sigframe_pop(struct trapframe *tf);
