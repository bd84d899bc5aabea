/* net/igmp/igmp_test.c - what routers hear of this host, and when. */
#include "net/igmp/igmp_test.h"

#define GROUP ip4(239, 1, 2, 3)
#define A     ip4(10, 0, 0, 7)
#define B     ip4(10, 0, 0, 8)

/* The host forgets older queriers after that (RFC 3376 8.12). */
#define OLDER_GONE (2 * sec(125) + sec(11))

static struct host host_in_group(struct sock **sk)
{
    struct host h = host_create();

    *sk = vk_socket(h.vk, SOCK_DGRAM);
    CHECK_EQ(join(*sk, IP_ADD_MEMBERSHIP, GROUP, 0), 0);
    return h;
}

/* With what joining said behind it. */
static struct host quiet_host_in_group(struct sock **sk)
{
    struct host h = host_in_group(sk);

    sim_run_for(sec(12));
    tap_flush(h.tap);
    return h;
}

TEST(joining_and_leaving_a_group_is_told_twice) // RFC 3376 5.1; 8.1
{
    struct sock *sk;
    struct host h = host_in_group(&sk);
    uint64_t begun = time_now();

    igmp_expect_record(&h, RECORD_TO_EXCLUDE, GROUP, 0);
    CHECK_EQ(time_now() - begun < ms(1), true);
    igmp_expect_record(&h, RECORD_TO_EXCLUDE, GROUP, 0);
    CHECK(time_now() - begun <= sec(1) + ms(1));
    EXPECT_SILENCE(h.tap, sec(20));
    CHECK_EQ(join(sk, IP_DROP_MEMBERSHIP, GROUP, 0), 0);
    igmp_expect_record(&h, RECORD_TO_INCLUDE, GROUP, 0);
    igmp_expect_record(&h, RECORD_TO_INCLUDE, GROUP, 0);
    EXPECT_SILENCE(h.tap, sec(20));
    vk_close(sk);
    host_destroy(&h);
}

TEST(closing_the_last_socket_leaves_the_group) // ip(7); RFC 3376 3.2
{
    struct sock *sk;
    struct host h = quiet_host_in_group(&sk);
    struct sock *other = vk_socket(h.vk, SOCK_DGRAM);

    CHECK_EQ(join(other, IP_ADD_MEMBERSHIP, GROUP, 0), 0);
    vk_close(sk);
    EXPECT_SILENCE(h.tap, sec(5));
    vk_close(other);
    igmp_expect_record(&h, RECORD_TO_INCLUDE, GROUP, 0);
    host_destroy(&h);
}

TEST(a_general_query_is_answered_within_its_time_and_all_hosts_is_never_told) // RFC 3376 5.2; RFC 1112 7.2
{
    struct sock *sk;
    struct host h = quiet_host_in_group(&sk);
    uint64_t begun = time_now();

    igmp_ask(&h, 3, 20, 0, NULL, 0);
    igmp_expect_record(&h, RECORD_IS_EXCLUDE, GROUP, 0);
    CHECK(time_now() - begun <= sec(2) + ms(1));
    EXPECT_SILENCE(h.tap, sec(5));
    vk_close(sk);
    sim_run_for(sec(3));
    tap_flush(h.tap);
    igmp_ask(&h, 3, 20, 0, NULL, 0);
    EXPECT_SILENCE(h.tap, sec(5));
    host_destroy(&h);
}

TEST(the_answer_is_late_by_chance) // RFC 3376 5.2: "a random delay"
{
    struct sock *sk;
    struct host h = quiet_host_in_group(&sk);
    uint64_t least = TIME_NEVER, most = 0;

    for (int i = 0; i < 20; i++) {
        uint64_t begun = time_now();
        igmp_ask(&h, 3, 100, 0, NULL, 0);
        igmp_expect_record(&h, RECORD_IS_EXCLUDE, GROUP, 0);
        least = MIN(least, time_now() - begun);
        most = MAX(most, time_now() - begun);
    }
    CHECK(least < sec(3) && most > sec(7) && most <= sec(10) + ms(1));
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_group_that_this_host_is_not_in_is_not_answered_for) // RFC 3376 5.2
{
    struct sock *sk;
    struct host h = quiet_host_in_group(&sk);

    igmp_ask(&h, 3, 10, GROUP + 1, NULL, 0);
    EXPECT_SILENCE(h.tap, sec(3));
    igmp_ask(&h, 3, 10, GROUP, NULL, 0);
    igmp_expect_record(&h, RECORD_IS_EXCLUDE, GROUP, 0);
    vk_close(sk);
    host_destroy(&h);
}

