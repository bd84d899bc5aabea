/* net/core/skb_queue.c - queues of packets: a list, a count, a sum of bytes.
 * qlen and bytes are those of what is in the list; whoever changes a queue holds the lock of its owner. An
 * sk_buff's len must not change while it is queued. */
#include "net/core/skbuff.h"

void skb_queue_head_init(struct sk_buff_head *q)
{
    list_init(&q->list);
    q->qlen = 0;
    q->bytes = 0;
}

static void count_in(struct sk_buff_head *q, const struct sk_buff *skb)
{
    WRITE_ONCE(q->qlen, q->qlen + 1); /* netif_tx_behind() looks without the lock */
    q->bytes += skb->len;
}

void skb_queue_tail(struct sk_buff_head *q, struct sk_buff *skb)
{
    list_add_tail(&skb->list, &q->list);
    count_in(q, skb);
}

void skb_queue_head(struct sk_buff_head *q, struct sk_buff *skb)
{
    list_add(&skb->list, &q->list);
    count_in(q, skb);
}

void skb_queue_after(struct sk_buff_head *q, struct sk_buff *entry, struct sk_buff *skb)
{
    list_add(&skb->list, &entry->list);
    count_in(q, skb);
}

void skb_queue_before(struct sk_buff_head *q, struct sk_buff *entry, struct sk_buff *skb)
{
    list_add_tail(&skb->list, &entry->list);
    count_in(q, skb);
}

struct sk_buff *skb_peek(const struct sk_buff_head *q)
{
    return list_first_entry(&q->list, struct sk_buff, list);
}

struct sk_buff *skb_peek_tail(const struct sk_buff_head *q)
{
    return list_empty(&q->list) ? NULL : list_entry(q->list.prev, struct sk_buff, list);
}

struct sk_buff *skb_queue_next(const struct sk_buff_head *q, const struct sk_buff *skb)
{
    return skb->list.next == &q->list ? NULL : list_entry(skb->list.next, struct sk_buff, list);
}

struct sk_buff *skb_queue_prev(const struct sk_buff_head *q, const struct sk_buff *skb)
{
    return skb->list.prev == &q->list ? NULL : list_entry(skb->list.prev, struct sk_buff, list);
}

void skb_unlink(struct sk_buff_head *q, struct sk_buff *skb)
{
    list_del(&skb->list);
    WRITE_ONCE(q->qlen, q->qlen - 1);
    q->bytes -= skb->len;
}

struct sk_buff *skb_dequeue(struct sk_buff_head *q)
{
    struct sk_buff *skb = skb_peek(q);
    if (skb)
        skb_unlink(q, skb);
    return skb;
}

void skb_queue_purge(struct sk_buff_head *q, enum skb_drop_reason reason)
{
    struct sk_buff *skb;
    while ((skb = skb_dequeue(q)))
        kfree_skb_reason(skb, reason);
}
