/* net/tcp/tcp_sysctl.c - TCP's knobs.
 * How long to try is a duration here (RFC 9293 3.8.3: R2) and a number of retransmissions for the user, as
 * Linux counts them: the duration is what those would take with the time-outs doubling from the first. */
#include "lib/string.h"
#include "net/tcp/tcp.h"

enum { RETRIES_MOST = 127, MINUTES_2 = 120 };

/* n retransmissions, and the wait behind the last. */
static uint64_t duration_of(int32_t n, uint64_t first)
{
    uint64_t sum = 0, wait = first;
    for (int32_t i = 0; i <= n; i++) {
        sum += wait;
        wait = MIN(2 * wait, sec(MINUTES_2)); /* RFC 6298 2.5: tcp_rtt.c's upper bound */
    }
    return sum;
}

static void syn_retries_changed(void *base)
{
    struct tcp_state *tcp = base;
    WRITE_ONCE(tcp->syn_give_up, duration_of(tcp->syn_retries, sec(1)));
}

static void synack_retries_changed(void *base)
{
    struct tcp_state *tcp = base;
    WRITE_ONCE(tcp->synack_give_up, duration_of(tcp->synack_retries, sec(1)));
}

static void data_retries_changed(void *base)
{
    struct tcp_state *tcp = base;
    WRITE_ONCE(tcp->data_give_up, duration_of(tcp->data_retries, ms(200)));
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
    { SYSCTL_INT("net/ipv4/tcp_challenge_ack_limit", struct tcp_state, challenge_ack_limit, 0, INT32_MAX,
                 "challenge ACKs that one connection sends in a second (RFC 5961 7)") },
    { SYSCTL_TEXT("net/ipv4/tcp_congestion_control", struct tcp_state, cong_name, 16,
                  "the congestion control of new connections"),
      .check = cong_exists, .changed = cong_changed },
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
    { SYSCTL_INT("net/ipv4/tcp_initial_window", struct tcp_state, initial_window, 0, 1000,
                 "segments that a connection begins with; 0: as RFC 6928 says") },
    { SYSCTL_INT("net/ipv4/tcp_max_syn_backlog", struct tcp_state, max_syn_backlog, 1, SOCK_BACKLOG_MAX,
                 "half-open connections of a listener, should its backlog be smaller") },
    { SYSCTL_BOOL("net/ipv4/tcp_moderate_rcvbuf", struct tcp_state, moderate_rcvbuf,
                  "let receive buffers grow with the path, up to the third number of tcp_rmem") },
    { SYSCTL_BOOL("net/ipv4/tcp_recovery", struct tcp_state, rack,
                  "with SACK, tell loss by time (RFC 8985); off: by number (RFC 6675)") },
    { SYSCTL_INT("net/ipv4/tcp_retries2", struct tcp_state, data_retries, 1, RETRIES_MOST,
                 "retransmissions of data before the connection is given up"),
      .changed = data_retries_changed },
    { SYSCTL_INTS("net/ipv4/tcp_rmem", struct tcp_state, rmem, 3, SOCK_BUF_MIN, SOCK_BUF_MAX,
                  "receive buffers of connections: the least, the first, the largest; bytes") },
    { SYSCTL_BOOL("net/ipv4/tcp_sack", struct tcp_state, sack,
                  "offer and accept selective acknowledgements (RFC 2018) on new connections") },
    { SYSCTL_INT("net/ipv4/tcp_syn_retries", struct tcp_state, syn_retries, 1, RETRIES_MOST,
                 "retransmissions of a SYN before connect() fails"),
      .changed = syn_retries_changed },
    { SYSCTL_INT("net/ipv4/tcp_synack_retries", struct tcp_state, synack_retries, 0, RETRIES_MOST,
                 "retransmissions of a SYN+ACK before the half-open connection goes"),
      .changed = synack_retries_changed },
    { SYSCTL_INT("net/ipv4/tcp_syncookies", struct tcp_state, syncookies, 0, 2,
                 "answer a SYN without keeping it (RFC 4987): 1 when the queue is full, 2 always, 0 never") },
    { SYSCTL_BOOL("net/ipv4/tcp_timestamps", struct tcp_state, timestamps,
                  "offer and accept timestamps (RFC 7323 3) on new connections") },
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
    static const int32_t buffers[] = { 4096, SOCK_BUF_DEFAULT, 6 << 20 };
    memcpy(tcp->rmem, buffers, sizeof buffers);
    memcpy(tcp->wmem, buffers, sizeof buffers);
    tcp->ecn = 2;
    tcp->syncookies = 1;
    tcp->max_syn_backlog = 128;
    tcp->rack = tcp->tlp = tcp->frto_on = true;
    tcp->challenge_ack_limit = 10; /* RFC 5961 7: the limit is the implementation's choice */
    tcp->time_wait = sec(60);      /* 2 MSL of 30 s, as Linux; RFC 9293 3.4.2 says 2 minutes each */
    tcp->fin_timeout = sec(60);    /* as Linux */
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
    net_sysctl_register(net, &tcp->sysctls, sysctls, tcp);
}
