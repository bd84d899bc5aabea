/* kern/proc/task.h - what the files of kern/proc share about threads and the end of processes. */
#pragma once
#include "kern/proc/process.h"

void task_init(void);
/* Give each thread of the kernel that there is now a pid, for ps. Once, when pid 1 is taken. */
void kernel_threads_publish(void); /* once, before the first process */
/* A thread of p that will call fn(its task); not started. NULL: memory or tids are out. */
struct task *task_create_with(struct process *p, void (*fn)(void *arg));
/* Areas for FPU registers, fpu_area_size bytes. */
void *task_fpu_alloc(void);
void task_fpu_free(void *area); /* NULL is fine */
/* The current thread runs in vm from here on (NULL: in none); references are the caller's. */
void task_switch_vm(struct vm_space *vm);

/* Registers that a user set: segments become ours, flags are masked; a rip that is not canonical is the way
 * out's to refuse. And an FPU area (ours: what it replaces), so that it can be loaded. */
void user_frame_sanitize(struct trapframe *tf);
void fpu_area_sanitize(uint8_t *area, const uint8_t *ours);

/* Take p out of the table and from its parent. process_lock held; the table's reference is then the caller's.
 */
void process_forget_locked(struct process *p);
/* Let go of memory, files and directories: at the end, or when a fork fails. */
void process_release_resources(struct process *p);
/* A process runs exe, which it had marked as being run, no longer; puts the inode. NULL is fine. */
void process_end_run(struct file *exe);
/* A vfork child has its own memory now, or is gone: its parent goes on. */
void process_vfork_done(struct process *p);
void process_drop_signals(struct signal_queue *q); /* of one that is gone */
