/* net/tcp/tcp_info.h - struct tcp_info, what getsockopt(TCP_INFO) tells: Linux's layout, its first part. */
#pragma once
#include <stdint.h>

struct tcp_sock;

struct tcp_info { /* times in microseconds */
    uint8_t tcpi_state, tcpi_ca_state, tcpi_retransmits, tcpi_probes, tcpi_backoff, tcpi_options;
    uint8_t tcpi_wscale; /* the peer's shift in the lower, ours in the upper four bits */
    uint8_t tcpi_app_limited;
    uint32_t tcpi_rto, tcpi_ato, tcpi_snd_mss, tcpi_rcv_mss;
    uint32_t tcpi_unacked, tcpi_sacked, tcpi_lost, tcpi_retrans, tcpi_fackets; /* segments */
    uint32_t tcpi_last_data_sent, tcpi_last_ack_sent, tcpi_last_data_recv, tcpi_last_ack_recv;
    uint32_t tcpi_pmtu, tcpi_rcv_ssthresh, tcpi_rtt, tcpi_rttvar, tcpi_snd_ssthresh, tcpi_snd_cwnd;
    uint32_t tcpi_advmss, tcpi_reordering, tcpi_rcv_rtt, tcpi_rcv_space, tcpi_total_retrans;
};
_Static_assert(sizeof(struct tcp_info) == 104, "Linux 2.6's size; later kernels only add");

/* The connection in figures. sk->lock held. */
struct tcp_info tcp_info_make(const struct tcp_sock *tp);
