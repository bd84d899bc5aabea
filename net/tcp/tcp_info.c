/* net/tcp/tcp_info.c - TCP_INFO: a connection in figures, in Linux's layout and units. */
#include "net/tcp/tcp_info.h"
#include "net/tcp/tcp_proc.h"

static uint8_t ca_state(const struct tcp_sock *tp)
{
    static const uint8_t shown[] = {
        [TCP_OPEN] = TCP_CA_OPEN, [TCP_FAST_RECOVERY] = TCP_CA_RECOVERY, [TCP_LOSS] = TCP_CA_LOSS
    };
    return shown[tp->recovery];
}

/* Segments that so many bytes make. */
uint32_t tcp_in_segments(const struct tcp_sock *tp, uint64_t bytes)
{
    return (uint32_t)((bytes + tp->mss - 1) / tp->mss);
}

static uint32_t ms_since(uint64_t time)
{
    return time ? (uint32_t)((time_now() - time) / ms(1)) : 0;
}

uint32_t tcp_shown_cwnd(const struct tcp_sock *tp)
{
    uint32_t initial = (uint32_t)READ_ONCE(tcp_state_of(tp)->initial_window);
    return (tp->cwnd ? tp->cwnd : tcp_cong_initial_window(tp->mss, initial)) / tp->mss;
}

static uint32_t in_us(uint64_t ns)
{
    return (uint32_t)MIN(ns / us(1), (uint64_t)UINT32_MAX);
}

static uint8_t options(const struct tcp_sock *tp)
{
    return (tp->ts_ok ? TCPI_OPT_TIMESTAMPS : 0) | (tp->sack_ok ? TCPI_OPT_SACK : 0) |
           (tp->ecn_ok ? TCPI_OPT_ECN : 0) | (tp->rcv_wscale ? TCPI_OPT_WSCALE : 0);
}

/* What has been sent and received, and how it went. */
static void add_sums(const struct tcp_sock *tp, struct tcp_info *i)
{
    i->tcpi_total_retrans = tp->total_retrans;
    i->tcpi_bytes_acked = tp->bytes_acked;
    i->tcpi_bytes_received = tp->bytes_received;
    i->tcpi_bytes_sent = tp->bytes_sent;
    i->tcpi_bytes_retrans = tp->bytes_retrans;
    i->tcpi_segs_out = tp->segs_out;
    i->tcpi_segs_in = tp->segs_in;
    i->tcpi_data_segs_out = tp->data_segs_out;
    i->tcpi_data_segs_in = tp->data_segs_in;
    i->tcpi_dsack_dups = tp->dsacks_in;
    i->tcpi_reord_seen = tp->reorderings;
    i->tcpi_rcv_ooopack = tp->ofo_in;
    i->tcpi_total_rto = tp->timeouts;
    i->tcpi_total_rto_recoveries = tp->timeout_recoveries;
    i->tcpi_total_rto_time = (uint32_t)(tp->timeout_time / ms(1));
}

/* What is under way; of a listener, who waits for accept() and how many may (as Linux). */
static void add_flight(const struct tcp_sock *tp, struct tcp_info *i)
{
    if (tp->sk.state == TCPS_LISTEN) {
        i->tcpi_unacked = tcp_listen_ready(tp);
        i->tcpi_sacked = READ_ONCE(tp->listener->backlog);
        return;
    }
    i->tcpi_unacked = tcp_in_segments(tp, tp->snd_nxt - tp->snd_una);
    i->tcpi_sacked = tcp_in_segments(tp, tp->board.sacked);
    i->tcpi_lost = tcp_in_segments(tp, tp->board.lost);
    i->tcpi_retrans = tp->board.resent;
    i->tcpi_notsent_bytes = seq_ahead(tp->snd_nxt, tp->write_seq);
}

/* What this TCP does not measure (times of waiting) stays zero. */
struct tcp_info tcp_info_make(const struct tcp_sock *tp)
{
    enum { INFINITE_SSTHRESH = 0x7fffffff, DUPTHRESH = 3 };
    struct tcp_info info = {
        .tcpi_state = (uint8_t)tp->sk.state,
        .tcpi_ca_state = ca_state(tp),
        .tcpi_retransmits = (uint8_t)MIN(tp->retransmits, 255u),
        .tcpi_probes = (uint8_t)MIN(tp->persist_backoff + tp->keep_probes, 255u),
        .tcpi_backoff = (uint8_t)MIN(tp->backoff, 255u),
        .tcpi_options = options(tp),
        .tcpi_wscale = (uint8_t)(tp->snd_wscale | tp->rcv_wscale << 4),
        .tcpi_app_limited = tp->rate.sample_limited,
        .tcpi_rto = in_us(tp->rtt.rto),
        .tcpi_ato = tp->last_text_at ? in_us(READ_ONCE(tcp_state_of(tp)->delack_time)) : 0,
        .tcpi_snd_mss = tp->mss,
        .tcpi_rcv_mss = tp->rcv_mss,
        .tcpi_last_data_sent = ms_since(tp->last_sent_at),
        .tcpi_last_data_recv = ms_since(tp->last_text_at),
        .tcpi_last_ack_recv = ms_since(tp->last_ack_at),
        .tcpi_pmtu = tp->dst ? tp->dst->mtu : 0,
        .tcpi_rcv_ssthresh = tp->sk.rcvbuf / 2, /* what is offered at most (tcp_window.c) */
        .tcpi_rtt = in_us(tp->rtt.srtt),
        .tcpi_rttvar = in_us(tp->rtt.rttvar),
        .tcpi_snd_ssthresh = tp->ssthresh >= TCP_CWND_MAX ? INFINITE_SSTHRESH : tp->ssthresh / tp->mss,
        .tcpi_snd_cwnd = tcp_shown_cwnd(tp),
        .tcpi_advmss = tcp_advertised_mss(tp),
        .tcpi_reordering = DUPTHRESH,
        .tcpi_rcv_space = tp->rcv_wnd,
        .tcpi_min_rtt = in_us(tp->rtt.min),
        .tcpi_pacing_rate = tp->pacing.on ? tp->pacing.rate : tcp_pacing_window_rate(tp),
        .tcpi_max_pacing_rate = tp->sk.max_pacing_rate,
        .tcpi_delivery_rate = tcp_rate_latest(&tp->rate),
        .tcpi_delivered = tcp_in_segments(tp, tp->rate.delivered),
        .tcpi_snd_wnd = tp->snd_wnd,
        .tcpi_rcv_wnd = tp->rcv_wnd,
    };
    add_flight(tp, &info);
    add_sums(tp, &info);
    return info;
}
