/* net/tcp/tcp_snmp.c - TCP's lines of /proc/net/snmp (RFC 4022) and /proc/net/netstat, as Linux prints them:
 * the same names in the same order, so that its programs read them. What is not counted here is 0. */
#include "net/tcp/tcp_proc.h"

enum { NOT_COUNTED = TCP_COUNTER_COUNT };

/* Linux 6.18's extended counters in its order. */
static const struct {
    const char *name;
    int counter;
} extended[] = {
    { "SyncookiesSent", TCP_COUNT_cookies_out },
    { "SyncookiesRecv", TCP_COUNT_cookies_in },
    { "SyncookiesFailed", TCP_COUNT_cookies_wrong },
    { "EmbryonicRsts", TCP_COUNT_embryonic_resets },
    { "PruneCalled", TCP_COUNT_prunes },
    { "RcvPruned", NOT_COUNTED },
    { "OfoPruned", TCP_COUNT_out_of_order_pruned },
    { "OutOfWindowIcmps", TCP_COUNT_icmps_not_in_flight },
    { "LockDroppedIcmps", NOT_COUNTED },
    { "ArpFilter", NOT_COUNTED },
    { "TW", TCP_COUNT_time_waits },
    { "TWRecycled", NOT_COUNTED },
    { "TWKilled", NOT_COUNTED },
    { "PAWSActive", NOT_COUNTED },
    { "PAWSEstab", TCP_COUNT_paws_rejected },
    { "BeyondWindow", NOT_COUNTED },
    { "TSEcrRejected", NOT_COUNTED },
    { "PAWSOldAck", NOT_COUNTED },
    { "PAWSTimewait", NOT_COUNTED },
    { "DelayedACKs", TCP_COUNT_delayed_acks },
    { "DelayedACKLocked", NOT_COUNTED },
    { "DelayedACKLost", TCP_COUNT_texts_twice },
    { "ListenOverflows", TCP_COUNT_listen_overflows },
    { "ListenDrops", TCP_COUNT_listen_overflows },
    { "TCPHPHits", NOT_COUNTED },
    { "TCPPureAcks", NOT_COUNTED },
    { "TCPHPAcks", NOT_COUNTED },
    { "TCPRenoRecovery", TCP_COUNT_fast_retransmits },
    { "TCPSackRecovery", TCP_COUNT_sack_recoveries },
    { "TCPSACKReneging", TCP_COUNT_sack_reneging },
    { "TCPSACKReorder", TCP_COUNT_reorderings },
    { "TCPRenoReorder", NOT_COUNTED },
    { "TCPTSReorder", NOT_COUNTED },
    { "TCPFullUndo", TCP_COUNT_undone_recoveries },
    { "TCPPartialUndo", NOT_COUNTED },
    { "TCPDSACKUndo", NOT_COUNTED },
    { "TCPLossUndo", TCP_COUNT_spurious_timeouts },
    { "TCPLostRetransmit", NOT_COUNTED },
    { "TCPRenoFailures", NOT_COUNTED },
    { "TCPSackFailures", NOT_COUNTED },
    { "TCPLossFailures", NOT_COUNTED },
    { "TCPFastRetrans", TCP_COUNT_retransmits_fast },
    { "TCPSlowStartRetrans", TCP_COUNT_retransmits_in_loss },
    { "TCPTimeouts", TCP_COUNT_timeouts },
    { "TCPLossProbes", TCP_COUNT_loss_probes },
    { "TCPLossProbeRecovery", TCP_COUNT_loss_probe_recoveries },
    { "TCPRenoRecoveryFail", NOT_COUNTED },
    { "TCPSackRecoveryFail", NOT_COUNTED },
    { "TCPRcvCollapsed", TCP_COUNT_buffers_collapsed },
    { "TCPBacklogCoalesce", NOT_COUNTED },
    { "TCPDSACKOldSent", TCP_COUNT_dsacks_out },
    { "TCPDSACKOfoSent", NOT_COUNTED },
    { "TCPDSACKRecv", TCP_COUNT_dsacks_in },
    { "TCPDSACKOfoRecv", NOT_COUNTED },
    { "TCPAbortOnData", TCP_COUNT_aborts_on_data },
    { "TCPAbortOnClose", TCP_COUNT_aborts_on_close },
    { "TCPAbortOnMemory", TCP_COUNT_aborts_on_memory },
    { "TCPAbortOnTimeout", TCP_COUNT_aborts_on_timeout },
    { "TCPAbortOnLinger", NOT_COUNTED },
    { "TCPAbortFailed", NOT_COUNTED },
    { "TCPMemoryPressures", TCP_COUNT_memory_pressures },
    { "TCPMemoryPressuresChrono", NOT_COUNTED },
    { "TCPSACKDiscard", TCP_COUNT_sacks_refused },
    { "TCPDSACKIgnoredOld", NOT_COUNTED },
    { "TCPDSACKIgnoredNoUndo", NOT_COUNTED },
    { "TCPSpuriousRTOs", TCP_COUNT_spurious_timeouts },
    { "TCPMD5NotFound", NOT_COUNTED },
    { "TCPMD5Unexpected", NOT_COUNTED },
    { "TCPMD5Failure", NOT_COUNTED },
    { "TCPSackShifted", NOT_COUNTED },
    { "TCPSackMerged", NOT_COUNTED },
    { "TCPSackShiftFallback", NOT_COUNTED },
    { "TCPBacklogDrop", NOT_COUNTED },
    { "PFMemallocDrop", NOT_COUNTED },
    { "TCPMinTTLDrop", NOT_COUNTED },
    { "TCPDeferAcceptDrop", TCP_COUNT_accepts_deferred },
    { "IPReversePathFilter", NOT_COUNTED },
    { "TCPTimeWaitOverflow", TCP_COUNT_time_wait_overflows },
    { "TCPReqQFullDoCookies", NOT_COUNTED },
    { "TCPReqQFullDrop", NOT_COUNTED },
    { "TCPRetransFail", NOT_COUNTED },
    { "TCPRcvCoalesce", NOT_COUNTED },
    { "TCPOFOQueue", TCP_COUNT_out_of_order_in },
    { "TCPOFODrop", NOT_COUNTED },
    { "TCPOFOMerge", NOT_COUNTED },
    { "TCPChallengeACK", TCP_COUNT_challenge_acks },
    { "TCPSYNChallenge", TCP_COUNT_syn_challenges },
    { "TCPFastOpenActive", NOT_COUNTED },
    { "TCPFastOpenActiveFail", NOT_COUNTED },
    { "TCPFastOpenPassive", NOT_COUNTED },
    { "TCPFastOpenPassiveFail", NOT_COUNTED },
    { "TCPFastOpenListenOverflow", NOT_COUNTED },
    { "TCPFastOpenCookieReqd", NOT_COUNTED },
    { "TCPFastOpenBlackhole", NOT_COUNTED },
    { "TCPSpuriousRtxHostQueues", NOT_COUNTED },
    { "BusyPollRxPackets", NOT_COUNTED },
    { "TCPAutoCorking", NOT_COUNTED },
    { "TCPFromZeroWindowAdv", NOT_COUNTED },
    { "TCPToZeroWindowAdv", NOT_COUNTED },
    { "TCPWantZeroWindowAdv", NOT_COUNTED },
    { "TCPSynRetrans", TCP_COUNT_syns_again },
    { "TCPOrigDataSent", NOT_COUNTED },
    { "TCPHystartTrainDetect", NOT_COUNTED },
    { "TCPHystartTrainCwnd", NOT_COUNTED },
    { "TCPHystartDelayDetect", NOT_COUNTED },
    { "TCPHystartDelayCwnd", NOT_COUNTED },
    { "TCPACKSkippedSynRecv", NOT_COUNTED },
    { "TCPACKSkippedPAWS", NOT_COUNTED },
    { "TCPACKSkippedSeq", NOT_COUNTED },
    { "TCPACKSkippedFinWait2", NOT_COUNTED },
    { "TCPACKSkippedTimeWait", NOT_COUNTED },
    { "TCPACKSkippedChallenge", TCP_COUNT_challenge_acks_held_back },
    { "TCPWinProbe", TCP_COUNT_window_probes },
    { "TCPKeepAlive", TCP_COUNT_keepalive_probes },
    { "TCPMTUPFail", NOT_COUNTED },
    { "TCPMTUPSuccess", TCP_COUNT_mtu_probes_passed },
    { "TCPDelivered", NOT_COUNTED },
    { "TCPDeliveredCE", NOT_COUNTED },
    { "TCPAckCompressed", NOT_COUNTED },
    { "TCPZeroWindowDrop", NOT_COUNTED },
    { "TCPRcvQDrop", NOT_COUNTED },
    { "TCPWqueueTooBig", NOT_COUNTED },
    { "TCPFastOpenPassiveAltKey", NOT_COUNTED },
    { "TcpTimeoutRehash", NOT_COUNTED },
    { "TcpDuplicateDataRehash", NOT_COUNTED },
    { "TCPDSACKRecvSegs", NOT_COUNTED },
    { "TCPDSACKIgnoredDubious", NOT_COUNTED },
    { "TCPMigrateReqSuccess", NOT_COUNTED },
    { "TCPMigrateReqFailure", NOT_COUNTED },
    { "TCPPLBRehash", NOT_COUNTED },
    { "TCPAORequired", NOT_COUNTED },
    { "TCPAOBad", NOT_COUNTED },
    { "TCPAOKeyNotFound", NOT_COUNTED },
    { "TCPAOGood", NOT_COUNTED },
    { "TCPAODroppedIcmps", NOT_COUNTED },
};

