/* sim/dev_qtest_memory.h - guest memory that a test hands out: slots of two pages, each byte out of bounds
 * unless it is allocated, so that AddressSanitizer sees what the driver does wrong there too. */
#pragma once
#include "lib/compiler.h"

enum { GUEST_MEMORY = 32 << 20, GUEST_FIRST = 1 << 20, GUEST_SLOT = 8192 }; /* below 1 MiB lie ROMs */

/* Make the memory; the descriptor to hand to QEMU (-1: it failed). One at a time in a process. */
int guest_memory_create(void);
void guest_memory_destroy(void);
/* Up to GUEST_SLOT bytes, aligned to 64 (page: to GUEST_SLOT). NULL when there is none left. */
void *guest_memory_alloc(size_t size);
void guest_memory_free(void *p);
/* The card's address of p. Panics if p is not guest memory. */
uint64_t guest_memory_address(const void *p);
