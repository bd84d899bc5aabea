/* net/tcp/tcp_syncache_test.c - half-open connections of a listener: RFC 9293 3.10.7.4 for SYN-RECEIVED, RFC
 * 4987 3; checklist 49, 50, 109, 110. */
#include "net/tcp/tcp_script_test.h"

static struct tcp_syncache *cache_of(const struct script *s)
{
    return &s->vk->net->tcp->syncache;
}
static uint64_t counted(const struct script *s, enum tcp_counter c)
{
    return s->vk->net->tcp->counters[c];
}

/* A listener and one half-open connection, of which the host's SYN was numbered s->rcv - 1. */
static struct script half_open(void)
{
    struct script s = script_begin();
    script_listen(&s, 5);
    peer_sends(&s, SYN, NULL, 0);
    s.rcv = host_sends_any(&s, SYN | ACK).seq + 1;
    CHECK_EQ(script_half_open(&s), 1);
    return s;
}

/* ---- what it costs ---- */

TEST(a_half_open_connection_is_no_socket) /* RFC 4987 3.5 */
{
    struct script s = script_begin();
    script_listen(&s, 5);
    int64_t sockets = s.vk->net->sockets;
    for (int i = 0; i < 500; i++, s.sport++) {
        peer_sends_at(&s, SYN, PEER_ISS, 0, NULL, 0);
        host_sends_any(&s, SYN | ACK);
    }
    CHECK_EQ(s.vk->net->sockets, sockets);
    CHECK_EQ(cache_of(&s)->n, 500);
    sim_run_for(sec(70));
    CHECK_EQ(cache_of(&s)->n, 0);
    tap_flush(s.tap);
    CHECK_EQ(counted(&s, TCP_COUNT_segments_retransmitted), 2500); /* five times each, by one timer */
    script_end(&s);
}

/* Ports of the peer whose SYNs go into one bucket, which is full then. */
static void fill_bucket(struct script *s)
{
    const struct net *net = s->vk->net;
    struct tcp_ends ends = { cpu_to_be32(s->vk->addr), cpu_to_be32(s->tap->ip), cpu_to_be16(HOST_PORT),
                             cpu_to_be16(s->sport) };
    uint64_t bucket = siphash(&ends, sizeof ends, &net->hash_key) % TCP_SYN_BUCKETS;
    for (int n = 0; n < TCP_SYN_BUCKET_MAX; s->sport++) {
        ends.pport = cpu_to_be16(s->sport);
        if (siphash(&ends, sizeof ends, &net->hash_key) % TCP_SYN_BUCKETS != bucket)
            continue;
        peer_sends_at(s, SYN, PEER_ISS, 0, NULL, 0);
        host_sends_any(s, SYN | ACK);
        n++;
    }
    do
        ends.pport = cpu_to_be16(++s->sport);
    while (siphash(&ends, sizeof ends, &net->hash_key) % TCP_SYN_BUCKETS != bucket);
}

TEST(a_full_bucket_is_answered_by_cookies) /* RFC 4987 3.6: who knew the key could not make it longer */
{
    struct script s = script_begin();
    script_listen(&s, 5);
    fill_bucket(&s);
    CHECK_EQ(counted(&s, TCP_COUNT_cookies_out), 0);
    peer_sends(&s, SYN, NULL, 0);
    s.rcv = host_sends_any(&s, SYN | ACK).seq + 1;
    CHECK_EQ(counted(&s, TCP_COUNT_cookies_out), 1);
    CHECK_EQ(cache_of(&s)->n, TCP_SYN_BUCKET_MAX);
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), 0);
    script_end(&s);
}

TEST(in_a_full_bucket_without_cookies_the_oldest_makes_way) /* RFC 4987 3.4 */
{
    struct script s = script_begin();
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_syncookies", "0"), 0);
    script_listen(&s, 5);
    fill_bucket(&s);
    script_accept(&s);
    CHECK_EQ(cache_of(&s)->n, TCP_SYN_BUCKET_MAX - 1);
    CHECK_EQ(counted(&s, TCP_COUNT_half_open_evicted), 1);
    script_end(&s);
}

TEST(without_memory_a_syn_is_dropped_and_comes_again)
{
    struct script s = script_begin();
    script_accept(&s); /* the way to the peer is known by now */
    sim_fail_allocs(1000000);
    struct tcp_segment seg = { .net = s.vk->net,
                               .flags = TCP_FLAG_SYN,
                               .daddr = cpu_to_be32(s.vk->addr),
                               .saddr = cpu_to_be32(s.tap->ip),
                               .dest = cpu_to_be16(HOST_PORT),
                               .len = 1 };
    tcp_syncache_add(tcp_sk(s.listener), &seg);
    sim_fail_allocs(0);
    CHECK(seg.dropped && seg.reason == SKB_DROP_NO_MEMORY);
    CHECK_EQ(script_half_open(&s), 0);
    script_end(&s);
}

/* ---- segments ---- */

