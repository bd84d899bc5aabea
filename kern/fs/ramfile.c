/* kern/fs/ramfile.c - the bytes of a regular file of ramfs, which read, write and mappings show alike.
 *
 * Pages hang on an array; a missing page is a hole. What lies behind the end of the file in its last page is
 * zero for whoever makes the file longer, whatever a mapping has left there.
 *
 * Locks. fs_lock guards the array and the size. User memory is never touched with it held: a page is found
 * and held under the lock, copied without it. The resize mutex is held over a whole write and a whole change
 * of size, so that neither sees the other half done; a page fault takes fs_lock alone. A file that becomes
 * shorter first loses its pages, then the mappings lose theirs (kern/mm/object.h). */
#include "kern/fs/permission.h"
#include "kern/fs/ramfs.h"
#include "kern/mm/mm.h"
#include "kern/proc/limits.h"
#include "kern/proc/process.h"
#include "lib/abi/fcntl.h"
#include "lib/abi/stat.h"
#include "lib/string.h"

enum { PAGES_MAX = 512 * 1024 }; /* 2 GiB in a file: the array is then as large as kmalloc goes */

static const uint8_t zeroes[PAGE_SIZE];

/* fs_lock held. A reference to the page that holds pos, or NULL for a hole. */
static void *page_at(struct inode *inode, uint64_t pos)
{
    struct ramfs_data *d = ramfs_data_of(inode);
    uint64_t i = pos >> PAGE_SHIFT;

    if (i >= d->n_pages || !d->pages[i])
        return NULL;
    page_get(d->pages[i]);
    return d->pages[i];
}

/* fs_lock held. Make room for n pages in the array. */
static int grow_array(struct ramfs_data *d, uint64_t n)
{
    uint64_t room = MAX(n, MIN(d->n_pages * 2, (uint64_t)PAGES_MAX));
    void **pages;

    if (n <= d->n_pages)
        return 0;
    if (n > PAGES_MAX)
        return -EFBIG;
    pages = kzalloc(room * sizeof *pages);
    if (!pages)
        return -ENOSPC;
    if (d->n_pages)
        memcpy(pages, d->pages, d->n_pages * sizeof *pages);
    kfree(d->pages);
    d->pages = pages;
    d->n_pages = room;
    return 0;
}

/* fs_lock held. A reference to the page that holds pos, made if it is a hole. 0, -EFBIG, -ENOSPC. */
static int page_make(struct inode *inode, uint64_t pos, void **page)
{
    struct ramfs_data *d = ramfs_data_of(inode);
    uint64_t i = pos >> PAGE_SHIFT;
    int err = grow_array(d, i + 1);

    if (err)
        return err;
    if (!d->pages[i] && !memory_is_for_programs()) /* or a full disk could not even be cleared */
        d->pages[i] = page_alloc_zeroed(0);
    if (!d->pages[i])
        return -ENOSPC;
    page_get(d->pages[i]);
    *page = d->pages[i];
    return 0;
}

/* Copy what lies in one page at *pos: bytes, 0 at the end, -EFAULT. */
static int64_t read_page(struct inode *inode, struct iov_iter *it, uint64_t pos)
{
    size_t in_page = pos % PAGE_SIZE, n = 0;
    void *page = NULL;
    uint64_t flags = spin_lock(&fs_lock);
    int err;

    if (pos < inode->size) {
        n = MIN(PAGE_SIZE - in_page, it->count);
        n = MIN(n, (size_t)(inode->size - pos));
        page = page_at(inode, pos);
    }
    spin_unlock(&fs_lock, flags);
    err = n ? copy_to_iter((page ? (uint8_t *)page : zeroes) + in_page, n, it) : 0;
    if (page)
        page_put(page);
    return err ? err : (int64_t)n;
}

static int64_t ramfile_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    int64_t done = 0, n = 1;

    while (it->count && n > 0) {
        n = read_page(f->inode, it, *pos);
        if (n > 0) {
            *pos += (uint64_t)n;
            done += n;
        }
    }
    return done ? done : n < 0 ? n : 0;
}

/* fs_lock held. Zero what lies behind the end in the last page, before the file becomes longer. */
static void clear_tail(struct inode *inode)
{
    const struct ramfs_data *d = ramfs_data_of(inode);
    uint64_t last = inode->size >> PAGE_SHIFT, in_page = inode->size % PAGE_SIZE;

    if (in_page && last < d->n_pages && d->pages[last])
        memset((uint8_t *)d->pages[last] + in_page, 0, PAGE_SIZE - in_page);
}

static void extend_to(struct inode *inode, uint64_t end)
{
    uint64_t flags = spin_lock(&fs_lock);

    inode->size = MAX(inode->size, end);
    inode->mtime = inode->ctime = time_wall();
    spin_unlock(&fs_lock, flags);
}

