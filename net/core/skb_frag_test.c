/* net/core/skb_frag_test.c - packets that go on in pages: every verb gives the same bytes as it would give of
 * a linear packet, and every page is given back. */
#include "net/core/net_namespace.h"
#include "sim/host_pages.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <string.h>

enum { PAGES = 3, PAGE = SHARED_PAGE_SIZE };

struct bench {
    struct net *net;
    uint8_t *page[PAGES];
};

static struct bench begin(void)
{
    struct bench b = { .net = net_create("test") };

    for (unsigned i = 0; i < PAGES; i++) {
        b.page[i] = host_page_alloc();
        for (unsigned k = 0; k < PAGE; k++)
            b.page[i][k] = (uint8_t)(k * 7 + k / 256 + i * 31);
    }
    return b;
}

/* Nobody refers to a page any more, and every packet is gone. */
static void end(struct bench *b)
{
    CHECK_EQ(b->net->live_skbs, 0);
    for (unsigned i = 0; i < PAGES; i++) {
        CHECK_EQ(host_page_refs(b->page[i]), 1);
        page_put(b->page[i]);
    }
    net_destroy(b->net);
}

static bool same(const struct sk_buff *skb, const void *bytes, uint32_t n)
{
    uint8_t got[4 * PAGE];

    if (skb->len != n || skb_headlen(skb) != (uint32_t)(skb->tail - skb->data))
        return false;
    skb_copy_bits(skb, 0, got, n);
    return !memcmp(got, bytes, n);
}

/* "head" and then 100 bytes of page 0, 200 of page 1, 51 of page 2; the same bytes flat. */
static struct sk_buff *make(struct bench *b, uint8_t flat[355])
{
    struct sk_buff *skb = alloc_skb_frags(b->net, 64, 16, 4);

    CHECK(skb);
    skb_put_data(skb, "head", 4);
    CHECK(skb_add_frag(skb, b->page[0], 1000, 100, NULL));
    CHECK(skb_add_frag(skb, b->page[1], 3, 200, NULL));
    CHECK(skb_add_frag(skb, b->page[2], 4045, 51, NULL));
    memcpy(flat, "head", 4);
    memcpy(flat + 4, b->page[0] + 1000, 100);
    memcpy(flat + 104, b->page[1] + 3, 200);
    memcpy(flat + 304, b->page[2] + 4045, 51);
    CHECK(same(skb, flat, 355));
    return skb;
}

TEST(skb_fragments_hold_their_pages)
{
    struct bench b = begin();
    uint8_t flat[355];
    struct sk_buff *skb = make(&b, flat);

    CHECK_EQ(host_page_refs(b.page[0]), 2);
    struct sk_buff *clone = skb_clone(skb);
    CHECK_EQ(host_page_refs(b.page[0]), 2); /* a clone shares the list */
    consume_skb(skb);
    CHECK(same(clone, flat, 355));
    consume_skb(clone);
    end(&b);
}

TEST(skb_fragments_that_continue_one_another_are_one)
{
    struct bench b = begin();
    struct sk_buff *skb = alloc_skb_frags(b.net, 0, 0, 1);

    CHECK(skb_add_frag(skb, b.page[0], 0, 10, NULL));
    CHECK(skb_add_frag(skb, b.page[0], 10, 90, NULL));
    CHECK(!skb_add_frag(skb, b.page[0], 101, 1, NULL)); /* a hole: a second slot, and there is none */
    CHECK(!skb_add_frag(skb, b.page[1], 100, 1, NULL));
    CHECK(same(skb, b.page[0], 100));
    CHECK_EQ(skb_count_pieces(skb), 1);
    consume_skb(skb);
    end(&b);
}

TEST(skb_pull_and_trim_take_fragments_too)
{
    struct bench b = begin();
    uint8_t flat[355];

    for (uint32_t front = 0; front <= 355; front += 5) {
        for (uint32_t len = 0; len <= 355 - front; len += 7) {
            struct sk_buff *skb = make(&b, flat), *clone = skb_clone(skb);
            CHECK(skb_pull(skb, front));
            skb_trim(skb, len);
            CHECK(same(skb, flat + front, len));
            CHECK(!skb_pull(skb, len + 1));
            CHECK(same(clone, flat, 355)); /* which is none of the clone's business */
            consume_skb(skb);
            consume_skb(clone);
        }
    }
    end(&b);
}

TEST(skb_put_behind_fragments_panics)
{
    struct bench b = begin();
    uint8_t flat[355];
    struct sk_buff *skb = make(&b, flat);

    CHECK_EQ(skb_tailroom(skb), 0);
    EXPECT_PANIC(skb_put(skb, 1), "skb_put");
    CHECK(!skb_header(skb, 5) && skb_header(skb, 4));
    skb_trim(skb, 4);
    CHECK_EQ(skb_tailroom(skb), 12); /* the pages are not seen any more */
    skb_put_data(skb, "way", 3);
    CHECK(same(skb, "headway", 7));
    CHECK(!skb_add_frag(skb, b.page[0], 0, 1, NULL)); /* nor do they come back */
    consume_skb(skb);
    end(&b);
}

