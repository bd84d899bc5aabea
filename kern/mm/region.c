/* kern/mm/region.c - which addresses a process may use: mmap, munmap, mprotect, brk.
 * The list is by address, without overlaps; neighbours that touch have different rights. All but the calls of
 * vm.h have the space's mutex held. */
#include "kern/mm/space.h"
#include "lib/abi/errno.h"

#define MMAP_TOP 0x00007ffff0000000ull /* places are chosen below; the first stack lies above */

struct vm_region *region_find(struct vm_space *vm, uint64_t va)
{
    struct vm_region *r;
    list_for_each_entry (r, &vm->regions, link) {
        if (va < r->start)
            return NULL;
        if (va < r->end)
            return r;
    }
    return NULL;
}

int region_new(struct vm_space *vm, const struct vm_region *model, struct vm_region **out)
{
    struct vm_region *r = kmalloc(sizeof *r);
    if (!r)
        return -ENOMEM;
    *r = *model;
    r->space = vm;
    list_init(&r->link);
    int err = vm_object_attach(r, !model->space);
    if (err)
        kfree(r);
    else
        *out = r;
    return err;
}

void region_free(struct vm_region *r)
{
    vm_object_detach(r);
    kfree(r);
}

static struct vm_region *neighbour(struct vm_space *vm, struct list_head *link)
{
    return link == &vm->regions ? NULL : list_entry(link, struct vm_region, link);
}

/* Does next go on where r ends, with the same rights to the same thing? */
static bool continues(const struct vm_region *r, const struct vm_region *next)
{
    return next->start == r->end && next->prot == r->prot && next->object == r->object &&
           (!r->object || next->offset == r->offset + (r->end - r->start));
}

static void merge_with_next(struct vm_space *vm, struct vm_region *r)
{
    struct vm_region *next;
    while (r && (next = neighbour(vm, r->link.next)) && continues(r, next)) {
        r->end = next->end;
        list_del(&next->link);
        region_free(next);
    }
}

void region_insert(struct vm_space *vm, struct vm_region *r)
{
    struct vm_region *after;
    list_for_each_entry (after, &vm->regions, link)
        if (after->start >= r->end)
            break;
    list_add_tail(&r->link, &after->link); /* before it, or last */
    merge_with_next(vm, r);
    merge_with_next(vm, neighbour(vm, r->link.prev));
}

bool regions_split(struct vm_space *vm, uint64_t at)
{
    struct vm_region *r = region_find(vm, at);
    if (!r || r->start == at)
        return true;
    struct vm_region *upper;
    if (region_new(vm, r, &upper))
        return false;
    upper->start = at;
    upper->offset += at - r->start;
    r->end = at;
    list_add(&upper->link, &r->link);
    return true;
}

bool regions_are_free(struct vm_space *vm, uint64_t start, uint64_t end)
{
    struct vm_region *r;
    list_for_each_entry (r, &vm->regions, link)
        if (r->start < end && start < r->end)
            return false;
    return true;
}

uint64_t regions_choose_place(struct vm_space *vm, uint64_t len)
{
    uint64_t ceiling = MMAP_TOP;
    for (struct list_head *l = vm->regions.prev; l != &vm->regions; l = l->prev) {
        struct vm_region *r = list_entry(l, struct vm_region, link);
        if (r->end < ceiling && ceiling - r->end >= len)
            return ceiling - len;
        uint64_t guard = r->prot & VM_STACK ? MIN(r->start, STACK_GUARD) : 0;
        ceiling = MIN(ceiling, r->start - guard);
    }
    return ceiling >= len + PAGE_SIZE ? ceiling - len : 0;
}

int regions_unmap(struct vm_space *vm, uint64_t start, uint64_t end)
{
    struct vm_region *r, *tmp;
    if (regions_are_free(vm, start, end))
        return 0;
    if (!regions_split(vm, start) || !regions_split(vm, end))
        return -ENOMEM;
    list_for_each_entry_safe (r, tmp, &vm->regions, link) {
        if (r->start < start || r->start >= end)
            continue;
        list_del(&r->link);
        region_free(r);
    }
    pages_unmap(vm, start, end);
    return 0;
}

