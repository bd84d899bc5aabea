/* kern/proc/vdso.c - the page of clock data and the code that reads it, shown to every program.
 * Both are pages of one object that is never freed: the data first, then the image of user/vdso/vdso.c, which
 * knows the data right below itself. Programs see them read-only; what a debugger writes there is a copy of
 * its own. */
#include "kern/proc/vdso.h"
#include "kern/time/time.h"
#include "lib/abi/errno.h"
#include "lib/abi/vdso.h"
#include "lib/string.h"
#include "net/port.h"

enum { PAGES_MAX = 4, DATA_PAGE = 0, FIRST_CODE_PAGE = 1 };

extern const uint8_t vdso_image_start[], vdso_image_end[]; /* vdso_image.S */

static void *pages[PAGES_MAX]; /* all set by vdso_init(), with one reference each */
static unsigned n_pages;
static struct vm_object object;
static struct spinlock clock_lock =
    SPINLOCK_INIT("clock of the vDSO", RANK_CLOCK); /* writing the data page */

static void *page_if_there(struct vm_object *o, uint64_t index)
{
    (void)o;
    if (index >= n_pages)
        return NULL;
    page_get(pages[index]);
    return pages[index];
}

static int page_of(struct vm_object *o, uint64_t index, void **page)
{
    *page = page_if_there(o, index);
    return *page ? 0 : -ENXIO;
}

static void keep(struct vm_object *o)
{
    (void)o;
}

static const struct vm_object_ops object_ops = {
    .page = page_of, .page_if_there = page_if_there, .get = keep, .put = keep
};

/* Partner of the reader's look at seq before and behind. */
static void publish_clock(struct vdso_data *d)
{
    WRITE_ONCE(d->seq, d->seq + 1);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    clock_get_parameters(&d->tsc_at_boot, &d->ns_per_tick_scaled, &d->wall_at_boot);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    WRITE_ONCE(d->seq, d->seq + 1);
}

void vdso_update_clock(void)
{
    uint64_t flags = spin_lock(&clock_lock);

    publish_clock(pages[DATA_PAGE]);
    spin_unlock(&clock_lock, flags);
}

void vdso_init(void)
{
    size_t size = (size_t)(vdso_image_end - vdso_image_start);

    n_pages = FIRST_CODE_PAGE + (unsigned)((size + PAGE_SIZE - 1) / PAGE_SIZE);
    ASSERT(n_pages <= PAGES_MAX);
    for (unsigned i = 0; i < n_pages; i++) {
        pages[i] = page_alloc_zeroed(0);
        if (!pages[i])
            panic("vdso: no memory for %u pages", n_pages);
    }
    for (size_t at = 0; at < size; at += PAGE_SIZE)
        memcpy(pages[FIRST_CODE_PAGE + at / PAGE_SIZE], vdso_image_start + at,
               MIN(size - at, (size_t)PAGE_SIZE));
    vdso_update_clock();
    vm_object_init(&object, &object_ops);
}

int64_t vdso_map(struct vm_space *vm)
{
    const struct vm_view view = { .object = &object, .offset = 0 };
    int64_t at = vm_map_object(vm, 0, n_pages * (size_t)PAGE_SIZE, VM_READ | VM_EXEC, false, view);
    int err = at < 0 ? (int)at : vm_protect(vm, (uint64_t)at, PAGE_SIZE, VM_READ);

    return err ? err : at + PAGE_SIZE;
}

const char *vdso_region_name(uint64_t object_id, uint64_t offset)
{
    if (object_id != object.id)
        return NULL;
    return offset < PAGE_SIZE ? "[vvar]" : "[vdso]";
}