TEST(a_reset_beside_the_one_number_is_challenged) /* RFC 5961 3.2; checklist 49, 60 */
{
    struct script s = half_open();
    peer_sends_at(&s, RST, s.snd + 1, 0, NULL, 0);
    CHECK_EQ(host_sends_any(&s, ACK).ack, s.snd);
    peer_sends_at(&s, RST, s.snd + 70000, 0, NULL, 0); /* outside the window: not even that */
    host_is_silent(&s, ms(1));
    CHECK_EQ(script_half_open(&s), 1);
    peer_sends_at(&s, RST, s.snd, 0, NULL, 0);
    CHECK_EQ(script_half_open(&s), 0);
    CHECK_EQ(counted(&s, TCP_COUNT_attempt_fails), 1);
    script_end(&s);
}

TEST(a_syn_in_the_window_goes_back_to_listen) /* RFC 9293 3.10.7.4 fourth; checklist 61 */
{
    struct script s = half_open();
    peer_sends_at(&s, SYN, s.snd + 10, 0, NULL, 0);
    CHECK_EQ(script_half_open(&s), 0);
    host_is_silent(&s, sec(2));
    script_end(&s);
}

TEST(text_on_a_repeated_syn_changes_nothing) /* RFC 9293 3.10.7.4 first */
{
    struct script s = half_open();
    peer_sends_at(&s, SYN, s.snd - 1, 0, "early", 5);
    CHECK_EQ(host_sends_any(&s, SYN | ACK).ack, s.snd);
    peer_sends(&s, ACK, NULL, 0);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), 0);
    script_end(&s);
}

TEST(old_segments_get_one_answer_in_half_a_second) /* RFC 5961 7 */
{
    struct script s = half_open();
    for (int i = 0; i < 20; i++)
        peer_sends_at(&s, ACK, s.snd - 3000, s.rcv, "x", 1);
    CHECK_EQ(host_sends_any(&s, ACK).seq, s.rcv);
    host_is_silent(&s, ms(400));
    CHECK_EQ(script_half_open(&s), 1);
    script_end(&s);
}

TEST(no_ack_bit_no_connection) /* RFC 9293 3.10.7.4 fifth; checklist 54 */
{
    struct script s = half_open();
    peer_sends_at(&s, PSH, s.snd, 0, "hello", 5);
    host_is_silent(&s, ms(1));
    CHECK_EQ(script_half_open(&s), 1);
    CHECK_EQ(tcp_sk(s.listener)->listener->n_established, 0);
    script_end(&s);
}

TEST(an_accept_queue_that_filled_up_meanwhile_makes_the_peer_ask_again) /* listen(2); checklist 109 */
{
    struct script s = script_begin();
    uint32_t rcv[2];
    struct sock *first;
    script_listen(&s, 0);
    for (int i = 0; i < 2; i++) {
        s.sport = (uint16_t)(PEER_PORT + i);
        peer_sends_at(&s, SYN, PEER_ISS, 0, NULL, 0);
        rcv[i] = host_sends_any(&s, SYN | ACK).seq + 1;
    }
    for (int i = 0; i < 2; i++) {
        s.sport = (uint16_t)(PEER_PORT + i);
        peer_sends_at(&s, ACK, PEER_ISS + 1, rcv[i], NULL, 0);
    }
    CHECK_EQ(counted(&s, TCP_COUNT_listen_overflows), 1);
    CHECK_EQ(script_half_open(&s), 1);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &first), 0);
    host_sends_any(&s, SYN | ACK); /* a second later */
    peer_sends_at(&s, ACK, PEER_ISS + 1, rcv[1], NULL, 0);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), 0);
    CHECK_EQ(tcp_sk(s.sk)->total_retrans, 1);
    vk_close(first);
    script_end(&s);
}

/* ---- what the child knows ---- */

TEST(the_child_has_what_both_syns_agreed_upon) /* RFC 7323 2.2, 3.2; RFC 2018 2; RFC 3168 6.1.1 */
{
    struct script s = script_begin();
    const uint8_t options[] = {
        2, 4, 1200 >> 8, 1200 & 255, 4, 2, 8, 10, 0, 0, 0, 77, 0, 0, 0, 0, 1, 3, 3, 9
    };
    script_listen(&s, 5);
    CHECK_EQ(vk_setsockopt_int(s.listener, IPPROTO_TCP, TCP_NODELAY, 1), 0);
    CHECK_EQ(vk_setsockopt_int(s.listener, IPPROTO_IP, IP_TOS, 0x20), 0);
    peer_sends_options(&s, SYN | ECE | CWR, options, sizeof options);
    struct packet p = host_sends_any(&s, SYN | ACK | ECE);
    CHECK_EQ(p.tos, 0x20);
    const uint8_t *clock = packet_tcp_option(&p, 8);
    CHECK(clock && packet_tcp_option(&p, 4) && packet_tcp_option(&p, 3));
    CHECK_EQ(clock[9], 77);
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_timestamps", "0"), 0); /* for new ones: not for this */
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_window_scaling", "0"), 0);
    s.rcv = p.seq + 1;
    sim_run_for(ms(30));
    const uint8_t echo[] = { 1, 1, 8, 10, 0, 0, 0, 78, clock[2], clock[3], clock[4], clock[5] };
    peer_sends_options(&s, ACK, echo, sizeof echo);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), 0);
    struct tcp_sock *tp = tcp_sk(s.sk);
    CHECK(tp->ts_ok && tp->sack_ok && tp->ecn_ok && tp->nodelay);
    CHECK_EQ(tp->snd_wscale, 9);
    CHECK(tp->rcv_wscale != 0);
    CHECK_EQ(tp->peer_mss, 1200);
    CHECK_EQ(tp->ts_recent, 78);
    CHECK(tp->rtt.srtt >= ms(30) && tp->rtt.srtt < ms(32));
    uint32_t told = (uint32_t)clock[2] << 24 | (uint32_t)clock[3] << 16 | (uint32_t)clock[4] << 8 | clock[5];
    CHECK_EQ(tcp_ts_now(tp) - told, 30);
    script_end(&s);
}

