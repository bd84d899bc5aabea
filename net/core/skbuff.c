/* net/core/skbuff.c - the packet buffer: its life and its verbs.
 * head <= data <= tail <= end holds before and after every verb. A buffer is freed by the last descriptor
 * that shares it; a net's live_skbs counts descriptors. */
#include "net/core/skbuff.h"
#include "lib/string.h"
#include "net/core/dst.h"
#include "net/core/net_namespace.h"

#define SKB_CANARY 0x70617468746f776eu
enum { SKB_POISON = 0xab, SKB_SIZE_MAX = 1 << 20 };

static size_t shared_size(unsigned slots)
{
    return sizeof(struct skb_shared) + slots * sizeof(struct skb_frag);
}

/* What the buffer takes of memory. */
static size_t buffer_size(const struct sk_buff *skb)
{
    return (size_t)((uint8_t *)skb->shared - skb->head) + shared_size(skb->shared->slots);
}

/* ---- life ---- */

/* Inline, as is skb_alloc(): most buffers have no slots, and then nothing of them is computed. */
__attribute__((always_inline)) static inline bool data_alloc(struct sk_buff *skb, uint32_t size,
                                                             unsigned slots)
{
    size_t offset = ROUND_UP((size_t)size, 8);
    uint8_t *head = dma_buffer_alloc(offset + shared_size(slots));
    if (!head)
        return false;
    struct skb_shared *shared = (struct skb_shared *)(head + offset);
    refcount_set(&shared->refs, 1);
    shared->slots = (uint16_t)slots;
    shared->n_frags = 0;
    shared->canary = SKB_CANARY;
    skb->head = skb->data = skb->tail = head;
    skb->end = head + size;
    skb->shared = shared;
    return true;
}

/* Let go of the bytes; who was the last frees them. */
static void data_release(struct sk_buff *skb)
{
    struct skb_shared *shared = skb->shared;

    if (!refcount_put(&shared->refs))
        return;
    size_t size = buffer_size(skb);
    if (unlikely(shared->n_frags))
        skb_frags_release(shared);
    if (CONFIG_DEBUG) {
        if (shared->canary != SKB_CANARY)
            panic("sk_buff %lu: bytes behind its end were overwritten", skb->id);
        memset(skb->head, SKB_POISON, size);
    }
    dma_buffer_free(skb->head, size);
}

static struct sk_buff *descriptor_alloc(struct net *net)
{
    struct sk_buff *skb = pool_get(net->skb_pool);
    if (skb)
        __atomic_fetch_add(&net->live_skbs, 1, __ATOMIC_RELAXED);
    return skb;
}

static void descriptor_free(struct sk_buff *skb)
{
    struct net *net = skb->net;
    __atomic_fetch_sub(&net->live_skbs, 1, __ATOMIC_RELAXED);
    pool_put(net->skb_pool, skb);
}

__attribute__((always_inline)) static inline struct sk_buff *skb_alloc(struct net *net, uint32_t size,
                                                                       unsigned slots)
{
    ASSERT(size <= SKB_SIZE_MAX && slots <= SKB_FRAGS_MAX);
    struct sk_buff *skb = descriptor_alloc(net);
    if (!skb)
        return NULL;
    memset(skb, 0, sizeof *skb); /* an initialiser would become `rep stos`, slow under emulation */
    skb->net = net;
    skb->id = __atomic_fetch_add(&net->next_skb_id, 1, __ATOMIC_RELAXED);
    skb->mac_offset = skb->network_offset = skb->transport_offset = SKB_OFFSET_NONE;
    list_init(&skb->list);
    if (!data_alloc(skb, size, slots)) {
        descriptor_free(skb);
        return NULL;
    }
    skb->truesize = (uint32_t)(sizeof *skb + buffer_size(skb));
    return skb;
}

struct sk_buff *alloc_skb(struct net *net, uint32_t size)
{
    return skb_alloc(net, size, 0);
}

struct sk_buff *alloc_skb_headroom(struct net *net, uint32_t headroom, uint32_t size)
{
    struct sk_buff *skb = alloc_skb(net, headroom + size);
    if (skb)
        skb_reserve(skb, headroom);
    return skb;
}

struct sk_buff *alloc_skb_frags(struct net *net, uint32_t headroom, uint32_t linear, unsigned slots)
{
    struct sk_buff *skb = skb_alloc(net, headroom + linear, slots);
    if (skb)
        skb_reserve(skb, headroom);
    return skb;
}

static void skb_free(struct sk_buff *skb)
{
    ASSERT(list_empty(&skb->list)); /* still in a queue: somebody else thinks it is his */
    if (skb->destructor)
        skb->destructor(skb);
    dst_release(skb->dst);
    data_release(skb);
    descriptor_free(skb);
}

static void drop_one(struct sk_buff *skb, enum skb_drop_reason reason)
{
    trace(skb_drop_reason_name(reason), skb->id, skb->len);
    net_count(&skb->net->drops[reason]);
    skb_free(skb);
}

