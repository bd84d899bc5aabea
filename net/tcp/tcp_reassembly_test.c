/* net/tcp/tcp_reassembly_test.c - text in any order, against an oracle that knows every byte. Checklist 56,
 * 108. */
#include "net/core/net_namespace.h"
#include "net/tcp/tcp.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <string.h>
#include <time.h>

enum { STREAM = 4000, WINDOW = 3000, PIECE_MAX = 400 };

/* A connection that has received nothing of a stream of STREAM bytes, which begins just below the wrap. */
struct bench {
    struct net *net;
    struct tcp_sock *tp;
    uint32_t first; /* number of the stream's first byte */
    uint8_t got[STREAM];
    uint32_t got_len;
};

static uint8_t oracle(uint32_t at)
{
    return (uint8_t)(at * 17 + (at >> 8));
}

static struct bench bench_create(uint32_t window)
{
    struct bench b = { .net = net_create("bench"), .first = 0xffffffffu - STREAM / 2 };
    struct sock *sk;
    CHECK(b.net);
    CHECK_EQ(sock_create(b.net, AF_INET, SOCK_STREAM, 0, &sk), 0);
    b.tp = tcp_sk(sk);
    b.tp->rcv_nxt = b.first;
    b.tp->rcv_wnd = window;
    return b;
}

static void bench_destroy(struct bench *b)
{
    sock_release(&b->tp->sk);
    CHECK_EQ(b->net->live_skbs, 0);
    net_destroy(b->net);
}

/* Queue [from, from + n) of the stream. True if it was wholly or partly taken. */
static bool arrive(struct bench *b, uint32_t from, uint32_t n, bool fin)
{
    struct sk_buff *skb = alloc_skb_headroom(b->net, 64, 512);
    struct tcp_segment seg = { .seq = b->first + from, .skb = skb, .net = b->net };
    CHECK(skb);
    for (uint32_t i = 0; i < n; i++)
        *(uint8_t *)skb_put(skb, 1) = oracle(from + i);
    seg.flags = TCP_FLAG_ACK | (fin ? TCP_FLAG_FIN : 0);
    seg.len = n + fin;
    lock_acquire(&b->tp->sk.lock);
    tcp_queue_text(b->tp, &seg);
    lock_release(&b->tp->sk.lock);
    if (!seg.dropped)
        return true;
    kfree_skb_reason(seg.skb, seg.reason);
    return false;
}

/* Take what is in order, as a reader would; the window's right edge moves on. */
static void drain(struct bench *b)
{
    struct sk_buff *skb;
    while ((skb = skb_dequeue(&b->tp->sk.receive_queue))) {
        CHECK(b->got_len + skb->len <= STREAM);
        memcpy(b->got + b->got_len, skb->data, skb->len);
        b->got_len += skb->len;
        b->tp->rcv_wnd += skb->len;
        consume_skb(skb);
    }
}

/* The tree below node has exactly the buffers from *at on, in the list's order, no child above its parent. */
static void check_tree(const struct tcp_sock *tp, struct sk_buff *node, struct sk_buff **at)
{
    if (!node)
        return;
    const struct tcp_skb_cb *cb = tcp_cb(node);
    CHECK(!cb->left || tcp_cb(cb->left)->priority <= cb->priority);
    CHECK(!cb->right || tcp_cb(cb->right)->priority <= cb->priority);
    check_tree(tp, cb->left, at);
    CHECK(*at == node);
    *at = skb_queue_next(&tp->ofo_queue, node);
    check_tree(tp, cb->right, at);
}

static void check_sorted(struct bench *b)
{
    uint32_t at = b->tp->rcv_nxt;
    uint64_t truesize = 0;
    struct sk_buff *first = skb_peek(&b->tp->ofo_queue);
    check_tree(b->tp, b->tp->ofo_root, &first);
    CHECK(!first);
    for (struct sk_buff *skb = skb_peek(&b->tp->ofo_queue); skb;
         skb = skb_queue_next(&b->tp->ofo_queue, skb)) {
        CHECK(seq_after_eq(tcp_cb(skb)->seq, at));
        at = tcp_skb_end(skb);
        truesize += skb->truesize;
    }
    CHECK_EQ(truesize, b->tp->ofo_truesize);
}

static void check_stream(const struct bench *b)
{
    for (uint32_t i = 0; i < b->got_len; i++)
        CHECK_EQ(b->got[i], oracle(i));
}