TEST(a_segment_older_than_the_syn_opens_nothing) /* RFC 7323 5.3 R1 */
{
    struct script s = script_begin();
    const uint8_t clock[] = { 8, 10, 0, 0, 0, 77, 0, 0, 0, 0, 1, 1 },
                  older[] = { 8, 10, 0, 0, 0, 76, 0, 0, 0, 0, 1, 1 };
    script_listen(&s, 5);
    peer_sends_options(&s, SYN, clock, sizeof clock);
    s.rcv = host_sends_any(&s, SYN | ACK).seq + 1;
    peer_sends_options(&s, ACK, older, sizeof older);
    host_sends_any(&s, ACK);
    peer_sends(&s, ACK, NULL, 0); /* 3.2: and without a clock it is nothing */
    host_is_silent(&s, ms(1));
    CHECK_EQ(script_half_open(&s), 1);
    peer_sends_options(&s, ACK, clock, sizeof clock);
    CHECK_EQ(sock_accept(s.listener, MSG_DONTWAIT, &s.sk), 0);
    script_end(&s);
}

/* ---- a flood, told in virtual time ---- */

enum { RTT_MS = 20, HONEST = 2000, FLOOD_FACTOR = 10 };

/* Every millisecond one honest SYN, ten of a flood, and the ACK of who began a round trip ago; the program
 * accepts as fast as they come. How many of HONEST got through. */
static int survive_flood(struct script *s)
{
    static uint32_t rcv[HONEST];
    int accepted = 0;
    for (int t = 0; t < HONEST + RTT_MS; t++) {
        struct packet p;
        if (t < HONEST) {
            s->sport = (uint16_t)(1024 + t);
            peer_sends_at(s, SYN, PEER_ISS, 0, NULL, 0);
            p = host_sends_any(s, SYN | ACK);
            rcv[t] = p.seq + 1;
        }
        for (int i = 0; i < FLOOD_FACTOR; i++) {
            s->sport = (uint16_t)(10000 + (t * FLOOD_FACTOR + i) % 50000);
            peer_sends_at(s, SYN, (uint32_t)sim_random(), 0, NULL, 0);
        }
        if (t >= RTT_MS) {
            s->sport = (uint16_t)(1024 + t - RTT_MS);
            peer_sends_at(s, ACK, PEER_ISS + 1, rcv[t - RTT_MS], NULL, 0);
            struct sock *sk;
            if (!sock_accept(s->listener, MSG_DONTWAIT, &sk)) {
                accepted++;
                sk->linger = true; /* a hard close: nothing is left of it */
                vk_close(sk);
            }
        }
        sim_run_for(us(800));
        tap_flush(s->tap);
    }
    return accepted;
}

static void check_flood(const char *cookies)
{
    struct script s = script_begin();
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_syncookies", cookies), 0);
    script_listen(&s, 128);
    uint64_t live = sim_live_objects();
    int accepted = survive_flood(&s);
    CHECK(accepted >= HONEST * 99 / 100);
    CHECK(cache_of(&s)->n <= 1024);
    CHECK(sim_live_objects() <= live + 1024 + 64);
    script_end(&s);
}

TEST(with_cookies_a_flood_lets_99_of_100_honest_in) /* RFC 4987 2, 3.6 */
{
    check_flood("1");
}

TEST(without_cookies_a_flood_lets_99_of_100_honest_in) /* RFC 4987 3.4: who answers within 1024 SYNs */
{
    check_flood("0");
}

/* ---- what is told of it ---- */

TEST(proc_net_tcp_shows_half_open_connections) /* as Linux: state 03, timer 01 */
{
    struct script s = half_open();
    static char text[4096];
    host_sends_any(&s, SYN | ACK); /* again */
    struct textbuf out = { .buf = text, .size = sizeof text };
    net_proc_find(s.vk->net, "tcp")->show(s.vk->net, &out);
    CHECK(strstr(
        text, ": 0100000A:0050 0200000A:0FA0 03 00000000:00000000 01:000000C8 00000001     0        0 0 "));
    script_end(&s);
}