void kfree_skb_reason(struct sk_buff *skb, enum skb_drop_reason reason)
{
    struct sk_buff *follower;

    if (!skb)
        return;
    while ((follower = skb_train_take(skb)))
        drop_one(follower, reason);
    drop_one(skb, reason);
}

void consume_skb(struct sk_buff *skb)
{
    struct sk_buff *follower;

    if (!skb)
        return;
    while ((follower = skb_train_take(skb)))
        skb_free(follower);
    skb_free(skb);
}

void skb_orphan(struct sk_buff *skb)
{
    if (skb->destructor)
        skb->destructor(skb);
    skb->destructor = NULL;
    skb->sk = NULL;
}

/* ---- copies ---- */

/* to becomes a second descriptor of from's packet, in no queue and charged to nobody. */
static void descriptor_copy(struct sk_buff *to, const struct sk_buff *from)
{
    memcpy(to, from, sizeof *to);
    list_init(&to->list);
    to->sk = NULL;
    to->destructor = NULL;
    if (to->dst)
        dst_hold(to->dst);
}

struct sk_buff *skb_clone(struct sk_buff *skb)
{
    struct sk_buff *clone = descriptor_alloc(skb->net);
    if (!clone)
        return NULL;
    descriptor_copy(clone, skb);
    refcount_get(&clone->shared->refs);
    return clone;
}

bool skb_shared_data(const struct sk_buff *skb)
{
    return !refcount_alone(&skb->shared->refs);
}

static uint16_t moved(uint16_t offset, int32_t by)
{
    return offset == SKB_OFFSET_NONE ? offset : (uint16_t)(offset + by);
}

/* Headers that were pulled lie in front of data: the bytes from the outermost of them on. What lies before it
 * is nobody's, or a clone's, whose owner may be writing a header there on another CPU. */
static uint32_t pulled_headers(const struct sk_buff *skb)
{
    uint16_t outermost = MIN(skb->network_offset, skb->transport_offset); /* SKB_OFFSET_NONE is the largest */
    uint32_t begin = MIN(skb->mac_offset, outermost);
    return skb_headroom(skb) - MIN(begin, skb_headroom(skb));
}

/* What a copy of the bytes is to have. */
struct room {
    uint32_t headroom, tailroom;
    bool linear; /* no fragments: their bytes as well */
};

/* The bytes of old's fragments, for skb, whose linear ones are there. */
static void copy_rest(struct sk_buff *skb, const struct sk_buff *old, bool linear)
{
    skb->data_len = skb->frag_at = 0;
    if (linear) {
        skb_copy_bits(old, skb_headlen(old), skb->tail, old->data_len);
        skb->tail += old->data_len;
    } else {
        skb->len = skb_headlen(old);
        skb_share_frags(skb, old, 0, old->data_len);
    }
}

/* Give skb, whose fields still tell of the old buffer, linear bytes of its own. */
static int data_copy(struct sk_buff *skb, struct room room)
{
    const struct sk_buff old = *skb;
    int32_t by = (int32_t)room.headroom - (int32_t)skb_headroom(&old);
    uint32_t linear = room.linear ? old.len : skb_headlen(&old);

    if (!data_alloc(skb, room.headroom + linear + room.tailroom, room.linear ? 0 : old.shared->slots))
        return -ENOMEM;
    uint32_t headers = pulled_headers(&old), kept = MIN(room.headroom, headers);
    skb->data += room.headroom;
    skb->tail = skb->data + skb_headlen(&old);
    memcpy(skb->data - kept, old.data - kept, kept + skb_headlen(&old));
    if (skb_is_nonlinear(&old))
        copy_rest(skb, &old, room.linear);
    skb->mac_offset = moved(old.mac_offset, by);
    skb->network_offset = moved(old.network_offset, by);
    skb->transport_offset = moved(old.transport_offset, by);
    skb->csum_start = (uint16_t)(old.csum_start + by);
    return 0;
}

static struct sk_buff *copy(const struct sk_buff *skb, bool linear)
{
    struct sk_buff *copy = descriptor_alloc(skb->net);
    if (!copy)
        return NULL;
    descriptor_copy(copy, skb);
    if (data_copy(copy, (struct room){ skb_headroom(skb), skb_tailroom(skb), linear }) == 0)
        return copy;
    dst_release(copy->dst);
    descriptor_free(copy);
    return NULL;
}

struct sk_buff *skb_copy(const struct sk_buff *skb)
{
    return copy(skb, skb_is_nonlinear(skb));
}

struct sk_buff *pskb_copy(const struct sk_buff *skb)
{
    return copy(skb, false);
}

/* truesize stays: it is what a socket was charged. */
static int data_replace(struct sk_buff *skb, struct room room)
{
    struct sk_buff old = *skb;
    int err = data_copy(skb, room);
    if (!err)
        data_release(&old);
    return err;
}

