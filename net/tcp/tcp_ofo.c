/* net/tcp/tcp_ofo.c - the out-of-order queue: text behind a hole, sorted by sequence number.
 * The buffers hang in a list, in which neighbours are found, and in a tree, in which a place is. The tree is
 * a treap: sorted by number from left to right, by priority from the root down; and a priority is a keyed
 * hash of the number, so that its shape is chance and nobody who sends can make it deep. No two buffers
 * overlap or begin at the same number. */
#include "net/core/net_namespace.h"
#include "net/tcp/tcp.h"

static bool lies_before(struct sk_buff *skb, uint32_t seq)
{
    return seq_before(tcp_cb(skb)->seq, seq);
}

/* ---- the tree ---- */

/* Part the tree below node: what lies before seq to *less, the rest to *more. */
static void split(struct sk_buff *node, uint32_t seq, struct sk_buff **less, struct sk_buff **more)
{
    while (node) {
        struct sk_buff ***side = lies_before(node, seq) ? &less : &more;
        **side = node;
        *side = side == &less ? &tcp_cb(node)->right : &tcp_cb(node)->left;
        node = **side;
    }
    *less = *more = NULL;
}

/* All of less lies before all of more: one tree of both, at *link. */
static void merge(struct sk_buff **link, struct sk_buff *less, struct sk_buff *more)
{
    while (less && more) {
        if (tcp_cb(less)->priority >= tcp_cb(more)->priority) {
            *link = less;
            link = &tcp_cb(less)->right;
            less = *link;
        } else {
            *link = more;
            link = &tcp_cb(more)->left;
            more = *link;
        }
    }
    *link = less ? less : more;
}

static void tree_insert(struct tcp_sock *tp, struct sk_buff *skb)
{
    struct tcp_skb_cb *cb = tcp_cb(skb);
    struct sk_buff **link = &tp->ofo_root;
    cb->priority = (uint32_t)siphash(&cb->seq, sizeof cb->seq, &tp->sk.net->hash_key);
    while (*link && tcp_cb(*link)->priority >= cb->priority)
        link = lies_before(*link, cb->seq) ? &tcp_cb(*link)->right : &tcp_cb(*link)->left;
    split(*link, cb->seq, &cb->left, &cb->right);
    *link = skb;
}

static void tree_remove(struct tcp_sock *tp, struct sk_buff *skb)
{
    struct tcp_skb_cb *cb = tcp_cb(skb);
    struct sk_buff **link = &tp->ofo_root;
    while (*link != skb) {
        ASSERT(*link);
        link = lies_before(*link, cb->seq) ? &tcp_cb(*link)->right : &tcp_cb(*link)->left;
    }
    merge(link, cb->left, cb->right);
}

/* ---- both ---- */

struct sk_buff *tcp_ofo_predecessor(const struct tcp_sock *tp, uint32_t seq)
{
    struct sk_buff *last = skb_peek_tail(&tp->ofo_queue), *found = NULL;
    if (last && seq_before_eq(tcp_cb(last)->seq, seq)) /* text mostly comes behind all others */
        return last;
    for (struct sk_buff *node = tp->ofo_root; node;) {
        bool at_or_before = seq_before_eq(tcp_cb(node)->seq, seq);
        if (at_or_before)
            found = node;
        node = at_or_before ? tcp_cb(node)->right : tcp_cb(node)->left;
    }
    return found;
}

void tcp_ofo_link(struct tcp_sock *tp, struct sk_buff *before, struct sk_buff *skb)
{
    if (before)
        skb_queue_after(&tp->ofo_queue, before, skb);
    else
        skb_queue_head(&tp->ofo_queue, skb);
    tree_insert(tp, skb);
    tp->ofo_truesize += skb->truesize;
}

void tcp_ofo_unlink(struct tcp_sock *tp, struct sk_buff *skb)
{
    skb_unlink(&tp->ofo_queue, skb);
    tree_remove(tp, skb);
    tp->ofo_truesize -= skb->truesize;
    tp->ofo_packed = MIN(tp->ofo_packed, tp->ofo_truesize);
}

void tcp_ofo_purge(struct tcp_sock *tp)
{
    skb_queue_purge(&tp->ofo_queue, SKB_DROP_SOCKET_CLOSED);
    tp->ofo_root = NULL;
    tp->ofo_truesize = tp->ofo_packed = 0;
}
