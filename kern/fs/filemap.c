/* kern/fs/filemap.c - the contents of a file in an address space: programs and private mappings.
 * A whole page of the file that lands on a whole page of memory is not copied: both have it, until one
 * writes. */
#include "kern/fs/file.h"
#include "kern/mm/vm.h"

/* Share the page at pos, if the file can. 1: done, 0: it must be copied, or -errno. */
static int share_page(struct file *f, uint64_t pos, struct vm_space *vm, uint64_t addr)
{
    void *page = f->ops->page ? f->ops->page(f, pos) : NULL;
    int err;

    if (!page)
        return 0;
    err = vm_share_page(vm, addr, page);
    page_put(page);
    return err == -EEXIST ? 0 : err ? err : 1;
}

/* Copy n bytes, which lie in one page of memory: bytes, fewer at the file's end, or -errno. */
static int64_t copy_part(struct file *f, uint64_t pos, size_t n, struct vm_space *vm, uint64_t addr,
                         uint8_t *chunk)
{
    int64_t got = file_read_kernel(f, chunk, n, pos);
    int err = got > 0 ? vm_write(vm, addr, chunk, (size_t)got) : 0;

    return err ? err : got;
}

static int64_t map_part(struct file *f, uint64_t pos, size_t n, struct vm_space *vm, uint64_t addr,
                        uint8_t *chunk)
{
    bool whole = n == PAGE_SIZE && pos % PAGE_SIZE == 0;
    int shared = whole ? share_page(f, pos, vm, addr) : 0;

    if (shared)
        return shared < 0 ? shared : (int64_t)n;
    return copy_part(f, pos, n, vm, addr, chunk);
}

int file_map_private(struct file *f, uint64_t pos, size_t n, struct vm_space *vm, uint64_t addr)
{
    uint8_t *chunk = kmalloc(PAGE_SIZE);
    int64_t done = chunk ? 1 : -ENOMEM;

    while (n && done > 0) {
        size_t part = MIN(n, PAGE_SIZE - addr % PAGE_SIZE);
        done = map_part(f, pos, part, vm, addr, chunk);
        if (done <= 0)
            break;
        pos += (uint64_t)done;
        addr += (uint64_t)done;
        n -= (size_t)done;
    }
    kfree(chunk);
    return done < 0 ? (int)done : 0;
}
