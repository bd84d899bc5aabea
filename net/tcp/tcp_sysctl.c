/* net/tcp/tcp_sysctl.c - TCP's knobs.
 * How long to try is a duration here (RFC 9293 3.8.3: R2) and a number of retransmissions for the user, as
 * Linux counts them: the duration is what those would take with the time-outs doubling from the first. */
#include "lib/string.h"
#include "net/ipv4/inet_peer.h"
#include "net/tcp/tcp.h"
#include "net/tcp/tcp_trace.h"

enum { RETRIES_MOST = 127, QUICKACKS_MOST = 1000, RTO_MAX_MS = 120000, DAY = 86400 };

/* n retransmissions, and the wait behind the last. */
static uint64_t duration_of(const struct tcp_state *tcp, int32_t n, uint64_t first)
{
    uint64_t sum = 0, wait = first;
    for (int32_t i = 0; i <= n; i++) {
        sum += wait;
        wait = MIN(2 * wait, tcp->rto.most); /* RFC 6298 2.5 */
    }
    return sum;
}

static void syn_retries_changed(void *base)
{
    struct tcp_state *tcp = base;
    WRITE_ONCE(tcp->syn_give_up, duration_of(tcp, tcp->syn_retries, tcp->rto.initial));
}

static void synack_retries_changed(void *base)
{
    struct tcp_state *tcp = base;
    WRITE_ONCE(tcp->synack_give_up, duration_of(tcp, tcp->synack_retries, tcp->rto.initial));
}

static void data_retries_changed(void *base)
{
    struct tcp_state *tcp = base;
    WRITE_ONCE(tcp->data_give_up, duration_of(tcp, tcp->data_retries, tcp->rto.least));
}

static void orphan_retries_changed(void *base)
{
    enum { USUAL = 8 }; /* what 0 means, as in Linux: 102 s (RFC 9293 3.8.3: at least 100) */
    struct tcp_state *tcp = base;
    int32_t n = tcp->orphan_retries ? tcp->orphan_retries : USUAL;
    WRITE_ONCE(tcp->orphan_give_up, duration_of(tcp, n, tcp->rto.least));
}

static void rto_initial_changed(void *base)
{
    syn_retries_changed(base);
    synack_retries_changed(base);
}

static void rto_min_changed(void *base)
{
    struct tcp_state *tcp = base;
    WRITE_ONCE(tcp->rto.least, us((uint64_t)tcp->rto_min_us));
    data_retries_changed(base);
    orphan_retries_changed(base);
}

static void rto_max_changed(void *base)
{
    rto_initial_changed(base);
    rto_min_changed(base);
}

static void metrics_flush(void *base)
{
    struct tcp_state *tcp = base;
    tcp->metrics_flush = 0;
    peer_metrics_forget(tcp->net);
}

static int show_available(const void *base, char *buf, size_t size)
{
    (void)base;
    return tcp_cong_names(buf, size);
}

static bool cong_exists(const void *base, const int64_t *numbers, const char *text)
{
    (void)base;
    (void)numbers;
    return tcp_cong_find(text) != NULL;
}

static void cong_changed(void *base)
{
    struct tcp_state *tcp = base;
    const struct tcp_cong_ops *cong = tcp_cong_find(tcp->cong_name);
    if (cong)
        WRITE_ONCE(tcp->cong, cong);
}

