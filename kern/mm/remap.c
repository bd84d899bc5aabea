/* kern/mm/remap.c - making a mapping longer, shorter, or moving it: mremap.
 * Pages move as page-table entries, never as bytes. Whatever may fail does so before the first of them moves.
 * The space's mutex is held in all but vm_remap(). */
#include "kern/mm/space.h"
#include "lib/abi/errno.h"

static bool overlaps(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
    return a < b + b_len && b < a + a_len;
}

/* 0 if r, which contains the old start, can be made that long. */
static int check_growth(const struct vm_region *r, const struct vm_remap *q)
{
    if (!q->old_len && !(r->prot & VM_SHARED))
        return -EINVAL;
    if (q->keep_old && r->object)
        return -EINVAL;
    if (q->old_len > r->end - q->old)
        return -EFAULT;
    if (r->object && r->offset + (q->old - r->start) > INT64_MAX - q->new_len)
        return -EINVAL;
    if (q->new_len > q->old_len) /* what is more, wherever that will be */
        return region_check_room(r->space, USER_TOP, USER_TOP + (q->new_len - q->old_len), r->prot);
    return 0;
}

/* A region like the part of r from `old` on, at `to`. */
static int new_region(struct vm_space *vm, const struct vm_region *r, const struct vm_remap *q, uint64_t to,
                      uint64_t len, struct vm_region **out)
{
    struct vm_region model = *r;

    model.start = to;
    model.end = to + len;
    model.offset = r->object ? r->offset + (q->old - r->start) : 0;
    return region_new(vm, &model, out);
}

static int64_t grow_in_place(struct vm_space *vm, const struct vm_region *r, const struct vm_remap *q)
{
    struct vm_region *more;
    struct vm_remap tail = *q;
    int err;

    tail.old += q->old_len;
    err = new_region(vm, r, &tail, tail.old, q->new_len - q->old_len, &more);
    if (err)
        return err;
    region_insert(vm, more);
    return (int64_t)q->old;
}

/* What stays behind is empty: its pages have moved. */
static int leave_old(struct vm_space *vm, const struct vm_remap *q)
{
    return q->keep_old || !q->old_len ? 0 : regions_unmap(vm, q->old, q->old + q->old_len);
}

static int64_t move(struct vm_space *vm, const struct vm_remap *q, uint64_t to)
{
    struct vm_region *fresh;
    int err;

    if (!regions_split(vm, q->old) || !regions_split(vm, q->old + q->old_len))
        return -ENOMEM;
    err = new_region(vm, region_find(vm, q->old), q, to, q->new_len, &fresh);
    if (err)
        return err;
    err = pages_move(vm, q->old, to, MIN(q->old_len, q->new_len));
    if (err) {
        region_free(fresh);
        return err;
    }
    err = leave_old(vm, q); /* borders are there already: it does not fail */
    ASSERT(!err);
    region_insert(vm, fresh);
    return (int64_t)to;
}

static int shrink(struct vm_space *vm, struct vm_remap *q)
{
    int err = q->old_len > q->new_len ? regions_unmap(vm, q->old + q->new_len, q->old + q->old_len) : 0;

    q->old_len = MIN(q->old_len, q->new_len);
    return err;
}

static int64_t move_to(struct vm_space *vm, struct vm_remap *q)
{
    const struct vm_region *r;
    int err;

    if (q->to > USER_TOP - q->new_len || overlaps(q->old, q->old_len, q->to, q->new_len))
        return -EINVAL;
    err = regions_unmap(vm, q->to, q->to + q->new_len);
    if (!err)
        err = shrink(vm, q);
    if (err)
        return err;
    r = region_find(vm, q->old);
    err = r ? check_growth(r, q) : -EFAULT;
    return err ? err : move(vm, q, q->to);
}

static int64_t move_anywhere(struct vm_space *vm, const struct vm_remap *q)
{
    uint64_t to = regions_choose_place(vm, q->new_len);

    return to ? move(vm, q, to) : -ENOMEM;
}

static bool fits_in_place(struct vm_space *vm, const struct vm_region *r, const struct vm_remap *q)
{
    uint64_t end = q->old + q->old_len;

    return q->old_len && end == r->end && q->new_len <= USER_TOP - q->old &&
           regions_are_free(vm, end, q->old + q->new_len);
}

static int64_t grow(struct vm_space *vm, const struct vm_region *r, const struct vm_remap *q)
{
    int err = check_growth(r, q);

    if (err)
        return err;
    if (q->keep_old)
        return move_anywhere(vm, q);
    if (q->old_len == q->new_len)
        return (int64_t)q->old;
    if (fits_in_place(vm, r, q))
        return grow_in_place(vm, r, q);
    return q->may_move ? move_anywhere(vm, q) : -ENOMEM;
}

static int64_t remap(struct vm_space *vm, struct vm_remap *q)
{
    const struct vm_region *r = region_find(vm, q->old);
    int err;

    if (!r)
        return -EFAULT;
    if (q->to)
        return move_to(vm, q);
    if (q->old_len > q->new_len) {
        err = shrink(vm, q);
        return err ? err : (int64_t)q->old;
    }
    return grow(vm, r, q);
}

int64_t vm_remap(struct vm_space *vm, struct vm_remap q)
{
    if (q.old >= USER_TOP || q.old_len > USER_TOP - q.old)
        return -EFAULT;
    if (q.new_len > USER_TOP)
        return -EINVAL;
    mutex_lock(&vm->mutex);
    int64_t at = remap(vm, &q);
    regions_merge(vm);
    mutex_unlock(&vm->mutex);
    return at;
}
