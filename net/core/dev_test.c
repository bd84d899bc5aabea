/* net/core/dev_test.c - devices: the NAPI sequence and the transmit path, with a driver that does nothing by
 * itself. */
#include "net/core/net_namespace.h"
#include "sim/host_pages.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <string.h>

/* A card under the test's control. */
struct card {
    struct napi_struct napi;
    int waiting;   /* packets a poll may still 'receive' */
    bool slips_in; /* listen() says that something came meanwhile, once */
    bool quiet;    /* was told to be */
    unsigned polls, listens, flushes, sent, room;
    struct sk_buff *last;  /* the newest packet sent; the card owns it */
    bool schedule_in_poll; /* an interrupt while it is being polled, once */
    bool listened_unowned; /* listen() ran when nobody owned the poll any more */
};

static struct card *card_of(struct net_device *dev)
{
    return netdev_priv(dev);
}

static int card_poll(struct napi_struct *napi, int budget)
{
    struct card *c = container_of(napi, struct card, napi);
    int done = c->waiting < budget ? c->waiting : budget;

    c->polls++;
    c->waiting -= done;
    if (c->schedule_in_poll) {
        c->schedule_in_poll = false;
        napi_schedule(napi);
    }
    return done;
}

static void card_quiet(struct napi_struct *napi)
{
    container_of(napi, struct card, napi)->quiet = true;
}

static bool card_listen(struct napi_struct *napi)
{
    struct card *c = container_of(napi, struct card, napi);
    bool came = c->slips_in;

    c->listens++;
    c->listened_unowned |= !(napi->state & NAPI_SCHEDULED);
    c->quiet = false;
    c->slips_in = false;
    c->waiting += came;
    return came;
}

static int card_open(struct net_device *dev)
{
    napi_enable(&card_of(dev)->napi);
    return 0;
}

static void card_stop(struct net_device *dev)
{
    struct card *c = card_of(dev);

    napi_disable(&c->napi);
    consume_skb(c->last);
    c->last = NULL;
}

static enum netdev_tx card_xmit(struct sk_buff *skb, struct net_device *dev)
{
    struct card *c = card_of(dev);

    if (!c->room) {
        netif_stop_queue(dev);
        return NETDEV_TX_BUSY;
    }
    if (--c->room == 0)
        netif_stop_queue(dev);
    c->sent++;
    consume_skb(c->last);
    c->last = skb;
    return NETDEV_TX_OK;
}

static void card_flush(struct net_device *dev)
{
    card_of(dev)->flushes++;
}

static const struct net_device_ops card_ops = {
    .ndo_open = card_open, .ndo_stop = card_stop, .ndo_start_xmit = card_xmit, .ndo_xmit_flush = card_flush
};

struct bench {
    struct net *net;
    struct net_device *dev;
    struct card *card;
};

static struct bench bench_create(void)
{
    struct bench b = { .net = net_create("test"), .dev = alloc_netdev(sizeof(struct card), "eth%d") };

    b.card = card_of(b.dev);
    b.card->room = 1000;
    b.dev->ops = &card_ops;
    netif_napi_add(b.dev, &b.card->napi, card_poll);
    b.card->napi.quiet = card_quiet;
    b.card->napi.listen = card_listen;
    CHECK_EQ(register_netdev(b.net, b.dev), 0);
    CHECK(!strcmp(b.dev->name, "eth0"));
    CHECK_EQ(dev_open(b.dev), 0);
    return b;
}

static void bench_destroy(struct bench *b)
{
    unregister_netdev(b->dev);
    sim_run_for(ms(1));
    free_netdev(b->dev);
    CHECK_EQ(b->net->live_skbs, 0);
    net_destroy(b->net);
}

static void interrupt(struct bench *b)
{
    b->card->quiet = true;
    napi_schedule(&b->card->napi);
    sim_run_for(ms(1));
}

TEST(an_emptied_ring_listens_again)
{
    struct bench b = bench_create();

    b.card->waiting = 10;
    interrupt(&b);
    CHECK(b.card->polls == 1 && b.card->listens == 1 && !b.card->quiet);
    CHECK_EQ(b.dev->stats.irqs, 1);
    CHECK_EQ(b.dev->stats.polls, 1);
    bench_destroy(&b);
}