TEST(of_the_sources_asked_for_those_that_are_taken_are_told) // RFC 3376 5.2, the table
{
    const uint32_t both[] = { A, B };
    struct sock *sk;
    struct host h = quiet_host_in_group(&sk);

    CHECK_EQ(join(sk, IP_BLOCK_SOURCE, GROUP, A), 0);
    sim_run_for(sec(3));
    tap_flush(h.tap);
    igmp_ask(&h, 3, 10, GROUP, both, 2);
    CHECK_EQ(word_at(igmp_expect_record(&h, RECORD_IS_INCLUDE, GROUP, 1)), B);
    igmp_ask(&h, 3, 10, GROUP, both, 1); /* only the blocked one: nothing to say */
    EXPECT_SILENCE(h.tap, sec(3));
    vk_close(sk);
    host_destroy(&h);
}

TEST(questions_about_sources_add_up_and_one_about_the_group_replaces_them) // RFC 3376 5.2, 4 and 5
{
    const uint32_t sources[] = { A, B };
    struct sock *sk;
    struct host h = quiet_host_in_group(&sk);

    igmp_ask(&h, 3, 50, GROUP, &sources[0], 1);
    igmp_ask(&h, 3, 50, GROUP, &sources[1], 1);
    igmp_expect_record(&h, RECORD_IS_INCLUDE, GROUP, 2);
    EXPECT_SILENCE(h.tap, sec(6));
    igmp_ask(&h, 3, 50, GROUP, sources, 2);
    igmp_ask(&h, 3, 50, GROUP, NULL, 0);
    igmp_expect_record(&h, RECORD_IS_EXCLUDE, GROUP, 0);
    EXPECT_SILENCE(h.tap, sec(6));
    vk_close(sk);
    host_destroy(&h);
}

TEST(sources_that_come_and_go_are_told_as_allowed_and_blocked) // RFC 3376 5.1, the table
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);

    CHECK_EQ(join(sk, IP_ADD_SOURCE_MEMBERSHIP, GROUP, A), 0); /* IN () -> IN (A) */
    for (int i = 0; i < 2; i++)
        CHECK_EQ(word_at(igmp_expect_record(&h, RECORD_ALLOW, GROUP, 1)), A);
    CHECK_EQ(join(sk, IP_ADD_SOURCE_MEMBERSHIP, GROUP, B), 0); /* IN (A) -> IN (A,B) */
    for (int i = 0; i < 2; i++)
        CHECK_EQ(word_at(igmp_expect_record(&h, RECORD_ALLOW, GROUP, 1)), B);
    CHECK_EQ(join(sk, IP_DROP_SOURCE_MEMBERSHIP, GROUP, A), 0); /* IN (A,B) -> IN (B) */
    for (int i = 0; i < 2; i++)
        CHECK_EQ(word_at(igmp_expect_record(&h, RECORD_BLOCK, GROUP, 1)), A);
    CHECK_EQ(join(sk, IP_DROP_SOURCE_MEMBERSHIP, GROUP, B), 0); /* the last one: left */
    for (int i = 0; i < 2; i++)
        CHECK_EQ(word_at(igmp_expect_record(&h, RECORD_BLOCK, GROUP, 1)), B);
    EXPECT_SILENCE(h.tap, sec(3));
    CHECK_EQ(join(sk, IP_DROP_MEMBERSHIP, GROUP, 0), -EADDRNOTAVAIL);
    vk_close(sk);
    host_destroy(&h);
}

