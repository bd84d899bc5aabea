/* net/tcp/tcp_gro_test.c - trains: what one poll finds is given to napi_gro_receive() frame by frame, and
 * then the poll ends. */
#include "net/core/gro.h"
#include "net/ipv4/ipv4.h"
#include "net/tcp/tcp_script_test.h"

enum { FULL = 1000 };
static uint8_t text[1 << 17];

/* A connection on a card that may make trains; the peer's text is text[] from its beginning on. */
static struct script begin(void)
{
    struct script s = script_begin();
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (uint8_t)(i * 31 + i / 256);
    s.vk->nic->dev->features |= NETIF_F_GRO;
    s.window = 30000;
    script_accept(&s);
    return s;
}

static struct napi_struct *napi(struct script *s)
{
    return &s->vk->nic->napi;
}
static unsigned trains(struct script *s)
{
    return napi(s)->n_trains;
}
/* How many packets the first train has. */
static unsigned packets(struct script *s)
{
    return trains(s) ? gro_cb(napi(s)->trains[0])->packets : 0;
}

/* The segment with n bytes of text from offset on. */
static struct packet segment(struct script *s, uint32_t offset, size_t n)
{
    struct packet p = { .protocol = PACKET_TCP,
                        .saddr = s->tap->ip,
                        .daddr = s->vk->addr,
                        .sport = s->sport,
                        .dport = s->dport,
                        .flags = ACK,
                        .seq = s->snd + offset,
                        .ack = s->rcv,
                        .window = s->window,
                        .payload = text + offset,
                        .payload_len = n };
    memcpy(p.dst_mac, s->vk->nic->dev->dev_addr, sizeof p.dst_mac);
    return p;
}

/* The card finds a frame; wrong: this byte of it (0: none) arrives with a bit turned over. */
static void found(struct script *s, const struct packet *p, size_t wrong)
{
    uint8_t frame[FRAME_MAX];
    size_t n = packet_build(p, frame);
    struct sk_buff *skb = netdev_alloc_skb(s->vk->nic->dev, FRAME_MAX);
    frame[wrong] ^= wrong ? 1 : 0;
    skb_put_data(skb, frame, (uint32_t)n);
    napi_gro_receive(napi(s), skb);
}

static void found_text(struct script *s, uint32_t offset, size_t n)
{
    struct packet p = segment(s, offset, n);
    found(s, &p, 0);
}

static void poll_ends(struct script *s)
{
    gro_flush(napi(s));
    sim_run_for(us(10));
}

static void host_reads(struct script *s, size_t n)
{
    static uint8_t got[sizeof text];
    CHECK_EQ(vk_recv_all(s->sk, got, n), (ssize_t)n);
    CHECK_EQ(memcmp(got, text, n), 0);
    CHECK_EQ(vk_recv(s->sk, got, 1, MSG_DONTWAIT), -EAGAIN);
}

static struct packet host_acknowledges(struct script *s, uint32_t n)
{
    struct packet p = host_sends_any(s, ACK);
    CHECK_EQ(p.ack, s->snd + n);
    return p;
}

TEST(segments_of_one_poll_are_one_train_with_one_acknowledgement) /* RFC 9293 3.8.6.3 */
{
    struct script s = begin();
    uint64_t before = s.vk->net->tcp->counters[TCP_COUNT_segments_in];
    for (uint32_t i = 0; i < 4; i++)
        found_text(&s, i * FULL, FULL);
    CHECK_EQ(packets(&s), 4);
    host_is_silent(&s, 0);
    poll_ends(&s);
    CHECK_EQ(trains(&s), 0);
    host_acknowledges(&s, 4 * FULL);
    host_is_silent(&s, sec(1));
    CHECK_EQ(s.vk->net->tcp->counters[TCP_COUNT_segments_in] - before, 4);
    host_reads(&s, 4 * FULL);
    script_end(&s);
}

TEST(two_segments_in_a_train_are_acknowledged_at_once) /* RFC 9293 3.8.6.3, SHLD-19 */
{
    struct script s = begin();
    found_text(&s, 0, FULL);
    poll_ends(&s);
    host_acknowledges(&s, FULL); /* the first of this size */
    found_text(&s, FULL, FULL);
    found_text(&s, 2 * FULL, FULL);
    uint64_t before = time_now();
    poll_ends(&s);
    CHECK(host_acknowledges(&s, 3 * FULL).time - before < ms(1));
    script_end(&s);
}

