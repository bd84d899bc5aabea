/* net/ipv4/ip_options.c - the options of the IP header: read with care, answered where we have a part in
 * them. Whoever came here with a received header has had it parsed: an option that is there has room for its
 * pointer, and the pointer stands within the option or just behind it. */
#include "net/ipv4/ip_options.h"
#include "lib/string.h"
#include "net/ipv4/ipv4.h"

enum { FIXED = sizeof(struct ip_hdr), ADDRESS = 4, STAMP = 4 };
enum { AT_LENGTH = 1, AT_POINTER = 2, AT_FLAG = 3 }; /* octets of an option; its pointer counts from 1 */

const struct ip_options ip_router_alert = { .len = 4, .bytes = { IPOPT_ROUTER_ALERT, 4, 0, 0 } };

/* ---- reading ---- */

/* A list of addresses. 0, or the octet that is wrong. */
static uint8_t check_route(const uint8_t *option)
{
    if (option[AT_LENGTH] < 3)
        return AT_LENGTH;
    if (option[AT_POINTER] < 4) /* RFC 791 3.1: the smallest legal value */
        return AT_POINTER;
    if (option[AT_POINTER] <= option[AT_LENGTH] && option[AT_POINTER] + ADDRESS - 1 > option[AT_LENGTH])
        return AT_POINTER; /* RFC 791 3.1: some room, but not enough for a full address */
    return 0;
}

static unsigned stamp_size(const uint8_t *option)
{
    return (option[AT_FLAG] & 15) == IPOPT_TS_ONLY ? STAMP : ADDRESS + STAMP;
}

static uint8_t check_timestamp(const uint8_t *option)
{
    if (option[AT_LENGTH] < 4)
        return AT_LENGTH;
    if (option[AT_POINTER] < 5) /* RFC 791 3.1: the smallest legal value */
        return AT_POINTER;
    unsigned flag = option[AT_FLAG] & 15, pointer = option[AT_POINTER], length = option[AT_LENGTH];
    if (flag != IPOPT_TS_ONLY && flag != IPOPT_TS_AND_ADDRESS && flag != IPOPT_TS_PRESPECIFIED)
        return AT_FLAG;
    if (pointer <= length && pointer + stamp_size(option) - 1 > length)
        return AT_POINTER;
    if (pointer > length && option[AT_FLAG] >> 4 == 15) /* RFC 791 3.1: the count of those left out is full */
        return AT_FLAG;
    return 0;
}

/* One option: 0, or the octet of it that is wrong, from 1 on where that is the first. */
static uint8_t read_option(const uint8_t *option, uint8_t at, struct ip_option_places *places, bool *wrong)
{
    uint8_t bad = 0, *place = NULL;

    switch (*option) {
    case IPOPT_RR:
        place = &places->record_route;
        bad = check_route(option);
        break;
    case IPOPT_LSRR:
    case IPOPT_SSRR:
        place = &places->source_route;
        bad = check_route(option);
        break;
    case IPOPT_TIMESTAMP:
        place = &places->timestamp;
        bad = check_timestamp(option);
        break;
    case IPOPT_ROUTER_ALERT:
        place = &places->router_alert;
        bad = option[AT_LENGTH] == 4 ? 0 : AT_LENGTH; /* RFC 2113 2.1 */
        break;
    default:
        return 0; /* RFC 1122 3.2.1.8: the unknown is passed over */
    }
    *wrong = bad || *place; /* RFC 791 3.1: each appears at most once; both source routes may not */
    *place = at;
    return bad;
}

uint8_t ip_options_parse(const uint8_t *header, unsigned hlen, struct ip_option_places *places)
{
    bool wrong = false;
    unsigned at = FIXED;

    *places = (struct ip_option_places){ 0 };
    while (at < hlen && header[at] != IPOPT_END) {
        if (header[at] == IPOPT_NOP) {
            at++;
            continue;
        }
        if (hlen - at < 2)
            return (uint8_t)at;
        if (header[at + AT_LENGTH] < 2 || header[at + AT_LENGTH] > hlen - at)
            return (uint8_t)(at + AT_LENGTH);
        uint8_t bad = read_option(header + at, (uint8_t)at, places, &wrong);
        if (wrong)
            return (uint8_t)(at + bad);
        at += header[at + AT_LENGTH];
    }
    return 0;
}

/* ---- writing ---- */

static bool is_full(const uint8_t *option)
{
    return option[AT_POINTER] > option[AT_LENGTH];
}

/* The next free place of the option, and the pointer moved behind it. */
static uint8_t *take_place(uint8_t *option, unsigned size)
{
    uint8_t *place = option + option[AT_POINTER] - 1;

    option[AT_POINTER] = (uint8_t)(option[AT_POINTER] + size);
    return place;
}

be32 ip_timestamp(void)
{
    enum { DAY = 24 * 3600 * 1000 };

    return cpu_to_be32((uint32_t)(time_wall() / 1000000 % DAY));
}

static void record_time(struct net *net, uint8_t *option, be32 address)
{
    const be32 now = ip_timestamp();
    be32 wanted;

    if (is_full(option)) {
        option[AT_FLAG] = (uint8_t)(option[AT_FLAG] + 0x10); /* RFC 791 3.1: one more had no room */
        return;
    }
    memcpy(&wanted, option + option[AT_POINTER] - 1, sizeof wanted);
    switch (option[AT_FLAG] & 15) {
    case IPOPT_TS_PRESPECIFIED: /* only who is named next answers */
        if (inet_addr_kind(net, wanted, NULL) != DST_LOCAL)
            return;
        address = wanted;
        /* fall through */
    case IPOPT_TS_AND_ADDRESS:
        memcpy(take_place(option, ADDRESS), &address, sizeof address);
        /* fall through */
    default:
        memcpy(take_place(option, STAMP), &now, sizeof now);
    }
}

