/* kern/mm/object.c - the regions that show an object, and taking lost pages out of them. */
#include "kern/mm/object.h"
#include "kern/mm/space.h"
#include "lib/abi/errno.h"

void vm_object_init(struct vm_object *o, const struct vm_object_ops *ops)
{
    static uint64_t last_id;

    o->ops = ops;
    o->no_writers = false;
    o->id = __atomic_add_fetch(&last_id, 1, __ATOMIC_RELAXED);
    spin_init(&o->lock, "mappings", RANK_MAPPING);
    list_init(&o->regions);
}

static bool may_write(const struct vm_region *r)
{
    return (r->prot & (VM_SHARED | VM_NEVER_WRITE)) == VM_SHARED;
}

int vm_object_attach(struct vm_region *r, bool fresh)
{
    struct vm_object *o = r->object;
    if (!o)
        return 0;
    uint64_t flags = spin_lock(&o->lock);
    bool allowed = !(fresh && o->no_writers && may_write(r));
    if (allowed)
        list_add_tail(&r->in_object, &o->regions);
    spin_unlock(&o->lock, flags);
    if (!allowed)
        return -EPERM;
    o->ops->get(o);
    return 0;
}

void vm_object_detach(struct vm_region *r)
{
    struct vm_object *o = r->object;
    if (!o)
        return;
    uint64_t flags = spin_lock(&o->lock);
    list_del(&r->in_object);
    spin_unlock(&o->lock, flags);
    r->object = NULL;
    o->ops->put(o);
}

int vm_object_forbid_writers(struct vm_object *o, bool none)
{
    uint64_t flags = spin_lock(&o->lock);
    bool written = false;
    const struct vm_region *r;
    list_for_each_entry (r, &o->regions, in_object)
        written |= may_write(r);
    bool busy = none && written;
    if (!busy)
        o->no_writers = true;
    spin_unlock(&o->lock, flags);
    return busy ? -EBUSY : 0;
}

/* The space with the least address above *last that shows o; NULL: none. *last moves on. A space that nobody
 * uses any more is taken down by whoever let go of it. */
static struct vm_space *next_space(struct vm_object *o, uintptr_t *last)
{
    struct vm_space *best;
    bool alive;
    do {
        best = NULL;
        uint64_t flags = spin_lock(&o->lock);
        const struct vm_region *r;
        list_for_each_entry (r, &o->regions, in_object)
            if ((uintptr_t)r->space > *last && (!best || r->space < best))
                best = r->space;
        *last = (uintptr_t)best;
        alive = best && refcount_get_unless_zero(&best->users);
        spin_unlock(&o->lock, flags);
    } while (best && !alive);
    return best;
}

/* The part of r that shows the pages [first, last] of its object goes. */
static void unmap_part(struct vm_space *vm, const struct vm_region *r, uint64_t first, uint64_t last)
{
    uint64_t shown = r->offset >> PAGE_SHIFT, n = (r->end - r->start) >> PAGE_SHIFT;
    if (last < shown || first >= shown + n)
        return;
    uint64_t from = MAX(first, shown) - shown, to = MIN(last, shown + n - 1) - shown;
    pages_unmap(vm, r->start + (from << PAGE_SHIFT), r->start + ((to + 1) << PAGE_SHIFT));
}

void vm_object_unmap(struct vm_object *o, uint64_t first, uint64_t last, bool copies)
{
    struct vm_space *vm;
    for (uintptr_t at = 0; (vm = next_space(o, &at));) {
        mutex_lock(&vm->mutex);
        const struct vm_region *r;
        list_for_each_entry (r, &vm->regions, link)
            if (r->object == o && (copies || (r->prot & VM_SHARED)))
                unmap_part(vm, r, first, last);
        mutex_unlock(&vm->mutex);
        vm_put(vm);
    }
}
