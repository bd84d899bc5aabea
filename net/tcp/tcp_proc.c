/* net/tcp/tcp_proc.c - what TCP tells of itself: /proc/net/tcp as Linux prints it, the counters.
 * Each line of /proc/net/tcp is the truth of a moment: it is made under the socket's lock. */
#include "net/tcp/tcp_proc.h"
#include "net/tcp/tcp_metrics.h"

enum { LINE_WIDTH = 149 }; /* of /proc/net/tcp, padded as Linux pads it */

/* The kind of timer Linux would show: 1 retransmit, 2 keepalive or FIN-WAIT-2, 4 probe. */
static int timer_shown(const struct tcp_sock *tp, uint64_t now, uint64_t *left)
{
    static const uint8_t number[] = { [TCP_TIMER_REXMIT] = 1,
                                      [TCP_TIMER_PROBE] = 1,
                                      [TCP_TIMER_PERSIST] = 4,
                                      [TCP_TIMER_KEEP] = 2,
                                      [TCP_TIMER_STATE] = 2 };
    for (int kind = 0; kind < TCP_TIMER_COUNT; kind++) {
        uint64_t deadline = tp->timers.deadlines[kind];
        if (!number[kind] || deadline == TIME_NEVER)
            continue;
        *left = deadline > now ? deadline - now : 0;
        return number[kind];
    }
    *left = 0;
    return 0;
}

/* In ticks of 10 ms, as all times there. */
static unsigned long ticks(uint64_t ns)
{
    return (unsigned long)(ns / ms(10));
}

/* What stands behind the address of the socket, which nobody is told: time-out, delay of ACKs, quick ACKs
 * left and whether the connection is interactive, window, threshold (-1: still infinite; a listener's is its
 * queue for fast opens). */
static int show_figures(const struct tcp_sock *tp, char *text, size_t size)
{
    bool answers = tp->last_text_at != 0, infinite = tp->ssthresh >= TCP_CWND_MAX;
    int threshold = infinite ? -1 : (int)(tp->ssthresh / tp->mss);
    return ksnprintf(text, size, "%lu %lu %u %u %d", ticks(tp->rtt.rto),
                     answers ? ticks(READ_ONCE(tcp_state_of(tp)->delack_time)) : 0ul,
                     tp->quickacks << 1 | tp->interactive, tcp_shown_cwnd(tp),
                     tp->sk.state == TCPS_LISTEN ? (int)tp->fastopen_queue : threshold);
}

static void show_one(const struct tcp_sock *tp, int line, uint64_t now, struct textbuf *out)
{
    const struct sock *sk = &tp->sk;
    char text[LINE_WIDTH + 1], figures[64];
    uint64_t left;
    int timer = timer_shown(tp, now, &left);
    uint32_t tx = seq_ahead(tp->snd_una, tp->write_seq); /* an acknowledged FIN is no byte */
    uint32_t rx = (uint32_t)sk->receive_queue.bytes;
    if (sk->state == TCPS_LISTEN)
        rx = tcp_listen_ready(tp);
    show_figures(tp, figures, sizeof figures);
    ksnprintf(
        text, sizeof text, "%4d: %08X:%04X %08X:%04X %02X %08X:%08X %02X:%08lX %08X %5u %8u %lu %d %016x %s",
        line, sk->saddr.raw, be16_to_cpu(sk->sport), sk->daddr.raw, be16_to_cpu(sk->dport),
        (unsigned)sk->state, tx, rx, (unsigned)timer, ticks(left), tp->retransmits, sk->uid,
        tp->persist_backoff + tp->keep_probes, (unsigned long)sk->ino, refcount_read(&sk->refs), 0u, figures);
    textbuf_printf(out, "%-*s\n", LINE_WIDTH, text);
}

/* Whoever has no socket: nobody's, with one timer. */
static void show_bare(const struct tcp_ends *ends, unsigned state, unsigned timer, uint64_t left,
                      unsigned retransmits, int line, struct textbuf *out)
{
    char text[LINE_WIDTH + 1];
    ksnprintf(text, sizeof text,
              "%4d: %08X:%04X %08X:%04X %02X %08X:%08X %02X:%08lX %08X %5d %8d %d %d %016x", line,
              ends->local.raw, be16_to_cpu(ends->lport), ends->peer.raw, be16_to_cpu(ends->pport), state, 0u,
              0u, timer, ticks(left), retransmits, 0, 0, 0, 1, 0);
    textbuf_printf(out, "%-*s\n", LINE_WIDTH, text);
}

static int show_half_open(struct net *net, int line, uint64_t now, struct textbuf *out)
{
    struct tcp_cursor at = { 0 };
    struct tcp_half_open h;
    for (; tcp_syncache_walk(net, &at, &h); line++)
        show_bare(&h.ends, TCPS_SYN_RECEIVED, 1, h.due_at > now ? h.due_at - now : 0, h.retransmits, line,
                  out);
    return line;
}

static void show_time_waits(struct net *net, int line, uint64_t now, struct textbuf *out)
{
    struct tcp_cursor at = { 0 };
    struct tcp_node *node;
    while ((node = tcp_hash_walk(net, &at))) {
        if (node->time_wait) {
            uint64_t expires = READ_ONCE(tcp_node_timewait(node)->expires);
            show_bare(&node->ends, TCPS_TIME_WAIT, 3, expires > now ? expires - now : 0, 0, line++, out);
        }
        tcp_node_put(net, node);
    }
}

static void show_tcp(struct net *net, struct textbuf *out)
{
    struct port_table *ports = &net->tcp->ports;
    uint64_t now = time_now();
    int line = 0;
    textbuf_printf(
        out, "%-*s\n", LINE_WIDTH,
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode");
    for (unsigned i = 0, n = 0; i < PORT_BUCKETS; i++, n = 0) {
        struct sock *sk = NULL;
        while ((sk = port_table_next(ports, i, sk, &n))) {
            lock_acquire(&sk->lock);
            if (sk->state != TCPS_CLOSED)
                show_one(tcp_sk(sk), line++, now, out);
            lock_release(&sk->lock);
        }
    }
    line = show_half_open(net, line, now, out);
    show_time_waits(net, line, now, out);
}

static void show_counters(struct net *net, struct textbuf *out)
{
#define TCP_COUNTER_NAME(name) #name,
    static const char *const names[] = { TCP_COUNTERS(TCP_COUNTER_NAME) };
#undef TCP_COUNTER_NAME
    for (int i = 0; i < TCP_COUNTER_COUNT; i++)
        textbuf_printf(out, "%-28s %lu\n", names[i], tcp_counted(net, i));
}

void tcp_proc_init(struct net *net)
{
    struct tcp_state *tcp = net->tcp;
    tcp->proc_tcp = (struct net_proc_file){ .name = "tcp", .show = show_tcp };
    tcp->proc_counters = (struct net_proc_file){ .name = "tcp_counters", .show = show_counters };
    net_proc_register(net, &tcp->proc_tcp);
    net_proc_register(net, &tcp->proc_counters);
    tcp_snmp_init(net);
    tcp->proc_metrics = (struct net_proc_file){ .name = "tcp_metrics", .show = tcp_metrics_show };
    net_proc_register(net, &tcp->proc_metrics);
}

void tcp_proc_exit(struct net *net)
{
    net_proc_unregister(net, &net->tcp->proc_metrics);
    tcp_snmp_exit(net);
    net_proc_unregister(net, &net->tcp->proc_counters);
    net_proc_unregister(net, &net->tcp->proc_tcp);
}
