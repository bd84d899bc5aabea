/* sim/dev_bench.c - numbered frames through a driver and back. */
#include "sim/dev_bench.h"
#include "sim/host_pages.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <string.h>

enum { NUMBER_AT = ETH_HLEN, LENGTH_AT = ETH_HLEN + 4, PATTERN_AT = BENCH_FRAME_MIN };
enum { AWAIT_TRIES = 2000 };

static struct dev_bench *bench_of(struct packet_type *pt)
{
    return container_of(pt, struct dev_bench, type);
}

void bench_fill(uint8_t *frame, const uint8_t dest[6], uint64_t number, uint32_t len)
{
    static const uint8_t source[6] = { 0x02, 0, 0, 0, 0, 1 };
    uint8_t head[BENCH_FRAME_MIN] = { [12] = BENCH_TYPE >> 8, [13] = BENCH_TYPE & 0xff };
    uint32_t n = (uint32_t)number;

    memcpy(head, dest, 6);
    memcpy(head + 6, source, 6);
    memcpy(head + NUMBER_AT, &n, 4);
    memcpy(head + LENGTH_AT, &len, 4);
    memcpy(frame, head, MIN(len, (uint32_t)sizeof head));
    for (uint32_t i = PATTERN_AT; i < len; i++)
        frame[i] = (uint8_t)(n * 31 + i * 7 + (i >> 8));
}

/* Whether a frame is the one with the number due, padded with zeros to the wire's least length. */
static bool frame_right(const uint8_t *frame, uint32_t len, uint64_t due)
{
    uint8_t expected[BENCH_FRAME_MAX] = { 0 };
    uint32_t inner;

    if (len < BENCH_FRAME_MIN)
        return true;
    memcpy(&inner, frame + LENGTH_AT, 4);
    if (inner < BENCH_FRAME_MIN)
        return len <= ETH_FRAME_MIN; /* too short to say; the test looks itself */
    if (inner > BENCH_FRAME_MAX || len != MAX(inner, (uint32_t)(len == ETH_FRAME_MIN ? ETH_FRAME_MIN : 0)))
        return false;
    bench_fill(expected, frame, due, inner);
    memcpy(expected + 6, frame + 6, 6);
    return !memcmp(expected, frame, len);
}

static void handed_up(struct sk_buff *skb, struct packet_type *pt)
{
    struct dev_bench *b = bench_of(pt);
    const uint8_t *frame = skb_mac_header(skb);

    b->received++;
    b->rx_len = (uint32_t)(skb->tail - frame);
    if (b->rx_len > BENCH_FRAME_MAX)
        panic("a frame of %u bytes was handed up", b->rx_len);
    memcpy(b->rx_frame, frame, b->rx_len);
    b->rx_wrong += !frame_right(frame, b->rx_len, b->rx_next++);
    consume_skb(skb);
}

void bench_saw(struct dev_bench *b, const uint8_t *frame, uint32_t len)
{
    b->sent++;
    b->tx_len = len;
    if (len > BENCH_FRAME_MAX)
        panic("a frame of %u bytes was sent", len);
    memcpy(b->tx_frame, frame, len);
    b->tx_wrong += !frame_right(frame, len, b->tx_next++);
}

static struct net_device *find_device(struct net *net)
{
    struct net_device *dev = dev_next(net, NULL);
    while (dev && dev->type != ARPHRD_ETHER)
        dev = dev_next(net, dev);
    return dev;
}

void bench_init(struct dev_bench *b, struct device *d, const struct bench_card *card, void *card_arg)
{
    *b = (struct dev_bench){ .device = d, .card = card, .card_arg = card_arg };
    b->net = net_create("bench");
    CHECK(b->net);
    b->type = (struct packet_type){ .type = BENCH_TYPE, .func = handed_up };
    dev_add_pack(b->net, &b->type);
    d->net = b->net;
    b->driver = device_find_driver(d->vendor, d->device);
    CHECK(b->driver);
    CHECK_EQ(b->driver->probe(d), 0);
    b->dev = find_device(b->net);
    CHECK(b->dev);
}

void bench_open(struct dev_bench *b)
{
    CHECK_EQ(dev_open(b->dev), 0);
}

void bench_fini(struct dev_bench *b)
{
    b->driver->remove(b->device);
    dev_remove_pack(b->net, &b->type);
    CHECK_EQ(b->net->live_skbs, 0);
    CHECK_EQ(b->net->ring_skbs, 0);
    net_destroy(b->net);
}

void bench_inject(struct dev_bench *b, uint64_t number, uint32_t len)
{
    uint8_t frame[BENCH_FRAME_MAX];

    bench_fill(frame, b->dev->dev_addr, number, len);
    b->card->inject(b, frame, len);
}

int bench_send(struct dev_bench *b, uint32_t len)
{
    static const uint8_t peer[6] = { 0x02, 0, 0, 0, 0, 2 };
    struct sk_buff *skb = alloc_skb_headroom(b->net, SKB_TX_HEADROOM, len);

    CHECK(skb);
    bench_fill(skb_put(skb, len), peer, b->sends++, len);
    skb->dev = b->dev;
    return dev_queue_xmit(skb);
}

