/* net/tcp/tcp_syncookie.c - opening a connection without keeping anything of its SYN (RFC 4987 3.6): for when
 * the queue of half-open connections is full.
 *
 * Our initial number is 5 bits of a clock that counts minutes, 3 bits that tell the peer's MSS, and 24 bits
 * of a keyed hash over these, the addresses, the ports and the peer's number; who acknowledges it must have
 * seen it. With timestamps the last five bits of our clock carry window scale and SACK, which the peer
 * echoes. */
#include "net/tcp/tcp.h"

#define PERIOD sec(60)

enum { AGES = 2, HASH_BITS = 24, HASH_MASK = (1 << HASH_BITS) - 1, MINUTES = 32 };
enum { OPTION_BITS = 5, WSCALE_MASK = 15, WSCALE_NONE = 15, SACK_BIT = 16 };

/* What an MSS is rounded down to. */
static const uint16_t sizes[] = { 64, 512, 536, 1024, 1440, 1460, 4312, 8960 };

struct cookie_input {
    be32 saddr, daddr;
    be16 source, dest;
    uint32_t irs, minute, size;
};

static uint32_t minute_now(void)
{
    return (uint32_t)(time_now() / PERIOD);
}

/* The number for minute and size; irs is the peer's first. */
static uint32_t cookie(const struct tcp_segment *seg, uint32_t irs, uint32_t minute, uint32_t size)
{
    const struct cookie_input in = { seg->saddr, seg->daddr, seg->source, seg->dest, irs, minute, size };
    uint32_t hash = (uint32_t)siphash(&in, sizeof in, &seg->net->tcp->isn_key) & HASH_MASK;
    return (minute % MINUTES) << 27 | size << HASH_BITS | hash;
}

static uint32_t size_of(uint16_t mss)
{
    uint32_t i = ARRAY_SIZE(sizes) - 1;
    while (i && sizes[i] > mss)
        i--;
    return i;
}

/* The latest reading of our clock that is not ahead of it and ends in bits. */
static uint32_t clock_with(const struct tcp_segment *seg, uint32_t bits)
{
    const struct tcp_ends ends = tcp_segment_ends(seg);
    uint32_t now = tcp_ts_clock(tcp_ts_offset(seg->net, &ends));
    uint32_t low = now & ((1 << OPTION_BITS) - 1);
    return now - low + bits - (bits > low ? 1u << OPTION_BITS : 0);
}

static uint32_t option_bits(const struct tcp_options *o)
{
    return (o->has_wscale ? o->wscale : (uint32_t)WSCALE_NONE) | (o->sack_permitted ? SACK_BIT : 0u);
}

/* What both sides' SYNs have agreed upon, as far as a cookie can tell it. */
static struct tcp_options agreed(const struct net *net, const struct tcp_options *theirs)
{
    struct tcp_options o = tcp_agree(net->tcp, theirs);
    o.has_wscale &= o.has_timestamp;
    o.sack_permitted &= o.has_timestamp;
    return o;
}

static uint16_t window_offered(const struct tcp_sock *listener)
{
    return (uint16_t)MIN(tcp_receive_space(listener), (uint32_t)TCP_WINDOW_FIELD);
}

void tcp_cookie_send(struct tcp_sock *listener, const struct tcp_segment *seg)
{
    const struct tcp_options o = agreed(seg->net, &seg->options);
    const struct tcp_ends ends = tcp_segment_ends(seg);
    struct tcp_bare answer = {
        .seq = cookie(seg, seg->seq, minute_now(), size_of(o.mss)),
        .ack = seg->seq + 1,
        .window = window_offered(listener),
        .flags = TCP_FLAG_SYN | TCP_FLAG_ACK,
        .ttl = listener->sk.ttl,
        .tos = listener->sk.tos,
        .options = tcp_answer_options(listener, &o),
    };
    if (o.has_timestamp) /* the peer's scale, to be remembered; ours is always the same */
        answer.options.ts_val = clock_with(seg, option_bits(&o));
    WRITE_ONCE(listener->listener->cookies_until, time_now() + AGES * PERIOD);
    tcp_count(seg->net, TCP_COUNT_cookies_out);
    tcp_send_bare(seg->net, &ends, &answer);
}

static void options_again(const struct tcp_segment *seg, uint32_t size, struct tcp_options *o)
{
    *o = (struct tcp_options){ .mss = sizes[size] };
    if (!seg->options.has_timestamp)
        return;
    uint32_t bits = seg->options.ts_ecr, wscale = bits & WSCALE_MASK;
    o->has_timestamp = true;
    o->ts_val = seg->options.ts_val;
    o->has_wscale = wscale != WSCALE_NONE;
    o->wscale = (uint8_t)(o->has_wscale ? wscale : 0);
    o->sack_permitted = bits & SACK_BIT;
}

bool tcp_cookie_check(const struct tcp_sock *listener, const struct tcp_segment *seg, struct tcp_opening *o)
{
    uint32_t iss = seg->ack - 1, irs = seg->seq - 1, size = iss >> HASH_BITS & 7;
    bool right = false;
    for (uint32_t age = 0; age < AGES && !right; age++)
        right = cookie(seg, irs, minute_now() - age, size) == iss;
    tcp_count(seg->net, right ? TCP_COUNT_cookies_in : TCP_COUNT_cookies_wrong);
    if (!right)
        return false;
    *o = (struct tcp_opening){ .syn = *seg, .iss = iss, .window = window_offered(listener) };
    o->syn.seq = irs;
    o->syn.flags = TCP_FLAG_SYN;
    options_again(seg, size, &o->syn.options);
    return true;
}
