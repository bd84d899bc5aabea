/* net/core/skb_frag.c - the fragments of a packet that is being sent: parts of pages.
 * A descriptor sees data_len bytes of its list of fragments, from frag_at on. What is in the list stays as it
 * is, but that its last entry may become longer: so lists may be shared by descriptors that see different
 * parts. Only who is alone with a list appends to it. */
#include "lib/string.h"
#include "net/core/skbuff.h"
#include "net/port.h"

/* ---- reading: one stretch after the other ---- */

struct skb_walk skb_walk_from(const struct sk_buff *skb, uint32_t offset, uint32_t n)
{
    ASSERT(offset <= skb->len && n <= skb->len - offset);
    return (struct skb_walk){ .skb = skb, .at = offset, .left = n };
}

/* The fragment that has the byte at `at` of the list; where in it. */
static const struct skb_frag *frag_at(struct skb_walk *w, uint32_t at, uint32_t *within)
{
    const struct skb_shared *shared = w->skb->shared;

    while (at - w->passed >= shared->frags[w->index].len) {
        w->passed += shared->frags[w->index++].len;
        ASSERT(w->index < shared->n_frags);
    }
    *within = at - w->passed;
    return &shared->frags[w->index];
}

static void show_frag(struct skb_walk *w)
{
    uint32_t at = w->skb->frag_at + w->at - skb_headlen(w->skb), within;
    const struct skb_frag *f = frag_at(w, at, &within);

    w->bytes = (const uint8_t *)f->page + f->offset + within;
    w->n = MIN(f->len - within, w->left);
}

bool skb_walk_next(struct skb_walk *w)
{
    uint32_t linear = skb_headlen(w->skb);

    if (!w->left)
        return false;
    if (w->at < linear) {
        w->bytes = w->skb->data + w->at;
        w->n = MIN(linear - w->at, w->left);
    } else {
        show_frag(w);
    }
    w->at += w->n;
    w->left -= w->n;
    return true;
}

unsigned skb_count_pieces(const struct sk_buff *skb)
{
    struct skb_walk w = skb_walk_from(skb, 0, skb->len);
    unsigned n = 0;

    while (skb_walk_next(&w))
        n++;
    return n;
}

void skb_copy_bits(const struct sk_buff *skb, uint32_t offset, void *dst, uint32_t n)
{
    struct skb_walk w = skb_walk_from(skb, offset, n);

    for (uint8_t *at = dst; skb_walk_next(&w); at += w.n)
        memcpy(at, w.bytes, w.n);
}

csum_t skb_checksum(const struct sk_buff *skb, uint32_t offset, uint32_t n)
{
    struct skb_walk w = skb_walk_from(skb, offset, n);
    csum_t sum = 0;

    for (uint32_t at = 0; skb_walk_next(&w); at += w.n)
        sum = csum_add_at(sum, csum_partial(w.bytes, w.n, 0), at);
    return sum;
}

/* ---- appending ---- */

static struct skb_frag *last_frag(const struct sk_buff *skb)
{
    return skb->shared->n_frags ? &skb->shared->frags[skb->shared->n_frags - 1] : NULL;
}

/* Do skb's bytes end where the list ends? */
static bool sees_the_end(const struct sk_buff *skb)
{
    uint32_t total = 0;

    for (unsigned i = 0; i < skb->shared->n_frags; i++)
        total += skb->shared->frags[i].len;
    return skb->frag_at + skb->data_len == total;
}

static bool continues(const struct skb_frag *last, const struct skb_frag *f)
{
    return last && last->page == f->page && last->notice == f->notice &&
           last->offset + last->len == f->offset;
}

/* skb sees the end of the list. */
static bool append(struct sk_buff *skb, struct skb_frag f)
{
    struct skb_frag *last = last_frag(skb);

    if (continues(last, &f)) {
        last->len += f.len;
    } else {
        if (skb->shared->n_frags == skb->shared->slots)
            return false;
        page_get(f.page);
        if (f.notice)
            refcount_get(&f.notice->refs);
        skb->shared->frags[skb->shared->n_frags++] = f;
    }
    skb->data_len += f.len;
    skb->len += f.len;
    return true;
}

void skb_frags_release(struct skb_shared *shared)
{
    for (unsigned i = 0; i < shared->n_frags; i++) {
        page_put(shared->frags[i].page);
        if (shared->frags[i].notice)
            skb_notice_put(shared->frags[i].notice);
    }
}

bool skb_add_frag(struct sk_buff *skb, void *page, uint32_t offset, uint32_t len, struct skb_notice *notice)
{
    if (!sees_the_end(skb) || !append(skb, (struct skb_frag){ page, offset, len, notice }))
        return false;
    skb->truesize += len;
    return true;
}

/* n bytes of a list as fragments for another one: at most SKB_FRAGS_MAX. */
static unsigned cut_out(const struct sk_buff *skb, uint32_t offset, uint32_t n, struct skb_frag *out)
{
    struct skb_walk w = skb_walk_from(skb, skb_headlen(skb) + offset, n);
    unsigned found = 0;

    while (skb_walk_next(&w)) {
        struct skb_frag f = skb->shared->frags[w.index];
        f.offset = (uint32_t)((const uint8_t *)w.bytes - (uint8_t *)f.page);
        f.len = w.n;
        out[found++] = f;
    }
    return found;
}

static bool share_frags(struct sk_buff *to, const struct sk_buff *from, uint32_t offset, uint32_t n)
{
    struct skb_frag frags[SKB_FRAGS_MAX];
    unsigned found = cut_out(from, offset, n, frags), fresh = found;

    if (found && continues(last_frag(to), &frags[0]))
        fresh--;
    if (!sees_the_end(to) || to->shared->n_frags + fresh > to->shared->slots)
        return false;
    for (unsigned i = 0; i < found; i++)
        append(to, frags[i]);
    return true;
}

/* ---- from packet to packet ---- */

void skb_share_frags(struct sk_buff *to, const struct sk_buff *from, uint32_t offset, uint32_t n)
{
    bool fitted = share_frags(to, from, offset, n);
    ASSERT(fitted);
}

/* Both are charged to one socket, or to none. */
static void pass_truesize(struct sk_buff *to, struct sk_buff *from, uint32_t n)
{
    to->truesize += n;
    from->truesize -= n;
}

bool skb_move(struct sk_buff *to, struct sk_buff *from, uint32_t n)
{
    ASSERT(n <= from->len);
    if (skb_tailroom(to) >= n) {
        skb_copy_bits(from, 0, skb_put(to, n), n);
    } else {
        if (skb_headlen(from) || skb_shared_data(to) || !share_frags(to, from, 0, n))
            return false;
        pass_truesize(to, from, n);
    }
    skb_pull(from, n);
    return true;
}

struct sk_buff *skb_split(struct sk_buff *skb, uint32_t len, uint32_t headroom)
{
    uint32_t all = skb_headlen(skb), linear = all - MIN(len, all), pages = skb->len - len - linear;
    struct sk_buff *second = alloc_skb_frags(skb->net, headroom, linear, pages ? skb->shared->slots : 0);

    if (!second)
        return NULL;
    if (linear)
        skb_copy_bits(skb, len, skb_put(second, linear), linear);
    if (pages) {
        skb_share_frags(second, skb, skb->data_len - pages, pages);
        pass_truesize(second, skb, pages);
    }
    skb_trim(skb, len);
    return second;
}
