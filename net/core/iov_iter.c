/* net/core/iov_iter.c - a place within a list of pieces of memory, the user's or the kernel's.
 * A copy that fails leaves the place where it was; what had been copied until then is lost. */
#include "lib/string.h"
#include "net/net.h"

void iov_iter_init(struct iov_iter *it, enum iter_kind kind, const struct io_vector *v, unsigned n)
{
    *it = (struct iov_iter){ .vectors = v, .n = n, .kind = kind };
    for (unsigned i = 0; i < n; i++)
        it->count += v[i].len;
}

/* One piece that lies within one vector. */
typedef int (*copy_piece)(void *kernel, uintptr_t base, size_t n);

static int piece_from_user(void *kernel, uintptr_t base, size_t n)
{
    return copy_from_user(kernel, base, n);
}

static int piece_to_user(void *kernel, uintptr_t base, size_t n)
{
    return copy_to_user(base, kernel, n);
}

static int piece_from_kernel(void *kernel, uintptr_t base, size_t n)
{
    memcpy(kernel, (const void *)base, n);
    return 0;
}

static int piece_to_kernel(void *kernel, uintptr_t base, size_t n)
{
    memcpy((void *)base, kernel, n);
    return 0;
}

/* n bytes of the first vector are done with. */
static void move_on(struct iov_iter *it, size_t n)
{
    it->offset += n;
    if (it->offset == it->vectors->len && it->n > 1) {
        it->vectors++;
        it->n--;
        it->offset = 0;
    }
}

static int walk(struct iov_iter *it, char *kernel, size_t n, copy_piece copy)
{
    struct iov_iter at = *it;

    ASSERT(n <= at.count);
    at.count -= n;
    while (n) {
        size_t piece = MIN(n, at.vectors->len - at.offset);
        if (piece && copy(kernel, at.vectors->base + at.offset, piece))
            return -EFAULT;
        kernel += piece;
        n -= piece;
        move_on(&at, piece);
    }
    *it = at;
    return 0;
}

int copy_from_iter(void *dst, size_t n, struct iov_iter *it)
{
    return walk(it, dst, n, it->kind == ITER_USER ? piece_from_user : piece_from_kernel);
}

int copy_to_iter(const void *src, size_t n, struct iov_iter *it)
{
    return walk(it, (char *)src, n, it->kind == ITER_USER ? piece_to_user : piece_to_kernel);
}

void iov_iter_advance(struct iov_iter *it, size_t n)
{
    ASSERT(n <= it->count);
    it->count -= n;
    while (n) {
        size_t piece = MIN(n, it->vectors->len - it->offset);
        n -= piece;
        move_on(it, piece);
    }
}

/* Vectors of no length are stepped over. */
static const struct io_vector *first_vector(const struct iov_iter *it, size_t *offset)
{
    const struct io_vector *v = it->vectors;

    for (*offset = it->offset; *offset == v->len; v++)
        *offset = 0;
    return v;
}

int iov_iter_page(const struct iov_iter *it, uint32_t most, struct page_part *part)
{
    size_t offset;
    const struct io_vector *v = first_vector(it, &offset);
    uintptr_t at = v->base + offset, within = at % SHARED_PAGE_SIZE;
    size_t n = MIN(v->len - offset, (size_t)most);

    ASSERT(it->count && most && it->kind != ITER_KERNEL);
    *part = (struct page_part){ .page = (void *)(at - within),
                                .offset = (uint32_t)within,
                                .len = (uint32_t)MIN(n, (size_t)(SHARED_PAGE_SIZE - within)) };
    if (it->kind == ITER_USER)
        return user_page_get(at, part->len, &part->page);
    page_get(part->page);
    return 0;
}