TEST(what_changes_again_before_it_was_told_twice_is_told_as_it_is_then) // RFC 3376 5.1
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);

    CHECK_EQ(join(sk, IP_ADD_SOURCE_MEMBERSHIP, GROUP, A), 0);
    igmp_expect_record(&h, RECORD_ALLOW, GROUP, 1);
    CHECK_EQ(join(sk, IP_ADD_SOURCE_MEMBERSHIP, GROUP, B), 0);
    igmp_expect_record(&h, RECORD_ALLOW, GROUP, 2); /* A's second time, B's first */
    CHECK_EQ(word_at(igmp_expect_record(&h, RECORD_ALLOW, GROUP, 1)), B);
    EXPECT_SILENCE(h.tap, sec(3));
    vk_close(sk);
    host_destroy(&h);
}

TEST(the_device_takes_what_any_of_its_sockets_takes) // RFC 3376 3.2, its examples
{
    struct sock *sk;
    struct host h = quiet_host_in_group(&sk);
    struct sock *other = vk_socket(h.vk, SOCK_DGRAM);

    CHECK_EQ(join(sk, IP_BLOCK_SOURCE, GROUP, A), 0);
    CHECK_EQ(join(sk, IP_BLOCK_SOURCE, GROUP, B), 0);
    sim_run_for(sec(3));
    tap_flush(h.tap);
    CHECK_EQ(join(other, IP_ADD_SOURCE_MEMBERSHIP, GROUP, B), 0); /* EX (A,B), IN (B): EX (A) */
    CHECK_EQ(word_at(igmp_expect_record(&h, RECORD_ALLOW, GROUP, 1)), B);
    sim_run_for(sec(3));
    tap_flush(h.tap);
    CHECK_EQ(join(sk, IP_DROP_MEMBERSHIP, GROUP, 0), 0); /* IN (B) */
    CHECK_EQ(word_at(igmp_expect_record(&h, RECORD_TO_INCLUDE, GROUP, 1)), B);
    vk_close(sk);
    vk_close(other);
    host_destroy(&h);
}

TEST(an_older_querier_is_spoken_to_in_its_version_until_it_is_gone) // RFC 3376 7.2.1, 8.12
{
    struct sock *sk;
    struct host h = quiet_host_in_group(&sk);
    struct packet p;

    igmp_ask(&h, 2, 10, 0, NULL, 0);
    CHECK_EQ(word_at(igmp_expect(&h, IGMP_V2_REPORT, GROUP, &p) + 4), GROUP);
    igmp_ask(&h, 3, 10, 0, NULL, 0); /* a newer one beside it changes nothing */
    igmp_expect(&h, IGMP_V2_REPORT, GROUP, &p);
    CHECK_EQ(join(sk, IP_BLOCK_SOURCE, GROUP, A), 0); /* version 2 knows no sources */
    EXPECT_SILENCE(h.tap, sec(5));
    CHECK_EQ(join(sk, IP_DROP_MEMBERSHIP, GROUP, 0), 0);
    CHECK_EQ(word_at(igmp_expect(&h, IGMP_V2_LEAVE, ip4(224, 0, 0, 2), &p) + 4), GROUP);
    EXPECT_SILENCE(h.tap, sec(20));
    CHECK_EQ(join(sk, IP_ADD_MEMBERSHIP, GROUP, 0), 0);
    igmp_expect(&h, IGMP_V2_REPORT, GROUP, &p); /* RFC 2236 3: unsolicited, twice */
    igmp_expect(&h, IGMP_V2_REPORT, GROUP, &p);
    EXPECT_SILENCE(h.tap, OLDER_GONE);
    igmp_ask(&h, 3, 10, 0, NULL, 0);
    igmp_expect_record(&h, RECORD_IS_EXCLUDE, GROUP, 0);
    vk_close(sk);
    host_destroy(&h);
}

