/* kern/mm/mm.h - physical pages, the kernel's own mappings, kernel memory.
 *
 *     0000000000001000 - 00007fffffffefff   the process
 *     ffff888000000000 +                    all physical memory, in order (phys_to_virt)
 *     ffffc90000000000 +                    kernel stacks and device registers, guard pages between
 *     ffffffff80000000 +                    the kernel's image (linked there, loaded at 1 MiB and up)
 *
 * The boot tables (kern/boot/start.S) map the image and the first 4 GiB at DIRECT_MAP; mm_init() replaces
 * them by final ones: text read-only and executable, rodata read-only, all else not executable. */
#pragma once
#include "lib/compiler.h"

#define DIRECT_MAP  0xffff888000000000ull
#define KVM_BASE    0xffffc90000000000ull
#define KVM_END     0xffffc98000000000ull
#define KERNEL_BASE 0xffffffff80000000ull
#define USER_TOP    0x00007ffffffff000ull /* first address that is not the user's */
enum { PAGE_SIZE = 4096, PAGE_SHIFT = 12, MAX_ORDER = 10, KSTACK_SIZE = 16384 };

static inline void *phys_to_virt(uint64_t pa)
{
    return (void *)(pa + DIRECT_MAP);
}
/* For addresses in the direct map or the kernel's image. */
static inline uint64_t virt_to_phys(const void *p)
{
    uint64_t va = (uint64_t)p;
    return va >= KERNEL_BASE ? va - KERNEL_BASE : va - DIRECT_MAP;
}

void mm_init(void); /* pages, final page tables, slab; before any other CPU starts */

/* ---- pages: buddy allocator; any context but NMI; not zeroed; NULL when exhausted ---- */

void *page_alloc(unsigned order); /* 2^order pages, aligned to their size, in the direct map */
void *page_alloc_zeroed(unsigned order);
void page_free(void *p, unsigned order);
/* References to a single page (order 0) shared by several address spaces: page_alloc gives one. */
void page_get(void *p);
void page_put(void *p); /* frees with the last one */
unsigned page_refs(void *p);
/* One page for what programs have, tables and all: NULL already when memory is short, so that the kernel has
 * what it needs to go on and to end somebody; never made to fail on purpose (kern/mm/fail_alloc.h). */
void *page_alloc_user(void);
void *page_alloc_user_zeroed(void);
bool memory_is_short(void);
/* Is no more left than the eighth that files and pipes leave to programs? */
bool memory_is_for_programs(void);
struct mm_stats {
    uint64_t total, free; /* pages */
    uint64_t slab;        /* pages held by slab caches */
};
void mm_get_stats(struct mm_stats *s);
/* How many free blocks there are of each order, those in the CPUs' fronts among order 0. */
void page_count_blocks(uint64_t blocks[MAX_ORDER + 1]);

/* ---- kernel memory: any context but hard irq; NULL when exhausted ---- */

void *kmalloc(size_t size); /* 16-byte aligned, not zeroed; up to 4 MiB */
void *kzalloc(size_t size);
void kfree(void *p); /* NULL is fine; double frees and overruns panic in the debug build */
struct kmem_cache;
struct kmem_cache *kmem_cache_create(const char *name, size_t size, size_t align);
void kmem_cache_destroy(struct kmem_cache *c); /* what is still allocated is reported as a leak */
void *kmem_cache_alloc(struct kmem_cache *c);
void kmem_cache_free(struct kmem_cache *c, void *p);
/* One line a cache, in the format of slabinfo(5), version 2.1. */
struct textbuf;
void slab_show(struct textbuf *out);

/* ---- the kernel's mappings: process context ---- */

/* Device registers, uncached, not executable. NULL when out of address space or memory. */
void *ioremap(uint64_t pa, size_t size);
void iounmap(void *p, size_t size);
/* A kernel stack with an unmapped guard page below; the lowest address. NULL when memory is out. */
void *kstack_alloc(void);
void kstack_free(void *stack);
/* If va lies in a kernel stack's guard page (for the double-fault message). */
bool kstack_guard_hit(uint64_t va);