TEST(skb_copies_have_the_bytes_and_not_the_pages)
{
    struct bench b = begin();
    uint8_t flat[355];
    struct sk_buff *skb = make(&b, flat);

    skb_pull(skb, 2);
    struct sk_buff *whole = skb_copy(skb), *partial = pskb_copy(skb);
    CHECK(!skb_is_nonlinear(whole) && skb_is_nonlinear(partial));
    CHECK_EQ(host_page_refs(b.page[1]), 3);
    CHECK(same(whole, flat + 2, 353) && same(partial, flat + 2, 353));
    b.page[1][3] ^= 0xff; /* whoever has the page, too, writes to it */
    CHECK(same(whole, flat + 2, 353) && !same(partial, flat + 2, 353) && !same(skb, flat + 2, 353));
    consume_skb(whole);
    consume_skb(partial);
    consume_skb(skb);
    end(&b);
}

TEST(skb_cow_of_fragments_makes_the_headers_its_own)
{
    struct bench b = begin();
    uint8_t flat[355];
    struct sk_buff *skb = make(&b, flat), *clone = skb_clone(skb);

    skb_pull(clone, 150);
    CHECK_EQ(skb_cow(clone, 100), 0);
    CHECK(!skb_shared_data(skb) && skb_headroom(clone) >= 100);
    CHECK(same(clone, flat + 150, 205) && same(skb, flat, 355));
    memcpy(skb_push(clone, 4), "HEAD", 4);
    CHECK(same(skb, flat, 355));
    consume_skb(skb);
    CHECK(!memcmp(clone->data, "HEAD", 4));
    consume_skb(clone);
    end(&b);
}

TEST(skb_linearize_gathers_all)
{
    struct bench b = begin();
    uint8_t flat[355];
    struct sk_buff *skb = make(&b, flat), *clone = skb_clone(skb);

    skb_pull(skb, 1);
    CHECK_EQ(skb_linearize(skb, 30), 0);
    CHECK(!skb_is_nonlinear(skb) && same(skb, flat + 1, 354) && skb_tailroom(skb) == 30);
    CHECK_EQ(skb_headroom(skb), 65);
    const uint8_t *at = skb->head;
    CHECK_EQ(skb_linearize(skb, 30), 0);
    CHECK(skb->head == at); /* nothing to do */
    CHECK(same(clone, flat, 355));
    consume_skb(clone);
    CHECK_EQ(host_page_refs(b.page[0]), 1);
    consume_skb(skb);
    end(&b);
}

TEST(skb_split_shares_pages_and_copies_the_rest)
{
    struct bench b = begin();
    uint8_t flat[355];

    for (uint32_t len = 0; len <= 355; len++) {
        struct sk_buff *skb = make(&b, flat);
        skb_pull(skb, len % 3);
        uint32_t n = 355 - len % 3, first = MIN(len, n), sum = skb->truesize;
        struct sk_buff *second = skb_split(skb, first, 33);
        CHECK(same(skb, flat + len % 3, first) && same(second, flat + len % 3 + first, n - first));
        CHECK_EQ(skb_headroom(second), 33);
        CHECK(skb->truesize <= sum && skb->truesize + second->truesize > sum);
        consume_skb(skb);
        CHECK(same(second, flat + len % 3 + first, n - first));
        consume_skb(second);
    }
    end(&b);
}

TEST(skb_move_goes_where_there_is_room)
{
    struct bench b = begin();
    uint8_t flat[355];
    struct sk_buff *from = make(&b, flat), *to = alloc_skb(b.net, 50),
                   *pages = alloc_skb_frags(b.net, 9, 0, 2);

    CHECK(skb_move(to, from, 50)); /* into tailroom */
    CHECK(same(to, flat, 50) && same(from, flat + 50, 305));
    CHECK(!skb_move(to, from, 1)); /* no room, no slots */
    uint32_t sum = from->truesize + pages->truesize;
    CHECK(skb_move(pages, from, 254));
    CHECK(same(pages, flat + 50, 254) && same(from, flat + 304, 51));
    CHECK_EQ(from->truesize + pages->truesize, sum);
    CHECK(!skb_move(pages, from, 51)); /* a third slot */
    CHECK(same(pages, flat + 50, 254) && same(from, flat + 304, 51));
    CHECK(!skb_move(pages, to, 1)); /* what lies in no page cannot go behind pages */
    struct sk_buff *clone = skb_clone(pages);
    skb_pull(from, 51);
    CHECK(!skb_move(pages, clone, 1)); /* somebody else looks at the list */
    consume_skb(clone);
    consume_skb(from);
    consume_skb(to);
    consume_skb(pages);
    end(&b);
}

TEST(skb_checksums_go_over_odd_fragments)
{
    struct bench b = begin();
    uint8_t flat[355];
    struct sk_buff *skb = make(&b, flat);

    skb_pull(skb, 1);
    for (uint32_t at = 0; at < 354; at += 13) /* fragments begin at odd places */
        CHECK_EQ(csum_fold_sum(skb_checksum(skb, at, 354 - at)),
                 csum_fold_sum(csum_partial(flat + 1 + at, 354 - at, 0)));
    consume_skb(skb);
    end(&b);
}