TEST(to_a_version_1_querier_nothing_is_said_on_leaving) // RFC 1112 appendix I, RFC 2236 4
{
    struct sock *sk;
    struct host h = quiet_host_in_group(&sk);
    struct packet p;
    uint64_t begun = time_now();

    igmp_ask(&h, 1, 0, 0, NULL, 0);
    igmp_expect(&h, IGMP_V1_REPORT, GROUP, &p);
    CHECK(time_now() - begun <= sec(10) + ms(1));
    vk_close(sk);
    EXPECT_SILENCE(h.tap, sec(20));
    host_destroy(&h);
}

TEST(another_host_s_report_spares_ours_and_the_leave) // RFC 2236 3
{
    const uint8_t report[8] = { IGMP_V2_REPORT, 0, 0, 0, 239, 1, 2, 3 };
    struct sock *sk;
    struct host h = quiet_host_in_group(&sk);

    igmp_ask(&h, 2, 100, 0, NULL, 0);
    igmp_say(&h, GROUP, report, sizeof report);
    EXPECT_SILENCE(h.tap, sec(20));
    vk_close(sk);
    EXPECT_SILENCE(h.tap, sec(20));
    host_destroy(&h);
}

TEST(in_version_3_another_host_s_report_spares_nothing) // RFC 3376 5
{
    const uint8_t report[8] = { IGMP_V2_REPORT, 0, 0, 0, 239, 1, 2, 3 };
    struct sock *sk;
    struct host h = quiet_host_in_group(&sk);

    igmp_ask(&h, 3, 100, 0, NULL, 0);
    igmp_say(&h, GROUP, report, sizeof report);
    igmp_expect_record(&h, RECORD_IS_EXCLUDE, GROUP, 0);
    vk_close(sk);
    host_destroy(&h);
}

TEST(the_querier_says_how_often_a_change_is_told) // RFC 3376 4.1.6
{
    const uint8_t query[12] = { IGMP_QUERY, 1, 0, 0, 0, 0, 0, 0, 4, 125 };
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);

    igmp_say(&h, ip4(224, 0, 0, 1), query, sizeof query);
    sim_run_for(ms(500));
    CHECK_EQ(join(sk, IP_ADD_MEMBERSHIP, GROUP, 0), 0);
    for (int i = 0; i < 4; i++)
        igmp_expect_record(&h, RECORD_TO_EXCLUDE, GROUP, 0);
    EXPECT_SILENCE(h.tap, sec(10));
    vk_close(sk);
    host_destroy(&h);
}

TEST(times_above_12_8_seconds_have_an_exponent) // RFC 3376 4.1.1
{
    CHECK_EQ(igmp_decode_code(0), 0);
    CHECK_EQ(igmp_decode_code(127), 127);
    CHECK_EQ(igmp_decode_code(128), 128);
    CHECK_EQ(igmp_decode_code(0x8f), 31 << 3);
    CHECK_EQ(igmp_decode_code(255), 31744);
}

TEST(malformed_igmp_is_dropped_and_counted) // RFC 3376 4.1.2, 7.1, 9.1
{
    const uint8_t query[64] = { IGMP_QUERY, 10, 0, 0, 239, 1, 2, 3, 2, 125, 0, 1 }; /* with one source */
    const uint8_t unicast[8] = { IGMP_QUERY, 10, 0, 0, 10, 0, 0, 1 }, unknown[8] = { 0x33 };
    struct sock *sk;
    struct host h = quiet_host_in_group(&sk);
    struct packet p = { .protocol = IGMP, .saddr = A, .daddr = GROUP, .payload = query, .payload_len = 16 };

    for (size_t n = 0; n < 8; n++)
        igmp_say(&h, GROUP, query, n);
    for (size_t n = 9; n < 16; n++) /* no version has this length, or the source is cut off */
        igmp_say(&h, GROUP, query, n);
    igmp_say(&h, GROUP, unicast, sizeof unicast);
    igmp_ask(&h, 3, 10, GROUP, NULL, 0); /* good; */
    igmp_say(&h, GROUP, unknown, sizeof unknown);
    tap_send(h.tap, &p); /* with a wrong checksum */
    sim_run_for(ms(1));
    CHECK_EQ(host_drops(&h, SKB_DROP_IGMP_SHORT), 8);
    CHECK_EQ(host_drops(&h, SKB_DROP_IGMP_BAD), 7 + 1);
    CHECK_EQ(host_drops(&h, SKB_DROP_IGMP_UNKNOWN), 1);
    CHECK_EQ(host_drops(&h, SKB_DROP_IGMP_CSUM), 1);
    igmp_expect_record(&h, RECORD_IS_EXCLUDE, GROUP, 0);
    EXPECT_SILENCE(h.tap, sec(5));
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_general_query_to_another_group_is_a_trick) // RFC 3376 9.1
{
    const uint8_t query[8] = { IGMP_QUERY, 10 };
    struct sock *sk;
    struct host h = quiet_host_in_group(&sk);

    igmp_say(&h, GROUP, query, sizeof query);
    EXPECT_SILENCE(h.tap, sec(5));
    CHECK_EQ(host_drops(&h, SKB_DROP_IGMP_BAD), 1);
    vk_close(sk);
    host_destroy(&h);
}