static int64_t map_range(struct vm_space *vm, uint64_t addr, uint64_t len, uint32_t prot, bool fixed,
                         struct vm_view view)
{
    if (!addr)
        addr = regions_choose_place(vm, len);
    if (!addr)
        return -ENOMEM;
    if (!fixed && !regions_are_free(vm, addr, addr + len))
        return -EEXIST;
    if (region_check_room(vm, addr, addr + len, prot))
        return -ENOMEM;
    struct vm_region model = {
        .start = addr, .end = addr + len, .prot = prot, .object = view.object, .offset = view.offset
    };
    struct vm_region *r;
    int err = region_new(vm, &model, &r);
    if (err)
        return err;
    err = fixed ? regions_unmap(vm, addr, addr + len) : 0;
    if (err) {
        region_free(r);
        return err;
    }
    region_insert(vm, r);
    return (int64_t)addr;
}

/* Round len up to pages. False if that is no part of user memory. */
static bool valid_range(uint64_t addr, size_t *len)
{
    if (addr % PAGE_SIZE || !*len || *len > USER_TOP)
        return false;
    *len = ROUND_UP(*len, (size_t)PAGE_SIZE);
    return addr <= USER_TOP && *len <= USER_TOP - addr;
}

int64_t vm_map_object(struct vm_space *vm, uint64_t addr, size_t len, uint32_t prot, bool fixed,
                      struct vm_view view)
{
    if (!valid_range(addr, &len) || (fixed && !addr))
        return -EINVAL;
    if (view.offset > INT64_MAX - len)
        return -EOVERFLOW;
    mutex_lock(&vm->mutex);
    int64_t place = map_range(vm, addr, len, prot, fixed, view);
    mutex_unlock(&vm->mutex);
    return place;
}

int64_t vm_map(struct vm_space *vm, uint64_t addr, size_t len, uint32_t prot, bool fixed)
{
    return vm_map_object(vm, addr, len, prot, fixed, (struct vm_view){ 0 });
}

int vm_unmap(struct vm_space *vm, uint64_t addr, size_t len)
{
    if (!valid_range(addr, &len))
        return -EINVAL;
    mutex_lock(&vm->mutex);
    int err = regions_unmap(vm, addr, addr + len);
    mutex_unlock(&vm->mutex);
    return err;
}

/* Whether regions cover [start, end) without a hole. */
static bool is_covered(struct vm_space *vm, uint64_t start, uint64_t end)
{
    struct vm_region *r;
    while (start < end && (r = region_find(vm, start)))
        start = r->end;
    return start >= end;
}

static bool may_be_written(struct vm_space *vm, uint64_t start, uint64_t end)
{
    struct vm_region *r;
    list_for_each_entry (r, &vm->regions, link)
        if (r->start < end && start < r->end && (r->prot & VM_NEVER_WRITE))
            return false;
    return true;
}

void regions_merge(struct vm_space *vm)
{
    struct vm_region *r;
    list_for_each_entry (r, &vm->regions, link)
        merge_with_next(vm, r);
}

/* Borders at start and end, and in the regions between them prot becomes (prot & keep) | set. */
static int change_range(struct vm_space *vm, uint64_t start, uint64_t end, uint32_t keep, uint32_t set)
{
    struct vm_region *r;
    if (!regions_split(vm, start) || !regions_split(vm, end))
        return -ENOMEM;
    list_for_each_entry (r, &vm->regions, link) {
        if (r->start < start || r->end > end)
            continue;
        r->prot = (r->prot & keep) | set;
        if (!(keep & VM_RIGHTS))
            pages_protect(vm, r->start, r->end, r->prot);
    }
    regions_merge(vm);
    return 0;
}

static int protect_range(struct vm_space *vm, uint64_t start, uint64_t end, uint32_t prot)
{
    if (!is_covered(vm, start, end))
        return -ENOMEM;
    if ((prot & VM_WRITE) && !may_be_written(vm, start, end))
        return -EACCES;
    return change_range(vm, start, end, ~(uint32_t)VM_RIGHTS, prot);
}

