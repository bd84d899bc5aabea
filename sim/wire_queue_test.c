/* sim/wire_queue_test.c - queues, jitter, bursts of loss, and the switch. */
#include "sim/sim.h"
#include "sim/switch.h"
#include "sim/tap.h"
#include "sim/test.h"
#include <stdlib.h>
#include <string.h>

enum { FRAME = 1250 }; /* bytes: 1 ms at 10 Mbit/s */

/* Two ends of a wire; what arrives is counted, its numbers and times kept. */
struct line {
    struct wire *wire;
    struct wire_port from, to;
    unsigned got;
    uint32_t number[4096];
    uint64_t time[4096];
};

static void count(struct wire_port *port, const uint8_t *frame, size_t n)
{
    struct line *l = container_of(port, struct line, to);

    CHECK_EQ(n, FRAME);
    CHECK(l->got < ARRAY_SIZE(l->number));
    memcpy(&l->number[l->got], frame, sizeof(uint32_t));
    l->time[l->got++] = time_now();
}

static struct line *line_create(void)
{
    struct line *l = calloc(1, sizeof *l);

    CHECK(l);
    l->wire = wire_create("line");
    l->wire->bits_per_second = 10000000;
    l->to.receive = l->from.receive = count;
    wire_attach(l->wire, &l->from);
    wire_attach(l->wire, &l->to);
    return l;
}

static void line_destroy(struct line *l)
{
    wire_detach(&l->from);
    wire_detach(&l->to);
    wire_destroy(l->wire);
    free(l);
}

static uint64_t send_number(struct line *l, uint32_t number)
{
    uint8_t frame[FRAME] = { 0 };

    memcpy(frame, &number, sizeof number);
    return wire_transmit(&l->from, frame, sizeof frame);
}

/* n frames, one every interval; the clock stands at the end of the last. */
static void send_evenly(struct line *l, uint32_t n, uint64_t interval)
{
    for (uint32_t i = 0; i < n; i++) {
        send_number(l, i);
        sim_run_for(interval);
    }
}

TEST(a_full_drop_tail_queue_drops_what_comes)
{
    struct line *l = line_create();

    l->wire->queue.limit = 10;
    for (uint32_t i = 0; i < 20; i++)
        CHECK_EQ(send_number(l, i), 0); /* the card need not wait */
    CHECK_EQ(l->from.queue.length, 10);
    CHECK_EQ(l->from.queue.drops, 9);
    sim_run_for(ms(100));
    CHECK_EQ(l->got, 11); /* one on the line, ten behind it */
    for (uint32_t i = 0; i < l->got; i++) {
        CHECK_EQ(l->number[i], i);
        CHECK_EQ(l->time[i], ms(i + 1));
    }
    line_destroy(l);
}

TEST(without_a_queue_the_sender_waits)
{
    struct line *l = line_create();

    CHECK_EQ(send_number(l, 0), ms(1));
    CHECK_EQ(send_number(l, 1), ms(2));
    line_destroy(l);
}

TEST(red_drops_a_few_before_the_queue_is_full) // Floyd and Jacobson 1993
{
    struct line *l = line_create();

    l->wire->queue = (struct wire_queue_config){ .discipline = WIRE_RED, .limit = 100 };
    send_evenly(l, 2000, us(960)); /* 4 % more than the line carries: 80 too many in all */
    CHECK(l->from.queue.drops > 0);
    CHECK(l->from.queue.drops < 80);
    CHECK(l->from.queue.length < 100);
    CHECK(l->from.queue.red_average > 25); /* or none would have been dropped */
    line_destroy(l);
}

TEST(red_leaves_a_short_burst_alone)
{
    struct line *l = line_create();

    l->wire->queue = (struct wire_queue_config){ .discipline = WIRE_RED, .limit = 100 };
    for (uint32_t i = 0; i < 90; i++)
        send_number(l, i);
    CHECK_EQ(l->from.queue.drops, 0);
    line_destroy(l);
}

TEST(codel_bounds_the_time_that_frames_wait) // RFC 8289 4.4, 5
{
    struct line *l = line_create();
    uint64_t longest = 0;

    l->wire->queue = (struct wire_queue_config){ .discipline = WIRE_CODEL, .limit = 1000 };
    send_evenly(l, 4000,
                us(990)); /* 1 % more than the line carries: without drops it would wait 40 ms at the end */
    for (uint32_t i = 3000; i < l->got; i++)
        longest = MAX(longest, l->time[i] - (uint64_t)l->number[i] * us(990));
    CHECK(l->from.queue.drops > 10);
    CHECK(longest < ms(20));
    line_destroy(l);
}

TEST(codel_drops_nothing_while_the_line_keeps_up) // RFC 8289 4.4
{
    struct line *l = line_create();

    l->wire->queue = (struct wire_queue_config){ .discipline = WIRE_CODEL, .limit = 1000 };
    for (unsigned burst = 0; burst < 50;
         burst++) { /* bursts of 20 ms, each away before an interval is over */
        for (uint32_t i = 0; i < 20; i++)
            send_number(l, i);
        sim_run_for(ms(40));
    }
    CHECK_EQ(l->from.queue.drops, 0);
    line_destroy(l);
}

