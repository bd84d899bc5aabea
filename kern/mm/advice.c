/* kern/mm/advice.c - what a program says and asks about pages that are mapped: madvise, mlock, mincore. */
#include "kern/mm/space.h"
#include "lib/abi/errno.h"

/* Call fn for the part of each region in [start, end), in order. The first error of fn; else -ENOMEM if there
 * was a hole. */
static int for_each_part(struct vm_space *vm, uint64_t start, uint64_t end,
                         int (*fn)(struct vm_space *vm, const struct vm_region *r, uint64_t from,
                                   uint64_t to))
{
    struct vm_region *r;
    uint64_t reached = start;
    bool hole = false;
    list_for_each_entry (r, &vm->regions, link) {
        if (r->end <= start || r->start >= end)
            continue;
        uint64_t from = MAX(r->start, start), to = MIN(r->end, end);
        hole |= from != reached;
        reached = to;
        int err = fn(vm, r, from, to);
        if (err)
            return err;
    }
    return hole || reached != end ? -ENOMEM : 0;
}

static int discard_part(struct vm_space *vm, const struct vm_region *r, uint64_t from, uint64_t to)
{
    (void)r;
    pages_unmap(vm, from, to);
    return 0;
}

int vm_discard(struct vm_space *vm, uint64_t addr, size_t len)
{
    mutex_lock(&vm->mutex);
    int err = for_each_part(vm, addr, addr + len, discard_part);
    mutex_unlock(&vm->mutex);
    return err;
}

static int populate_part(struct vm_space *vm, const struct vm_region *r, uint64_t from, uint64_t to)
{
    int err = r->prot & VM_RIGHTS ? 0 : -EFAULT;
    for (uint64_t va = from; va < to && !err; va += PAGE_SIZE)
        err = page_make_present(vm, r, va, r->prot & VM_WRITE);
    return err;
}

int vm_populate(struct vm_space *vm, uint64_t addr, size_t len)
{
    mutex_lock(&vm->mutex);
    int err = for_each_part(vm, addr, addr + len, populate_part);
    mutex_unlock(&vm->mutex);
    return err;
}

static bool object_has(const struct vm_region *r, uint64_t va)
{
    struct vm_object *o = r->object;
    void *page = o ? o->ops->page_if_there(o, (r->offset + (va - r->start)) >> PAGE_SHIFT) : NULL;
    if (page)
        page_put(page);
    return page;
}

int vm_residency(struct vm_space *vm, uint64_t addr, unsigned n, uint8_t *there)
{
    int err = 0;
    mutex_lock(&vm->mutex);
    for (unsigned i = 0; i < n && !err; i++) {
        uint64_t va = addr + (uint64_t)i * PAGE_SIZE;
        const struct vm_region *r = region_find(vm, va);
        if (r)
            there[i] = page_at(vm, va) || object_has(r, va);
        else
            err = -ENOMEM;
    }
    mutex_unlock(&vm->mutex);
    return err;
}

static int refuse_shown(struct vm_space *vm, const struct vm_region *r, uint64_t from, uint64_t to)
{
    (void)vm, (void)from, (void)to;
    return r->object ? -EINVAL : 0;
}

bool vm_is_private(struct vm_space *vm, uint64_t addr, size_t len)
{
    mutex_lock(&vm->mutex);
    int err = for_each_part(vm, addr, addr + len, refuse_shown);
    mutex_unlock(&vm->mutex);
    return err != -EINVAL;
}

/* ---- holes in what is shown ---- */

struct shown {
    struct vm_object *object; /* a reference */
    uint64_t start, end;
};

static int find_shown(struct vm_space *vm, uint64_t addr, uint64_t end, struct shown *s)
{
    const struct vm_region *r = region_find(vm, addr);
    if (!r)
        return -ENOMEM;
    if (!(r->prot & VM_SHARED))
        return -EINVAL;
    if (!(r->prot & VM_WRITE))
        return -EACCES;
    s->object = r->object;
    s->start = r->offset + (addr - r->start);
    s->end = s->start + (MIN(end, r->end) - addr);
    s->object->ops->get(s->object);
    return 0;
}

/* The first part of [addr, end): its length, or -errno. */
static int64_t punch_part(struct vm_space *vm, uint64_t addr, uint64_t end)
{
    struct shown s;
    mutex_lock(&vm->mutex);
    int err = find_shown(vm, addr, end, &s);
    mutex_unlock(&vm->mutex);
    if (err)
        return err;
    err = s.object->ops->punch ? s.object->ops->punch(s.object, s.start, s.end) : -EOPNOTSUPP;
    s.object->ops->put(s.object);
    return err ? err : (int64_t)(s.end - s.start);
}

int vm_punch(struct vm_space *vm, uint64_t addr, size_t len)
{
    int64_t done = 0;
    for (uint64_t end = addr + len; addr < end && done >= 0; addr += (uint64_t)done)
        done = punch_part(vm, addr, end);
    return done < 0 ? (int)done : 0;
}
