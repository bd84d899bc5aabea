/* sim/frame.c - building and reading frames byte by byte. */
#include "sim/frame.h"
#include <stdio.h>
#include <string.h>

/* ---- bytes ---- */

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v);
}

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

uint16_t frame_sum(const uint8_t *bytes, size_t n, uint32_t sum)
{
    for (size_t i = 0; i + 1 < n; i += 2)
        sum += get16(bytes + i);
    if (n & 1)
        sum += (uint32_t)bytes[n - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static uint32_t pseudo_header_sum(const struct packet *p, size_t n)
{
    return (p->saddr >> 16) + (p->saddr & 0xffff) + (p->daddr >> 16) + (p->daddr & 0xffff) + p->protocol +
           (uint32_t)n;
}

/* ---- building, from the outside in; each returns the length it wrote ---- */

static size_t put_payload(const struct packet *p, uint8_t *b)
{
    if (p->payload_len)
        memcpy(b, p->payload, p->payload_len);
    return p->payload_len;
}

static size_t put_arp(const struct packet *p, uint8_t *b) /* RFC 826 */
{
    put16(b, 1);
    put16(b + 2, FRAME_IPV4);
    b[4] = 6;
    b[5] = 4;
    put16(b + 6, p->arp_op);
    memcpy(b + 8, p->arp_sender_mac, 6);
    put32(b + 14, p->arp_sender_ip);
    memcpy(b + 18, p->arp_target_mac, 6);
    put32(b + 24, p->arp_target_ip);
    return 28;
}

static size_t put_icmp(const struct packet *p, uint8_t *b) /* RFC 792 */
{
    size_t n = 8 + put_payload(p, b + 8);

    b[0] = p->icmp_type;
    b[1] = p->icmp_code;
    put16(b + 2, 0);
    put32(b + 4, p->icmp_rest);
    put16(b + 2, (uint16_t)~frame_sum(b, n, 0));
    return n;
}

static size_t put_udp(const struct packet *p, uint8_t *b) /* RFC 768 */
{
    size_t n = 8 + put_payload(p, b + 8);
    uint16_t check;

    put16(b, p->sport);
    put16(b + 2, p->dport);
    put16(b + 4, (uint32_t)n);
    put16(b + 6, 0);
    check = (uint16_t)~frame_sum(b, n, pseudo_header_sum(p, n));
    put16(b + 6, check ? check : 0xffff);
    return n;
}

static size_t put_tcp(const struct packet *p, uint8_t *b) /* RFC 9293 3.1 */
{
    size_t header = 20 + (p->options_len + 3) / 4 * 4;
    size_t n = header + put_payload(p, b + header);

    memset(b, 0, header);
    put16(b, p->sport);
    put16(b + 2, p->dport);
    put32(b + 4, p->seq);
    put32(b + 8, p->ack);
    b[12] = (uint8_t)(header / 4 << 4);
    b[13] = p->flags;
    put16(b + 14, p->window);
    put16(b + 18, p->urgent);
    if (p->options_len)
        memcpy(b + 20, p->options, p->options_len);
    put16(b + 16, (uint16_t)~frame_sum(b, n, pseudo_header_sum(p, n)));
    return n;
}

static size_t put_transport(const struct packet *p, uint8_t *b)
{
    switch (p->frag_off & 0x1fff ? 0 : p->protocol) { /* only the first fragment has a transport header */
    case PACKET_ICMP:
        return put_icmp(p, b);
    case PACKET_UDP:
        return put_udp(p, b);
    case PACKET_TCP:
        return put_tcp(p, b);
    default:
        return put_payload(p, b);
    }
}

static size_t put_ipv4(const struct packet *p, uint8_t *b) /* RFC 791 3.1 */
{
    size_t n = 20 + put_transport(p, b + 20);

    b[0] = 0x45;
    b[1] = p->tos;
    put16(b + 2, (uint32_t)n);
    put16(b + 4, p->ip_id);
    put16(b + 6, p->frag_off);
    b[8] = p->ttl ? p->ttl : 64;
    b[9] = p->protocol;
    put16(b + 10, 0);
    put32(b + 12, p->saddr);
    put32(b + 16, p->daddr);
    put16(b + 10, (uint16_t)~frame_sum(b, 20, 0));
    return n;
}

size_t packet_build(const struct packet *p, uint8_t *bytes)
{
    uint16_t ethertype = p->ethertype ? p->ethertype : FRAME_IPV4;
    size_t n = FRAME_HEADER;

    memcpy(bytes, p->dst_mac, 6);
    memcpy(bytes + 6, p->src_mac, 6);
    put16(bytes + 12, ethertype);
    if (ethertype == FRAME_ARP)
        n += put_arp(p, bytes + n);
    else if (ethertype == FRAME_IPV4)
        n += put_ipv4(p, bytes + n);
    else
        n += put_payload(p, bytes + n);
    for (; n < FRAME_MIN; n++)
        bytes[n] = 0;
    return n;
}

/* ---- reading ---- */

static void rest_is_payload(struct packet *p, const uint8_t *b, size_t n)
{
    p->payload = b;
    p->payload_len = n;
}

static void read_arp(struct packet *p, const uint8_t *b, size_t n)
{
    p->malformed = n < 28 || get16(b) != 1 || get16(b + 2) != FRAME_IPV4 || b[4] != 6 || b[5] != 4;
    if (p->malformed)
        return;
    p->arp_op = get16(b + 6);
    memcpy(p->arp_sender_mac, b + 8, 6);
    p->arp_sender_ip = get32(b + 14);
    memcpy(p->arp_target_mac, b + 18, 6);
    p->arp_target_ip = get32(b + 24);
}

static void read_icmp(struct packet *p, const uint8_t *b, size_t n)
{
    p->malformed = n < 8;
    if (p->malformed)
        return;
    p->checksum_ok = frame_sum(b, n, 0) == 0xffff;
    p->icmp_type = b[0];
    p->icmp_code = b[1];
    p->icmp_rest = get32(b + 4);
    rest_is_payload(p, b + 8, n - 8);
}

static void read_udp(struct packet *p, const uint8_t *b, size_t n)
{
    size_t len = n < 8 ? 0 : get16(b + 4);

    p->malformed = len < 8 || len > n;
    if (p->malformed)
        return;
    p->sport = get16(b);
    p->dport = get16(b + 2);
    p->checksum_ok = get16(b + 6) == 0 || frame_sum(b, len, pseudo_header_sum(p, len)) == 0xffff;
    rest_is_payload(p, b + 8, len - 8);
}

static void read_tcp(struct packet *p, const uint8_t *b, size_t n)
{
    size_t header = n < 20 ? 0 : (size_t)(b[12] >> 4) * 4;

    p->malformed = header < 20 || header > n;
    if (p->malformed)
        return;
    p->checksum_ok = frame_sum(b, n, pseudo_header_sum(p, n)) == 0xffff;
    p->sport = get16(b);
    p->dport = get16(b + 2);
    p->seq = get32(b + 4);
    p->ack = get32(b + 8);
    p->flags = b[13];
    p->window = get16(b + 14);
    p->urgent = get16(b + 18);
    p->options = b + 20;
    p->options_len = header - 20;
    rest_is_payload(p, b + header, n - header);
}

static void read_ipv4(struct packet *p, const uint8_t *b, size_t n)
{
    size_t header = n < 20 ? 0 : (size_t)(b[0] & 15) * 4, total = n < 20 ? 0 : get16(b + 2);

    p->malformed = header < 20 || b[0] >> 4 != 4 || total < header || total > n;
    if (p->malformed)
        return;
    p->ip_checksum_ok = frame_sum(b, header, 0) == 0xffff;
    p->tos = b[1];
    p->ip_id = get16(b + 4);
    p->frag_off = get16(b + 6);
    p->ttl = b[8];
    p->protocol = b[9];
    p->saddr = get32(b + 12);
    p->daddr = get32(b + 16);
    rest_is_payload(p, b + header, total - header);
    if (p->frag_off & 0x3fff) /* a fragment: its transport header cannot be judged */
        return;
    if (p->protocol == PACKET_ICMP)
        read_icmp(p, b + header, total - header);
    else if (p->protocol == PACKET_UDP)
        read_udp(p, b + header, total - header);
    else if (p->protocol == PACKET_TCP)
        read_tcp(p, b + header, total - header);
}

void packet_parse(struct packet *p, const uint8_t *bytes, size_t n)
{
    uint64_t time = p->time;

    *p = (struct packet){ .time = time, .malformed = n < FRAME_HEADER };
    if (p->malformed)
        return;
    memcpy(p->dst_mac, bytes, 6);
    memcpy(p->src_mac, bytes + 6, 6);
    p->ethertype = get16(bytes + 12);
    rest_is_payload(p, bytes + FRAME_HEADER, n - FRAME_HEADER);
    if (p->ethertype == FRAME_ARP)
        read_arp(p, bytes + FRAME_HEADER, n - FRAME_HEADER);
    else if (p->ethertype == FRAME_IPV4)
        read_ipv4(p, bytes + FRAME_HEADER, n - FRAME_HEADER);
}

const uint8_t *packet_tcp_option(const struct packet *p, uint8_t kind)
{
    for (size_t i = 0; i < p->options_len && p->options[i] != 0;) {
        if (p->options[i] == kind)
            return p->options + i;
        if (p->options[i] == 1) /* no operation */
            i++;
        else if (i + 1 < p->options_len && p->options[i + 1] >= 2)
            i += p->options[i + 1];
        else
            return NULL;
    }
    return NULL;
}

/* ---- text ---- */

static size_t print_ip(char *text, size_t size, uint32_t a)
{
    return (size_t)snprintf(text, size, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
}

void packet_flags(uint8_t flags, char *text, size_t size)
{
    static const char *const names[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR" };
    size_t n = 0;

    text[0] = '\0';
    for (unsigned i = 0; i < 8; i++)
        if (flags >> i & 1)
            n += (size_t)snprintf(text + n, size - n, "%s%s", n ? " " : "", names[i]);
}

static void print_tcp(const struct packet *p, char *text, size_t size)
{
    char names[64];

    packet_flags(p->flags, names, sizeof names);
    snprintf(text, size, "TCP %s %u>%u seq %u ack %u win %u len %zu", names, p->sport, p->dport, p->seq,
             p->ack, p->window, p->payload_len);
}

static void print_transport(const struct packet *p, char *text, size_t size)
{
    if (p->frag_off & 0x3fff)
        snprintf(text, size, "fragment at %u len %zu", (p->frag_off & 0x1fffu) * 8, p->payload_len);
    else if (p->protocol == PACKET_TCP)
        print_tcp(p, text, size);
    else if (p->protocol == PACKET_UDP)
        snprintf(text, size, "UDP %u>%u len %zu", p->sport, p->dport, p->payload_len);
    else if (p->protocol == PACKET_ICMP)
        snprintf(text, size, "ICMP type %u code %u len %zu", p->icmp_type, p->icmp_code, p->payload_len);
    else
        snprintf(text, size, "protocol %u len %zu", p->protocol, p->payload_len);
}

void packet_print(const struct packet *p, char *text, size_t size)
{
    char from[16], to[16], what[128];
    bool arp = p->ethertype == FRAME_ARP;

    print_ip(from, sizeof from, arp ? p->arp_sender_ip : p->saddr);
    print_ip(to, sizeof to, arp ? p->arp_target_ip : p->daddr);
    if (p->malformed)
        snprintf(what, sizeof what, "malformed");
    else if (arp)
        snprintf(what, sizeof what, "ARP %s", p->arp_op == FRAME_ARP_REQUEST ? "request" : "reply");
    else if (p->ethertype == FRAME_IPV4 || !p->ethertype)
        print_transport(p, what, sizeof what);
    else
        snprintf(what, sizeof what, "type %#x len %zu", p->ethertype, p->payload_len);
    snprintf(text, size, "%s > %s %s", from, to, what);
}
