/* sim/frame.h - frames for tests: one struct packet describes a frame, whether it is to be built or was
 * received. Written from the RFCs alone, without net/'s code, so that the two can disagree. All numbers in
 * host order. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FRAME_MAX = 2048, FRAME_HEADER = 14, FRAME_MIN = 60 };
enum { FRAME_IPV4 = 0x0800, FRAME_ARP = 0x0806 };
enum { PACKET_ICMP = 1, PACKET_TCP = 6, PACKET_UDP = 17 };
enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16, URG = 32, ECE = 64, CWR = 128 }; /* RFC 9293 3.1 */
enum { FRAME_ARP_REQUEST = 1, FRAME_ARP_REPLY = 2 };                                  /* RFC 826 */

static inline uint32_t ip4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (uint32_t)a << 24 | (uint32_t)b << 16 | (uint32_t)c << 8 | d;
}

struct packet {
    uint8_t dst_mac[6], src_mac[6];
    uint16_t ethertype; /* 0: FRAME_IPV4 */

    uint16_t arp_op; /* ARP */
    uint8_t arp_sender_mac[6], arp_target_mac[6];
    uint32_t arp_sender_ip, arp_target_ip;

    uint32_t saddr, daddr;      /* IPv4 */
    uint8_t protocol, ttl, tos; /* ttl 0: 64 */
    uint16_t ip_id, frag_off;   /* frag_off with its flags, as in the header */

    uint8_t icmp_type, icmp_code;
    uint32_t icmp_rest; /* identifier and sequence number, or next-hop MTU: the header's second word */

    uint16_t sport, dport; /* UDP, TCP */
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t window, urgent;
    const uint8_t *options; /* TCP's; padded to words with zeroes when built */
    size_t options_len;

    const void *payload; /* of the innermost header known; into the frame when it was parsed */
    size_t payload_len;

    uint64_t time;                    /* when it arrived */
    bool ip_checksum_ok, checksum_ok; /* of the IP header; of ICMP, UDP (none counts as right) or TCP */
    bool malformed;                   /* lengths do not fit together; what could be read was */
};

/* Write p's frame to bytes (FRAME_MAX of them), checksums right, padded to FRAME_MIN. Its length. */
size_t packet_build(const struct packet *p, uint8_t *bytes);
/* Describe the frame of n bytes; pointers go into it. */
void packet_parse(struct packet *p, const uint8_t *bytes, size_t n);
/* One line of text about p, for failures. */
void packet_print(const struct packet *p, char *text, size_t size);
/* "SYN ACK" and the like; size at least 32. */
void packet_flags(uint8_t flags, char *text, size_t size);

/* The Internet checksum of n bytes on top of sum (RFC 1071), not complemented, a byte pair at a time. */
uint16_t frame_sum(const uint8_t *bytes, size_t n, uint32_t sum);
/* Where the MSS (scale, ...) option of kind lies in a TCP packet's options, or NULL (RFC 9293 3.1). */
const uint8_t *packet_tcp_option(const struct packet *p, uint8_t kind);
