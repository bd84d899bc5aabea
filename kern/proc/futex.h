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
