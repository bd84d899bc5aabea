/* kern/mm/fail_alloc.h - allocations made to fail on purpose; debug kernels only.
 *
 * Every allocation of kernel memory (slab caches, kmalloc, network pools, pages) asks fail_alloc() first.
 * Which one fails, three knobs under /proc/sys/debug say: the Nth that the writing thread makes, softirqs
 * that run on top of it included; the Nth that anybody makes; or every Nth. Pages that programs see, and the
 * tables that map them, are spared: a program that is refused one dies, which says nothing about the code
 * that asked. */
#pragma once
#include "lib/sysctl.h"

/* Whether some knob was ever used; until then an allocation pays one load. */
extern bool fail_alloc_armed;
bool fail_alloc_now(const void *frame);

/* true: the caller's allocation is to fail. */
static inline __attribute__((always_inline)) bool fail_alloc(void)
{
    return CONFIG_DEBUG && unlikely(READ_ONCE(fail_alloc_armed)) &&
           fail_alloc_now(__builtin_frame_address(0));
}

extern const struct sysctl fail_alloc_sysctls[];
extern struct fail_alloc_knobs fail_alloc_knobs;
