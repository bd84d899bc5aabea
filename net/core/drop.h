/* net/core/drop.h - why packets die: one line a reason, from which come the enum, the counters of a struct
 * net and the lines of /proc/net/drops. Nothing is dropped silently. DROP(name, text). */
#pragma once

#define SKB_DROP_REASONS(DROP)                                                                               \
    DROP(NO_MEMORY, "memory exhausted")                                                                      \
    DROP(ETH_SHORT, "frame shorter than an Ethernet header")                                                 \
    DROP(ETH_OTHER_HOST, "frame for another station")                                                        \
    DROP(ETH_UNKNOWN_TYPE, "EtherType nobody handles")                                                       \
    DROP(BACKLOG_FULL, "receive backlog of the CPU full")                                                    \
    DROP(DEV_DOWN, "device is down")                                                                         \
    DROP(DEV_TX_FULL, "transmit queue full")                                                                 \
    DROP(DEV_TX_ERROR, "device could not send it")                                                           \
    DROP(ARP_SHORT, "ARP packet too short")                                                                  \
    DROP(ARP_BAD, "ARP hardware or protocol type, length or opcode wrong")                                   \
    DROP(ARP_BAD_SENDER, "ARP sender address impossible")                                                    \
    DROP(ARP_NOT_FOR_US, "ARP for an address that is not ours")                                              \
    DROP(NEIGH_QUEUE_FULL, "too many packets wait for an address")                                           \
    DROP(NEIGH_UNREACHABLE, "next hop did not answer")                                                       \
    DROP(NEIGH_TABLE_FULL, "neighbour table full")                                                           \
    DROP(IP_SHORT, "packet shorter than its IP header")                                                      \
    DROP(IP_VERSION, "IP version is not 4")                                                                  \
    DROP(IP_HEADER_LENGTH, "IP header length below 20 or beyond the packet")                                 \
    DROP(IP_TOTAL_LENGTH, "IP total length below the header or beyond the frame")                            \
    DROP(IP_CSUM, "IP header checksum wrong")                                                                \
    DROP(IP_OPTIONS, "IP options malformed")                                                                 \
    DROP(IP_SOURCE_ROUTE, "IP source route, which is not followed here")                                     \
    DROP(IP_TTL, "time to live at its end, and not for us")                                                  \
    DROP(IP_SOURCE_INVALID, "IP source broadcast, multicast, loopback or zero")                              \
    DROP(IP_REVERSE_PATH, "IP source would not be reached by the way it came (rp_filter)")                   \
    DROP(IP_NOT_FOR_US, "IP destination not ours, and not a router")                                         \
    DROP(IP_NO_ROUTE, "no route to the destination")                                                         \
    DROP(IP_NO_PROTOCOL, "IP protocol nobody handles")                                                       \
    DROP(IP_TOO_BIG, "larger than the MTU and may not be fragmented")                                        \
    DROP(IP_FILTER, "refused by a filter hook")                                                              \
    DROP(FRAG_BAD, "fragment with impossible offset or length")                                              \
    DROP(FRAG_OVERLAP, "fragment overlaps another")                                                          \
    DROP(FRAG_TIMEOUT, "the other fragments did not come in time")                                           \
    DROP(FRAG_TINY, "fragments cut so that TCP's flags are hidden")                                          \
    DROP(FRAG_DISTANCE, "fragment of an earlier round of IDs")                                               \
    DROP(FRAG_SOURCE, "the source's share of reassembly memory exhausted")                                   \
    DROP(FRAG_MEMORY, "reassembly memory exhausted")                                                         \
    DROP(ICMP_SHORT, "ICMP message too short")                                                               \
    DROP(ICMP_CSUM, "ICMP checksum wrong")                                                                   \
    DROP(ICMP_BROADCAST, "ICMP request to a broadcast address")                                              \
    DROP(ICMP_UNKNOWN, "ICMP type without a use here")                                                       \
    DROP(ICMP_IGNORED, "echo request while icmp_echo_ignore_all is set")                                     \
    DROP(ICMP_RATE_LIMIT, "ICMP error held back by the rate limit")                                          \
    DROP(IGMP_SHORT, "IGMP message shorter than 8 bytes")                                                    \
    DROP(IGMP_CSUM, "IGMP checksum wrong")                                                                   \
    DROP(IGMP_BAD, "IGMP query of a wrong length, group or destination")                                     \
    DROP(IGMP_UNKNOWN, "IGMP type without a use here")                                                       \
    DROP(ICMP_REDIRECT, "ICMP redirect not from the router in use, or not wanted")                           \
    DROP(UDP_SHORT, "UDP datagram shorter than its header")                                                  \
    DROP(UDP_LENGTH, "UDP length below 8 or beyond the packet")                                              \
    DROP(UDP_CSUM, "UDP checksum wrong")                                                                     \
    DROP(UDP_NO_SOCKET, "no socket on the UDP port")                                                         \
    DROP(UDP_NO_MEMBER, "broadcast or multicast that no socket takes")                                       \
    DROP(SOCKET_RCVBUF_FULL, "receive buffer of the socket full")                                            \
    DROP(SOCKET_CLOSED, "socket closed with data unread")                                                    \
    DROP(TCP_SHORT, "segment shorter than its TCP header")                                                   \
    DROP(TCP_HEADER_LENGTH, "TCP data offset below 5 or beyond the segment")                                 \
    DROP(TCP_CSUM, "TCP checksum wrong")                                                                     \
    DROP(TCP_OPTIONS, "TCP options malformed")                                                               \
    DROP(TCP_NO_SOCKET, "no connection and no listener for the segment")                                     \
    DROP(TCP_FLAGS, "flags make no sense in this state")                                                     \
    DROP(TCP_OUT_OF_WINDOW, "segment outside the receive window")                                            \
    DROP(TCP_OLD_DATA, "data received before")                                                               \
    DROP(TCP_ACK_INVALID, "acknowledges what was never sent, or long ago")                                   \
    DROP(TCP_RESET, "reset, valid or not: it ends here")                                                     \
    DROP(TCP_BACKLOG_FULL, "listener's queue full")                                                          \
    DROP(TCP_DEFERRED, "a bare ACK where TCP_DEFER_ACCEPT waits for text")                                   \
    DROP(TCP_OFO_FULL, "out-of-order queue full")                                                            \
    DROP(TCP_OFO_PRUNED, "out-of-order text given up for memory")                                            \
    DROP(TCP_MEMORY, "memory of all connections used up")                                                    \
    DROP(TCP_CLOSING, "data after the receiver closed")                                                      \
    DROP(RAW_NO_SOCKET, "no raw socket wanted it")                                                           \
    DROP(UNRESOLVED_FLUSHED, "thrown away with its device or table")

#define SKB_DROP_ENUM(name, text) SKB_DROP_##name,
/* SKB_NOT_DROPPED is what a check returns that found nothing wrong. */
enum skb_drop_reason {
    SKB_DROP_REASONS(SKB_DROP_ENUM) SKB_DROP_REASON_COUNT,
    SKB_NOT_DROPPED = SKB_DROP_REASON_COUNT
};
#undef SKB_DROP_ENUM

/* The reason's name and text, e.g. "IP_CSUM" and "IP header checksum wrong". */
const char *skb_drop_reason_name(enum skb_drop_reason reason);
const char *skb_drop_reason_text(enum skb_drop_reason reason);
