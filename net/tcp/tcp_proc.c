/* net/tcp/tcp_proc.c - what TCP tells of itself: /proc/net/tcp as Linux prints it, the counters, TCP_INFO.
 * Each line of /proc/net/tcp is the truth of a moment: it is made under the socket's lock. */
#include "net/tcp/tcp.h"
#include "net/tcp/tcp_info.h"
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

static void show_one(const struct tcp_sock *tp, int line, uint64_t now, struct textbuf *out)
{
    const struct sock *sk = &tp->sk;
    char text[LINE_WIDTH + 1];
    uint64_t left;
    int timer = timer_shown(tp, now, &left);
    uint32_t tx = seq_ahead(tp->snd_una, tp->write_seq); /* an acknowledged FIN is no byte */
    uint32_t rx = (uint32_t)sk->receive_queue.bytes;
    if (sk->state == TCPS_LISTEN)
        rx = tcp_listen_ready(tp);
    ksnprintf(text, sizeof text,
              "%4d: %08X:%04X %08X:%04X %02X %08X:%08X %02X:%08lX %08X %5u %8d %d %d %d %lu", line,
              sk->saddr.raw, be16_to_cpu(sk->sport), sk->daddr.raw, be16_to_cpu(sk->dport),
              (unsigned)sk->state, tx, rx, (unsigned)timer, (unsigned long)(left / ms(10)), tp->retransmits,
              0u, 0, (int)sk->ino, refcount_read(&sk->refs), 0, (unsigned long)(tp->rtt.rto / ms(10)));
    textbuf_printf(out, "%-*s\n", LINE_WIDTH, text);
}