void ip_options_record(struct net *net, uint8_t *header, be32 address)
{
    struct ip_option_places places;

    if (ip_options_parse(header, ip_hdr_len((const struct ip_hdr *)header), &places))
        return; /* a program's own header (IP_HDRINCL) goes as it is */
    uint8_t *route = header + places.record_route;
    if (places.record_route && !is_full(route))
        memcpy(take_place(route, ADDRESS), &address, sizeof address);
    if (places.timestamp)
        record_time(net, header + places.timestamp, address);
}

/* ---- packets that come ---- */

/* RFC 1812 5.3.13.4, RFC 1122 3.2.1.8(c): a host may be the end of a source route, if it is told to; a stage
 * on the way it is not. */
static enum skb_drop_reason check_source_route(struct sk_buff *skb, const uint8_t *option, bool mine)
{
    if (!INET_CONF_BOTH(skb->dev, accept_source_route))
        return SKB_DROP_IP_SOURCE_ROUTE;
    if (!mine || is_full(option))
        return SKB_NOT_DROPPED;
    icmp_send(skb, ICMP_DEST_UNREACH, ICMP_SR_FAILED, 0); /* RFC 1812 5.2.7.1 */
    return SKB_DROP_IP_SOURCE_ROUTE;
}

enum skb_drop_reason ip_options_receive(struct sk_buff *skb, bool mine)
{
    const uint8_t *header = skb_network_header(skb);
    struct ip_option_places places;
    uint8_t bad = ip_options_parse(header, ip_hdr_len(ip_hdr(skb)), &places);

    if (bad) {
        if (mine || READ_ONCE(in_dev_get(skb->dev)->conf.forwarding))
            icmp_send(skb, ICMP_PARAMETERPROB, 0,
                      (uint32_t)bad << 24); /* RFC 1122 3.2.2.5, RFC 1812 4.3.3.5 */
        return SKB_DROP_IP_OPTIONS;
    }
    return places.source_route ? check_source_route(skb, header + places.source_route, mine)
                               : SKB_NOT_DROPPED;
}

void ip_options_forward(struct sk_buff *skb, const struct dst_entry *dst)
{
    struct ip_hdr *ip = (struct ip_hdr *)skb->data;

    ip_options_record(skb->net, skb->data,
                      dst->prefsrc); /* RFC 1812 5.3.13.2, .5: as the next link knows us */
    ip->check = cpu_to_be16(0);
    ip->check = csum_fold(csum_partial(ip, ip_hdr_len(ip), 0));
}

/* ---- packets that leave ---- */

static void append(struct ip_options *out, const uint8_t *option)
{
    memcpy(out->bytes + out->len, option, option[AT_LENGTH]);
    out->len = (uint8_t)(out->len + option[AT_LENGTH]);
}

/* RFC 1122 3.2.1.8(c), 3.2.2.6: back the way it came: to the stage before us first, the rest in reverse
 * order, the source last. */
static void append_reversed(struct ip_options *out, const uint8_t *option, be32 source)
{
    unsigned stages = (option[AT_POINTER] - 4u) / ADDRESS;
    uint8_t *to = out->bytes + out->len;

    if (!is_full(option) || !stages)
        return;
    memcpy(&out->first_hop, option + 3 + (stages - 1) * ADDRESS, ADDRESS);
    *to++ = option[0];
    *to++ = option[AT_LENGTH];
    *to++ = 4;
    for (unsigned i = stages - 1; i-- > 0; to += ADDRESS)
        memcpy(to, option + 3 + i * ADDRESS, ADDRESS);
    memcpy(to, &source, ADDRESS);
    out->len = (uint8_t)(out->len + option[AT_LENGTH]);
}

void ip_options_echo(const struct sk_buff *skb, struct ip_options *out)
{
    const uint8_t *header = skb_network_header(skb);
    unsigned hlen = ip_hdr_len(ip_hdr(skb));
    struct ip_option_places places;

    *out = (struct ip_options){ 0 };
    if (hlen == FIXED || ip_options_parse(header, hlen, &places))
        return;
    if (places.record_route)
        append(out, header + places.record_route);
    if (places.timestamp)
        append(out, header + places.timestamp);
    if (places.source_route)
        append_reversed(out, header + places.source_route, ip_hdr(skb)->saddr);
    out->len = (uint8_t)ROUND_UP(out->len, 4u); /* what is behind is END already */
}

void ip_options_fragment(uint8_t *header, unsigned hlen)
{
    struct ip_option_places places;
    unsigned at = FIXED;

    if (ip_options_parse(header, hlen, &places))
        return;
    while (at < hlen && header[at] != IPOPT_END) {
        unsigned n = header[at] == IPOPT_NOP ? 1 : header[at + AT_LENGTH];
        if (!(header[at] & IPOPT_COPIED))
            memset(header + at, IPOPT_NOP, n);
        at += n;
    }
}

int ip_options_from_user(const void *bytes, size_t n, struct ip_options *out)
{
    uint8_t header[FIXED + IP_OPTIONS_MAX] = { 0 };
    struct ip_option_places places;

    if (n > IP_OPTIONS_MAX)
        return -EINVAL;
    *out = (struct ip_options){ .len = (uint8_t)ROUND_UP(n, 4u) };
    memcpy(out->bytes, bytes, n);
    memcpy(header + FIXED, bytes, n);
    if (ip_options_parse(header, FIXED + out->len, &places) || places.source_route)
        return -EINVAL;
    return 0;
}