TEST(skb_checksum_help_sums_the_pages)
{
    struct bench b = begin();
    uint8_t flat[355];
    struct sk_buff *skb = make(&b, flat);

    skb->csum_start = (uint16_t)skb_headroom(skb);
    skb->csum_offset = 2;
    skb->ip_summed = CHECKSUM_PARTIAL;
    CHECK_EQ(skb_checksum_help(skb), 0);
    be16 sum = csum_fold(csum_partial(flat, 355, 0));
    CHECK(!memcmp(skb->data + 2, &sum, 2));
    skb->csum_offset = 3; /* would lie in a page, which is not ours to write to */
    CHECK_EQ(skb_checksum_help(skb), -EINVAL);
    consume_skb(skb);
    end(&b);
}

TEST(skb_fragments_without_memory_lose_nothing)
{
    struct bench b = begin();
    uint8_t flat[355];
    struct sk_buff *skb = make(&b, flat);

    for (uint64_t n = 1; n <= 2; n++) {
        sim_fail_nth_alloc(n);
        CHECK(!skb_copy(skb));
        sim_fail_nth_alloc(n);
        CHECK(!pskb_copy(skb));
        sim_fail_nth_alloc(n);
        CHECK(!skb_split(skb, 100, 0));
        sim_fail_nth_alloc(n);
        CHECK(!alloc_skb_frags(b.net, 10, 10, 1));
    }
    sim_fail_nth_alloc(1);
    CHECK_EQ(skb_linearize(skb, 0), -ENOMEM);
    sim_fail_nth_alloc(1);
    CHECK_EQ(skb_cow(skb, 1000), -ENOMEM);
    CHECK(same(skb, flat, 355));
    consume_skb(skb);
    end(&b);
}

TEST(skb_without_fragments_is_as_small_as_it_was)
{
    struct net *net = net_create("test");
    struct sk_buff *skb = alloc_skb(net, 64);

    CHECK_EQ(skb->truesize, sizeof *skb + 64 + 16);
    consume_skb(skb);
    net_destroy(net);
}

/* ---- all verbs in any order, beside a flat copy ---- */

struct pair {
    struct sk_buff *skb;
    uint32_t len;
    uint8_t flat[4 * PAGE];
};

static uint32_t below(uint32_t n)
{
    return n ? random_u32() % n : 0;
}

static void add_fragment(struct bench *b, struct pair *p)
{
    unsigned i = below(PAGES);
    uint32_t offset = below(PAGE), len = 1 + below(MIN(PAGE - offset, 700u));

    len = MIN(len, (uint32_t)PAGE - offset);
    if (p->len + len <= 3 * PAGE && !skb_shared_data(p->skb) &&
        skb_add_frag(p->skb, b->page[i], offset, len, NULL)) {
        memcpy(p->flat + p->len, b->page[i] + offset, len);
        p->len += len;
    }
}

static void replace(struct pair *p, struct sk_buff *by)
{
    CHECK(by);
    consume_skb(p->skb);
    p->skb = by;
}

static void cut(struct pair *p, bool front)
{
    uint32_t len = below(p->len + 1);

    if (front) {
        skb_pull(p->skb, len);
        memmove(p->flat, p->flat + len, p->len - len);
        p->len -= len;
    } else {
        skb_trim(p->skb, len);
        p->len = len;
    }
}

static void split_and_move_back(struct pair *p)
{
    struct sk_buff *second = skb_split(p->skb, below(p->len + 1), 20);

    skb_move(p->skb, second, below(second->len + 1)); /* or not, where there is no room */
    p->len -= second->len;
    CHECK(same(second, p->flat + p->len, second->len));
    consume_skb(second);
}

static void any_verb(struct bench *b, struct pair *p)
{
    switch (below(9)) {
    case 0:
    case 1:
    case 2:
        add_fragment(b, p);
        break;
    case 3:
        cut(p, true);
        break;
    case 4:
        cut(p, false);
        break;
    case 5:
        replace(p, pskb_copy(p->skb));
        break;
    case 6:
        replace(p, skb_clone(p->skb));
        break;
    case 7:
        split_and_move_back(p);
        break;
    case 8:
        if (below(20) == 0)
            CHECK_EQ(skb_linearize(p->skb, 0), 0);
        break;
    }
}

TEST(skb_fragments_in_any_order_of_verbs_keep_the_bytes)
{
    struct bench b = begin();
    static struct pair p;

    for (unsigned round = 0; round < 60; round++) {
        p.skb = alloc_skb_frags(b.net, 20, 30, 1 + below(SKB_FRAGS_MAX));
        p.len = below(31);
        for (uint32_t i = 0; i < p.len; i++)
            p.flat[i] = (uint8_t)random_u32();
        skb_put_data(p.skb, p.flat, p.len);
        for (unsigned i = 0; i < 80; i++) {
            any_verb(&b, &p);
            CHECK(same(p.skb, p.flat, p.len));
        }
        consume_skb(p.skb);
    }
    end(&b);
}