int skb_cow(struct sk_buff *skb, uint32_t headroom)
{
    if (!skb_shared_data(skb) && skb_headroom(skb) >= headroom)
        return 0;
    return data_replace(skb, (struct room){ MAX(headroom, skb_headroom(skb)), skb_tailroom(skb), false });
}

/* Whoever is to be told of these pages is told of copies. */
static void skb_mark_copied(const struct sk_buff *skb)
{
    for (unsigned i = 0; i < skb->shared->n_frags; i++)
        if (skb->shared->frags[i].notice)
            WRITE_ONCE(skb->shared->frags[i].notice->copied, true);
}

int skb_linearize(struct sk_buff *skb, uint32_t tailroom)
{
    if (!skb_is_nonlinear(skb) && skb_tailroom(skb) >= tailroom)
        return 0;
    skb_mark_copied(skb);
    return data_replace(skb, (struct room){ skb_headroom(skb), tailroom, true });
}

/* ---- the verbs ---- */

static _Noreturn void skb_panic(const char *verb, const struct sk_buff *skb, uint32_t n, const void *caller)
{
    panic("%s(%u) called from %p: headroom %u, len %u, tailroom %u", verb, n, caller, skb_headroom(skb),
          skb->len, skb_tailroom(skb));
}

void skb_reserve(struct sk_buff *skb, uint32_t n)
{
    /* LAB skb: skb_reserve.c */
    if (unlikely(skb->len || n > skb_tailroom(skb)))
        skb_panic("skb_reserve", skb, n, __builtin_return_address(0));
    skb->data += n;
    skb->tail += n;
    /* END LAB */
}

void *skb_put(struct sk_buff *skb, uint32_t n)
{
    /* LAB skb: skb_put.c */
    uint8_t *opened = skb->tail;
    if (unlikely(n > skb_tailroom(skb)))
        skb_panic("skb_put", skb, n, __builtin_return_address(0));
    skb->tail += n;
    skb->len += n;
    return opened;
    /* END LAB */
}

void *skb_push(struct sk_buff *skb, uint32_t n)
{
    /* LAB skb: skb_push.c */
    if (unlikely(n > skb_headroom(skb)))
        skb_panic("skb_push", skb, n, __builtin_return_address(0));
    skb->data -= n;
    skb->len += n;
    return skb->data;
    /* END LAB */
}

/* skb_pull() of a nonlinear packet. */
static void *pull_pieces(struct sk_buff *skb, uint32_t n)
{
    uint32_t linear = MIN(n, skb_headlen(skb));

    if (n > skb->len)
        return NULL;
    skb->data += linear;
    skb->frag_at += n - linear;
    skb->data_len -= n - linear;
    skb->len -= n;
    return skb->data;
}

void *skb_pull(struct sk_buff *skb, uint32_t n)
{
    if (skb_is_nonlinear(skb))
        return pull_pieces(skb, n);
    /* LAB skb: skb_pull.c */
    if (n > skb->len)
        return NULL;
    skb->data += n;
    skb->len -= n;
    return skb->data;
    /* END LAB */
}

/* Cut off what len does not reach of the fragments: all of them, perhaps. */
static void trim_frags(struct sk_buff *skb, uint32_t len)
{
    uint32_t linear = skb_headlen(skb), kept = len > linear ? len - linear : 0;

    skb->data_len = MIN(skb->data_len, kept);
    skb->len = linear + skb->data_len;
}

void skb_trim(struct sk_buff *skb, uint32_t len)
{
    if (skb_is_nonlinear(skb)) {
        trim_frags(skb, len);
        if (skb_is_nonlinear(skb))
            return;
    }
    /* LAB skb: skb_trim.c */
    if (len >= skb->len)
        return;
    skb->len = len;
    skb->tail = skb->data + len;
    /* END LAB */
}

void skb_put_data(struct sk_buff *skb, const void *src, uint32_t n)
{
    if (unlikely(n > skb_tailroom(skb)))
        skb_panic("skb_put_data", skb, n, __builtin_return_address(0));
    memcpy(skb_put(skb, n), src, n);
}

/* ---- checksums ---- */

int skb_checksum_help(struct sk_buff *skb)
{
    uint8_t *start = skb->head + skb->csum_start;

    if (start < skb->data || start > skb->tail ||
        skb->csum_offset + sizeof(be16) > (size_t)(skb->tail - start))
        return -EINVAL;
    uint32_t offset = (uint32_t)(start - skb->data);
    be16 sum = csum_fold(skb_checksum(skb, offset, skb->len - offset));
    if (sum.raw == 0)
        sum.raw = 0xffff; /* RFC 768: a computed zero is sent as all ones; to TCP the two are the same */
    memcpy(start + skb->csum_offset, &sum, sizeof sum);
    skb->ip_summed = CHECKSUM_NONE;
    return 0;
}
