/* kern/proc/vdso.h - code that the kernel lends to every program (user/vdso/vdso.c). */
#pragma once
#include "kern/mm/vm.h"

void vdso_init(void); /* once, when there is memory and the clock is known */
/* The clock was set: programs that read it by themselves see that too. Any context but hard irq. */
void vdso_update_clock(void);
/* Show it in a fresh address space: where its ELF header is, or -errno. Process context. */
int64_t vdso_map(struct vm_space *vm);
/* The name of what a region of this object shows from offset on: "[vdso]", "[vvar]", NULL: it is not ours. */
const char *vdso_region_name(uint64_t object_id, uint64_t offset);
