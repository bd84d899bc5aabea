/* kern/mm/vm.h - user address spaces: regions of anonymous memory and of files, pages that come at first
 * touch, copy-on-write after fork and in private mappings of files. */
#pragma once
#include "kern/mm/object.h"

enum {
    VM_READ = 1,
    VM_WRITE = 2,
    VM_EXEC = 4,
    VM_RIGHTS = VM_READ | VM_WRITE | VM_EXEC, /* the others stay as they were made */
    VM_STACK = 8,
    VM_SHARED = 16,       /* its pages are the object's own, to be written too */
    VM_NEVER_WRITE = 32,  /* vm_protect() may not add VM_WRITE */
    VM_DONT_FORK = 64,    /* a child does not get it */
    VM_WIPE_ON_FORK = 128 /* a child gets it empty */
};
struct vm_space; /* counted: shared by the threads of a process */
struct vm_region {
    struct list_head link; /* in the space's list, by address, not overlapping */
    uint64_t start, end;   /* page aligned */
    uint32_t prot;
    struct vm_object *object; /* what it shows, a reference; NULL: memory of its own */
    uint64_t offset;          /* where in the object it starts, in bytes, page aligned */
    struct vm_space *space;
    struct list_head in_object;
};

struct vm_space *vm_create(void);              /* empty; NULL when memory is out */
struct vm_space *vm_fork(struct vm_space *vm); /* a copy on write; NULL when memory is out */
void vm_get(struct vm_space *vm);
void vm_put(struct vm_space *vm); /* not while any CPU runs on it */
/* Switch this CPU to vm; NULL: the kernel's own tables. Called by the scheduler, irqs off. */
void vm_activate(struct vm_space *vm);

/* Reserve [start, start + len) with prot; pages come at first touch, zeroed. addr 0: choose a place (top
 * down). fixed: replace what is there. The address, or -errno (-EINVAL, -ENOMEM, -EEXIST) as a negative
 * value. Process context. */
int64_t vm_map(struct vm_space *vm, uint64_t addr, size_t len, uint32_t prot, bool fixed);
/* The same for a region that shows an object from offset on (page aligned): its own pages with VM_SHARED,
 * else copies once they are written. -EOVERFLOW when offset + len is beyond counting. */
struct vm_view {
    struct vm_object *object;
    uint64_t offset;
};
int64_t vm_map_object(struct vm_space *vm, uint64_t addr, size_t len, uint32_t prot, bool fixed,
                      struct vm_view view);
int vm_unmap(struct vm_space *vm, uint64_t addr, size_t len);
/* -EACCES where VM_WRITE is asked for a VM_NEVER_WRITE region. */
int vm_protect(struct vm_space *vm, uint64_t addr, size_t len, uint32_t prot);
/* Forget what is in [addr, addr + len): it reads as zero, or as the object has it, from here on. 0, -ENOMEM
 * where there was a hole, the rest done. Page aligned. */
int vm_discard(struct vm_space *vm, uint64_t addr, size_t len);
/* Make [old, old + old_len) new_len long: where it is, or with `may_move` elsewhere, at `to` if that is not 0
 * (what is there goes), leaving an empty region behind with `keep_old`. All page aligned, new_len not 0; an
 * old_len of 0 maps what is shared at old once more. The address or -errno (-EFAULT: no single region is
 * there, -EINVAL, -ENOMEM) as a negative value. */
struct vm_remap {
    uint64_t old, old_len, new_len, to;
    bool may_move, keep_old;
};
int64_t vm_remap(struct vm_space *vm, struct vm_remap q);
/* What fork does with [addr, addr + len): VM_DONT_FORK, VM_WIPE_ON_FORK or 0. 0, -ENOMEM. Page aligned. */
int vm_set_fork(struct vm_space *vm, uint64_t addr, size_t len, uint32_t what);
/* Make the pages of [addr, addr + len) present, to be written where that is allowed. 0, -ENOMEM (a hole,
 * too), -EFAULT (PROT_NONE) or the object's error, the rest left. Page aligned. */
int vm_populate(struct vm_space *vm, uint64_t addr, size_t len);
/* Which of the n pages from addr on are in memory, a byte each. 0, -ENOMEM (a hole). Page aligned. */
int vm_residency(struct vm_space *vm, uint64_t addr, unsigned n, uint8_t *there);
/* Make holes in what VM_SHARED regions show in [addr, addr + len), if they may write. 0, -EACCES, -EINVAL
 * (not shared), -ENOMEM (a hole in memory), -EOPNOTSUPP or the object's error. Page aligned. */
int vm_punch(struct vm_space *vm, uint64_t addr, size_t len);
/* Does nothing in [addr, addr + len) show an object? */
bool vm_is_private(struct vm_space *vm, uint64_t addr, size_t len);
/* Is there no hole in [addr, addr + len)? Page aligned. */
bool vm_is_mapped(struct vm_space *vm, uint64_t addr, size_t len);
/* Copy kernel bytes into a space that need not be the current one and whatever the region's prot (exec's
 * loader). */
int vm_write(struct vm_space *vm, uint64_t addr, const void *src, size_t n);
/* Where in which object addr lies, if its region is VM_SHARED: every space that shows that place agrees. */
bool vm_shared_place(struct vm_space *vm, uint64_t addr, uint64_t *object_id, uint64_t *offset);
/* Copy from such a space: bytes, fewer where nothing is mapped any more, -EFAULT if that is at once, -ENOMEM.
 */
int64_t vm_read(struct vm_space *vm, uint64_t addr, void *dst, size_t n);
/* The first region that ends above addr. False: there is none. */
struct vm_region_facts {
    uint64_t start, end, offset, object_id; /* object_id 0: memory of its own */
    uint32_t prot;
};
bool vm_region_from(struct vm_space *vm, uint64_t addr, struct vm_region_facts *out);
void vm_heap(struct vm_space *vm, uint64_t *start, uint64_t *end); /* what brk moves */
/* brk: the heap's end; start set by exec. Returns the end now in force. */
void vm_set_brk_start(struct vm_space *vm, uint64_t addr);
uint64_t vm_brk(struct vm_space *vm, uint64_t addr);
/* A page fault at addr in the current space: 0 if it was mended, -EFAULT if the access is not allowed, -ENXIO
 * if the file has no such page, -ENOSPC if it has no room for it, -ENOMEM. error is the CPU's code (bit 1:
 * write, bit 4: fetch). Called from trap_handle, also for faults of copy_*_user. */
int vm_fault(struct vm_space *vm, uint64_t addr, uint64_t error);
/* Pages resident, for ps. */
uint64_t vm_resident(const struct vm_space *vm);

/* ---- user memory (kern/mm/usercopy_moves.S, .c); copy_from_user and copy_to_user are net/port.h's ---- */

/* Copy a NUL-terminated text of at most max bytes, NUL included: its length, -EFAULT, -ENAMETOOLONG. */
int64_t copy_string_from_user(char *dst, uint64_t src, size_t max);
/* Make the word new if it is old, in one step; *seen: what it was. 0 or -EFAULT. */
int user_compare_exchange(uintptr_t word, uint32_t old, uint32_t new, uint32_t *seen);
/* Zero n bytes: 0 or -EFAULT. */
int clear_user(uint64_t dst, size_t n);
