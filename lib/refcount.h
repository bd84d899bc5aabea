/* lib/refcount.h - a counted reference. Whoever drops the last one frees the object. */
#pragma once
#include <stdbool.h>

struct refcount {
    int count;
};

static inline void refcount_set(struct refcount *r, int n)
{
    __atomic_store_n(&r->count, n, __ATOMIC_RELAXED);
}
static inline int refcount_read(const struct refcount *r)
{
    return __atomic_load_n(&r->count, __ATOMIC_RELAXED);
}
/* Is ours the only one? Then what others did before they put theirs is behind us. */
static inline bool refcount_alone(const struct refcount *r)
{
    return __atomic_load_n(&r->count, __ATOMIC_ACQUIRE) == 1; /* partner: refcount_put() */
}
static inline void refcount_get(struct refcount *r)
{
    __atomic_fetch_add(&r->count, 1, __ATOMIC_RELAXED);
}
/* Take a reference unless the count has already reached zero; for look-ups in tables that hold none. */
static inline bool refcount_get_unless_zero(struct refcount *r)
{
    int old = refcount_read(r);
    while (old &&
           !__atomic_compare_exchange_n(&r->count, &old, old + 1, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
    return old != 0;
}
/* True if this was the last reference: free the object. */
static inline bool refcount_put(struct refcount *r)
{
    if (refcount_alone(r)) { /* nobody else can see it: no locked instruction needed */
        refcount_set(r, 0);
        return true;
    }
    return __atomic_fetch_sub(&r->count, 1, __ATOMIC_ACQ_REL) == 1;
}