/* vnic's device, taken down and up as ifconfig does it. */
static void set_up(struct host *h, bool up)
{
    struct net_device *dev = h->vk->nic->dev;

    CHECK_EQ(net_config_begin(h->vk->net), 0);
    if (up)
        CHECK_EQ(dev_open(dev), 0);
    else
        dev_close(dev);
    net_config_end(h->vk->net);
}

TEST(a_membership_outlives_its_device_s_pause_and_is_told_anew) // ip(7); Linux
{
    struct sock *sk;
    struct host h = quiet_host_in_group(&sk);

    set_up(&h, false);
    sim_run_for(sec(1));
    set_up(&h, true);
    struct packet p;
    EXPECT_ARP(h.tap, &p, FRAME_ARP_REQUEST); /* its address is announced */
    igmp_expect_record(&h, RECORD_TO_EXCLUDE, GROUP, 0);
    vk_close(sk);
    host_destroy(&h);
}

TEST(a_group_joined_while_the_device_is_down_is_told_when_it_comes_up)
{
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    const struct ip_mreqn m = { { htonl(GROUP) }, { 0 }, (int)h.vk->nic->dev->ifindex };
    struct packet p;

    set_up(&h, false);
    CHECK_EQ(sock_setsockopt(sk, SOL_IP, IP_ADD_MEMBERSHIP, &m, sizeof m), 0);
    EXPECT_SILENCE(h.tap, sec(3));
    set_up(&h, true);
    EXPECT_ARP(h.tap, &p, FRAME_ARP_REQUEST);
    igmp_expect_record(&h, RECORD_TO_EXCLUDE, GROUP, 0);
    vk_close(sk);
    host_destroy(&h);
}

TEST(more_sources_than_a_packet_holds_are_told_in_several) // RFC 3376 4.2.16
{
    enum { MANY = 800 };
    struct host h = host_create();
    struct sock *sk = vk_socket(h.vk, SOCK_DGRAM);
    struct packet p;
    uint32_t told = 0, reports = 0;

    CHECK_EQ(net_sysctl_set(h.vk->net, "net/ipv4/igmp_max_msf", "1000"), 0);
    for (uint32_t i = 0; i < MANY; i++)
        CHECK_EQ(join(sk, IP_ADD_SOURCE_MEMBERSHIP, GROUP, ip4(10, 9, 0, 0) + i), 0);
    sim_run_for(sec(10));
    tap_flush(h.tap);
    igmp_ask(&h, 3, 10, 0, NULL, 0);
    while (told < MANY) {
        const uint8_t *m = igmp_expect(&h, IGMP_V3_REPORT, ip4(224, 0, 0, 22), &p);
        CHECK_EQ(m[8], RECORD_IS_INCLUDE);
        CHECK_EQ(p.payload_len, 16 + 4u * (m[10] << 8 | m[11]));
        told += m[10] << 8 | m[11];
        reports++;
    }
    CHECK_EQ(told, MANY);
    CHECK_EQ(reports, 3);
    vk_close(sk);
    host_destroy(&h);
}
