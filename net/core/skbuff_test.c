/* net/core/skbuff_test.c - the life of sk_buffs: who owns the bytes, who is told when they go. The verbs have
 * tests of their own (skb_verbs_test.c). */
#include "net/core/net_namespace.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <string.h>

static struct net *net_for_test(void)
{
    struct net *net = net_create("test");
    CHECK(net);
    return net;
}

/* Everything was freed. */
static void end(struct net *net)
{
    CHECK_EQ(net->live_skbs, 0);
    net_destroy(net);
}

static struct sk_buff *make(struct net *net, const char *text)
{
    struct sk_buff *skb = alloc_skb_headroom(net, 20, 80);

    CHECK(skb);
    skb_put_data(skb, text, (uint32_t)strlen(text));
    return skb;
}

static bool holds(const struct sk_buff *skb, const char *text)
{
    return skb->len == strlen(text) && !memcmp(skb->data, text, skb->len);
}

TEST(a_new_skb_is_empty_and_counted)
{
    struct net *net = net_for_test();
    struct sk_buff *skb = alloc_skb(net, 101);

    CHECK(skb->head == skb->data && skb->data == skb->tail && skb->end == skb->head + 101);
    CHECK_EQ(skb->len, 0);
    CHECK(skb->truesize >= sizeof *skb + 101);
    CHECK_EQ(net->live_skbs, 1);
    CHECK(!skb->sk && !skb->dst && !skb->destructor);
    consume_skb(skb);
    end(net);
}

TEST(each_skb_has_a_number_of_its_own)
{
    struct net *net = net_for_test();
    struct sk_buff *a = alloc_skb(net, 1), *b = alloc_skb(net, 1);

    CHECK(a->id != b->id);
    consume_skb(a);
    consume_skb(b);
    end(net);
}

TEST(memory_exhausted_gives_null_and_leaks_nothing)
{
    struct net *net = net_for_test();

    for (uint64_t n = 1; n <= 2; n++) {
        sim_fail_nth_alloc(n);
        CHECK(!alloc_skb(net, 100));
        CHECK_EQ(net->live_skbs, 0);
    }
    struct sk_buff *skb = make(net, "ahoy");
    sim_fail_nth_alloc(1);
    CHECK(!skb_clone(skb));
    for (uint64_t n = 1; n <= 2; n++) {
        sim_fail_nth_alloc(n);
        CHECK(!skb_copy(skb));
    }
    sim_fail_nth_alloc(1);
    CHECK_EQ(skb_cow(skb, 1000), -ENOMEM);
    CHECK(holds(skb, "ahoy"));
    consume_skb(skb);
    end(net);
}

TEST(clones_share_the_bytes_until_the_last_one_goes)
{
    struct net *net = net_for_test();
    struct sk_buff *skb = make(net, "towpath"), *clone = skb_clone(skb);

    CHECK(skb_shared_data(skb) && skb_shared_data(clone));
    CHECK(clone->data == skb->data && clone->id == skb->id);
    skb_pull(clone, 3);
    CHECK(holds(skb, "towpath") && holds(clone, "path"));
    consume_skb(skb);
    CHECK(holds(clone, "path") && !skb_shared_data(clone));
    consume_skb(clone);
    end(net);
}

TEST(a_copy_has_bytes_of_its_own)
{
    struct net *net = net_for_test();
    struct sk_buff *skb = make(net, "towpath");

    skb_reset_mac_header(skb);
    skb_pull(skb, 3);
    skb_reset_network_header(skb);
    struct sk_buff *copy = skb_copy(skb);
    CHECK(!skb_shared_data(skb) && holds(copy, "path"));
    CHECK_EQ(skb_headroom(copy), skb_headroom(skb));
    CHECK(!memcmp(skb_mac_header(copy), "towpath", 7)); /* what was pulled came along */
    CHECK(skb_network_header(copy) == copy->data);
    copy->data[0] = 'b';
    CHECK(holds(skb, "path") && holds(copy, "bath"));
    consume_skb(skb);
    consume_skb(copy);
    end(net);
}