TEST(a_full_budget_polls_on_without_interrupts)
{
    struct bench b = bench_create();

    b.card->waiting = 3 * NAPI_WEIGHT;
    interrupt(&b);
    CHECK_EQ(b.card->polls, 4); /* exactly the budget is not 'fewer': the fourth finds nothing */
    CHECK_EQ(b.card->listens, 1);
    CHECK_EQ(b.card->waiting, 0);
    bench_destroy(&b);
}

TEST(what_slipped_in_before_listening_is_looked_at)
{
    struct bench b = bench_create();

    b.card->waiting = 1;
    b.card->slips_in = true;
    interrupt(&b);
    CHECK(b.card->polls == 2 && b.card->listens == 2 && b.card->waiting == 0 && !b.card->quiet);
    bench_destroy(&b);
}

TEST(an_interrupt_during_the_poll_is_not_lost)
{
    struct bench b = bench_create();

    b.card->schedule_in_poll = true;
    interrupt(&b);
    CHECK(b.card->polls == 2 && !b.card->quiet);
    bench_destroy(&b);
}

/* napi_disable() on another CPU returns once nobody owns the poll; a driver that stops must not be made to
 * listen behind that. */
TEST(the_poll_is_owned_until_the_card_listens)
{
    struct bench b = bench_create();

    b.card->waiting = 1;
    interrupt(&b);
    CHECK(b.card->listens == 1 && !b.card->listened_unowned);
    bench_destroy(&b);
}

TEST(a_disabled_napi_does_not_poll)
{
    struct bench b = bench_create();

    napi_disable(&b.card->napi);
    b.card->waiting = 1;
    interrupt(&b);
    CHECK_EQ(b.card->polls, 0);
    napi_enable(&b.card->napi);
    interrupt(&b);
    CHECK_EQ(b.card->waiting, 0);
    bench_destroy(&b);
}

/* ---- transmit ---- */

static struct sk_buff *frame(struct bench *b)
{
    struct sk_buff *skb = alloc_skb_headroom(b->net, SKB_TX_HEADROOM, 100);

    memset(skb_put(skb, 60), 0, 60);
    skb->dev = b->dev;
    return skb;
}

TEST(a_stopped_queue_keeps_order_and_goes_on_when_woken)
{
    struct bench b = bench_create();
    uint64_t first_id = 0;

    b.card->room = 2;
    for (int i = 0; i < 5; i++) {
        struct sk_buff *skb = frame(&b);
        if (!i)
            first_id = skb->id;
        CHECK_EQ(dev_queue_xmit(skb), 0);
    }
    CHECK_EQ(b.card->sent, 2);
    CHECK_EQ(b.dev->tx_queue.qlen, 3);
    CHECK_EQ(b.card->last->id, first_id + 1);
    b.card->room = 10;
    netif_wake_queue(b.dev);
    sim_run_for(ms(1));
    CHECK(b.card->sent == 5 && b.dev->tx_queue.qlen == 0);
    CHECK_EQ(b.card->last->id, first_id + 4);
    CHECK_EQ(b.card->flushes, 2 + 1); /* one each, and one for the batch */
    bench_destroy(&b);
}

TEST(a_busy_card_gets_the_packet_again)
{
    struct bench b = bench_create();

    b.card->room = 0;
    CHECK_EQ(dev_queue_xmit(frame(&b)), 0);
    CHECK(b.card->sent == 0 && b.dev->tx_queue.qlen == 1 && netif_queue_stopped(b.dev));
    b.card->room = 1;
    netif_wake_queue(b.dev);
    sim_run_for(ms(1));
    CHECK_EQ(b.card->sent, 1);
    bench_destroy(&b);
}

TEST(a_full_transmit_queue_drops_and_says_so)
{
    struct bench b = bench_create();

    b.card->room = 0;
    b.dev->tx_queue_len = 3;
    for (int i = 0; i < 3; i++)
        CHECK_EQ(dev_queue_xmit(frame(&b)), 0);
    CHECK_EQ(dev_queue_xmit(frame(&b)), -ENOBUFS);
    CHECK_EQ(b.net->drops[SKB_DROP_DEV_TX_FULL], 1);
    CHECK_EQ(b.dev->stats.tx_dropped, 1);
    bench_destroy(&b);
}

