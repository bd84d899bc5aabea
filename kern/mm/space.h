/* kern/mm/space.h - the inside of struct vm_space; for kern/mm alone. */
#pragma once
#include "kern/mm/pagetable.h"
#include "kern/mm/vm.h"
#include "kern/sched/spinlock.h"
#include "lib/refcount.h"

struct vm_space {
    struct refcount
        users; /* threads, and who else called vm_get(): while there is one, user memory is there */
    struct refcount
        holds;     /* CPUs whose tables these are, and one for all users: while there is one, root is */
    uint32_t cpus; /* atomic; bit a CPU whose tables these are: its TLB may know them */
    uint64_t *root;

    /* mutex */
    struct mutex mutex;
    struct list_head regions; /* by address, not overlapping, neighbours differ in prot or do not touch */
    uint64_t resident;        /* pages */
    uint64_t brk_start, brk;
};

/* ---- kern/mm/user_pages.c: the page tables; all with the space's mutex held ---- */

/* Take the pages of [start, end) out and free them. */
void pages_unmap(struct vm_space *vm, uint64_t start, uint64_t end);
/* Move the pages of [from, from + len) to where nothing is. 0 or -ENOMEM, and then nothing was moved. */
int pages_move(struct vm_space *vm, uint64_t from, uint64_t to, uint64_t len);
/* Fit the pages of [start, end) to prot. */
void pages_protect(struct vm_space *vm, uint64_t start, uint64_t end, uint32_t prot);
/* Let to share the pages of from's region, both copying on write; those of an object's own come to it at
 * first touch. False when memory is out. */
bool pages_share(struct vm_space *from, struct vm_space *to, const struct vm_region *r);
/* Make the page at va (in region r) present, and for write its own or, in a shared region, the object's. 0,
 * -ENOMEM or the object's error. */
int page_make_present(struct vm_space *vm, const struct vm_region *r, uint64_t va, bool write);
/* The page at va through the direct map, NULL if there is none. */
void *page_at(struct vm_space *vm, uint64_t va);
/* No CPU uses an old translation of [start, end) when this returns. */
void space_flush(struct vm_space *vm, uint64_t start, uint64_t end);

/* ---- kern/mm/space_clear.c ---- */

/* Free every user page and table; the regions still say where they are. No CPU uses the space but as the
 * tables behind a kernel thread. */
void space_clear(struct vm_space *vm);

/* ---- kern/mm/room.c ---- */

#define STACK_GUARD 0x100000ull /* kept free below a stack; Linux's stack_guard_gap */
/* May the current process map [start, end) with prot? 0 or -ENOMEM. */
int region_check_room(struct vm_space *vm, uint64_t start, uint64_t end, uint32_t prot);
/* The stack above va, made to reach down to it, if it may; else NULL. */
struct vm_region *region_grow_down(struct vm_space *vm, uint64_t va);

/* ---- kern/mm/region.c ---- */

struct vm_region *region_find(struct vm_space *vm, uint64_t va); /* the one that contains va, or NULL */
/* A region of vm like model, which is of a space, or a fresh one; it is in no list but its object's. 0,
 * -ENOMEM, or -EPERM from the object. */
int region_new(struct vm_space *vm, const struct vm_region *model, struct vm_region **out);
void region_free(struct vm_region *r); /* it is in no list of its space */
/* Put r where nothing is; it may become part of a neighbour. */
void region_insert(struct vm_space *vm, struct vm_region *r);
void regions_merge(struct vm_space *vm); /* what belongs together after borders were made */
/* Make a border at `at`. False when memory is out. */
bool regions_split(struct vm_space *vm, uint64_t at);
bool regions_are_free(struct vm_space *vm, uint64_t start, uint64_t end);
int regions_unmap(struct vm_space *vm, uint64_t start, uint64_t end); /* 0 or -ENOMEM */
/* The highest free place for len bytes, 0 if there is none. */
uint64_t regions_choose_place(struct vm_space *vm, uint64_t len);
bool regions_copy(struct vm_space *from, struct vm_space *to);
void regions_free(struct vm_space *vm);
