/* net/tcp/tcp_mtu_probe.c - packetization-layer path-MTU discovery, RFC 4821.
 * RFC 1191 counts on routers that say "too big". Where one says nothing, or its message is lost, full
 * segments vanish in a black hole while the handshake and all that is small passes. So after some time-outs
 * of a large segment it goes again in parts of tcp_base_mss, and if need be in ever smaller ones. Once things
 * move, the search goes up: now and then one segment larger than all that has passed, a probe, and behind it
 * enough others to tell soon whether it arrived. If it did not, that is because of its size: the congestion
 * window stays, and its text goes again in parts. The bounds close in by halves; what is found is told to all
 * that go there. After tcp_probe_interval the path may have become better, and the search begins anew. */
#include "net/tcp/tcp_mtu_probe.h"
#include "net/ipv4/inet_peer.h"
#include "net/tcp/tcp.h"
#include "net/tcp/tcp_plan.h"

enum {
    HEADERS = 40,         /* IP and TCP without options */
    TIMEOUTS = 3,         /* of one segment, before the path is suspected: RFC 1122 4.2.3.5's R1 */
    FOLLOWERS = 4,        /* segments behind a probe whose ACKs tell of its loss: RFC 4821 7.4 */
    WINDOW_LEAST = 11,    /* segments in cwnd, below which there are more urgent things */
    MTU_MOST = UINT16_MAX /* RFC 791 3.1 */
};

static uint32_t overhead(const struct tcp_sock *tp)
{
    return HEADERS + (tp->ts_ok ? TCP_TIMESTAMP_LENGTH : 0);
}

/* The most that route and peer let us send. */
static uint32_t ceiling(const struct tcp_sock *tp)
{
    uint32_t mtu = tp->dst ? tp->dst->mtu : HEADERS + TCP_MSS_DEFAULT;
    mtu = MIN(mtu, (uint32_t)tp->peer_mss + HEADERS);
    return MIN(mtu, (uint32_t)MTU_MOST);
}

/* The probe did not pass. */
static void too_large(struct tcp_mtu_search *m)
{
    m->high = MAX(m->low, (uint16_t)(m->size - 1));
    m->fresh = false;
}

static void search(struct tcp_sock *tp, uint32_t low)
{
    struct tcp_mtu_search *m = &tp->mtu;
    uint32_t high = ceiling(tp);
    *m = (struct tcp_mtu_search){
        .on = true, .fresh = true, .low = (uint16_t)MIN(low, high), .high = (uint16_t)high
    };
    tcp_update_mss(tp);
}

void tcp_mtu_begin(struct tcp_sock *tp)
{
    const struct tcp_state *tcp = tcp_state_of(tp);
    tp->mtu.on = false;
    if (READ_ONCE(tcp->mtu_probing) == 2)
        search(tp, (uint32_t)READ_ONCE(tcp->base_mss) + HEADERS);
}

uint32_t tcp_mtu_limit(struct tcp_sock *tp, uint32_t mtu)
{
    struct tcp_mtu_search *m = &tp->mtu;
    if (!m->on)
        return mtu;
    m->high = (uint16_t)MIN((uint32_t)m->high, mtu); /* a router has spoken after all, or the route is new */
    m->low = MIN(m->low, m->high);
    return m->low;
}

/* ---- down ---- */

/* The next MTU to try when low does not pass. */
static uint32_t smaller(const struct tcp_sock *tp)
{
    const struct tcp_state *tcp = tcp_state_of(tp);
    uint32_t base = (uint32_t)READ_ONCE(tcp->base_mss), floor = (uint32_t)READ_ONCE(tcp->mtu_floor);
    uint32_t mss = tp->mss > base ? base : MAX(tp->mss / 2, floor);
    return mss + HEADERS;
}

void tcp_mtu_timeout(struct tcp_sock *tp)
{
    const struct tcp_state *tcp = tcp_state_of(tp);
    struct sk_buff *skb = skb_peek(&tp->write_queue);
    if (tp->mtu.size) { /* RFC 4821 7.7: the probe, or all that followed it, was too much */
        too_large(&tp->mtu);
        tp->mtu.size = 0;
    }
    if (!READ_ONCE(tcp->mtu_probing) || tp->retransmits < TIMEOUTS || !skb || !tcp_cb(skb)->sent)
        return;
    uint32_t mtu = smaller(tp);
    if (skb->len + overhead(tp) <= mtu) /* a small segment does not pass either: it is not the size */
        return;
    tcp_count(tp->sk.net, TCP_COUNT_mtu_black_holes);
    search(tp, mtu);
}

/* ---- up ---- */