TEST(a_short_or_pushed_segment_ends_a_train)
{
    struct script s = begin();
    struct packet pushed = segment(&s, 3 * FULL - 1, FULL);
    pushed.flags |= PSH;
    found_text(&s, 0, FULL);
    found_text(&s, FULL, FULL - 1);
    CHECK_EQ(trains(&s), 0);
    found_text(&s, 2 * FULL - 1, FULL);
    found(&s, &pushed, 0);
    CHECK_EQ(trains(&s), 0);
    found_text(&s, 4 * FULL - 1, 10); /* a longer one is not taken behind a short one */
    found_text(&s, 4 * FULL + 9, 11);
    CHECK_EQ(packets(&s), 1);
    poll_ends(&s);
    host_reads(&s, 4 * FULL + 20);
    script_end(&s);
}

TEST(what_says_more_than_text_is_not_in_a_train_and_not_before_it)
{
    struct script s = begin();
    struct packet fin = segment(&s, 2 * FULL, 0), ack = segment(&s, 2 * FULL, 0);
    fin.flags |= FIN;
    found_text(&s, 0, FULL);
    found_text(&s, FULL, FULL);
    found(&s, &ack, 0);
    CHECK_EQ(trains(&s), 0);
    found(&s, &fin, 0);
    CHECK_EQ(script_state(&s), TCPS_CLOSE_WAIT);
    poll_ends(&s);
    uint8_t got[2 * FULL + 1];
    CHECK_EQ(vk_recv_all(s.sk, got, sizeof got), 2 * FULL);
    CHECK_EQ(memcmp(got, text, 2 * FULL), 0);
    script_end(&s);
}

static void turn_port(struct packet *p)
{
    p->sport++;
}
static void turn_ack(struct packet *p)
{
    p->ack--;
}
static void turn_window(struct packet *p)
{
    p->window++;
}
static void turn_mark(struct packet *p)
{
    p->tos = 3; /* RFC 3168 5: CE */
}
static void turn_ttl(struct packet *p)
{
    p->ttl = 63;
}
static void turn_df(struct packet *p)
{
    p->frag_off = 0x4000;
}
static void turn_urgent(struct packet *p)
{
    p->flags |= URG;
}
static void turn_number(struct packet *p)
{
    p->seq++;
}
static void turn_options(struct packet *p)
{
    static const uint8_t nops[4] = { 1, 1, 1, 1 };
    p->options = nops;
    p->options_len = sizeof nops;
}
static void turn_source(struct packet *p)
{
    p->saddr++;
}

TEST(a_packet_that_differs_in_anything_is_not_in_the_train)
{
    void (*const turns[])(struct packet * p) = { turn_port,    turn_ack,   turn_window, turn_mark,
                                                 turn_ttl,     turn_df,    turn_urgent, turn_number,
                                                 turn_options, turn_source };
    for (size_t i = 0; i < ARRAY_SIZE(turns); i++) {
        struct script s = begin();
        struct packet p = segment(&s, FULL, FULL);
        turns[i](&p);
        found_text(&s, 0, FULL);
        found(&s, &p, 0);
        CHECK(packets(&s) <= 1);
        poll_ends(&s);
        tap_flush(s.tap);
        script_end(&s);
    }
}

TEST(a_damaged_packet_is_in_no_train) /* RFC 9293 3.1, MUST-3; RFC 1122 3.2.1.2 */
{
    enum { IP_ID = 14 + 4, TEXT = 14 + 20 + 20 + 7 };
    static const size_t wrong[] = { IP_ID, TEXT };
    for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
        struct script s = begin();
        struct packet first = segment(&s, 0, FULL), second = segment(&s, FULL, FULL);
        found(&s, &first, wrong[i]);
        CHECK_EQ(trains(&s), 0);
        found(&s, &first, 0);
        found(&s, &second, wrong[i]);
        CHECK_EQ(trains(&s), 0);
        found(&s, &second, 0);
        poll_ends(&s);
        host_reads(&s, 2 * FULL);
        CHECK_EQ(s.vk->net->drops[i ? SKB_DROP_TCP_CSUM : SKB_DROP_IP_CSUM], 2);
        script_end(&s);
    }
}

TEST(a_train_behind_a_gap_is_answered_as_its_segments) /* RFC 5681 4.2 */
{
    struct script s = begin();
    for (uint32_t i = 1; i < 4; i++)
        found_text(&s, i * FULL, FULL);
    CHECK_EQ(packets(&s), 3);
    poll_ends(&s);
    for (unsigned i = 0; i < 3; i++)
        host_acknowledges(&s, 0);
    found_text(&s, 0, FULL);
    poll_ends(&s);
    host_acknowledges(&s, 4 * FULL);
    host_reads(&s, 4 * FULL);
    script_end(&s);
}