int vm_protect(struct vm_space *vm, uint64_t addr, size_t len, uint32_t prot)
{
    if (!valid_range(addr, &len))
        return -EINVAL;
    mutex_lock(&vm->mutex);
    int err = protect_range(vm, addr, addr + len, prot);
    mutex_unlock(&vm->mutex);
    return err;
}

bool vm_is_mapped(struct vm_space *vm, uint64_t addr, size_t len)
{
    mutex_lock(&vm->mutex);
    bool covered = is_covered(vm, addr, addr + len);
    mutex_unlock(&vm->mutex);
    return covered;
}

int vm_set_fork(struct vm_space *vm, uint64_t addr, size_t len, uint32_t what)
{
    mutex_lock(&vm->mutex);
    int err = is_covered(vm, addr, addr + len)
                  ? change_range(vm, addr, addr + len, ~(uint32_t)(VM_DONT_FORK | VM_WIPE_ON_FORK), what)
                  : -ENOMEM;
    mutex_unlock(&vm->mutex);
    return err;
}

/* ---- the heap: [brk_start, brk), whole pages mapped ---- */

void vm_set_brk_start(struct vm_space *vm, uint64_t addr)
{
    vm->brk_start = vm->brk = addr;
}

static bool brk_move(struct vm_space *vm, uint64_t to)
{
    uint64_t old_end = ROUND_UP(vm->brk, (uint64_t)PAGE_SIZE), new_end = ROUND_UP(to, (uint64_t)PAGE_SIZE);
    if (new_end > old_end)
        return map_range(vm, old_end, new_end - old_end, VM_READ | VM_WRITE, false, (struct vm_view){ 0 }) ==
               (int64_t)old_end;
    return new_end == old_end || !regions_unmap(vm, new_end, old_end);
}

uint64_t vm_brk(struct vm_space *vm, uint64_t addr)
{
    mutex_lock(&vm->mutex);
    if (addr >= vm->brk_start && addr < MMAP_TOP && brk_move(vm, addr))
        vm->brk = addr;
    uint64_t now = vm->brk;
    mutex_unlock(&vm->mutex);
    return now;
}

/* ---- whole lists ---- */

bool regions_copy(struct vm_space *from, struct vm_space *to)
{
    struct vm_region *r;
    list_for_each_entry (r, &from->regions, link) {
        struct vm_region *copy;
        if (r->prot & VM_DONT_FORK)
            continue;
        if (region_new(to, r, &copy))
            return false;
        list_add_tail(&copy->link, &to->regions);
    }
    return true;
}

void regions_free(struct vm_space *vm)
{
    struct vm_region *r, *tmp;
    list_for_each_entry_safe (r, tmp, &vm->regions, link)
        region_free(r);
}

bool vm_shared_place(struct vm_space *vm, uint64_t addr, uint64_t *object_id, uint64_t *offset)
{
    mutex_lock(&vm->mutex);
    const struct vm_region *r = region_find(vm, addr);
    bool shared = r && (r->prot & VM_SHARED);
    if (shared) {
        *object_id = r->object->id;
        *offset = r->offset + (addr - r->start);
    }
    mutex_unlock(&vm->mutex);
    return shared;
}

/* ---- for those who look ---- */

bool vm_region_from(struct vm_space *vm, uint64_t addr, struct vm_region_facts *out)
{
    struct vm_region *r;
    bool found = false;
    mutex_lock(&vm->mutex);
    list_for_each_entry (r, &vm->regions, link)
        if (!found && r->end > addr) {
            *out = (struct vm_region_facts){ r->start, r->end, r->offset, r->object ? r->object->id : 0,
                                             r->prot };
            found = true;
        }
    mutex_unlock(&vm->mutex);
    return found;
}

void vm_heap(struct vm_space *vm, uint64_t *start, uint64_t *end)
{
    mutex_lock(&vm->mutex);
    *start = vm->brk_start;
    *end = vm->brk;
    mutex_unlock(&vm->mutex);
}