TEST(text_in_any_order_becomes_the_stream) /* RFC 9293 3.10.7.4 seventh; checklist 108, 53 */
{
    for (int round = 0; round < 50; round++) {
        struct bench b = bench_create(WINDOW);
        while (b.got_len < STREAM) {
            uint32_t from = sim_random() % STREAM, most = MIN((uint32_t)PIECE_MAX, STREAM - from);
            uint32_t n = (uint32_t)(sim_random() % most) + 1;
            arrive(&b, from, n, from + n == STREAM);
            check_sorted(&b);
            if (sim_random() % 4 == 0)
                drain(&b);
            if (sim_random() % 8 == 0) /* so that it ends */
                arrive(&b, b.tp->rcv_nxt - b.first, MIN(100u, STREAM - (b.tp->rcv_nxt - b.first)), false);
        }
        check_stream(&b);
        bench_destroy(&b);
    }
}

TEST(nothing_beyond_the_window_is_kept) /* RFC 9293 3.10.7.4 first; checklist 108 */
{
    struct bench b = bench_create(100);
    CHECK(arrive(&b, 50, 200, false)); /* cut at 100 */
    CHECK_EQ(b.tp->ofo_queue.bytes, 50);
    CHECK(arrive(&b, 0, 60, false));
    CHECK_EQ(b.tp->rcv_nxt, b.first + 100);
    CHECK_EQ(b.tp->rcv_wnd, 0);
    CHECK(!arrive(&b, 100, 10, false)); /* shut */
    drain(&b);
    CHECK_EQ(b.got_len, 100);
    check_stream(&b);
    bench_destroy(&b);
}

TEST(text_that_was_received_before_is_dropped) /* checklist 108 */
{
    struct bench b = bench_create(WINDOW);
    CHECK(arrive(&b, 0, 100, false));
    CHECK(!arrive(&b, 0, 100, false));
    CHECK(!arrive(&b, 20, 50, false));
    CHECK(arrive(&b, 50, 100, false)); /* the second half is new */
    CHECK(arrive(&b, 300, 100, false));
    arrive(&b, 320, 50, false); /* inside what waits */
    CHECK_EQ(b.tp->ofo_queue.bytes, 100);
    drain(&b);
    CHECK_EQ(b.got_len, 150);
    check_stream(&b);
    bench_destroy(&b);
}

TEST(a_fin_counts_once_all_before_it_is_there) /* RFC 9293 3.10.7.4 eighth; checklist 56 */
{
    struct bench b = bench_create(WINDOW);
    CHECK(arrive(&b, 100, 50, true));
    CHECK(!b.tp->fin_reached);
    CHECK(arrive(&b, 0, 100, false));
    CHECK(b.tp->fin_reached);
    CHECK_EQ(b.tp->rcv_nxt, b.first + 150);
    bench_destroy(&b);
}

TEST(a_bare_fin_out_of_order_is_remembered) /* checklist 56 */
{
    struct bench b = bench_create(WINDOW);
    CHECK(arrive(&b, 100, 0, true));
    CHECK(!b.tp->fin_reached);
    CHECK(arrive(&b, 40, 60, false));
    CHECK(arrive(&b, 0, 40, false));
    CHECK(b.tp->fin_reached);
    bench_destroy(&b);
}

TEST(a_fin_cut_off_by_the_window_does_not_count) /* checklist 56 */
{
    struct bench b = bench_create(100);
    CHECK(arrive(&b, 0, 150, true));
    CHECK(!b.tp->fin_reached);
    CHECK_EQ(b.tp->rcv_nxt, b.first + 100);
    bench_destroy(&b);
}

TEST(a_fin_in_the_midst_of_text_does_not_count) /* of what the peer contradicts, what came first holds */
{
    struct bench b = bench_create(WINDOW);
    arrive(&b, 100, 50, false);
    arrive(&b, 120, 0, true);
    check_sorted(&b);
    arrive(&b, 0, 100, false);
    CHECK(!b.tp->fin_reached);
    CHECK_EQ(b.tp->rcv_nxt, b.first + 150);
    bench_destroy(&b);
}