static int64_t write_page(struct inode *inode, struct iov_iter *it, uint64_t pos)
{
    size_t in_page = pos % PAGE_SIZE, n = MIN(PAGE_SIZE - in_page, it->count);
    void *page;
    uint64_t flags = spin_lock(&fs_lock);
    int err = page_make(inode, pos, &page);

    if (pos > inode->size)
        clear_tail(inode);
    spin_unlock(&fs_lock, flags);
    if (err)
        return err;
    err = copy_from_iter((uint8_t *)page + in_page, n, it);
    page_put(page);
    if (err)
        return err;
    extend_to(inode, pos + n);
    return (int64_t)n;
}

/* The resize mutex is held. May nobody write up to end? */
static bool is_write_sealed(struct inode *inode, uint64_t end)
{
    uint32_t seals = ramfs_data_of(inode)->seals;

    return (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) || ((seals & F_SEAL_GROW) && end > inode->size);
}

static int64_t write_pages(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    int64_t done = 0, n = 1;
    int err;

    if (f->flags & O_APPEND)
        *pos = READ_ONCE(f->inode->size);
    err = limit_file_write(*pos, &it->count);
    if (err || *pos >> PAGE_SHIFT >= PAGES_MAX)
        return -EFBIG;
    if (is_write_sealed(f->inode, *pos + it->count))
        return -EPERM;
    if ((f->inode->mode & (S_ISUID | S_ISGID)) && it->count && !capable(CAP_FSETID))
        inode_drop_setid(f->inode);
    while (it->count && n > 0) {
        n = write_page(f->inode, it, *pos);
        if (n > 0) {
            *pos += (uint64_t)n;
            done += n;
        }
    }
    return done ? done : n < 0 ? n : 0;
}

static int64_t ramfile_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    struct ramfs_data *d = ramfs_data_of(f->inode);
    int64_t n;

    mutex_lock(&d->resize);
    n = write_pages(f, it, pos);
    mutex_unlock(&d->resize);
    return n;
}

/* fs_lock held. Take at most n pages out of the array from *first on and before end; how many. */
static unsigned gather(struct ramfs_data *d, uint64_t *first, uint64_t end, void **gathered, unsigned n)
{
    unsigned found = 0;

    for (; *first < MIN(end, d->n_pages) && found < n; ++*first) {
        if (d->pages[*first])
            gathered[found++] = d->pages[*first];
        d->pages[*first] = NULL;
    }
    return found;
}

/* Free the pages [first, end). Some at a time: irqs are off under fs_lock. */
static void drop_pages(struct ramfs_data *d, uint64_t first, uint64_t end)
{
    void *gathered[64];
    unsigned n;

    do {
        uint64_t flags = spin_lock(&fs_lock);
        n = gather(d, &first, end, gathered, ARRAY_SIZE(gathered));
        spin_unlock(&fs_lock, flags);
        for (unsigned i = 0; i < n; i++)
            page_put(gathered[i]);
    } while (n);
}

/* The size alone; what it was. Bytes between the smaller of both and the end of that page become zero. */
static uint64_t set_size(struct inode *inode, uint64_t size)
{
    uint64_t flags = spin_lock(&fs_lock), old = inode->size;

    if (size > old)
        clear_tail(inode);
    inode->size = size;
    if (size < old)
        clear_tail(inode);
    inode->mtime = inode->ctime = time_wall();
    spin_unlock(&fs_lock, flags);
    return old;
}

static bool is_resize_sealed(const struct inode *inode, const struct ramfs_data *d, uint64_t size)
{
    return (size < inode->size && (d->seals & F_SEAL_SHRINK)) ||
           (size > inode->size && (d->seals & F_SEAL_GROW));
}

/* The resize mutex is held. */
static int resize(struct inode *inode, struct ramfs_data *d, uint64_t size)
{
    uint64_t first_gone = ROUND_UP(size, (uint64_t)PAGE_SIZE) >> PAGE_SHIFT;

    if (is_resize_sealed(inode, d, size))
        return -EPERM;
    if (set_size(inode, size) > size) {
        drop_pages(d, first_gone, UINT64_MAX);
        vm_object_unmap(&d->object, first_gone, UINT64_MAX, true);
    }
    return 0;
}

int ramfile_truncate(struct inode *inode, uint64_t size)
{
    struct ramfs_data *d = ramfs_data_of(inode);
    int err;

    if (size >> PAGE_SHIFT >= PAGES_MAX)
        return -EFBIG;
    mutex_lock(&d->resize);
    err = resize(inode, d, size);
    mutex_unlock(&d->resize);
    return err;
}

/* ---- holes ---- */

/* Zero [start, end), which lies in one page. */
static void zero_in_page(struct inode *inode, uint64_t start, uint64_t end)
{
    uint64_t flags = spin_lock(&fs_lock);
    uint8_t *page = start < end ? page_at(inode, start) : NULL;

    if (page)
        memset(page + start % PAGE_SIZE, 0, end - start);
    spin_unlock(&fs_lock, flags);
    if (page)
        page_put(page);
}