TEST(a_device_that_is_down_drops)
{
    struct bench b = bench_create();

    dev_close(b.dev);
    CHECK_EQ(dev_queue_xmit(frame(&b)), -ENETDOWN);
    CHECK_EQ(b.net->drops[SKB_DROP_DEV_DOWN], 1);
    bench_destroy(&b);
}

TEST(the_checksum_is_made_in_software_for_a_card_that_cannot)
{
    struct bench b = bench_create();
    struct sk_buff *skb = frame(&b), *clone;

    skb->ip_summed = CHECKSUM_PARTIAL;
    skb->csum_start = (uint16_t)(skb->data - skb->head + 20);
    skb->csum_offset = 4;
    skb->data[20] = 0x12;
    clone = skb_clone(skb);
    CHECK_EQ(dev_queue_xmit(skb), 0);
    CHECK_EQ(b.card->last->ip_summed, CHECKSUM_NONE);
    CHECK(b.card->last->data[24] == 0xed && b.card->last->data[25] == 0xff);
    CHECK(clone->data[24] == 0 && clone->data[25] == 0); /* the bytes that it shared are as they were */

    b.dev->features |= NETIF_F_HW_CSUM;
    CHECK_EQ(dev_queue_xmit(clone), 0);
    CHECK_EQ(b.card->last->ip_summed, CHECKSUM_PARTIAL);
    bench_destroy(&b);
}

/* A frame of 64 bytes, 14 of them linear, the rest in two parts of one page; the caller owns both. */
static struct sk_buff *frame_in_pieces(struct bench *b, uint8_t *page)
{
    struct sk_buff *skb = alloc_skb_frags(b->net, 16, 14, 2);

    for (unsigned i = 0; i < SHARED_PAGE_SIZE; i++)
        page[i] = (uint8_t)i;
    memset(skb_put(skb, 14), 0, 14);
    CHECK(skb_add_frag(skb, page, 1, 21, NULL) && skb_add_frag(skb, page, 33, 29, NULL));
    skb->dev = b->dev;
    skb->protocol = cpu_to_be16(0x88b5);
    skb_reset_mac_header(skb);
    return skb;
}

static bool is_frame_in_pieces(const struct sk_buff *skb)
{
    uint8_t bytes[64];

    if (skb->len != 64)
        return false;
    skb_copy_bits(skb, 0, bytes, 64);
    return bytes[13] == 0 && bytes[14] == 1 && bytes[34] == 21 && bytes[35] == 33 && bytes[63] == 61;
}

TEST(fragments_are_gathered_in_software_for_a_card_that_cannot)
{
    struct bench b = bench_create();
    uint8_t *page = host_page_alloc();

    CHECK_EQ(dev_queue_xmit(frame_in_pieces(&b, page)), 0);
    CHECK(!skb_is_nonlinear(b.card->last) && is_frame_in_pieces(b.card->last));
    CHECK_EQ(host_page_refs(page), 1);
    b.dev->features |= NETIF_F_SG;
    CHECK_EQ(dev_queue_xmit(frame_in_pieces(&b, page)), 0);
    CHECK(skb_is_nonlinear(b.card->last) && is_frame_in_pieces(b.card->last));
    CHECK_EQ(host_page_refs(page), 1 + 2); /* each fragment has its own */
    bench_destroy(&b);
    CHECK_EQ(host_page_refs(page), 1);
    page_put(page);
}

TEST(what_is_summed_in_software_is_what_nobody_writes_to_any_more)
{
    struct bench b = bench_create();
    uint8_t *page = host_page_alloc();
    struct sk_buff *skb = frame_in_pieces(&b, page);

    b.dev->features |= NETIF_F_SG;
    skb->ip_summed = CHECKSUM_PARTIAL;
    skb->csum_start = (uint16_t)skb_headroom(skb);
    skb->csum_offset = 2;
    CHECK_EQ(dev_queue_xmit(skb), 0);
    page[1] = 0x77; /* now that the sum is made */
    CHECK(!skb_is_nonlinear(b.card->last) && is_frame_in_pieces(b.card->last));
    CHECK_EQ(csum_fold_sum(csum_partial(b.card->last->data, 64, 0)), 0xffff);
    page_put(page);
    bench_destroy(&b);
}