TEST(cow_copies_only_what_is_shared_or_cramped)
{
    struct net *net = net_for_test();
    struct sk_buff *skb = make(net, "towpath");
    const uint8_t *head = skb->head;

    CHECK_EQ(skb_cow(skb, 20), 0);
    CHECK(skb->head == head);
    CHECK_EQ(skb_cow(skb, 21), 0);
    CHECK(skb->head != head && skb_headroom(skb) >= 21 && holds(skb, "towpath"));

    struct sk_buff *clone = skb_clone(skb);
    CHECK_EQ(skb_cow(clone, 0), 0);
    CHECK(clone->head != skb->head && !skb_shared_data(skb) && !skb_shared_data(clone));
    clone->data[0] = 'c';
    CHECK(holds(skb, "towpath") && holds(clone, "cowpath"));
    consume_skb(skb);
    consume_skb(clone);
    end(net);
}

TEST(cow_moves_header_places_and_checksum_start)
{
    struct net *net = net_for_test();
    struct sk_buff *skb = make(net, "abcdefgh");

    skb_reset_network_header(skb);
    skb_pull(skb, 4);
    skb_reset_transport_header(skb);
    skb->csum_start = skb->transport_offset;
    CHECK_EQ(skb_cow(skb, 64), 0);
    CHECK(!memcmp(skb_network_header(skb), "abcd", 4));
    CHECK(skb_transport_header(skb) == skb->data && skb->head + skb->csum_start == skb->data);
    CHECK_EQ(skb->mac_offset, SKB_OFFSET_NONE);
    consume_skb(skb);
    end(net);
}

static int destroyed;
static void note_destruction(struct sk_buff *skb)
{
    (void)skb;
    destroyed++;
}

TEST(the_destructor_runs_once_and_is_not_inherited)
{
    struct net *net = net_for_test();
    struct sk_buff *skb = make(net, "x");

    skb->destructor = note_destruction;
    struct sk_buff *clone = skb_clone(skb);
    consume_skb(clone);
    CHECK_EQ(destroyed, 0);
    skb_orphan(skb);
    CHECK_EQ(destroyed, 1);
    consume_skb(skb);
    CHECK_EQ(destroyed, 1);
    end(net);
}

TEST(a_drop_is_counted_by_its_reason_and_consumption_is_not)
{
    struct net *net = net_for_test();

    kfree_skb_reason(make(net, "a"), SKB_DROP_IP_CSUM);
    kfree_skb_reason(make(net, "b"), SKB_DROP_IP_CSUM);
    consume_skb(make(net, "c"));
    kfree_skb_reason(NULL, SKB_DROP_IP_CSUM);
    consume_skb(NULL);
    CHECK_EQ(net->drops[SKB_DROP_IP_CSUM], 2);
    for (unsigned r = 0; r < SKB_DROP_REASON_COUNT; r++)
        CHECK(r == SKB_DROP_IP_CSUM || !net->drops[r]);
    CHECK(!strcmp(skb_drop_reason_name(SKB_DROP_IP_CSUM), "IP_CSUM"));
    end(net);
}

TEST(writing_behind_the_end_is_found_when_the_skb_goes)
{
    struct net *net = net_for_test();
    struct sk_buff *skb = alloc_skb(net, 64);
    uint8_t *canary = (uint8_t *)skb->shared + 8;

    *canary ^= 1;
    EXPECT_PANIC(consume_skb(skb), "overwritten");
    *canary ^= 1;
    consume_skb(skb);
    end(net);
}

TEST(freeing_what_is_still_queued_panics)
{
    struct net *net = net_for_test();
    struct sk_buff_head q;
    struct sk_buff *skb = make(net, "x");

    skb_queue_head_init(&q);
    skb_queue_tail(&q, skb);
    EXPECT_PANIC(consume_skb(skb), "list_empty");
    skb_unlink(&q, skb);
    consume_skb(skb);
    end(net);
}