TEST(jitter_delays_and_keeps_the_order)
{
    struct line *l = line_create();
    uint64_t least = UINT64_MAX, most = 0;

    l->wire->jitter = ms(5);
    l->wire->delay = ms(10);
    send_evenly(l, 500, ms(2));
    for (uint32_t i = 0; i < l->got; i++) {
        uint64_t took = l->time[i] - i * ms(2) - ms(1);
        CHECK_EQ(l->number[i], i);
        least = MIN(least, took);
        most = MAX(most, took);
    }
    CHECK(least >= ms(10) && least < ms(11));
    CHECK(most > ms(14) && most <= ms(15));
    line_destroy(l);
}

TEST(bursts_of_loss_have_their_rate_and_their_length) // Gilbert 1960, Elliott 1963
{
    struct line *l = line_create();
    unsigned bursts = 0, lost;

    l->wire->burst_enter = 10000; /* bad a fifth of the time, 25 frames on the average */
    l->wire->burst_leave = 40000;
    l->wire->burst_loss = 1000000;
    send_evenly(l, 4000, ms(1));
    sim_run_for(ms(1));
    lost = 4000 - l->got;
    for (uint32_t i = 1; i < l->got; i++)
        bursts += l->number[i] != l->number[i - 1] + 1;
    CHECK_EQ(l->wire->lost, lost);
    CHECK(lost > 4000 / 8 && lost < 4000 / 3);
    CHECK(lost / bursts > 12 && lost / bursts < 50);
    line_destroy(l);
}

/* A frame with an IPv4 header of 20 bytes, whose TOS is that, and a right checksum. */
static void ip_frame(uint8_t frame[FRAME], uint8_t tos)
{
    static const uint8_t head[] = { 0x45, 0, 4, 0xd4, 0, 1, 0, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2 };
    uint32_t sum = 0;

    memset(frame, 0, FRAME);
    frame[12] = 8;
    memcpy(frame + 14, head, sizeof head);
    frame[15] = tos;
    for (int i = 0; i < 20; i += 2)
        sum += (uint32_t)(frame[14 + i] << 8 | frame[15 + i]);
    sum = ~((sum & 0xffff) + (sum >> 16));
    frame[24] = (uint8_t)(sum >> 8);
    frame[25] = (uint8_t)sum;
}

TEST(a_long_queue_marks_those_that_heed_marks) /* RFC 3168 5; RFC 8257 3.1 */
{
    struct wire_queue_config c = { .limit = 10, .mark_above = 2 };
    static const uint8_t before[] = { 0xb8, 0xb9, 0xba, 0xbb }, after[] = { 0xb8, 0xbb, 0xbb, 0xbb };
    for (size_t i = 0; i < sizeof before; i++) {
        uint8_t frame[FRAME], expected[FRAME];
        struct wire_queue q;
        wire_queue_init(&q);
        ip_frame(frame, before[i]);
        ip_frame(expected, after[i]);
        for (int n = 0; n < 4; n++)
            wire_queue_put(&q, &c, frame, sizeof frame);
        for (int n = 0; n < 4; n++) {
            struct queued_frame *f = wire_queue_take(&q, &c);
            CHECK(f && !memcmp(f->bytes, n < 3 ? frame : expected, FRAME)); /* the fourth found three */
            free(f);
        }
    }
}

TEST(a_wire_that_is_down_loses_everything)
{
    struct line *l = line_create();

    l->wire->down = true;
    send_evenly(l, 5, ms(2));
    l->wire->down = false;
    send_evenly(l, 5, ms(2));
    CHECK_EQ(l->got, 5);
    CHECK_EQ(l->wire->lost, 5);
    line_destroy(l);
}

TEST(a_switch_floods_until_it_knows_better)
{
    struct wire *w[3] = { wire_create("0"), wire_create("1"), wire_create("2") };
    struct wire_switch *s = switch_create();
    struct tap *t[3];
    struct packet p = { .protocol = PACKET_UDP, .sport = 1, .dport = 2 };

    for (int i = 0; i < 3; i++) {
        switch_join(s, w[i]);
        t[i] = tap_create(w[i], ip4(10, 0, 0, (uint8_t)(i + 1)));
        t[i]->only_for_me = false;
    }
    memcpy(p.dst_mac, t[1]->mac, 6);
    tap_send(t[0], &p); /* nobody knows where it is */
    EXPECT_IP(t[1], &p, PACKET_UDP);
    EXPECT_IP(t[2], &p, PACKET_UDP);
    memcpy(p.dst_mac, t[0]->mac, 6);
    memcpy(p.src_mac, t[1]->mac, 6);
    tap_send(t[1], &p); /* the first frame told */
    EXPECT_IP(t[0], &p, PACKET_UDP);
    EXPECT_SILENCE(t[2], ms(1));
    memset(p.dst_mac, 0xff, 6);
    memset(p.src_mac, 0, 6);
    tap_send(t[2], &p); /* for everybody */
    EXPECT_IP(t[0], &p, PACKET_UDP);
    EXPECT_IP(t[1], &p, PACKET_UDP);
    EXPECT_SILENCE(t[2], ms(1));
    switch_destroy(s);
    for (int i = 0; i < 3; i++) {
        tap_destroy(t[i]);
        wire_destroy(w[i]);
    }
}
