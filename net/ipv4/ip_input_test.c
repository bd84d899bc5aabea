/* net/ipv4/ip_input_test.c - every field of the IP header wrong in turn: silence, and the right counter. */
#include "net/ipv4/host_test.h"

enum { IP = FRAME_HEADER }; /* where the header begins in a frame */

/* An echo request with a header of hlen bytes, options all NOP; its length in bytes. */
static size_t build(const struct host *h, uint8_t *frame, unsigned hlen)
{
    struct packet p = echo_request(h, "0123456789", 10);
    unsigned extra = hlen - 20;

    memcpy(p.src_mac, h->tap->mac, 6);
    packet_build(&p, frame);
    memmove(frame + IP + hlen, frame + IP + 20, 18);
    memset(frame + IP + 20, 1, extra);
    frame[IP] = (uint8_t)(0x40 | hlen / 4);
    frame[IP + 2] = 0;
    frame[IP + 3] = (uint8_t)(hlen + 18);
    return 60 + extra;
}

static void fix_checksum(uint8_t *frame)
{
    unsigned hlen = (frame[IP] & 15) * 4u;

    frame[IP + 10] = frame[IP + 11] = 0;
    uint16_t sum = (uint16_t)~frame_sum(frame + IP, hlen, 0);
    frame[IP + 10] = (uint8_t)(sum >> 8);
    frame[IP + 11] = (uint8_t)sum;
}

/* Send the frame; nothing comes back, and reason counts one more. */
static void expect_drop(struct host *h, const uint8_t *frame, size_t n, enum skb_drop_reason reason)
{
    uint64_t before = host_drops(h, reason);

    tap_send_bytes(h->tap, frame, n);
    EXPECT_SILENCE(h->tap, ms(10));
    if (host_drops(h, reason) != before + 1)
        test_fail(__FILE__, __LINE__, "%s did not count", skb_drop_reason_name(reason));
}

TEST(a_corrupt_header_is_dropped_in_silence) // RFC 1122 3.2.1.1, 3.2.1.2; checklist 11, 12
{
    static const struct {
        unsigned at;
        uint8_t value;
        bool checksum_right;
        enum skb_drop_reason reason;
    } faults[] = {
        { 0, 0x55, true, SKB_DROP_IP_VERSION },       { 0, 0x65, true, SKB_DROP_IP_VERSION },
        { 0, 0x44, true, SKB_DROP_IP_HEADER_LENGTH }, { 0, 0x40, true, SKB_DROP_IP_HEADER_LENGTH },
        { 0, 0x4f, true, SKB_DROP_IP_HEADER_LENGTH }, { 2, 0x10, true, SKB_DROP_IP_TOTAL_LENGTH },
        { 3, 19, true, SKB_DROP_IP_TOTAL_LENGTH },    { 3, 0, true, SKB_DROP_IP_TOTAL_LENGTH },
        { 10, 0x77, false, SKB_DROP_IP_CSUM },        { 8, 0x77, false, SKB_DROP_IP_CSUM },
        { 19, 0x77, false, SKB_DROP_IP_CSUM },
    };
    struct host h = host_create();
    uint8_t frame[FRAME_MAX];

    for (unsigned i = 0; i < ARRAY_SIZE(faults); i++) {
        size_t n = build(&h, frame, 20);
        fix_checksum(frame);
        frame[IP + faults[i].at] = faults[i].value;
        if (faults[i].checksum_right && faults[i].at)
            fix_checksum(frame);
        /* 0x4f: a header of 60 bytes in a packet of 46 */
        expect_drop(&h, frame, n, faults[i].reason);
    }
    for (size_t n = 14; n < 34; n++) {
        build(&h, frame, 20);
        fix_checksum(frame);
        expect_drop(&h, frame, n, SKB_DROP_IP_SHORT);
    }
    expect_alive(&h);
    host_destroy(&h);
}

