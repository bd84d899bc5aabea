/* kern/proc/futex.h - sleeping on a word of user memory. */
#pragma once
#include "kern/proc/process.h"

/* Sleep while the word at addr is value, until futex_wake for a bit of bits. 0, -EAGAIN (another value),
 * -ETIMEDOUT, -EINTR, -EFAULT, -EINVAL. Process context. */
int futex_wait(uintptr_t addr, uint32_t value, uint32_t bits, uint64_t deadline);
/* Wake up to n sleepers; how many. */
int futex_wake(struct vm_space *vm, uintptr_t addr, unsigned n, uint32_t bits);
/* Wake n of addr's sleepers and move up to max of the others to target. Woken and moved. */
int futex_requeue(uintptr_t addr, unsigned n, uintptr_t target, unsigned max);
