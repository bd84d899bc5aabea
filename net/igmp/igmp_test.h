/* net/igmp/igmp_test.h - for the tests of net/igmp: messages to and from the host of host_test.h. */
#pragma once
#include "net/igmp/igmp.h"
#include "net/ipv4/host_test.h"
#include <arpa/inet.h>
#include <netinet/in.h>

enum { IGMP = 2, PORT = 5000 };

static inline uint32_t word_at(const void *bytes)
{
    uint32_t word;

    memcpy(&word, bytes, sizeof word);
    return ntohl(word);
}

/* Send an IGMP message of n bytes to daddr; its checksum is put right. */
static inline void igmp_say(const struct host *h, uint32_t daddr, const void *message, size_t n)
{
    uint8_t bytes[1480];
    struct packet p = {
        .protocol = IGMP, .saddr = h->tap->ip, .daddr = daddr, .ttl = 1, .payload = bytes, .payload_len = n
    };
    const uint8_t mac[6] = {
        1, 0, 0x5e, (uint8_t)(daddr >> 16 & 0x7f), (uint8_t)(daddr >> 8), (uint8_t)daddr
    };

    memcpy(p.dst_mac, mac, 6);
    memcpy(bytes, message, n);
    bytes[2] = bytes[3] = 0;
    uint16_t sum = (uint16_t)~frame_sum(bytes, n, 0);
    bytes[2] = (uint8_t)(sum >> 8);
    bytes[3] = (uint8_t)sum;
    tap_send(h->tap, &p);
}

/* A query for group (0: general) with sources; code: the time for the answer. version 2: of 8 bytes. */
static inline void igmp_ask(const struct host *h, unsigned version, uint8_t code, uint32_t group,
                            const uint32_t *sources, uint16_t n)
{
    uint8_t m[12 + 4 * 16] = { IGMP_QUERY, code };
    const uint32_t to = group ? group : ip4(224, 0, 0, 1);

    memcpy(m + 4, &(uint32_t){ htonl(group) }, 4);
    m[8] = IGMP_ROBUSTNESS;
    m[9] = 125;
    m[11] = (uint8_t)n;
    for (unsigned i = 0; i < n; i++)
        memcpy(m + 12 + 4 * i, &(uint32_t){ htonl(sources[i]) }, 4);
    igmp_say(h, to, m, version == 3 ? 12 + 4 * (size_t)n : 8);
}

/* The next IGMP message, to where daddr says; the test fails if none comes, or another. */
static inline const uint8_t *igmp_expect(const struct host *h, uint8_t type, uint32_t daddr, struct packet *p)
{
    EXPECT_IP(h->tap, p, IGMP);
    const uint8_t *m = p->payload;
    size_t n;
    const uint8_t *frame = tap_bytes(h->tap, &n);

    CHECK_EQ(p->daddr, daddr);
    CHECK(p->payload_len >= 8 && p->ip_checksum_ok && p->ttl == 1 && p->tos == 0xc0);
    CHECK(frame[14] == 0x46 && word_at(frame + 34) == 0x94040000); /* RFC 2113 2.1 */
    CHECK_EQ(frame_sum(m, p->payload_len, 0), 0xffff);
    CHECK_EQ(m[0], type);
    return m;
}

/* A version 3 report of one record. */
static inline const uint8_t *igmp_expect_record(const struct host *h, uint8_t type, uint32_t group,
                                                uint16_t n_sources)
{
    struct packet p;
    const uint8_t *m = igmp_expect(h, IGMP_V3_REPORT, ip4(224, 0, 0, 22), &p);

    CHECK_EQ(word_at(m + 4), 1);
    CHECK_EQ(m[8], type);
    CHECK_EQ(word_at(m + 12), group);
    CHECK_EQ(m[10] << 8 | m[11], n_sources);
    CHECK_EQ(p.payload_len, 16 + 4 * (size_t)n_sources);
    return m + 16;
}

static inline int join(struct sock *sk, int option, uint32_t group, uint32_t source)
{
    const struct ip_mreq_source ms = { { htonl(group) }, { 0 }, { htonl(source) } };
    const struct ip_mreq m = { { htonl(group) }, { 0 } };
    const bool plain = option == IP_ADD_MEMBERSHIP || option == IP_DROP_MEMBERSHIP;

    return plain ? sock_setsockopt(sk, SOL_IP, option, &m, sizeof m)
                 : sock_setsockopt(sk, SOL_IP, option, &ms, sizeof ms);
}
