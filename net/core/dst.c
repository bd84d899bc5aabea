/* net/core/dst.c - references to routes.
 * A dst_entry is the first member of what mem_alloc gave. */
#include "net/core/dst.h"

void dst_hold(struct dst_entry *dst)
{
    if (dst)
        refcount_get(&dst->refs);
}

void dst_release(struct dst_entry *dst)
{
    if (!dst || !refcount_put(&dst->refs))
        return;
    if (dst->destroy)
        dst->destroy(dst);
    mem_free(dst);
}