TEST(frames_too_short_or_for_others_or_of_unknown_type_are_dropped) // RFC 1122 2.4; checklist 10
{
    struct host h = host_create();
    uint8_t frame[FRAME_MAX] = { 0 };

    for (uint32_t n = 0; n < ETH_HLEN; n++) { /* as from a card that lets them through */
        struct sk_buff *skb = netdev_alloc_skb(h.vk->nic->dev, 64);
        skb_put_data(skb, frame, n);
        napi_gro_receive(&h.vk->nic->napi, skb);
    }
    CHECK_EQ(host_drops(&h, SKB_DROP_ETH_SHORT), 14);
    size_t n = build(&h, frame, 20);
    fix_checksum(frame);
    h.vk->nic->dev->flags |= NETDEV_PROMISC; /* or the card keeps it from us */
    frame[5] ^= 1;
    expect_drop(&h, frame, n, SKB_DROP_ETH_OTHER_HOST);
    frame[5] ^= 1;
    frame[12] = 0x86;
    frame[13] = 0xdd;
    expect_drop(&h, frame, n, SKB_DROP_ETH_UNKNOWN_TYPE);
    host_destroy(&h);
}

TEST(impossible_sources_are_dropped_in_silence) // RFC 1122 3.2.1.3; checklist 13
{
    const uint32_t sources[] = {
        0, ip4(255, 255, 255, 255), ip4(10, 0, 0, 255), ip4(224, 0, 0, 5), ip4(127, 0, 0, 1), ip4(10, 0, 0, 1)
    };
    struct host h = host_create();

    for (unsigned i = 0; i < ARRAY_SIZE(sources); i++) {
        struct packet p = echo_request(&h, "x", 1);
        p.saddr = sources[i];
        tap_send(h.tap, &p);
        EXPECT_SILENCE(h.tap, ms(10));
        CHECK_EQ(host_drops(&h, SKB_DROP_IP_SOURCE_INVALID), i + 1);
    }
    host_destroy(&h);
}

TEST(what_is_not_for_us_is_dropped_in_silence) // RFC 1122 3.2.1.3; checklist 14, 26
{
    const uint32_t destinations[] = { ip4(10, 0, 0, 3), ip4(192, 168, 1, 1), ip4(224, 0, 0, 9), 0,
                                      ip4(127, 0, 0, 1) };
    struct host h = host_create();

    for (unsigned i = 0; i < ARRAY_SIZE(destinations); i++) {
        struct packet p = echo_request(&h, "x", 1);
        p.daddr = destinations[i];
        tap_send(h.tap, &p);
        EXPECT_SILENCE(h.tap, ms(10));
        CHECK_EQ(host_drops(&h, SKB_DROP_IP_NOT_FOR_US), i + 1);
    }
    host_destroy(&h);
}

TEST(a_ttl_of_one_reaches_us) // RFC 1122 3.2.1.7; checklist 24
{
    struct host h = host_create();
    struct packet p = echo_request(&h, "x", 1);

    p.ttl = 1;
    tap_send(h.tap, &p);
    EXPECT_IP(h.tap, &p, PACKET_ICMP);
    CHECK_EQ(p.ttl, 64);
    host_destroy(&h);
}

TEST(padding_of_short_frames_is_cut_off) // RFC 894; checklist 9
{
    struct host h = host_create();
    uint8_t frame[FRAME_MAX];
    struct packet p;
    size_t n = build(&h, frame, 20);

    fix_checksum(frame);
    memset(frame + 14 + 38, 0xee, 60 - 52); /* not zeroes, so that a sum over them would differ */
    tap_send_bytes(h.tap, frame, n);
    EXPECT_IP(h.tap, &p, PACKET_ICMP);
    CHECK_EQ(p.payload_len, 10);
    host_destroy(&h);
}

TEST(random_frames_do_no_harm) // issue: bad input
{
    struct host h = host_create();
    uint8_t frame[FRAME_MAX];

    for (int i = 0; i < 3000; i++) {
        size_t n = (size_t)(sim_random() % 1515);
        for (size_t b = 0; b < n; b++)
            frame[b] = (uint8_t)sim_random();
        if (n >= 14 && i % 2) {
            memcpy(frame, host_mac(&h), 6);
            frame[12] = 8;
            frame[13] = i % 4 == 1 ? 6 : 0;
        }
        if (n >= 34 && i % 8 == 3) {
            frame[14] = (uint8_t)(0x45 + sim_random() % 3);
            fix_checksum(frame);
        }
        if (n)
            tap_send_bytes(h.tap, frame, n);
        sim_run_for(us(100));
    }
    expect_alive(&h);
    host_destroy(&h);
}
