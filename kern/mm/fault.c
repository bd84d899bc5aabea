/* kern/mm/fault.c - page faults: what a region allows, its pages get. */
#include "kern/cpu/cpu.h"
#include "kern/mm/space.h"
#include "kern/proc/process.h"
#include "lib/abi/errno.h"
#include "lib/string.h"
#include "net/port.h"

enum { FAULT_WRITE = 1 << 1, FAULT_FETCH = 1 << 4 }; /* Intel SDM vol. 3, 4.7 */

static bool allows(const struct vm_region *r, uint64_t error)
{
    if (error & FAULT_WRITE)
        return r->prot & VM_WRITE;
    if (error & FAULT_FETCH)
        return r->prot & VM_EXEC;
    return r->prot & (VM_READ | VM_WRITE | VM_EXEC); /* the processor cannot withhold reading alone */
}

int vm_fault(struct vm_space *vm, uint64_t addr, uint64_t error)
{
    if (!vm || addr >= USER_TOP || preempt_count())
        return -EFAULT;
    mutex_lock(&vm->mutex);
    const struct vm_region *r = region_find(vm, addr);
    if (!r)
        r = region_grow_down(vm, addr);
    int err = -EFAULT;
    if (r && allows(r, error))
        err = page_make_present(vm, r, ROUND_DOWN(addr, (uint64_t)PAGE_SIZE), error & FAULT_WRITE);
    mutex_unlock(&vm->mutex);
    return err;
}

static bool may_be_read(const struct vm_region *r)
{
    return r && allows(r, 0);
}

int user_page_get(uintptr_t start, size_t n, void **page)
{
    struct vm_space *vm = current_process()->vm;
    uint64_t va = ROUND_DOWN(start, (uint64_t)PAGE_SIZE);
    int err = -EFAULT;

    if (!vm || !user_range_is_valid(start, n) || start + n > va + PAGE_SIZE)
        return -EFAULT;
    mutex_lock(&vm->mutex);
    const struct vm_region *r = region_find(vm, start);
    if (!r)
        r = region_grow_down(vm, start);
    if (may_be_read(r))
        err = page_make_present(vm, r, va, false);
    if (!err) {
        *page = page_at(vm, va);
        page_get(*page);
    }
    mutex_unlock(&vm->mutex);
    return err == -ENOMEM ? err : err ? -EFAULT : 0;
}

/* Copy to the part of one page; the mutex is held. */
static int write_in_page(struct vm_space *vm, uint64_t addr, const void *src, size_t n)
{
    struct vm_region *r = region_find(vm, addr);
    uint64_t va = ROUND_DOWN(addr, (uint64_t)PAGE_SIZE);
    if (!r || (r->prot & (VM_SHARED | VM_WRITE)) == VM_SHARED)
        return -EFAULT; /* what others see is not the loader's to write */
    struct vm_region writable = *r;
    writable.prot |= VM_WRITE;
    int err = page_make_present(vm, &writable, va, true);
    if (err)
        return err;
    memcpy((uint8_t *)page_at(vm, va) + (addr - va), src, n);
    if (!(r->prot & VM_WRITE))
        pages_protect(vm, va, va + PAGE_SIZE, r->prot);
    return 0;
}

int vm_write(struct vm_space *vm, uint64_t addr, const void *src, size_t n)
{
    int err = 0;
    if (addr >= USER_TOP || n > USER_TOP - addr)
        return -EFAULT;
    mutex_lock(&vm->mutex);
    while (n && !err) {
        size_t part = MIN(n, PAGE_SIZE - addr % PAGE_SIZE);
        err = write_in_page(vm, addr, src, part);
        addr += part;
        src = (const uint8_t *)src + part;
        n -= part;
    }
    mutex_unlock(&vm->mutex);
    return err;
}

/* Copy from the part of one page; the mutex is held. */
static int read_in_page(struct vm_space *vm, uint64_t addr, void *dst, size_t n)
{
    uint64_t va = ROUND_DOWN(addr, (uint64_t)PAGE_SIZE);
    const struct vm_region *r = region_find(vm, addr);
    int err = r ? page_make_present(vm, r, va, false) : -EFAULT;
    if (!err)
        memcpy(dst, (uint8_t *)page_at(vm, va) + (addr - va), n);
    return err;
}

int64_t vm_read(struct vm_space *vm, uint64_t addr, void *dst, size_t n)
{
    size_t done = 0;
    int err = 0;
    if (addr >= USER_TOP)
        return -EFAULT;
    n = MIN(n, USER_TOP - addr);
    mutex_lock(&vm->mutex);
    while (done < n && !err) {
        size_t part = MIN(n - done, PAGE_SIZE - (addr + done) % PAGE_SIZE);
        err = read_in_page(vm, addr + done, (uint8_t *)dst + done, part);
        done += err ? 0 : part;
    }
    mutex_unlock(&vm->mutex);
    return done ? (int64_t)done : err;
}
