/* net/core/skb_verbs_test.c - the five verbs of sk_buff: what each moves, what it returns, what it refuses.
 * The lab `skb` grades these tests by name (labs/skb/test_skb.py). The buffer under test is an array of the
 * test's own, so that nothing else has to work. */
#include "net/core/skbuff.h"
#include "sim/test.h"
#include <string.h>

enum { SIZE = 100 };

/* An empty buffer of SIZE bytes, all 0x11. */
static struct sk_buff *make(void)
{
    static uint8_t bytes[SIZE];
    static struct sk_buff skb;

    memset(bytes, 0x11, sizeof bytes);
    skb = (struct sk_buff){ .head = bytes, .data = bytes, .tail = bytes, .end = bytes + SIZE };
    return &skb;
}

/* One with these bytes of headroom and packet, made without the verbs. */
static struct sk_buff *make_packet(uint32_t headroom, uint32_t len)
{
    struct sk_buff *skb = make();

    skb->data += headroom;
    skb->tail = skb->data + len;
    skb->len = len;
    return skb;
}

/* What always holds, and where the packet should lie. */
static void check(const struct sk_buff *skb, uint32_t headroom, uint32_t len)
{
    CHECK(skb->head <= skb->data && skb->data <= skb->tail && skb->tail <= skb->end);
    CHECK_EQ(skb->len, skb->tail - skb->data);
    CHECK_EQ(skb_headroom(skb), headroom);
    CHECK_EQ(skb->len, len);
}

TEST(skb_reserve_makes_headroom)
{
    struct sk_buff *skb = make();

    skb_reserve(skb, 30);
    check(skb, 30, 0);
    skb_reserve(skb, 12); /* twice is fine: it is still empty */
    check(skb, 42, 0);
    CHECK_EQ(skb_tailroom(skb), SIZE - 42);
    skb_reserve(skb, SIZE - 42); /* all of it */
    check(skb, SIZE, 0);
}

TEST(skb_reserve_refuses_more_than_there_is)
{
    struct sk_buff *skb = make();

    EXPECT_PANIC(skb_reserve(skb, SIZE + 1), "skb_reserve");
    EXPECT_PANIC(skb_reserve(skb, UINT32_MAX), "skb_reserve");
}

TEST(skb_reserve_refuses_a_buffer_that_holds_a_packet)
{
    struct sk_buff *skb = make_packet(10, 5);

    EXPECT_PANIC(skb_reserve(skb, 1), "skb_reserve");
}

TEST(skb_put_opens_bytes_behind_the_packet)
{
    struct sk_buff *skb = make_packet(10, 20);
    uint8_t *was = skb->tail;

    CHECK(skb_put(skb, 15) == was);
    check(skb, 10, 35);
    CHECK(skb_put(skb, 0) == skb->tail);
    check(skb, 10, 35);
}

TEST(skb_put_changes_no_byte)
{
    struct sk_buff *skb = make();

    skb_put(skb, SIZE);
    for (int i = 0; i < SIZE; i++)
        CHECK_EQ(skb->data[i], 0x11);
}

TEST(skb_put_fills_to_the_last_byte_and_not_beyond)
{
    struct sk_buff *skb = make_packet(10, 20);

    EXPECT_PANIC(skb_put(skb, SIZE - 30 + 1), "skb_put");
    EXPECT_PANIC(skb_put(skb, UINT32_MAX), "skb_put");
    skb_put(skb, SIZE - 30);
    check(skb, 10, SIZE - 10);
}

TEST(skb_push_opens_bytes_in_front)
{
    struct sk_buff *skb = make_packet(34, 20);
    uint8_t *was = skb->data;

    CHECK(skb_push(skb, 20) == was - 20);
    check(skb, 14, 40);
    CHECK(skb_push(skb, 14) == skb->head);
    check(skb, 0, 54);
}

TEST(skb_push_refuses_more_than_the_headroom)
{
    struct sk_buff *skb = make_packet(14, 20);

    EXPECT_PANIC(skb_push(skb, 15), "skb_push");
    EXPECT_PANIC(skb_push(skb, UINT32_MAX), "skb_push");
    skb_push(skb, 14);
    EXPECT_PANIC(skb_push(skb, 1), "skb_push");
}

TEST(skb_pull_takes_bytes_off_the_front)
{
    struct sk_buff *skb = make_packet(10, 40);
    uint8_t *was = skb->data;

    CHECK(skb_pull(skb, 14) == was + 14);
    check(skb, 24, 26);
    CHECK(skb_pull(skb, 0) == was + 14);
    CHECK(skb_pull(skb, 26) == skb->tail); /* all of it: an empty packet is a packet */
    check(skb, 50, 0);
}

TEST(skb_pull_of_more_than_there_is_returns_null_and_moves_nothing)
{
    struct sk_buff *skb = make_packet(10, 40);

    CHECK(skb_pull(skb, 40) != NULL);
    skb = make_packet(10, 40);
    CHECK(skb_pull(skb, 41) == NULL);
    check(skb, 10, 40);
    CHECK(skb_pull(skb, UINT32_MAX) == NULL);
    check(skb, 10, 40);
}

TEST(skb_trim_cuts_the_end_off)
{
    struct sk_buff *skb = make_packet(10, 40);

    skb_trim(skb, 25);
    check(skb, 10, 25);
    skb_trim(skb, 0);
    check(skb, 10, 0);
}

TEST(skb_trim_never_makes_a_packet_longer)
{
    struct sk_buff *skb = make_packet(10, 40);

    skb_trim(skb, 30);
    check(skb, 10, 30);
    skb_trim(skb, 30);
    skb_trim(skb, 31);
    skb_trim(skb, UINT32_MAX);
    check(skb, 10, 30);
}

TEST(skb_verbs_carry_a_frame_down_and_up)
{
    struct sk_buff *skb = make();

    skb_reserve(skb, 54);
    memcpy(skb_put(skb, 5), "hello", 5);
    memset(skb_push(skb, 20), 't', 20);
    memset(skb_push(skb, 20), 'i', 20);
    memset(skb_push(skb, 14), 'e', 14);
    check(skb, 0, 59);
    memset(skb_put(skb, 1), 0, 1); /* the padding of a short frame */
    CHECK_EQ(*(uint8_t *)skb_pull(skb, 14), 'i');
    skb_trim(skb, 45); /* IP's total length */
    CHECK_EQ(*(uint8_t *)skb_pull(skb, 20), 't');
    CHECK(memcmp(skb_pull(skb, 20), "hello", 5) == 0);
    check(skb, 54, 5);
}