static const struct sysctl sysctls[] = {
    { SYSCTL_SHOW("net/ipv4/tcp_available_congestion_control", show_available,
                  "congestion controls that there are") },
    { SYSCTL_INT(
        "net/ipv4/tcp_base_mss", struct tcp_state, base_mss, 64, 65535,
        "segment size that the search for the path's MTU begins with (RFC 4821 7.2), options included") },
    { SYSCTL_INT("net/ipv4/tcp_challenge_ack_limit", struct tcp_state, challenge_ack_limit, 0, INT32_MAX,
                 "challenge ACKs that one connection sends in a second (RFC 5961 7)") },
    { SYSCTL_TEXT("net/ipv4/tcp_congestion_control", struct tcp_state, cong_name, 16,
                  "the congestion control of new connections"),
      .check = cong_exists, .changed = cong_changed },
    { SYSCTL_MS("net/ipv4/tcp_delack_time", struct tcp_state, delack_time, 0, 499,
                "how long text waits for its ACK, ms; 0: every segment is acknowledged at once") },
    { SYSCTL_BOOL("net/ipv4/tcp_dsack", struct tcp_state, dsack,
                  "tell the peer of text that came twice (RFC 2883)") },
    { SYSCTL_BOOL("net/ipv4/tcp_early_retrans", struct tcp_state, tlp,
                  "probe for the loss of a tail before the time-out (RFC 8985 7)") },
    { SYSCTL_INT("net/ipv4/tcp_ecn", struct tcp_state, ecn, 0, 2,
                 "marks of congestion (RFC 3168): 1 ask for them, 2 agree when asked, 0 neither") },
    { SYSCTL_SECONDS("net/ipv4/tcp_fin_timeout", struct tcp_state, fin_timeout, 1, 3600,
                     "how long a connection that nobody has open waits for the peer's FIN, seconds") },
    { SYSCTL_BOOL("net/ipv4/tcp_frto", struct tcp_state, frto_on,
                  "find out whether a time-out was needless (RFC 5682)") },
    { SYSCTL_MS("net/ipv4/tcp_initial_rto", struct tcp_state, rto.initial, 1, RTO_MAX_MS,
                "the time-out of new connections before any round trip is known, ms (RFC 6298 2.1)"),
      .changed = rto_initial_changed },
    { SYSCTL_BOOL("net/ipv4/tcp_hystart", struct tcp_state, hystart,
                  "end the first slow start of reno and cubic before something is lost (RFC 9406)") },
    { SYSCTL_INT("net/ipv4/tcp_initial_window", struct tcp_state, initial_window, 0, 1000,
                 "segments that a connection begins with; 0: as RFC 6928 says") },
    { SYSCTL_SECONDS("net/ipv4/tcp_keepalive_intvl", struct tcp_state, keep_interval, 1, 32767,
                     "between two keepalive probes of new connections, seconds") },
    { SYSCTL_INT("net/ipv4/tcp_keepalive_probes", struct tcp_state, keep_count, 1, 127,
                 "keepalive probes without an answer before a new connection is given up") },
    { SYSCTL_SECONDS("net/ipv4/tcp_keepalive_time", struct tcp_state, keep_idle, 1, 32767,
                     "the silence before the first keepalive probe of new connections, seconds") },
    { SYSCTL_INT("net/ipv4/tcp_max_tw_buckets", struct tcp_state, max_time_waits, 0, 1 << 20,
                 "connections that wait in TIME-WAIT; what would be one more ends at once") },
    { SYSCTL_INT("net/ipv4/tcp_max_syn_backlog", struct tcp_state, max_syn_backlog, 1, SOCK_BACKLOG_MAX,
                 "half-open connections of a listener, should its backlog be smaller") },
    { SYSCTL_INT("net/ipv4/tcp_metrics_flush", struct tcp_state, metrics_flush, 0, INT32_MAX,
                 "written: forget what was found out about destinations (/proc/net/tcp_metrics)"),
      .changed = metrics_flush },
    { SYSCTL_INT("net/ipv4/tcp_max_orphans", struct tcp_state, mem.max_orphans, 0, INT32_MAX,
                 "connections that nobody has open any more; beyond that they are reset") },
    { SYSCTL_INTS(
          "net/ipv4/tcp_mem", struct tcp_state, mem.limits, 3, 0, INT32_MAX,
          "pages that all connections' buffers hold: below the first all is well again, from the second "
          "on memory is short, beyond the third nobody gets more than tcp_rmem's and tcp_wmem's least"),
      .changed = tcp_mem_limits_changed },
    { SYSCTL_BOOL("net/ipv4/tcp_moderate_rcvbuf", struct tcp_state, moderate_rcvbuf,
                  "let receive buffers grow with the path, up to the third number of tcp_rmem") },
    { SYSCTL_BOOL("net/ipv4/tcp_no_metrics_save", struct tcp_state, no_metrics_save,
                  "neither remember nor use what connections find out about destinations (RFC 9040)") },
    { SYSCTL_BOOL("net/ipv4/tcp_no_ssthresh_metrics_save", struct tcp_state, no_ssthresh_metrics_save,
                  "the same for the threshold of slow start alone") },
    { SYSCTL_INT("net/ipv4/tcp_orphan_retries", struct tcp_state, orphan_retries, 0, RETRIES_MOST,
                 "the same as tcp_retries2 for connections that nobody has open; 0: 8"),
      .changed = orphan_retries_changed },
    { SYSCTL_BOOL("net/ipv4/tcp_pacing", struct tcp_state, pacing,
                  "pace new connections whatever their congestion control") },
    { SYSCTL_INT("net/ipv4/tcp_pacing_ca_ratio", struct tcp_state, pacing_ca_ratio, 0, 1000,
                 "pace in congestion avoidance, percent of a window a round trip") },
    { SYSCTL_INT("net/ipv4/tcp_pacing_ss_ratio", struct tcp_state, pacing_ss_ratio, 0, 1000,
                 "pace in slow start, percent of a window a round trip") },
    { SYSCTL_INT("net/ipv4/tcp_mtu_probe_floor", struct tcp_state, mtu_floor, 64, 65535,
                 "the smallest segment size that the search for the path's MTU goes down to") },
    { SYSCTL_INT(
        "net/ipv4/tcp_mtu_probing", struct tcp_state, mtu_probing, 0, 2,
        "find the path's MTU without ICMP (RFC 4821): 1 when large segments vanish, 2 always, 0 never") },
    { SYSCTL_INT("net/ipv4/tcp_orphan_retries", struct tcp_state, orphan_retries, 0, RETRIES_MOST,
                 "the same as tcp_retries2 for connections that nobody has open; 0: 8"),
      .changed = orphan_retries_changed },
    { SYSCTL_SECONDS("net/ipv4/tcp_probe_interval", struct tcp_state, probe_interval, 1, 1 << 30,
                     "how long the path's MTU is believed before a larger one is tried again, seconds") },
    { SYSCTL_INT("net/ipv4/tcp_probe_threshold", struct tcp_state, probe_threshold, 1, 65535,
                 "bytes of the path's MTU that it is not worth to search for") },
    { SYSCTL_INT("net/ipv4/tcp_quickacks", struct tcp_state, quickacks, 0, QUICKACKS_MOST,
                 "segments that are acknowledged at once when a connection begins and after a pause") },
    { SYSCTL_BOOL("net/ipv4/tcp_recovery", struct tcp_state, rack,
                  "with SACK, tell loss by time (RFC 8985); off: by number (RFC 6675)") },
    { SYSCTL_INT("net/ipv4/tcp_retries2", struct tcp_state, data_retries, 1, RETRIES_MOST,
                 "retransmissions of data before the connection is given up"),
      .changed = data_retries_changed },
    { SYSCTL_INTS("net/ipv4/tcp_rmem", struct tcp_state, rmem, 3, SOCK_BUF_MIN, SOCK_BUF_MAX,
                  "receive buffers of connections: the least, the first, the largest; bytes") },
    { SYSCTL_MS("net/ipv4/tcp_rto_max_ms", struct tcp_state, rto.most, 1000, RTO_MAX_MS,
                "the upper bound of the time-out of new connections, ms (RFC 6298 2.5)"),
      .changed = rto_max_changed },
    { SYSCTL_INT("net/ipv4/tcp_rto_min_us", struct tcp_state, rto_min_us, 1, 1000 * RTO_MAX_MS,
                 "the lower bound of the time-out of new connections, us (RFC 6298 2.4)"),
      .changed = rto_min_changed },
    { SYSCTL_BOOL("net/ipv4/tcp_sack", struct tcp_state, sack,
                  "offer and accept selective acknowledgements (RFC 2018) on new connections") },
    { SYSCTL_BOOL("net/ipv4/tcp_slow_start_after_idle", struct tcp_state, slow_start_after_idle,
                  "let a congestion window that is not used shrink (RFC 5681 4.1, RFC 2861)") },
    { SYSCTL_INT("net/ipv4/tcp_syn_retries", struct tcp_state, syn_retries, 1, RETRIES_MOST,
                 "retransmissions of a SYN before connect() fails"),
      .changed = syn_retries_changed },
    { SYSCTL_INT("net/ipv4/tcp_synack_retries", struct tcp_state, synack_retries, 0, RETRIES_MOST,
                 "retransmissions of a SYN+ACK before the half-open connection goes"),
      .changed = synack_retries_changed },
    { SYSCTL_INT("net/ipv4/tcp_syncookies", struct tcp_state, syncookies, 0, 2,
                 "answer a SYN without keeping it (RFC 4987): 1 when the queue is full, 2 always, 0 never") },
    { SYSCTL_SECONDS("net/ipv4/tcp_time_wait_time", struct tcp_state, time_wait, 1, DAY,
                     "the length of TIME-WAIT, 2 MSL, seconds (RFC 9293 3.4.2)") },
    { SYSCTL_BOOL("net/ipv4/tcp_timestamps", struct tcp_state, timestamps,
                  "offer and accept timestamps (RFC 7323 3) on new connections") },
    { SYSCTL_INT("net/ipv4/tcp_trace", struct tcp_state, trace, 0, TCP_TRACE_ALL,
                 "trace points of new connections: 1 states, 2 windows, 4 what is sent again; their sum") },
    { SYSCTL_INTS("net/ipv4/tcp_wmem", struct tcp_state, wmem, 3, SOCK_BUF_MIN, SOCK_BUF_MAX,
                  "send buffers of connections: the least, the first, the largest; bytes") },
    { SYSCTL_BOOL("net/ipv4/tcp_window_scaling", struct tcp_state, window_scaling,
                  "offer and accept scaled windows (RFC 7323 2) on new connections") },
    { .path = NULL },
};

