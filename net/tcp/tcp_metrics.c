/* net/tcp/tcp_metrics.c - what a connection leaves to the next one with the same peer (RFC 9040): the round
 * trip and its variance, the threshold of slow start, whether the path reorders. It is told when our FIN is
 * acknowledged, and lasts an hour beside the path's MTU in IPv4's table of destinations.
 * What is remembered makes a connection more careful, never bolder: the time-out may only rise by it and the
 * threshold only fall. */
#include "net/tcp/tcp_metrics.h"
#include "net/ipv4/inet_peer.h"
#include "net/tcp/tcp.h"

/* The places in struct peer_metrics; 0: not known. */
enum { RTT_US, RTTVAR_US, SSTHRESH, CWND, REORDERING };
_Static_assert((int)REORDERING < (int)PEER_METRICS, "they have room");

static uint32_t in_us(uint64_t ns)
{
    return (uint32_t)MIN(ns / us(1), (uint64_t)UINT32_MAX);
}

/* A longer round trip counts at once, a shorter one by an eighth; the variance likewise by a quarter, and a
 * jump of the round trip is one (RFC 9040 8 leaves the averaging open; as Linux). */
static void fold_rtt(struct peer_metrics *m, const struct tcp_rtt *r)
{
    uint32_t rtt = in_us(r->srtt), known = m->value[RTT_US], *var = &m->value[RTTVAR_US];
    uint32_t jump = (rtt > known ? rtt - known : known - rtt) / 2;
    uint32_t deviation = known ? MAX(jump, in_us(r->rttvar)) : in_us(r->rttvar);
    m->value[RTT_US] = rtt >= known ? rtt : known - (known - rtt) / 8;
    *var = deviation >= *var ? deviation : *var - (*var - deviation) / 4;
}

/* What the window says of the path depends on how the connection ended. */
static void fold_window(struct peer_metrics *m, const struct tcp_sock *tp)
{
    uint32_t *ssthresh = &m->value[SSTHRESH], *cwnd = &m->value[CWND];
    if (tp->ssthresh >=
        TCP_CWND_MAX) { /* in its first slow start: nothing was lost, it may be twice as much */
        if (*ssthresh)
            *ssthresh = MAX(*ssthresh, tp->cwnd / 2);
        *cwnd = MAX(*cwnd, tp->cwnd);
    } else if (tp->cwnd >= tp->ssthresh && tp->recovery == TCP_OPEN) {
        *ssthresh = MAX(tp->cwnd / 2, tp->ssthresh);
        *cwnd = *cwnd ? (*cwnd + tp->cwnd) / 2 : tp->cwnd;
    } else { /* in the middle of a repair: cwnd means nothing */
        *ssthresh = MAX(*ssthresh, tp->ssthresh);
        *cwnd = *cwnd ? (*cwnd + tp->ssthresh) / 2 : tp->ssthresh;
    }
}

void tcp_metrics_save(const struct tcp_sock *tp)
{
    const struct tcp_state *tcp = tcp_state_of(tp);
    struct peer_metrics m = { { 0 } };
    if (READ_ONCE(tcp->no_metrics_save))
        return;
    bool known = peer_metrics_get(tp->sk.net, tp->sk.daddr, &m);
    if (!tp->backoff && tp->rtt.srtt) {
        fold_rtt(&m, &tp->rtt);
        if (!READ_ONCE(tcp->no_ssthresh_metrics_save))
            fold_window(&m, tp);
        m.value[REORDERING] |= tp->rack.reordered;
    } else if (known) { /* no round trip could be measured: what was known is doubtful */
        m.value[RTT_US] = m.value[RTTVAR_US] = 0;
    } else {
        return;
    }
    peer_metrics_set(tp->sk.net, tp->sk.daddr, &m);
}

void tcp_metrics_recall(struct tcp_sock *tp)
{
    struct peer_metrics m;
    if (READ_ONCE(tcp_state_of(tp)->no_metrics_save) || !peer_metrics_get(tp->sk.net, tp->sk.daddr, &m))
        return;
    tcp_rtt_recall(&tp->rtt, us((uint64_t)m.value[RTT_US]), us((uint64_t)m.value[RTTVAR_US]));
    if (m.value[SSTHRESH] && !READ_ONCE(tcp_state_of(tp)->no_ssthresh_metrics_save))
        tp->ssthresh = MAX(m.value[SSTHRESH], 2 * tp->mss); /* RFC 5681 3.1: that much it always is */
    tp->rack.reordered |= m.value[REORDERING] != 0;
}

/* ---- /proc/net/tcp_metrics ---- */

struct listing {
    struct textbuf *out;
    uint64_t now;
};

static void show_one(const struct inet_peer *p, void *arg)
{
    const struct listing *l = arg;
    const uint32_t *v = p->metrics.value;
    uint64_t age = l->now - (p->metrics_until - PEER_METRICS_TIME);
    char addr[16];
    ksnprintf(addr, sizeof addr, "%pI4", &p->addr);
    textbuf_printf(l->out, "%-15s %6lu %10u %10u %10u %10u %10u\n", addr, (unsigned long)(age / sec(1)),
                   v[RTT_US], v[RTTVAR_US], v[SSTHRESH], v[CWND], v[REORDERING]);
}

void tcp_metrics_show(struct net *net, struct textbuf *out)
{
    struct listing l = { out, time_now() };
    textbuf_printf(out, "%-15s %6s %10s %10s %10s %10s %10s\n", "Destination", "Age", "RTT", "RTTVar",
                   "SSThresh", "CWnd", "Reordering");
    peer_metrics_each(net, show_one, &l);
}