/* The bounds are as close as they need be: tell, and see whether it is time to look again. True then. */
static bool found(struct tcp_sock *tp)
{
    const struct tcp_state *tcp = tcp_state_of(tp);
    struct tcp_mtu_search *m = &tp->mtu;
    if (m->high - m->low >= READ_ONCE(tcp->probe_threshold))
        return false;
    if (!m->told) {
        if (m->low < ceiling(tp))
            ip_pmtu_learn(tp->sk.net, tp->sk.daddr, m->low, m->low);
        m->told = true;
        m->found_at = time_now();
    } else if (time_now() - m->found_at >= READ_ONCE(tcp->probe_interval)) { /* RFC 4821 7.2: 10 minutes */
        (void)tcp_check_route(tp); /* what was told has expired, too */
        search(tp, m->low);
    }
    return true;
}

/* RFC 4821 7.4: nothing is wrong just now, and there is enough to send, and room for it in both windows, that
 * its loss would be noticed at once. */
static bool may_probe(const struct tcp_sock *tp, uint32_t len)
{
    uint32_t needed = len + FOLLOWERS * tp->mss; /* the followers go when ACKs make room for them */
    bool quiet = tp->sack_ok && tp->recovery == TCP_OPEN && !tp->board.sacked && !tp->board.lost &&
                 !tp->n_reports && !tp->dsack_due;
    return quiet && tp->cwnd >= WINDOW_LEAST * tp->mss && tcp_flight(tp) + len <= tp->cwnd &&
           seq_ahead(tp->snd_nxt, tp->write_seq) >= needed &&
           seq_ahead(tp->snd_nxt, tp->snd_una + tp->snd_wnd) >= needed;
}

/* Put an empty buffer that will hold len bytes in front of what is to be sent. False: memory is out, or those
 * bytes do not lie in memory of our own. */
static bool make_buffer(struct tcp_sock *tp, uint32_t len)
{
    uint32_t have = 0;
    struct sk_buff *skb = tp->send_head;
    for (; skb && have < len; skb = skb_queue_next(&tp->write_queue, skb)) {
        if (skb->data_len)
            return false;
        have += skb->len;
    }
    skb = alloc_skb_headroom(tp->sk.net, SKB_TX_HEADROOM, len);
    if (!skb)
        return false;
    *tcp_cb(skb) = (struct tcp_skb_cb){ .seq = tp->snd_nxt };
    skb_set_owner_w(skb, &tp->sk);
    skb_queue_before(&tp->write_queue, tp->send_head, skb);
    tp->send_head = skb;
    return true;
}

void tcp_mtu_plan(struct tcp_sock *tp, struct tcp_plan *plan)
{
    struct tcp_mtu_search *m = &tp->mtu;
    if (m->size || plan->fin || !plan->len || found(tp))
        return;
    uint32_t mtu = m->fresh ? m->high : (m->low + m->high + 1u) / 2, len = mtu - overhead(tp);
    if (len > tp->mss && may_probe(tp, len) && make_buffer(tp, len))
        plan->len = len;
}

void tcp_mtu_sent(struct tcp_sock *tp, struct sk_buff *skb)
{
    struct tcp_mtu_search *m = &tp->mtu;
    tcp_count(tp->sk.net, TCP_COUNT_mtu_probes);
    m->size = (uint16_t)(skb->len + overhead(tp));
    m->seq = tcp_cb(skb)->seq;
    m->end = tcp_skb_end(skb);
}

void tcp_mtu_resent(struct tcp_sock *tp, uint32_t seq)
{
    if (tp->mtu.size && seq == tp->mtu.seq)
        tp->mtu.size = 0;
}

static void passed(struct tcp_sock *tp)
{
    tcp_count(tp->sk.net, TCP_COUNT_mtu_probes_passed);
    tp->mtu.low = tp->mtu.size;
    tp->mtu.size = 0;
    tp->mtu.fresh = false;
    tcp_update_mss(tp);
}

/* Of all that was sent the probe alone did not arrive: its size is the reason (RFC 4821 7.6.2). With others
 * lost, too, it says nothing. */
static void lost(struct tcp_sock *tp)
{
    struct tcp_mtu_search *m = &tp->mtu;
    struct sk_buff *skb = tcp_board_next_lost(tp);
    if (skb && tcp_cb(skb)->seq == m->seq && tp->board.lost == skb->len && tp->recovery == TCP_OPEN) {
        too_large(m);
        m->repairing = true;
    }
    m->size = 0;
}

bool tcp_mtu_look(struct tcp_sock *tp)
{
    struct tcp_mtu_search *m = &tp->mtu;
    if (m->size && seq_after_eq(tp->snd_una, m->end))
        passed(tp);
    else if (m->size && tp->board.lost)
        lost(tp);
    m->repairing = m->repairing && tp->board.lost && seq_before(tp->snd_una, m->end);
    return m->repairing;
}