static void punch(struct inode *inode, struct ramfs_data *d, uint64_t start, uint64_t end)
{
    uint64_t first = ROUND_UP(start, (uint64_t)PAGE_SIZE), last = ROUND_DOWN(end, (uint64_t)PAGE_SIZE);

    zero_in_page(inode, start, MIN(first, end));
    if (last >= first)
        zero_in_page(inode, last, end);
    if (last <= first)
        return;
    drop_pages(d, first >> PAGE_SHIFT, last >> PAGE_SHIFT);
    vm_object_unmap(&d->object, first >> PAGE_SHIFT, (last >> PAGE_SHIFT) - 1, false);
}

int ramfile_punch(struct inode *inode, uint64_t start, uint64_t end)
{
    struct ramfs_data *d = ramfs_data_of(inode);
    int err = 0;

    mutex_lock(&d->resize);
    if (d->seals & F_SEAL_WRITE)
        err = -EPERM;
    else
        punch(inode, d, start, end);
    mutex_unlock(&d->resize);
    return err;
}

/* The resize mutex is held. */
static int allocate(struct inode *inode, uint64_t start, uint64_t end)
{
    int err = 0;

    for (uint64_t pos = ROUND_DOWN(start, (uint64_t)PAGE_SIZE); pos < end && !err; pos += PAGE_SIZE) {
        void *page;
        uint64_t flags = spin_lock(&fs_lock);
        err = page_make(inode, pos, &page);
        spin_unlock(&fs_lock, flags);
        if (!err)
            page_put(page);
    }
    return err;
}

int ramfile_allocate(struct inode *inode, uint64_t start, uint64_t end, bool keep_size)
{
    struct ramfs_data *d = ramfs_data_of(inode);
    int err;

    if (end >> PAGE_SHIFT >= PAGES_MAX)
        return -EFBIG;
    mutex_lock(&d->resize);
    err = is_write_sealed(inode, keep_size ? 0 : end) ? -EPERM : allocate(inode, start, end);
    if (!err && !keep_size && end > inode->size)
        set_size(inode, end);
    mutex_unlock(&d->resize);
    return err;
}

/* ---- seals ---- */

/* The resize mutex is held. */
static int add_seals(struct ramfs_data *d, uint32_t seals)
{
    int err = 0;

    if (d->seals & F_SEAL_SEAL)
        return -EPERM;
    if ((seals & F_SEAL_WRITE) && !(d->seals & F_SEAL_WRITE))
        err = vm_object_forbid_writers(&d->object, true);
    else if (seals & F_SEAL_FUTURE_WRITE)
        err = vm_object_forbid_writers(&d->object, false);
    if (!err)
        WRITE_ONCE(d->seals, d->seals | seals);
    return err;
}

int ramfile_add_seals(struct inode *inode, uint32_t seals)
{
    const uint32_t known = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE;
    struct ramfs_data *d = ramfs_data_of(inode);
    int err;

    if (seals & ~known)
        return -EINVAL;
    mutex_lock(&d->resize);
    err = add_seals(d, seals);
    mutex_unlock(&d->resize);
    return err;
}

void ramfile_free(struct ramfs_data *d)
{
    drop_pages(d, 0, UINT64_MAX);
    kfree(d->pages);
}

/* ---- what a mapping shows ---- */

static struct inode *inode_of(struct vm_object *o)
{
    return ramfs_inode_of(container_of(o, struct ramfs_data, object));
}

static int object_page(struct vm_object *o, uint64_t index, void **page)
{
    struct inode *inode = inode_of(o);
    uint64_t flags = spin_lock(&fs_lock);
    int err = -ENXIO;

    if (index < ROUND_UP(inode->size, (uint64_t)PAGE_SIZE) >> PAGE_SHIFT)
        err = page_make(inode, index << PAGE_SHIFT, page);
    spin_unlock(&fs_lock, flags);
    return err;
}

static void *object_page_if_there(struct vm_object *o, uint64_t index)
{
    struct inode *inode = inode_of(o);
    uint64_t flags = spin_lock(&fs_lock);
    void *page = index << PAGE_SHIFT < inode->size ? page_at(inode, index << PAGE_SHIFT) : NULL;

    spin_unlock(&fs_lock, flags);
    return page;
}

static void object_get(struct vm_object *o)
{
    inode_get(inode_of(o));
}

static void object_put(struct vm_object *o)
{
    inode_put(inode_of(o));
}

static int object_punch(struct vm_object *o, uint64_t start, uint64_t end)
{
    return ramfile_punch(inode_of(o), start, end);
}

static const struct vm_object_ops object_ops = { .page = object_page,
                                                 .page_if_there = object_page_if_there,
                                                 .punch = object_punch,
                                                 .get = object_get,
                                                 .put = object_put };

void ramfile_init(struct ramfs_data *d)
{
    mutex_init(&d->resize, "size of a file");
    vm_object_init(&d->object, &object_ops);
}

static struct vm_object *ramfile_object(struct file *f)
{
    inode_get(f->inode);
    return &ramfs_data_of(f->inode)->object;
}

const struct file_ops ramfile_ops = {
    .seekable = true, .read = ramfile_read, .write = ramfile_write, .object = ramfile_object
};
