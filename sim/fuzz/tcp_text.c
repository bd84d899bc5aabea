/* sim/fuzz/tcp_text.c - fuzz target: TCP's reassembly. Pieces of one stream arrive in any order, overlapping,
 * and are read at any time: what is read is the stream, and the queue of what came early stays sorted. */
#include "net/core/net_namespace.h"
#include "net/tcp/tcp.h"
#include "sim/fuzz/fuzz.h"
#include "sim/sim.h"

enum { STREAM = 4096, WINDOW = 3000, PIECE_MOST = 512, STEPS_MOST = 200 };

struct bench {
    struct tcp_sock *tp;
    struct net *net;
    uint32_t first, read;
};

static uint8_t oracle(uint32_t at)
{
    return (uint8_t)(at * 17 + (at >> 8));
}

static void arrive(struct bench *b, uint32_t from, uint32_t n, bool fin)
{
    struct sk_buff *skb = alloc_skb_headroom(b->net, 64, PIECE_MOST);
    struct tcp_segment seg = { .seq = b->first + from, .skb = skb, .net = b->net };

    for (uint32_t i = 0; i < n; i++)
        *(uint8_t *)skb_put(skb, 1) = oracle(from + i);
    seg.flags = TCP_FLAG_ACK | (fin ? TCP_FLAG_FIN : 0);
    seg.len = n + fin;
    lock_acquire(&b->tp->sk.lock);
    tcp_queue_text(b->tp, &seg);
    lock_release(&b->tp->sk.lock);
    if (seg.dropped)
        kfree_skb_reason(seg.skb, seg.reason);
}

static void read_all(struct bench *b)
{
    struct sk_buff *skb;

    while ((skb = skb_dequeue(&b->tp->sk.receive_queue))) {
        for (uint32_t i = 0; i < skb->len; i++)
            FUZZ_CHECK(skb->data[i] == oracle(b->read + i));
        b->read += skb->len;
        b->tp->rcv_wnd += skb->len;
        consume_skb(skb);
    }
}

static void check_sorted(const struct bench *b)
{
    uint32_t at = b->tp->rcv_nxt;

    for (struct sk_buff *skb = skb_peek(&b->tp->ofo_queue); skb;
         skb = skb_queue_next(&b->tp->ofo_queue, skb)) {
        FUZZ_CHECK(seq_after_eq(tcp_cb(skb)->seq, at));
        at = tcp_skb_end(skb);
    }
}

static void step(struct bench *b, struct input *in)
{
    uint16_t what = input_u16(in);
    uint32_t from = what % STREAM, n = input_u16(in) % (PIECE_MOST + 1);

    if (from + n >= STREAM)
        n = STREAM - from;
    if (n || from + n == STREAM)
        arrive(b, from, n, from + n == STREAM);
    check_sorted(b);
    if (what >> 15)
        read_all(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, data + size };
    struct bench b = { 0 };
    struct sock *sk;

    sim_init(1);
    b.net = net_create("bench");
    b.first = 0u - input_u16(&in) % STREAM; /* the numbers wrap somewhere in the stream */
    if (sock_create(b.net, AF_INET, SOCK_STREAM, 0, &sk))
        abort();
    b.tp = tcp_sk(sk);
    b.tp->rcv_nxt = b.first;
    b.tp->rcv_wnd = WINDOW;
    for (int i = 0; i < STEPS_MOST && input_left(&in); i++)
        step(&b, &in);
    read_all(&b);
    sock_release(sk);
    FUZZ_CHECK(b.net->live_skbs == 0);
    net_destroy(b.net);
    sim_fini();
    return 0;
}
