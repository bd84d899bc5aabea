/* net/tcp/tcp_counters.h - what TCP counts in one struct net; tcp_snmp.c gives them Linux's names. */
#pragma once

/* What is counted, one line each: TCP_COUNTER(name). /proc/net/tcp_counters shows them. */
#define TCP_COUNTERS(TCP_COUNTER)                                                                            \
    TCP_COUNTER(active_opens)                                                                                \
    TCP_COUNTER(passive_opens)                                                                               \
    TCP_COUNTER(attempt_fails)                                                                               \
    TCP_COUNTER(estab_resets)                                                                                \
    TCP_COUNTER(segments_in)                                                                                 \
    TCP_COUNTER(segments_out)                                                                                \
    TCP_COUNTER(segments_retransmitted)                                                                      \
    TCP_COUNTER(resets_out)                                                                                  \
    TCP_COUNTER(timeouts)                                                                                    \
    TCP_COUNTER(fast_retransmits)                                                                            \
    TCP_COUNTER(partial_acks)                                                                                \
    TCP_COUNTER(sack_recoveries)                                                                             \
    TCP_COUNTER(sacks_in)                                                                                    \
    TCP_COUNTER(sacks_refused)                                                                               \
    TCP_COUNTER(sack_reneging)                                                                               \
    TCP_COUNTER(dsacks_in)                                                                                   \
    TCP_COUNTER(dsacks_out)                                                                                  \
    TCP_COUNTER(loss_probes)                                                                                 \
    TCP_COUNTER(loss_probe_recoveries)                                                                       \
    TCP_COUNTER(spurious_timeouts)                                                                           \
    TCP_COUNTER(ecn_marks_in)                                                                                \
    TCP_COUNTER(ecn_reductions)                                                                              \
    TCP_COUNTER(undone)                                                                                      \
    TCP_COUNTER(duplicate_acks_in)                                                                           \
    TCP_COUNTER(out_of_order_in)                                                                             \
    TCP_COUNTER(buffers_collapsed)                                                                           \
    TCP_COUNTER(prunes)                                                                                      \
    TCP_COUNTER(out_of_order_pruned)                                                                         \
    TCP_COUNTER(window_probes)                                                                               \
    TCP_COUNTER(keepalive_probes)                                                                            \
    TCP_COUNTER(delayed_acks)                                                                                \
    TCP_COUNTER(mtu_black_holes)                                                                             \
    TCP_COUNTER(mtu_probes)                                                                                  \
    TCP_COUNTER(mtu_probes_passed)                                                                           \
    TCP_COUNTER(challenge_acks)                                                                              \
    TCP_COUNTER(challenge_acks_held_back)                                                                    \
    TCP_COUNTER(cookies_out)                                                                                 \
    TCP_COUNTER(cookies_in)                                                                                  \
    TCP_COUNTER(cookies_wrong)                                                                               \
    TCP_COUNTER(half_open_evicted)                                                                           \
    TCP_COUNTER(listen_overflows)                                                                            \
    TCP_COUNTER(time_waits)                                                                                  \
    TCP_COUNTER(time_wait_overflows)                                                                         \
    TCP_COUNTER(embryonic_resets)                                                                            \
    TCP_COUNTER(icmps_not_in_flight)                                                                         \
    TCP_COUNTER(paws_rejected)                                                                               \
    TCP_COUNTER(texts_twice)                                                                                 \
    TCP_COUNTER(reorderings)                                                                                 \
    TCP_COUNTER(undone_recoveries)                                                                           \
    TCP_COUNTER(retransmits_fast)                                                                            \
    TCP_COUNTER(retransmits_in_loss)                                                                         \
    TCP_COUNTER(syns_again)                                                                                  \
    TCP_COUNTER(syn_challenges)                                                                              \
    TCP_COUNTER(accepts_deferred)                                                                            \
    TCP_COUNTER(aborts_on_close)                                                                             \
    TCP_COUNTER(aborts_on_data)                                                                              \
    TCP_COUNTER(aborts_on_memory)                                                                            \
    TCP_COUNTER(memory_pressures)                                                                            \
    TCP_COUNTER(aborts_on_timeout)

#define TCP_COUNTER_ENUM(name) TCP_COUNT_##name,
enum tcp_counter { TCP_COUNTERS(TCP_COUNTER_ENUM) TCP_COUNTER_COUNT };
#undef TCP_COUNTER_ENUM