/* ---- checksums in software ---- */

TEST(the_owed_checksum_is_filled_in)
{
    struct net *net = net_for_test();
    struct sk_buff *skb = make(net, "link");
    uint8_t *field;

    skb->csum_start = (uint16_t)(skb->tail - skb->head);
    skb_put_data(skb, "\x01\x02\x00\x07\x04", 5); /* the field at 2 holds a pseudo-header sum of 7 */
    skb->csum_offset = 2;
    skb->ip_summed = CHECKSUM_PARTIAL;
    CHECK_EQ(skb_checksum_help(skb), 0);
    field = skb->head + skb->csum_start + 2;
    CHECK_EQ(field[0] << 8 | field[1], (uint16_t) ~(0x0102 + 0x0007 + 0x0400));
    CHECK_EQ(skb->ip_summed, CHECKSUM_NONE);
    consume_skb(skb);
    end(net);
}

TEST(a_computed_checksum_of_zero_becomes_all_ones) // RFC 768; checklist 35
{
    struct net *net = net_for_test();
    struct sk_buff *skb = make(net, "");

    skb->csum_start = (uint16_t)(skb->data - skb->head);
    skb_put_data(skb, "\xff\xff\x00\x00", 4);
    skb->csum_offset = 2;
    CHECK_EQ(skb_checksum_help(skb), 0);
    CHECK_EQ(skb->data[2] << 8 | skb->data[3], 0xffff);
    consume_skb(skb);
    end(net);
}

TEST(a_checksum_outside_the_packet_is_refused)
{
    struct net *net = net_for_test();
    struct sk_buff *skb = make(net, "abcdef");
    uint16_t start = (uint16_t)(skb->data - skb->head);
    const uint16_t bad[][2] = { { (uint16_t)(start - 1), 0 }, { start, 5 }, { (uint16_t)(start + 7), 0 } };

    for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
        skb->csum_start = bad[i][0];
        skb->csum_offset = bad[i][1];
        CHECK_EQ(skb_checksum_help(skb), -EINVAL);
    }
    CHECK(holds(skb, "abcdef"));
    consume_skb(skb);
    end(net);
}

/* ---- queues ---- */

/* The first byte of each packet, as a string. */
static bool queue_is(const struct sk_buff_head *q, const char *order)
{
    struct sk_buff *skb = skb_peek(q);
    uint64_t bytes = 0;
    size_t n = strlen(order);

    for (size_t i = 0; i < n; i++, skb = skb_queue_next(q, skb)) {
        if (!skb || skb->data[0] != order[i])
            return false;
        bytes += skb->len;
    }
    return !skb && q->qlen == n && q->bytes == bytes;
}

TEST(a_queue_keeps_order_count_and_bytes)
{
    struct net *net = net_for_test();
    struct sk_buff *a = make(net, "a"), *b = make(net, "bb"), *c = make(net, "ccc"), *d = make(net, "d");
    struct sk_buff_head q;

    skb_queue_head_init(&q);
    CHECK(skb_queue_empty(&q) && !skb_peek(&q) && !skb_peek_tail(&q) && !skb_dequeue(&q));
    skb_queue_tail(&q, b);
    skb_queue_head(&q, a);
    skb_queue_after(&q, b, d);
    skb_queue_before(&q, d, c);
    CHECK(queue_is(&q, "abcd") && skb_peek_tail(&q) == d);
    skb_unlink(&q, c);
    consume_skb(c);
    CHECK(queue_is(&q, "abd"));
    consume_skb(skb_dequeue(&q));
    CHECK(queue_is(&q, "bd"));
    skb_queue_purge(&q, SKB_DROP_SOCKET_CLOSED);
    CHECK(queue_is(&q, ""));
    CHECK_EQ(net->drops[SKB_DROP_SOCKET_CLOSED], 2);
    end(net);
}