/* Whoever has no socket: nobody's, with one timer. */
static void show_bare(const struct tcp_ends *ends, unsigned state, unsigned timer, uint64_t left,
                      unsigned retransmits, int line, struct textbuf *out)
{
    char text[LINE_WIDTH + 1];
    ksnprintf(text, sizeof text, "%4d: %08X:%04X %08X:%04X %02X %08X:%08X %02X:%08lX %08X %5d %8d %d %d %d",
              line, ends->local.raw, be16_to_cpu(ends->lport), ends->peer.raw, be16_to_cpu(ends->pport),
              state, 0u, 0u, timer, (unsigned long)(left / ms(10)), retransmits, 0, 0, 0, 1, 0);
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

static uint64_t counter(const struct net *net, enum tcp_counter c)
{
    return __atomic_load_n(&net->tcp->counters[c], __ATOMIC_RELAXED);
}

static void show_counters(struct net *net, struct textbuf *out)
{
#define TCP_COUNTER_NAME(name) #name,
    static const char *const names[] = { TCP_COUNTERS(TCP_COUNTER_NAME) };
#undef TCP_COUNTER_NAME
    for (int i = 0; i < TCP_COUNTER_COUNT; i++)
        textbuf_printf(out, "%-28s %lu\n", names[i], counter(net, i));
}

/* What Linux's extended counters tell that is counted here too, by their names there. */
static const struct {
    const char *name;
    enum tcp_counter counter;
} extended[] = {
    { "SyncookiesSent", TCP_COUNT_cookies_out },
    { "SyncookiesRecv", TCP_COUNT_cookies_in },
    { "SyncookiesFailed", TCP_COUNT_cookies_wrong },
    { "TW", TCP_COUNT_time_waits },
    { "TCPTimeWaitOverflow", TCP_COUNT_time_wait_overflows },
    { "DelayedACKs", TCP_COUNT_delayed_acks },
    { "ListenOverflows", TCP_COUNT_listen_overflows },
    { "ListenDrops", TCP_COUNT_listen_overflows },
    { "TCPSackRecovery", TCP_COUNT_sack_recoveries },
    { "TCPSACKReneging", TCP_COUNT_sack_reneging },
    { "TCPTimeouts", TCP_COUNT_timeouts },
    { "TCPLossProbes", TCP_COUNT_loss_probes },
    { "TCPLossProbeRecovery", TCP_COUNT_loss_probe_recoveries },
    { "TCPDSACKOldSent", TCP_COUNT_dsacks_out },
    { "TCPDSACKRecv", TCP_COUNT_dsacks_in },
    { "TCPSACKDiscard", TCP_COUNT_sacks_refused },
    { "TCPSpuriousRTOs", TCP_COUNT_spurious_timeouts },
    { "TCPOFOQueue", TCP_COUNT_out_of_order_in },
    { "PruneCalled", TCP_COUNT_prunes },
    { "OfoPruned", TCP_COUNT_out_of_order_pruned },
    { "TCPRcvCollapsed", TCP_COUNT_buffers_collapsed },
    { "TCPAbortOnData", TCP_COUNT_aborts_on_data },
    { "TCPAbortOnTimeout", TCP_COUNT_aborts_on_timeout },
    { "TCPKeepAlive", TCP_COUNT_keepalive_probes },
    { "TCPChallengeACK", TCP_COUNT_challenge_acks },
};

static void show_netstat(struct net *net, struct textbuf *out)
{
    textbuf_printf(out, "TcpExt:");
    for (unsigned i = 0; i < ARRAY_SIZE(extended); i++)
        textbuf_printf(out, " %s", extended[i].name);
    textbuf_printf(out, "\nTcpExt:");
    for (unsigned i = 0; i < ARRAY_SIZE(extended); i++)
        textbuf_printf(out, " %lu", counter(net, extended[i].counter));
    textbuf_printf(out, "\n");
}

static unsigned established_now(struct net *net)
{
    struct port_table *ports = &net->tcp->ports;
    unsigned n = 0;
    lock_acquire(&ports->lock);
    for (int i = 0; i < PORT_BUCKETS; i++) {
        struct sock *sk;
        list_for_each_entry (sk, &ports->buckets[i], bind_link)
            n += TCPS_MAY_SEND >> READ_ONCE(sk->state) & 1; /* RFC 4022: ESTABLISHED or CLOSE-WAIT */
    }
    lock_release(&ports->lock);
    return n;
}

/* TCP's two lines of /proc/net/snmp, names and values (RFC 4022). RtoAlgorithm 4: RFC 6298. */
static void show_snmp(struct net *net, struct textbuf *out)
{
    textbuf_printf(out, "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails "
                        "EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n");
    textbuf_printf(out, "Tcp: 4 200 120000 -1 %lu %lu %lu %lu %u %lu %lu %lu %lu %lu %lu\n",
                   counter(net, TCP_COUNT_active_opens), counter(net, TCP_COUNT_passive_opens),
                   counter(net, TCP_COUNT_attempt_fails), counter(net, TCP_COUNT_estab_resets),
                   established_now(net), counter(net, TCP_COUNT_segments_in),
                   counter(net, TCP_COUNT_segments_out), counter(net, TCP_COUNT_segments_retransmitted),
                   net_dropped(net, SKB_DROP_TCP_SHORT) + net_dropped(net, SKB_DROP_TCP_HEADER_LENGTH) +
                       net_dropped(net, SKB_DROP_TCP_CSUM) + net_dropped(net, SKB_DROP_TCP_OPTIONS),
                   counter(net, TCP_COUNT_resets_out), net_dropped(net, SKB_DROP_TCP_CSUM));
}

void tcp_proc_init(struct net *net)
{
    struct tcp_state *tcp = net->tcp;
    tcp->proc_tcp = (struct net_proc_file){ .name = "tcp", .show = show_tcp };
    tcp->proc_netstat = (struct net_proc_file){ .name = "netstat", .show = show_netstat };
    net_proc_register(net, &tcp->proc_netstat);
    tcp->proc_counters = (struct net_proc_file){ .name = "tcp_counters", .show = show_counters };
    net_proc_register(net, &tcp->proc_tcp);
    tcp->snmp_section = (struct net_proc_file){ .name = "snmp", .show = show_snmp };
    net_proc_register(net, &tcp->proc_counters);
    net_proc_section_register(net, &tcp->snmp_section);
    tcp->proc_metrics = (struct net_proc_file){ .name = "tcp_metrics", .show = tcp_metrics_show };
    net_proc_register(net, &tcp->proc_metrics);
}

void tcp_proc_exit(struct net *net)
{
    net_proc_unregister(net, &net->tcp->proc_metrics);
    net_proc_section_unregister(net, &net->tcp->snmp_section);
    net_proc_unregister(net, &net->tcp->proc_counters);
    net_proc_unregister(net, &net->tcp->proc_netstat);
    net_proc_unregister(net, &net->tcp->proc_tcp);
}

static uint8_t ca_state(const struct tcp_sock *tp)
{
    static const uint8_t shown[] = {
        [TCP_OPEN] = TCP_CA_OPEN, [TCP_FAST_RECOVERY] = TCP_CA_RECOVERY, [TCP_LOSS] = TCP_CA_LOSS
    };
    return shown[tp->recovery];
}

/* Segments that so many bytes make. */
static uint32_t in_segments(const struct tcp_sock *tp, uint32_t bytes)
{
    return (bytes + tp->mss - 1) / tp->mss;
}

static uint32_t ms_since(uint64_t time)
{
    return time ? (uint32_t)((time_now() - time) / ms(1)) : 0;
}

/* What this TCP does not measure (reordering, times of waiting) stays zero. */
struct tcp_info tcp_info_make(const struct tcp_sock *tp)
{
    return (struct tcp_info){
        .tcpi_state = (uint8_t)tp->sk.state,
        .tcpi_ca_state = ca_state(tp),
        .tcpi_retransmits = (uint8_t)MIN(tp->retransmits, 255u),
        .tcpi_probes = (uint8_t)MIN(tp->persist_backoff + tp->keep_probes, 255u),
        .tcpi_backoff = (uint8_t)MIN(tp->backoff, 255u),
        .tcpi_options = (tp->ts_ok ? TCPI_OPT_TIMESTAMPS : 0) | (tp->sack_ok ? TCPI_OPT_SACK : 0) |
                        (tp->ecn_ok ? TCPI_OPT_ECN : 0) | (tp->rcv_wscale ? TCPI_OPT_WSCALE : 0),
        .tcpi_wscale = (uint8_t)(tp->snd_wscale | tp->rcv_wscale << 4),
        .tcpi_app_limited = tp->rate.sample_limited,
        .tcpi_rto = (uint32_t)(tp->rtt.rto / us(1)),
        .tcpi_snd_mss = tp->mss,
        .tcpi_rcv_mss = tp->rcv_mss,
        .tcpi_unacked = in_segments(tp, tp->snd_nxt - tp->snd_una),
        .tcpi_sacked = in_segments(tp, tp->board.sacked),
        .tcpi_lost = in_segments(tp, tp->board.lost),
        .tcpi_last_data_sent = ms_since(tp->last_sent_at),
        .tcpi_last_ack_recv = ms_since(tp->last_ack_at),
        .tcpi_pmtu = tp->dst ? tp->dst->mtu : 0,
        .tcpi_rtt = (uint32_t)(tp->rtt.srtt / us(1)),
        .tcpi_rttvar = (uint32_t)(tp->rtt.rttvar / us(1)),
        .tcpi_snd_ssthresh = tp->ssthresh / tp->mss,
        .tcpi_snd_cwnd = tp->cwnd / tp->mss,
        .tcpi_advmss = tcp_advertised_mss(tp),
        .tcpi_rcv_space = tp->rcv_wnd,
        .tcpi_total_retrans = tp->total_retrans,
        .tcpi_pacing_rate = tp->pacing.on ? tp->pacing.rate : tcp_pacing_window_rate(tp),
        .tcpi_max_pacing_rate = tp->sk.max_pacing_rate,
        .tcpi_bytes_acked = tp->bytes_acked,
        .tcpi_bytes_received = tp->bytes_received,
        .tcpi_segs_out = tp->segs_out,
        .tcpi_segs_in = tp->segs_in,
        .tcpi_notsent_bytes = seq_ahead(tp->snd_nxt, tp->write_seq),
        .tcpi_min_rtt = (uint32_t)(tp->rtt.min / us(1)),
        .tcpi_delivery_rate = tcp_rate_latest(&tp->rate),
        .tcpi_delivered = (uint32_t)((tp->rate.delivered + tp->mss - 1) / tp->mss),
        .tcpi_snd_wnd = tp->snd_wnd,
        .tcpi_rcv_wnd = tp->rcv_wnd,
    };
}
