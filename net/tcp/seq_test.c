/* net/tcp/seq_test.c - sequence numbers, above all where they wrap. RFC 9293 3.4; checklist 53. */
#include "net/tcp/seq.h"
#include "sim/test.h"

enum { NEAR = 3 };
#define TOP 0xffffffffu

TEST(seq_order_holds_across_the_wrap) /* RFC 9293 3.4; checklist 53 */
{
    CHECK(seq_before(TOP, 0));
    CHECK(seq_after(0, TOP));
    CHECK(seq_before(TOP - 5, 5));
    CHECK(!seq_before(5, TOP - 5));
    CHECK(!seq_before(7, 7) && !seq_after(7, 7));
    CHECK(seq_before_eq(7, 7) && seq_after_eq(7, 7));
    CHECK(seq_before(0, 0x7fffffff)); /* the farthest that still compares */
    CHECK(seq_after(0, 0x80000001u));
}

TEST(seq_order_is_the_same_wherever_it_begins) /* RFC 9293 3.4; checklist 53 */
{
    for (uint32_t base = TOP - NEAR; base != NEAR; base++)
        for (uint32_t ahead = 1; ahead < 70000; ahead += 997) {
            CHECK(seq_before(base, base + ahead));
            CHECK(!seq_after_eq(base, base + ahead));
            CHECK_EQ(seq_ahead(base, base + ahead), ahead);
            CHECK_EQ(seq_ahead(base + ahead, base), 0);
            CHECK_EQ(seq_max(base, base + ahead), base + ahead);
            CHECK_EQ(seq_min(base, base + ahead), base);
        }
}

TEST(seq_within_is_half_open) /* RFC 9293 3.4: RCV.NXT =< SEG.SEQ < RCV.NXT+RCV.WND */
{
    CHECK(seq_within(TOP, TOP, 1));
    CHECK(seq_within(0, TOP, 1));
    CHECK(!seq_within(1, TOP, 1));
    CHECK(!seq_within(TOP - 1, TOP, 1));
    CHECK(!seq_within(5, 5, 5)); /* a shut window has nothing in it */
}
