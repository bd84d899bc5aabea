/* net/tcp/tcp_options_test.c - options as peers send them, and as attackers do. Checklist 58, 79, 90. */
#include "net/tcp/tcp_options.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <stdlib.h>
#include <string.h>

#define PARSE(o, ...)                                                                                        \
    ({                                                                                                       \
        const uint8_t bytes_[] = { __VA_ARGS__ };                                                            \
        tcp_options_parse(bytes_, sizeof bytes_, o);                                                         \
    })

TEST(options_of_a_linux_syn_are_read) /* RFC 9293 3.2, RFC 7323 2.2, 3.2, RFC 2018 2 */
{
    struct tcp_options o;
    CHECK(PARSE(&o, 2, 4, 5, 0xb4, 4, 2, 8, 10, 1, 2, 3, 4, 0, 0, 0, 9, 1, 3, 3, 7));
    CHECK_EQ(o.mss, 1460);
    CHECK(o.sack_permitted && o.has_timestamp && o.has_wscale);
    CHECK_EQ(o.ts_val, 0x01020304);
    CHECK_EQ(o.ts_ecr, 9);
    CHECK_EQ(o.wscale, 7);
}

TEST(unknown_options_are_passed_over_by_their_length) /* RFC 9293 3.2, MUST-6; checklist 58 */
{
    struct tcp_options o;
    CHECK(PARSE(&o, 254, 6, 1, 2, 3, 4, 2, 4, 2, 24));
    CHECK_EQ(o.mss, 536);
}

TEST(nothing_counts_behind_the_end_of_options) /* RFC 9293 3.2 */
{
    struct tcp_options o;
    CHECK(PARSE(&o, 1, 1, 0, 2, 4, 2, 24));
    CHECK_EQ(o.mss, 0);
}

TEST(illegal_option_lengths_are_refused) /* RFC 9293 3.2, MUST-7; checklist 58 */
{
    struct tcp_options o;
    CHECK(!PARSE(&o, 254, 0, 1, 1));  /* would never end */
    CHECK(!PARSE(&o, 254, 1, 1, 1));  /* shorter than itself */
    CHECK(!PARSE(&o, 2, 5, 5, 0xb4)); /* beyond the header */
    CHECK(!PARSE(&o, 1, 1, 1, 2));    /* no length at all */
    CHECK(!PARSE(&o, 2, 4, 5, 0xb4, 8, 255));
    CHECK_EQ(o.mss, 1460); /* what came before is kept */
}

TEST(options_of_a_wrong_length_do_not_count) /* RFC 9293 3.2 */
{
    struct tcp_options o;
    CHECK(PARSE(&o, 2, 3, 9, 3, 4, 1, 1, 4, 3, 0, 8, 4, 0, 0));
    CHECK(!o.mss && !o.has_wscale && !o.sack_permitted && !o.has_timestamp);
}

TEST(a_window_scale_above_14_means_14) /* RFC 7323 2.3; checklist 90 */
{
    struct tcp_options o;
    CHECK(PARSE(&o, 3, 3, 255));
    CHECK_EQ(o.wscale, 14);
}

TEST(random_options_never_read_past_the_end) /* checklist 58; ASan watches */
{
    for (int i = 0; i < 100000; i++) {
        size_t n = sim_random() % (TCP_OPTIONS_MAX + 1);
        uint8_t *p = malloc(n ? n : 1); /* exactly as long, so that a byte too far is seen */
        for (size_t k = 0; k < n; k++)
            p[k] = (uint8_t)(sim_random() % (sim_random() % 2 ? 12 : 256));
        struct tcp_options o;
        tcp_options_parse(p, (uint32_t)n, &o);
        CHECK(o.wscale <= TCP_WSCALE_MAX);
        free(p);
    }
}

TEST(options_written_are_read_back) /* RFC 9293 3.1: padded to words */
{
    for (unsigned set = 0; set < 16; set++) {
        struct tcp_options out = { .mss = set & 1 ? 1460 : 0,
                                   .has_wscale = (set & 2) != 0,
                                   .wscale = set & 2 ? 7 : 0,
                                   .sack_permitted = (set & 4) != 0,
                                   .has_timestamp = (set & 8) != 0,
                                   .ts_val = set & 8 ? 0xfffffffeu : 0,
                                   .ts_ecr = set & 8 ? 77 : 0 };
        uint8_t bytes[TCP_OPTIONS_MAX];
        struct tcp_options in;
        uint32_t n = tcp_options_write(bytes, &out);
        CHECK_EQ(n, tcp_options_length(&out));
        CHECK_EQ(n % 4, 0);
        CHECK(tcp_options_parse(bytes, n, &in));
        CHECK(in.mss == out.mss && in.has_wscale == out.has_wscale && in.wscale == out.wscale);
        CHECK(in.sack_permitted == out.sack_permitted && in.has_timestamp == out.has_timestamp);
        CHECK(in.ts_val == out.ts_val && in.ts_ecr == out.ts_ecr);
    }
}