TEST(nothing_comes_behind_a_fin) /* RFC 9293 3.10.7.4 seventh: the peer has sent a FIN, ignore text */
{
    struct bench b = bench_create(WINDOW);
    arrive(&b, 100, 0, true);
    arrive(&b, 100, 50, false);
    arrive(&b, 200, 50, false);
    check_sorted(&b);
    arrive(&b, 0, 100, false);
    CHECK(b.tp->fin_reached);
    CHECK_EQ(b.tp->rcv_nxt, b.first + 100);
    CHECK(skb_queue_empty(&b.tp->ofo_queue));
    check_sorted(&b);
    bench_destroy(&b);
}

TEST(single_bytes_share_a_buffer) /* or their overhead would break every limit */
{
    struct bench b = bench_create(WINDOW);
    for (uint32_t i = 0; i < 400; i++)
        CHECK(arrive(&b, i, 1, false));
    CHECK(b.tp->sk.receive_queue.qlen <= 2);
    CHECK_EQ(b.tp->sk.receive_queue.bytes, 400);
    drain(&b);
    check_stream(&b);
    bench_destroy(&b);
}

/* ---- what it costs ---- */

/* All that the connection's text costs. */
static uint64_t memory_of(const struct bench *b)
{
    return (uint64_t)b->tp->sk.rmem_alloc + b->tp->ofo_truesize;
}

TEST(the_out_of_order_queue_is_bounded) /* checklist 108 */
{
    struct bench b = bench_create(STREAM);
    b.tp->sk.rcvbuf = 8192;
    for (uint32_t i = 1; i < 2000; i += 2)
        arrive(&b, i, 1, false);
    CHECK(b.tp->ofo_truesize <= 8192);
    CHECK(b.net->drops[SKB_DROP_TCP_OFO_FULL] > 0);
    bench_destroy(&b);
}

TEST(out_of_order_bytes_that_touch_share_a_buffer)
{
    struct bench b = bench_create(STREAM);
    for (uint32_t i = 1; i < 300; i++)
        CHECK(arrive(&b, i, 1, false));
    CHECK(b.tp->ofo_queue.qlen <= 2);
    CHECK_EQ(b.tp->ofo_queue.bytes, 299);
    arrive(&b, 0, 1, false);
    drain(&b);
    CHECK_EQ(b.got_len, 300);
    check_stream(&b);
    bench_destroy(&b);
}

TEST(bytes_that_come_backwards_are_moved_together) /* each has a buffer of its own at first */
{
    struct bench b = bench_create(STREAM);
    b.tp->sk.rcvbuf = 100000;
    for (uint32_t i = STREAM; i-- > 1;) {
        CHECK(arrive(&b, i, 1, false));
        CHECK(memory_of(&b) <= 100000);
    }
    check_sorted(&b);
    CHECK(b.net->tcp->counters[TCP_COUNT_buffers_collapsed] > 0);
    CHECK_EQ(b.tp->ofo_queue.bytes, STREAM - 1);
    arrive(&b, 0, 1, false);
    drain(&b);
    CHECK_EQ(b.got_len, STREAM);
    check_stream(&b);
    bench_destroy(&b);
}

TEST(a_stream_in_wasteful_buffers_is_moved_together)
{
    struct bench b = bench_create(STREAM);
    b.tp->sk.rcvbuf = 8192; /* 13 texts of 300 bytes: in buffers of their own they would cost 11,000 */
    for (uint32_t i = 0; i < 13; i++) {
        struct sk_buff *tail = skb_peek_tail(&b.tp->sk.receive_queue);
        struct sk_buff *tap = tail ? skb_clone(tail) : NULL; /* whoever looks at it keeps it from growing */
        CHECK(arrive(&b, 300 * i, 300, false));
        consume_skb(tap);
        CHECK(memory_of(&b) <= 8192);
    }
    drain(&b);
    CHECK_EQ(b.got_len, 3900);
    check_stream(&b);
    bench_destroy(&b);
}

TEST(a_stream_that_is_being_read_stays_where_it_is)
{
    struct bench b = bench_create(STREAM);
    b.tp->sk.rcvbuf = 4096;
    b.tp->sk.reading = true; /* somebody copies from it with the lock dropped */
    CHECK(arrive(&b, 0, 300, false));
    struct sk_buff *first = skb_peek(&b.tp->sk.receive_queue), *tap = skb_clone(first);
    for (uint32_t i = 1; i < 10; i++) {
        struct sk_buff *shared = skb_clone(skb_peek_tail(&b.tp->sk.receive_queue));
        arrive(&b, 300 * i, 300, false);
        consume_skb(shared);
    }
    CHECK(skb_peek(&b.tp->sk.receive_queue) == first);
    CHECK(memory_of(&b) <= 8192); /* then this is the limit */
    consume_skb(tap);
    drain(&b);
    check_stream(&b);
    bench_destroy(&b);
}

