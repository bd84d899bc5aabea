/* kern/mm/vm.c - address spaces: their life, and which CPU's tables they are.
 * A kernel thread runs on whatever tables its CPU has, so a space may be gone for its users while a CPU still
 * stands on its root: users count those who need the memory, holds those who need the root. */
#include "kern/cpu/cpu.h"
#include "kern/mm/page.h"
#include "kern/mm/space.h"
#include "lib/string.h"
#include "net/port.h"

static struct vm_space *active[MAX_CPUS]; /* its CPU, irqs off; NULL: the kernel's own tables */

struct vm_space *vm_create(void)
{
    struct vm_space *vm = kzalloc(sizeof *vm);
    if (!vm)
        return NULL;
    vm->root = page_alloc_zeroed(0);
    if (!vm->root) {
        kfree(vm);
        return NULL;
    }
    unsigned half = TABLE_ENTRIES / 2;
    memcpy(vm->root + half, kernel_root + half, half * sizeof *kernel_root);
    refcount_set(&vm->users, 1);
    refcount_set(&vm->holds, 1);
    mutex_init(&vm->mutex, "address space");
    list_init(&vm->regions);
    return vm;
}

static bool share_all(struct vm_space *from, struct vm_space *to)
{
    struct vm_region *r;
    list_for_each_entry (r, &from->regions, link)
        if (!pages_share(from, to, r))
            return false;
    return true;
}

struct vm_space *vm_fork(struct vm_space *vm)
{
    struct vm_space *child = vm_create();
    if (!child)
        return NULL;
    mutex_lock(&vm->mutex);
    child->brk_start = vm->brk_start;
    child->brk = vm->brk;
    bool ok = regions_copy(vm, child) && share_all(vm, child);
    space_flush(vm, 0, USER_TOP); /* the parent must not write to what it shares now */
    mutex_unlock(&vm->mutex);
    if (ok)
        return child;
    vm_put(child);
    return NULL;
}

void vm_get(struct vm_space *vm)
{
    refcount_get(&vm->users);
}

static void unhold(struct vm_space *vm)
{
    if (!refcount_put(&vm->holds))
        return;
    page_free(vm->root, 0);
    kfree(vm);
}

void vm_put(struct vm_space *vm)
{
    if (!refcount_put(&vm->users))
        return;
    space_clear(vm);
    regions_free(vm);
    unhold(vm);
}

void vm_activate(struct vm_space *vm)
{
    unsigned cpu = cpu_id();
    struct vm_space *old = active[cpu];
    if (vm == old)
        return;
    if (vm) {
        refcount_get(&vm->holds);
        /* locked: the bit is seen before this CPU loads a translation; partner: space_flush() */
        __atomic_fetch_or(&vm->cpus, 1u << cpu, __ATOMIC_SEQ_CST);
    }
    active[cpu] = vm;
    load_root(vm ? vm->root : kernel_root);
    if (old) {
        __atomic_fetch_and(&old->cpus, ~(1u << cpu), __ATOMIC_SEQ_CST);
        unhold(old);
    }
}

uint64_t vm_resident(const struct vm_space *vm)
{
    return READ_ONCE(vm->resident);
}