static void show_netstat(struct net *net, struct textbuf *out)
{
    textbuf_printf(out, "TcpExt:");
    for (unsigned i = 0; i < ARRAY_SIZE(extended); i++)
        textbuf_printf(out, " %s", extended[i].name);
    textbuf_printf(out, "\nTcpExt:");
    for (unsigned i = 0; i < ARRAY_SIZE(extended); i++) {
        int c = extended[i].counter;
        textbuf_printf(out, " %lu", c == NOT_COUNTED ? 0ul : tcp_counted(net, (enum tcp_counter)c));
    }
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

static uint64_t segments_wrong(const struct net *net)
{
    return net_dropped(net, SKB_DROP_TCP_SHORT) + net_dropped(net, SKB_DROP_TCP_HEADER_LENGTH) +
           net_dropped(net, SKB_DROP_TCP_CSUM) + net_dropped(net, SKB_DROP_TCP_OPTIONS);
}

/* RtoAlgorithm 1 is "other": Linux's, and ours, is RFC 6298's with another lower bound. */
static void show_snmp(struct net *net, struct textbuf *out)
{
    static const enum tcp_counter opening[] = { TCP_COUNT_active_opens, TCP_COUNT_passive_opens,
                                                TCP_COUNT_attempt_fails, TCP_COUNT_estab_resets };
    textbuf_printf(out, "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails "
                        "EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n");
    textbuf_printf(out, "Tcp: 1 %lu %lu -1", READ_ONCE(net->tcp->rto.least) / ms(1),
                   READ_ONCE(net->tcp->rto.most) / ms(1));
    for (unsigned i = 0; i < ARRAY_SIZE(opening); i++)
        textbuf_printf(out, " %lu", tcp_counted(net, opening[i]));
    textbuf_printf(out, " %u %lu %lu %lu %lu %lu %lu\n", established_now(net),
                   tcp_counted(net, TCP_COUNT_segments_in), tcp_counted(net, TCP_COUNT_segments_out),
                   tcp_counted(net, TCP_COUNT_segments_retransmitted), segments_wrong(net),
                   tcp_counted(net, TCP_COUNT_resets_out), net_dropped(net, SKB_DROP_TCP_CSUM));
}

void tcp_snmp_init(struct net *net)
{
    struct tcp_state *tcp = net->tcp;
    tcp->snmp_section = (struct net_proc_file){ .name = "snmp", .show = show_snmp, .order = 1 };
    tcp->netstat_section = (struct net_proc_file){ .name = "netstat", .show = show_netstat };
    net_proc_section_register(net, &tcp->snmp_section);
    net_proc_section_register(net, &tcp->netstat_section);
}

void tcp_snmp_exit(struct net *net)
{
    net_proc_section_unregister(net, &net->tcp->netstat_section);
    net_proc_section_unregister(net, &net->tcp->snmp_section);
}
