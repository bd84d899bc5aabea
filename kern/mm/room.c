/* kern/mm/room.c - how much a process may map (RLIMIT_AS, RLIMIT_DATA), and its stack, which grows when it is
 * touched below its end (RLIMIT_STACK). Mutex held. */
#include "kern/mm/space.h"
#include "kern/proc/limits.h"
#include "lib/abi/errno.h"

/* Memory of its own that may be written, but for the stack. */
static bool is_data(uint32_t prot)
{
    return (prot & (VM_WRITE | VM_SHARED | VM_STACK)) == VM_WRITE;
}

struct mapped {
    uint64_t all, data; /* bytes */
};

/* What is mapped outside of [start, end). */
static struct mapped mapped_beside(struct vm_space *vm, uint64_t start, uint64_t end)
{
    struct mapped sum = { 0 };
    struct vm_region *r;
    list_for_each_entry (r, &vm->regions, link) {
        uint64_t from = MAX(r->start, start), to = MIN(r->end, end);
        uint64_t bytes = r->end - r->start - (from < to ? to - from : 0);
        sum.all += bytes;
        sum.data += is_data(r->prot) ? bytes : 0;
    }
    return sum;
}

/* What is mapped at [start, end) already is replaced, and so does not count. */
int region_check_room(struct vm_space *vm, uint64_t start, uint64_t end, uint32_t prot)
{
    const uint64_t all = limit_now(RLIMIT_AS), data = is_data(prot) ? limit_now(RLIMIT_DATA) : RLIM_INFINITY;
    if (all == RLIM_INFINITY && data == RLIM_INFINITY)
        return 0;
    const struct mapped other = mapped_beside(vm, start, end);
    const uint64_t len = end - start;
    return other.all > all || len > all - other.all || other.data > data || len > data - other.data ? -ENOMEM
                                                                                                    : 0;
}

/* The first region above va, NULL if there is none; *below: where the one before it ends. */
static struct vm_region *region_above(struct vm_space *vm, uint64_t va, uint64_t *below)
{
    struct vm_region *r;
    *below = 0;
    list_for_each_entry (r, &vm->regions, link) {
        if (r->start > va)
            return r;
        *below = r->end;
    }
    return NULL;
}

struct vm_region *region_grow_down(struct vm_space *vm, uint64_t va)
{
    uint64_t below, start = ROUND_DOWN(va, (uint64_t)PAGE_SIZE);
    struct vm_region *stack = region_above(vm, va, &below);
    if (!stack || !(stack->prot & VM_STACK) || stack->end - start > limit_now(RLIMIT_STACK))
        return NULL;
    if (start < below + STACK_GUARD || region_check_room(vm, start, stack->start, stack->prot))
        return NULL;
    stack->start = start;
    return stack;
}