TEST(of_a_train_beyond_the_window_only_what_lies_inside_is_taken) /* RFC 9293 3.10.7.4, first */
{
    struct script s = begin();
    CHECK_EQ(vk_setsockopt_int(s.sk, SOL_SOCKET, SO_RCVBUF, 65536), 0); /* it stays as it is */
    uint32_t window = tcp_sk(s.sk)->rcv_wnd, offset = 0;
    for (; window - offset > 2 * FULL; offset += FULL) {
        found_text(&s, offset, FULL);
        poll_ends(&s);
    }
    for (unsigned i = 0; i < 4; i++)
        found_text(&s, offset + i * FULL, FULL);
    CHECK_EQ(packets(&s), 4);
    CHECK_EQ(tcp_sk(s.sk)->rcv_wnd, window - offset);
    poll_ends(&s);
    host_reads(&s, window);
    tap_flush(s.tap);
    script_end(&s);
}

TEST(an_old_train_is_old_segments)
{
    struct script s = begin();
    for (unsigned twice = 0; twice < 2; twice++) {
        for (uint32_t i = 0; i < 3; i++)
            found_text(&s, i * FULL, FULL);
        poll_ends(&s);
    }
    CHECK_EQ(s.vk->net->drops[SKB_DROP_TCP_OLD_DATA], 3);
    host_reads(&s, 3 * FULL);
    tap_flush(s.tap);
    script_end(&s);
}

TEST(a_train_for_nobody_is_dropped_whole_and_counted_by_the_packet)
{
    struct script s = begin();
    for (uint32_t i = 0; i < 3; i++) {
        struct packet p = segment(&s, i * FULL, FULL);
        p.dport++;
        found(&s, &p, 0);
    }
    poll_ends(&s);
    CHECK_EQ(s.vk->net->drops[SKB_DROP_TCP_NO_SOCKET], 3);
    struct packet p;
    EXPECT_TCP(s.tap, &p, RST);
    host_is_silent(&s, ms(1));
    script_end(&s);
}

TEST(streams_have_trains_of_their_own_and_the_oldest_makes_way)
{
    struct script s = begin();
    for (uint32_t offset = 0; offset < 2 * FULL; offset += FULL)
        for (uint16_t i = 0; i < GRO_TRAINS; i++) {
            struct packet p = segment(&s, offset, FULL);
            p.sport += i;
            found(&s, &p, 0);
        }
    CHECK_EQ(trains(&s), GRO_TRAINS);
    CHECK_EQ(packets(&s), 2);
    struct packet p = segment(&s, 0, FULL);
    p.sport += GRO_TRAINS;
    found(&s, &p, 0);
    CHECK_EQ(trains(&s), GRO_TRAINS);
    host_reads(&s, 2 * FULL); /* the first stream's went up */
    poll_ends(&s);
    tap_flush(s.tap);
    script_end(&s);
}

static void forwards(struct script *s)
{
    s->vk->net->ipv4->conf_all.forwarding = true;
}
static void refuses(struct script *s)
{
    s->vk->net->knobs.gro = false;
}
static void cannot(struct script *s)
{
    s->vk->nic->dev->features &= ~(uint32_t)NETIF_F_GRO;
}
static void is_tapped(struct script *s)
{
    s->vk->net->tap_count++;
}

TEST(no_train_where_somebody_must_see_the_packets_or_it_is_not_wanted)
{
    void (*const reasons[])(struct script * s) = { forwards, refuses, cannot, is_tapped };
    for (size_t i = 0; i < ARRAY_SIZE(reasons); i++) {
        struct script s = begin();
        reasons[i](&s);
        found_text(&s, 0, FULL);
        found_text(&s, FULL, FULL);
        CHECK_EQ(trains(&s), 0);
        host_reads(&s, 2 * FULL);
        s.vk->net->tap_count = 0;
        tap_flush(s.tap);
        script_end(&s);
    }
}

/* Everything up to n, in pieces and an order that chance chooses, some of it twice, some not at all. */
static void found_some(struct script *s, uint32_t from, uint32_t n)
{
    static const size_t sizes[] = { 1, 100, FULL, FULL, FULL };
    while (from < n) {
        uint32_t size = MIN((uint32_t)sizes[sim_random() % ARRAY_SIZE(sizes)], n - from);
        if (!sim_chance(100000))
            found_text(s, from, size);
        if (sim_chance(100000) && from > FULL)
            from -= FULL;
        else
            from += size;
        if (sim_chance(100000))
            poll_ends(s);
    }
    poll_ends(s);
}

TEST(whatever_comes_in_trains_the_stream_is_whole)
{
    enum { TOTAL = 20000 };
    for (unsigned run = 0; run < 50; run++) {
        struct script s = begin();
        uint32_t begin_seq = tcp_sk(s.sk)->rcv_nxt, arrived;
        while ((arrived = tcp_sk(s.sk)->rcv_nxt - begin_seq) < TOTAL)
            found_some(&s, arrived, TOTAL);
        host_reads(&s, TOTAL);
        tap_flush(s.tap);
        script_end(&s);
    }
}
