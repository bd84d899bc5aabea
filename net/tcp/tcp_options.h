/* net/tcp/tcp_options.h - the header and its options, read once into a struct tcp_segment (RFC 9293 3.1). */
#pragma once
#include "lib/bytes.h"
#include "net/core/skbuff.h"

struct ip_hdr;

struct tcp_hdr { /* RFC 9293 3.1 */
    be16 source, dest;
    be32 seq, ack;
    uint8_t doff_rsrvd; /* data offset in 32-bit words, in the upper four bits */
    uint8_t flags;
    be16 window, check, urgent;
};
_Static_assert(sizeof(struct tcp_hdr) == 20, "RFC 9293 3.1");

enum tcp_flag {
    TCP_FLAG_FIN = 0x01,
    TCP_FLAG_SYN = 0x02,
    TCP_FLAG_RST = 0x04,
    TCP_FLAG_PSH = 0x08,
    TCP_FLAG_ACK = 0x10,
    TCP_FLAG_URG = 0x20,
    TCP_FLAG_ECE = 0x40, /* RFC 3168 6.1 */
    TCP_FLAG_CWR = 0x80
};

enum {
    TCP_HEADER_MIN = 20,
    TCP_HEADER_MAX = 60,
    TCP_OPTIONS_MAX = 40,      /* RFC 9293 3.1: the data offset has four bits */
    TCP_TIMESTAMP_LENGTH = 12, /* RFC 7323 appendix A: with the NOPs that align it */
    TCP_MSS_DEFAULT = 536,     /* RFC 9293 3.7.1, MUST-15: when the peer names none */
    TCP_WSCALE_MAX = 14,       /* RFC 7323 2.3 */
    TCP_WINDOW_FIELD = 65535   /* the largest window without a scale */
};

/* RFC 2018 3: the text [start, end) has arrived. */
struct tcp_sack_block {
    uint32_t start, end;
};
enum { TCP_SACKS_MAX = 4 }; /* as many as the options' 40 bytes hold */

/* The options we understand, as received or to be sent. */
struct tcp_options {
    uint16_t mss;                   /* 0: absent */
    bool has_wscale, has_timestamp; /* RFC 7323 2.2, 3.2 */
    bool sack_permitted;            /* RFC 2018 2 */
    uint8_t wscale;                 /* shift count, at most TCP_WSCALE_MAX */
    uint8_t n_sacks;
    uint32_t ts_val, ts_ecr;
    struct tcp_sack_block sacks[TCP_SACKS_MAX]; /* n_sacks of them; as the peer says, not checked */
};

/* One received segment in host order; the buffer behind it goes along. */
struct tcp_segment {
    uint32_t seq, ack;
    uint32_t len;    /* SEG.LEN: text, and one each for SYN and FIN; of a train all its text */
    uint32_t packet; /* text of its first packet: all there is but in a train (tcp_gro.c) */
    uint32_t window; /* as received, not scaled */
    uint16_t urgent;
    uint8_t flags; /* enum tcp_flag */
    uint8_t tos;   /* of its IP header */
    struct tcp_options options;
    be32 saddr, daddr;
    be16 source, dest;
    bool reopens;    /* a SYN that ended a TIME-WAIT: RFC 1122 4.2.2.13 (a) wants our first number */
    uint32_t beyond; /* to be beyond this */
    struct net *net;
    struct sk_buff *skb; /* data at the text; NULL once somebody has taken it */
    bool dropped;        /* and then why: */
    enum skb_drop_reason reason;
};

/* Read n bytes of options. False if a length is 0, 1 or beyond the header (RFC 9293 3.2, MUST-7); what came
 * before it is kept. Unknown options are passed over by their length (MUST-6). */
bool tcp_options_parse(const uint8_t *p, uint32_t n, struct tcp_options *o);
/* Write the options that are set, padded with NOPs to a multiple of four; their length. p has room for
 * TCP_OPTIONS_MAX bytes. */
uint32_t tcp_options_write(uint8_t *p, const struct tcp_options *o);
/* The length tcp_options_write() would return. */
uint32_t tcp_options_length(const struct tcp_options *o);
/* RFC 9293 3.1: the sum covers a pseudo-header, and the n bytes of header and text. */
bool tcp_checksum_right(const struct ip_hdr *ip, const void *segment, uint32_t n);

/* Check length, data offset and checksum of skb (transport header at data, IP header known) and fill in seg;
 * skb->data then points at the text. False: seg->reason says why; skb stays the caller's. Softirq. */
bool tcp_segment_parse(struct sk_buff *skb, struct tcp_segment *seg);

static inline bool tcp_segment_has(const struct tcp_segment *seg, uint8_t flag)
{
    return (seg->flags & flag) != 0;
}
/* The bytes of text in the segment: SEG.LEN without SYN and FIN. */
static inline uint32_t tcp_segment_text(const struct tcp_segment *seg)
{
    return seg->skb ? seg->skb->len : 0;
}
