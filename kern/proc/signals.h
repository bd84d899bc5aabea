/* kern/proc/signals.h - sending signals, and what happens when one arrives.
 *
 * A signal waits in a queue of the process or of one thread until a thread that does not block it is on its
 * way back to user mode (return_to_user); there it starts a handler, ends or stops the process. Sending sets
 * the thread's signal_pending, which ends its sleep with -EINTR. */
#pragma once
#include "kern/proc/process.h"

#define SIGNAL_BIT(signo) (1ull << ((signo)-1))

/* Send to a process; process_lock held or not, as the name says. Any context that may take it. Dropped when
 * it would be ignored. 0; -EAGAIN: too many wait (real-time signals that are not kill's alone). */
int signal_send(struct process *p, int signo, const struct signal_info *info);
int signal_send_locked(struct process *p, int signo, const struct signal_info *info);
int signal_send_task_locked(struct task *t, int signo, const struct signal_info *info);
/* What is about to end the caller ends child too, which it has just made: sent to their group, it was sent
 * before the child was there to get it. process_lock held. */
void signal_share_end_locked(struct process *child);
/* SIGCHLD for p's parent: p stopped, goes on; and whoever waits there looks. process_lock held. */
void signal_tell_parent_locked(struct process *p, int code, int status);
/* To every process of group pgid; how many there are. */
unsigned signal_send_group(int pgid, int signo, const struct signal_info *info);
/* kill(2): 0, -ESRCH, -EINVAL. */
int signal_kill(int pid, int signo);
int signal_tgkill(int tgid, int tid, int signo); /* tgid 0: whatever process it is of */
/* rt_sigqueueinfo, rt_tgsigqueueinfo (tid not 0): as kill, telling what the caller says. -EPERM: as only the
 * kernel may say it. */
int signal_queue_to(int tgid, int tid, int signo, const struct signal_info *info);
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
/* signo, which is not from a queue, will be acted on: a tracer put it there. 0: none. */
void signal_stop_may_follow(int signo);
int signal_action(int signo, const struct kernel_sigaction *new, struct kernel_sigaction *old);
/* exec: handlers become default, ignored stay ignored. */
void signal_reset_handlers(struct process *p);
void signal_read_siginfo(const siginfo_t *in, struct signal_info *info);
void signal_fill_siginfo(int signo, const struct signal_info *info, siginfo_t *out);

/* kern/proc/sigframe.c: push what a handler needs on the user's stack and point *tf at it. -EFAULT: no room
 * there. */
int sigframe_push(struct trapframe *tf, int signo, const struct signal_info *info,
                  const struct kernel_sigaction *action, uint64_t old_mask);
/* rt_sigreturn: put back what sigframe_push saved; the value of rax. A bad frame ends in SIGSEGV. */
int64_t sigframe_pop(struct trapframe *tf);

/* ---- kern/proc/sigqueue.c; process_lock held ---- */

void signal_queue_init(struct signal_queue *q);
/* 0 or -EAGAIN: too many wait. One that waits already and is no real-time signal stays as it is. */
int signal_queue_add(struct signal_queue *q, int signo, const struct signal_info *info);
/* Take one that waits. */
void signal_queue_take(struct signal_queue *q, int signo, struct signal_info *info);
void signal_queue_drop(struct signal_queue *q, uint64_t set);