TEST(fragments_that_cannot_be_gathered_for_want_of_memory_are_dropped)
{
    struct bench b = bench_create();
    uint8_t *page = host_page_alloc();
    struct sk_buff *skb = frame_in_pieces(&b, page);

    sim_fail_nth_alloc(1);
    dev_queue_xmit(skb);
    CHECK(b.card->sent == 0 && b.net->drops[SKB_DROP_DEV_TX_ERROR] == 1);
    CHECK_EQ(host_page_refs(page), 1);
    page_put(page);
    bench_destroy(&b);
}

/* ---- taps ---- */

static unsigned tapped;
static void tap(struct sk_buff *skb, struct packet_type *pt)
{
    (void)pt;
    tapped++;
    consume_skb(skb);
}

TEST(a_tap_sees_what_is_sent_until_it_goes)
{
    struct bench b = bench_create();
    struct packet_type pt = { .type = ETH_P_ALL, .func = tap };

    dev_add_pack(b.net, &pt);
    CHECK_EQ(dev_queue_xmit(frame(&b)), 0);
    CHECK_EQ(tapped, 1);
    dev_remove_pack(b.net, &pt);
    CHECK_EQ(dev_queue_xmit(frame(&b)), 0);
    CHECK_EQ(tapped, 1);
    bench_destroy(&b);
}

static void tap_of_pieces(struct sk_buff *skb, struct packet_type *pt)
{
    (void)pt;
    CHECK(!skb_is_nonlinear(skb) && is_frame_in_pieces(skb));
    tapped++;
    consume_skb(skb);
}

TEST(a_tap_gets_fragments_as_a_copy)
{
    struct bench b = bench_create();
    struct packet_type pt = { .type = ETH_P_ALL, .func = tap_of_pieces };
    uint8_t *page = host_page_alloc();

    b.dev->features |= NETIF_F_SG;
    dev_add_pack(b.net, &pt);
    CHECK_EQ(dev_queue_xmit(frame_in_pieces(&b, page)), 0);
    CHECK(tapped == 1 && skb_is_nonlinear(b.card->last));
    dev_remove_pack(b.net, &pt);
    page_put(page);
    bench_destroy(&b);
}

static void closing_tap(struct sk_buff *skb, struct packet_type *pt)
{
    (void)pt;
    skb->dev->flags &= ~(uint32_t)NETDEV_UP;
    consume_skb(skb);
}

/* dev_close() on another CPU, between the sender's look at the flags and its taking the lock: nobody would
 * empty the queue again. */
TEST(a_device_that_closes_while_a_packet_is_sent_keeps_nothing)
{
    struct bench b = bench_create();
    struct packet_type pt = { .type = ETH_P_ALL, .func = closing_tap };

    dev_add_pack(b.net, &pt);
    CHECK_EQ(dev_queue_xmit(frame(&b)), -ENETDOWN);
    CHECK(b.dev->tx_queue.qlen == 0 && b.net->drops[SKB_DROP_DEV_DOWN] == 1);
    dev_remove_pack(b.net, &pt);
    b.dev->flags |= NETDEV_UP;
    bench_destroy(&b);
}

static unsigned inside, most_inside;

static void configure(void *arg)
{
    struct net *net = arg;

    CHECK_EQ(net_config_begin(net), 0);
    inside++;
    most_inside = MAX(most_inside, inside);
    sim_sleep(ms(10)); /* a card takes its time to open */
    inside--;
    net_config_end(net);
}

TEST(one_at_a_time_changes_the_devices)
{
    struct bench b = bench_create();

    for (int i = 0; i < 3; i++)
        sim_spawn("ifconfig", configure, b.net);
    sim_run_for(ms(100));
    CHECK(most_inside == 1 && inside == 0);
    bench_destroy(&b);
}

TEST(device_names_are_given_once)
{
    struct bench b = bench_create();
    struct net_device *second = alloc_netdev(sizeof(struct card), "eth%d"), *third = alloc_netdev(0, "eth1");

    second->ops = third->ops = &card_ops;
    CHECK_EQ(register_netdev(b.net, second), 0);
    CHECK(!strcmp(second->name, "eth1") && second->ifindex != b.dev->ifindex);
    CHECK_EQ(register_netdev(b.net, third), -EEXIST);
    CHECK(dev_get_by_name(b.net, "eth1") == second && !dev_get_by_name(b.net, "eth2"));
    CHECK(dev_get_by_index(b.net, second->ifindex) == second);
    unregister_netdev(second);
    free_netdev(second);
    free_netdev(third);
    bench_destroy(&b);
}
