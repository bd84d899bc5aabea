/* lib/abi/vdso.h - what the kernel tells the code that it lends to programs (user/vdso/vdso.c): one page,
 * shared by all, read-only for them, right below that code. Our own: no program knows of it.
 *
 * A writer makes seq odd, changes the rest and makes seq even again; a reader that saw an odd seq, or another
 * one behind than before, reads again. */
#pragma once
#include <stdint.h>

struct vdso_data {
    uint32_t seq;
    uint64_t tsc_at_boot;
    uint64_t ns_per_tick_scaled; /* << VDSO_SCALE_SHIFT */
    uint64_t wall_at_boot;       /* ns since 1970 */
};
/* A segment whose limit is the CPU's number: LSL reads it in user mode. */
enum { VDSO_SCALE_SHIFT = 32, VDSO_CPU_SELECTOR = 7 * 8 | 3 };