/* Put n bytes somewhere into a page of their own and append that to skb. */
static void append_page(struct sk_buff *skb, const uint8_t *bytes, uint32_t n)
{
    uint8_t *page = host_page_alloc();
    uint32_t offset = (uint32_t)(sim_random() % (SHARED_PAGE_SIZE - n + 1));

    CHECK(page);
    memcpy(page + offset, bytes, n);
    CHECK(skb_add_frag(skb, page, offset, n, NULL));
    page_put(page); /* the packet has it now */
}

int bench_send_pieces(struct dev_bench *b, uint32_t len, unsigned n)
{
    static const uint8_t peer[6] = { 0x02, 0, 0, 0, 0, 2 };
    uint8_t frame[BENCH_FRAME_MAX];
    uint32_t done = (uint32_t)(ETH_HLEN + sim_random() % (len - ETH_HLEN - n));
    struct sk_buff *skb = alloc_skb_frags(b->net, SKB_TX_HEADROOM, done, n);

    CHECK(skb);
    bench_fill(frame, peer, b->sends++, len);
    skb_put_data(skb, frame, done);
    for (; n; n--) {
        uint32_t most = MIN(len - done - (n - 1), (uint32_t)SHARED_PAGE_SIZE);
        uint32_t piece = n == 1 ? most : 1 + (uint32_t)(sim_random() % most);
        append_page(skb, frame + done, piece);
        done += piece;
    }
    skb->dev = b->dev;
    return dev_queue_xmit(skb);
}

void bench_send_all_pieces(struct dev_bench *b, uint32_t max, unsigned in_flight)
{
    for (uint32_t len = BENCH_FRAME_MIN + 2 * SKB_FRAGS_MAX; len <= max; len += 11) {
        CHECK_EQ(bench_send_pieces(b, len, 1 + b->sends % SKB_FRAGS_MAX), 0);
        CHECK_EQ(bench_send(b, len), 0);
        if (b->sends % in_flight < 2)
            bench_await(b, 0, b->sends);
    }
    bench_await(b, 0, b->sends);
    bench_settle(b);
    CHECK_EQ(bench_loose_skbs(b), 0);
    CHECK_EQ(b->tx_wrong, 0);
}

void bench_settle(struct dev_bench *b)
{
    b->card->settle(b);
}

void bench_await(struct dev_bench *b, uint64_t received, uint64_t sent)
{
    for (int tries = 0; tries < AWAIT_TRIES && (b->received < received || b->sent < sent); tries++)
        bench_settle(b);
    CHECK_EQ(b->received, received);
    CHECK_EQ(b->sent, sent);
}

int64_t bench_loose_skbs(const struct dev_bench *b)
{
    return b->net->live_skbs - b->net->ring_skbs;
}

void bench_exchange_lengths(struct dev_bench *b, uint32_t max)
{
    uint64_t n = 0;

    for (uint32_t len = ETH_HLEN; len <= max; len += len < 70 || len > 1500 ? 1 : 23) {
        bench_inject(b, n++, len);
        CHECK_EQ(bench_send(b, len), 0);
        if (n % 8 == 0)
            bench_await(b, n, n);
    }
    bench_await(b, n, n);
}

static bool is_for_the_device(const struct dev_bench *b)
{
    return !memcmp(b->rx_frame, b->dev->dev_addr, 6);
}

/* A frame to group comes in, and one for the device behind it, too short to have a number: when that one is
 * handed up the card has decided about the first. Was that let in? */
static bool group_comes_in(struct dev_bench *b, const uint8_t *group)
{
    uint64_t before = b->received;
    uint8_t frame[BENCH_FRAME_MAX];

    bench_fill(frame, group, before, BENCH_FRAME_MIN + 40);
    b->card->inject(b, frame, BENCH_FRAME_MIN + 40);
    bench_inject(b, 0, ETH_HLEN);
    for (int tries = 0; tries < AWAIT_TRIES && (b->received == before || !is_for_the_device(b)); tries++)
        bench_settle(b);
    CHECK(b->received > before && is_for_the_device(b));
    CHECK_EQ(b->rx_wrong, 0);
    return b->received == before + 2;
}

void bench_exchange_groups(struct dev_bench *b)
{
    static const uint8_t one[6] = { 1, 0, 0x5e, 1, 2, 3 }, two[6] = { 1, 0, 0x5e, 9, 8, 7 };

    CHECK(!group_comes_in(b, one));
    CHECK_EQ(dev_group_add(b->dev, one), 0);
    CHECK_EQ(dev_group_add(b->dev, one), 0); /* a second listener */
    CHECK(group_comes_in(b, one) && !group_comes_in(b, two));
    CHECK_EQ(dev_group_add(b->dev, two), 0);
    CHECK(group_comes_in(b, one) && group_comes_in(b, two));
    dev_group_del(b->dev, one);
    CHECK(group_comes_in(b, one));
    dev_group_del(b->dev, one);
    CHECK(!group_comes_in(b, one) && group_comes_in(b, two));
    b->dev->flags |= NETDEV_ALLMULTI;
    dev_set_rx_mode(b->dev);
    CHECK(group_comes_in(b, one));
    b->dev->flags &= ~(uint32_t)NETDEV_ALLMULTI;
    dev_set_rx_mode(b->dev);
    CHECK(!group_comes_in(b, one));
    dev_close(b->dev); /* which forgets nothing */
    CHECK_EQ(dev_open(b->dev), 0);
    bench_settle(b);
    CHECK(group_comes_in(b, two) && !group_comes_in(b, one));
    dev_group_del(b->dev, two);
}
