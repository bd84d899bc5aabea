/* kern/fs/ramfile.c - the bytes of a regular file of ramfs.
 *
 * Pages hang on an array; a missing page is a hole. User memory is never touched with fs_lock held: a page is
 * found and held under the lock, copied without it. What lies behind the end of the file in its last page is
 * zero. */
#include "kern/fs/file.h"
#include "kern/fs/ramfs.h"
#include "kern/mm/mm.h"
#include "lib/abi/fcntl.h"
#include "lib/string.h"

enum { PAGES_MAX = 512 * 1024 }; /* 2 GiB in a file: the array is then as large as kmalloc goes */
enum { KEPT_FREE = 8 };          /* one part in that many of memory is for no file */

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

/* Files leave a part of memory to programs: without any, a full disk could not even be cleared. */
static bool disk_is_full(void)
{
    struct mm_stats mm;

    mm_get_stats(&mm);
    return mm.free < mm.total / KEPT_FREE;
}

/* fs_lock held. A reference to the page that holds pos, made if it is a hole. 0, -EFBIG, -ENOSPC. */
static int page_make(struct inode *inode, uint64_t pos, void **page)
{
    struct ramfs_data *d = ramfs_data_of(inode);
    uint64_t i = pos >> PAGE_SHIFT;
    int err = grow_array(d, i + 1);

    if (err)
        return err;
    if (!d->pages[i] && !disk_is_full())
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

static int64_t ramfile_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    int64_t done = 0, n = 1;

    if (f->flags & O_APPEND)
        *pos = READ_ONCE(f->inode->size);
    if (*pos >> PAGE_SHIFT >= PAGES_MAX)
        return -EFBIG;
    while (it->count && n > 0) {
        n = write_page(f->inode, it, *pos);
        if (n > 0) {
            *pos += (uint64_t)n;
            done += n;
        }
    }
    return done ? done : n < 0 ? n : 0;
}

/* fs_lock held. Free the pages from first on. */
static void drop_pages(struct ramfs_data *d, uint64_t first)
{
    for (uint64_t i = first; i < d->n_pages; i++) {
        if (d->pages[i])
            page_put(d->pages[i]);
        d->pages[i] = NULL;
    }
}

int ramfile_truncate(struct inode *inode, uint64_t size)
{
    struct ramfs_data *d = ramfs_data_of(inode);
    uint64_t flags, last = size >> PAGE_SHIFT;

    if (last >= PAGES_MAX)
        return -EFBIG;
    flags = spin_lock(&fs_lock);
    if (size < inode->size) {
        drop_pages(d, ROUND_UP(size, (uint64_t)PAGE_SIZE) >> PAGE_SHIFT);
        if (size % PAGE_SIZE && last < d->n_pages && d->pages[last])
            memset((uint8_t *)d->pages[last] + size % PAGE_SIZE, 0, PAGE_SIZE - size % PAGE_SIZE);
    }
    inode->size = size;
    inode->mtime = inode->ctime = time_wall();
    spin_unlock(&fs_lock, flags);
    return 0;
}

void ramfile_free(struct ramfs_data *d)
{
    drop_pages(d, 0);
    kfree(d->pages);
}

/* Only a page that the file fills: behind its end a mapping has zeroes of its own. */
static void *ramfile_page(struct file *f, uint64_t pos)
{
    uint64_t flags = spin_lock(&fs_lock);
    void *page =
        ROUND_DOWN(pos, (uint64_t)PAGE_SIZE) + PAGE_SIZE <= f->inode->size ? page_at(f->inode, pos) : NULL;

    spin_unlock(&fs_lock, flags);
    return page;
}

const struct file_ops ramfile_ops = {
    .seekable = true, .read = ramfile_read, .write = ramfile_write, .page = ramfile_page
};
