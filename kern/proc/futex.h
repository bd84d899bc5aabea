/* kern/proc/futex.h - sleeping on a word of user memory. */
#pragma once
#include "kern/proc/process.h"

/* A word is known by its address space and address, or where processes share it by what the mapping shows.
 * private: its user says that it is not shared (FUTEX_PRIVATE_FLAG), which saves looking. */

/* Sleep while the word at addr is value, until futex_wake for a bit of bits. 0, -EAGAIN (another value),
 * -ETIMEDOUT, -EINTR, -EFAULT, -EINVAL. Process context. */
int futex_wait(uintptr_t addr, bool private, uint32_t value, uint32_t bits, uint64_t deadline);
/* Wake up to n sleepers on a word of vm; how many. Process context. */
int futex_wake(struct vm_space *vm, uintptr_t addr, bool private, unsigned n, uint32_t bits);
/* Wake n of addr's sleepers and move up to max of the others to target. Woken and moved. Process context. */
int futex_requeue(uintptr_t addr, uintptr_t target, bool private, unsigned n, unsigned max);

/* ---- kern/proc/futex_owner.c ---- */

enum { ROBUST_HEAD_SIZE = 24 };
/* The current thread t ends: words of its robust list that name it say so from here on. Process context, in
 * its address space. */
void futex_thread_ends(struct task *t);
/* FUTEX_WAKE_OP: change addr2's word as encoded says, wake n of addr's sleepers, and n2 of addr2's if the
 * word was as encoded says. Woken, -EFAULT, -ENOSYS. Process context. */
int futex_wake_op(uintptr_t addr, uintptr_t addr2, bool private, unsigned n, unsigned n2, uint32_t encoded);