void tcp_sysctl_init(struct net *net)
{
    struct tcp_state *tcp = net->tcp;
    tcp->cong = &tcp_newreno;
    memcpy(tcp->cong_name, "reno", sizeof "reno");
    tcp->timestamps = tcp->window_scaling = tcp->sack = tcp->dsack = true;
    tcp->moderate_rcvbuf = true;
    tcp->base_mss = 1024; /* RFC 4821 7.2 */
    tcp->mtu_floor = 64;
    tcp->probe_threshold = 8;
    tcp->probe_interval = sec(600); /* RFC 1191 6.3 */
    static const int32_t buffers[] = { 4096, SOCK_BUF_DEFAULT, 6 << 20 };
    memcpy(tcp->rmem, buffers, sizeof buffers);
    memcpy(tcp->wmem, buffers, sizeof buffers);
    tcp->ecn = 2;
    tcp->syncookies = 1;
    tcp->max_syn_backlog = 1024;
    tcp->rack = tcp->tlp = tcp->frto_on = true;
    tcp->pacing_ss_ratio = 200;
    tcp->pacing_ca_ratio = 120;
    tcp->slow_start_after_idle = true;
    tcp->challenge_ack_limit = 10; /* RFC 5961 7: the limit is the implementation's choice */
    tcp->time_wait = sec(60);      /* 2 MSL of 30 s, as Linux; RFC 9293 3.4.2 says 2 minutes each */
    tcp->max_time_waits = 1 << 16;
    tcp->fin_timeout = sec(60); /* as Linux */
    tcp->syn_retries = 7;
    tcp->syn_give_up =
        sec(180); /* RFC 9293 3.8.3, MUST-23: at least 3 minutes; the eighth would come later */
    tcp->synack_retries = 5;
    tcp->synack_give_up = sec(63);
    tcp->data_retries = 15;
    tcp->data_give_up = sec(924); /* RFC 9293 3.8.3: at least 100 s; 15 retransmissions, as Linux */
    tcp->keep_idle = sec(7200);   /* RFC 9293 3.8.4, MUST-28: at least two hours */
    tcp->keep_interval = sec(75); /* tcp(7), and so the next */
    tcp->keep_count = 9;
    tcp->rto_min_us = 200000;
    tcp->rto = (struct tcp_rto_bounds){ .initial = sec(1), .least = ms(200), .most = sec(120) };
    orphan_retries_changed(tcp);
    tcp->delack_time = ms(40); /* RFC 9293 3.8.6.3, MUST-40: below 500 ms */
    tcp->quickacks = 16;
    tcp->trace = TCP_TRACE_STATE;
    net_sysctl_register(net, &tcp->sysctls, sysctls, tcp);
}