TEST(the_text_farthest_away_is_given_up_first)
{
    struct bench b = bench_create(STREAM);
    b.tp->sack_ok = true;
    b.tp->sk.rcvbuf = 8192;
    for (uint32_t i = 3900; i >= 2000; i -= 100) /* isolated bytes, the farthest first */
        CHECK(arrive(&b, i, 1, false));
    CHECK(b.net->drops[SKB_DROP_TCP_OFO_PRUNED] == 0);
    for (uint32_t i = 1900; i >= 1000; i -= 50)
        CHECK(arrive(&b, i, 1, false));
    check_sorted(&b);
    CHECK(memory_of(&b) <= 8192);
    CHECK(b.net->drops[SKB_DROP_TCP_OFO_PRUNED] > 0);
    uint32_t farther = 3902;
    while (arrive(&b, farther, 1, false)) /* farther than all: soon it is itself what goes */
        CHECK((farther += 2) < STREAM);
    CHECK_EQ(tcp_cb(skb_peek(&b.tp->ofo_queue))->seq, b.first + 1000);
    bench_destroy(&b);
}

TEST(what_was_given_up_is_reported_no_more) /* RFC 2018 8 */
{
    struct bench b = bench_create(STREAM);
    b.tp->sack_ok = true;
    b.tp->sk.rcvbuf = 8192;
    for (uint32_t i = 3900; i >= 100; i -= 100) {
        arrive(&b, i, 1, false);
        for (unsigned r = 0; r < b.tp->n_reports; r++) {
            const struct tcp_sack_block *block = &b.tp->reports[r];
            struct sk_buff *skb = tcp_ofo_predecessor(b.tp, block->start);
            CHECK(skb && seq_before_eq(block->end, tcp_skb_end(skb)));
        }
    }
    CHECK(b.net->drops[SKB_DROP_TCP_OFO_PRUNED] > 0);
    bench_destroy(&b);
}

TEST(text_in_order_makes_room_for_itself)
{
    struct bench b = bench_create(STREAM);
    b.tp->sk.rcvbuf = 8192;
    for (uint32_t i = 2001; i < 3999; i += 2)
        arrive(&b, i, 1, false);
    uint64_t full = b.tp->ofo_truesize;
    for (uint32_t i = 0; i < 1500; i += 300)
        CHECK(arrive(&b, i, 300, false));
    CHECK(b.tp->ofo_truesize < full);
    CHECK(memory_of(&b) <= 8192);
    drain(&b);
    CHECK_EQ(b.got_len, 1500);
    check_stream(&b);
    bench_destroy(&b);
}

TEST(a_fin_inside_of_text_or_text_behind_a_fin_is_not_believed)
{
    struct bench b = bench_create(STREAM);
    CHECK(arrive(&b, 100, 50, false));
    arrive(&b, 120, 0, true);
    arrive(&b, 100, 0, true);
    CHECK(arrive(&b, 200, 10, true));
    CHECK(!arrive(&b, 210, 10, false));
    check_sorted(&b);
    arrive(&b, 0, 100, false);
    CHECK(!b.tp->fin_reached);
    arrive(&b, 150, 50, false);
    CHECK(b.tp->fin_reached);
    CHECK_EQ(b.tp->rcv_nxt, b.first + 210);
    bench_destroy(&b);
}

/* Bytes at random places of a window as large as windows get. A walk along the queue for each would be some
 * ten thousand million steps. */
TEST(a_flood_of_single_bytes_in_random_order_costs_little) /* as CVE-2018-5390 did not */
{
    enum { FLOOD = 200000, WIDE = 3 << 20 };
    struct bench b = bench_create(WIDE);
    b.tp->sack_ok = true;
    b.tp->sk.rcvbuf = 2 * WIDE;
    clock_t began = clock();
    for (uint32_t i = 0; i < FLOOD; i++)
        arrive(&b, 1 + (uint32_t)(sim_random() % (WIDE - 1)), 1, false);
    CHECK(memory_of(&b) <= 2 * WIDE);
    CHECK((clock() - began) / CLOCKS_PER_SEC < 10);
    check_sorted(&b);
    bench_destroy(&b);
}
