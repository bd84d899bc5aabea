/* net/tcp/tcp_net_test.c - TCP as a whole: over loopback, under random input, and what it tells of itself. */
#include "net/tcp/tcp_script_test.h"
#include <arpa/inet.h>

/* ---- loopback ---- */

enum { LOOP_PORT = 5000, LOOP_BYTES = 300000 };

static void loop_server(void *arg)
{
    static uint8_t data[LOOP_BYTES];
    struct sock *listener = arg, *sk = vk_accept(listener, NULL);
    CHECK(sk);
    CHECK_EQ(vk_recv_all(sk, data, sizeof data), sizeof data);
    for (size_t i = 0; i < sizeof data; i++)
        CHECK_EQ(data[i], (uint8_t)(i * 13));
    CHECK_EQ(vk_send(sk, "done", 4, 0), 4);
    vk_close(sk);
}

TEST(a_host_talks_to_itself) /* RFC 1122 3.2.1.3 (g) */
{
    struct script s = script_begin();
    struct sock *listener = vk_socket(s.vk, SOCK_STREAM), *client = vk_socket(s.vk, SOCK_STREAM);
    static uint8_t data[LOOP_BYTES];
    char answer[4];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 13);
    CHECK_EQ(vk_bind(listener, "127.0.0.1", LOOP_PORT), 0);
    CHECK_EQ(vk_listen(listener, 1), 0);
    sim_spawn("server", loop_server, listener);
    CHECK_EQ(vk_connect(client, "127.0.0.1", LOOP_PORT), 0);
    CHECK_EQ(vk_send_all(client, data, sizeof data), sizeof data);
    CHECK_EQ(vk_recv_all(client, answer, sizeof answer), sizeof answer);
    CHECK(memcmp(answer, "done", 4) == 0);
    vk_close(client);
    vk_close(listener);
    sim_run_for(sec(61));
    CHECK_EQ(vk_live_skbs(s.vk), 0);
    host_is_silent(&s, ms(1)); /* nothing of it was on the wire */
    script_end(&s);
}

TEST(a_socket_may_connect_to_itself) /* RFC 9293 3.5, figure 8, with one control block */
{
    struct script s = script_begin();
    struct sock *sk = vk_socket(s.vk, SOCK_STREAM);
    char text[8];
    CHECK_EQ(vk_bind(sk, "127.0.0.1", LOOP_PORT), 0);
    CHECK_EQ(vk_connect(sk, "127.0.0.1", LOOP_PORT), 0);
    CHECK_EQ(vk_send(sk, "echo", 4, 0), 4);
    CHECK_EQ(vk_recv(sk, text, sizeof text, 0), 4);
    vk_close(sk);
    script_end(&s);
}

/* ---- binding ---- */

TEST(two_may_not_listen_on_one_port) /* RFC 1122 4.1.3.5, socket(7) */
{
    struct script s = script_begin();
    struct sock *other = vk_socket(s.vk, SOCK_STREAM);
    script_listen(&s, 5);
    CHECK_EQ(vk_bind(other, NULL, HOST_PORT), -EADDRINUSE);
    CHECK_EQ(vk_setsockopt_int(other, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(vk_bind(other, NULL, HOST_PORT), -EADDRINUSE);
    CHECK_EQ(vk_bind(other, "10.9.9.9", HOST_PORT), -EADDRNOTAVAIL);
    vk_close(other);
    script_end(&s);
}

TEST(a_server_restarts_while_old_connections_wait) /* socket(7), SO_REUSEADDR */
{
    struct script s = script_begin();
    script_listen(&s, 5);
    vk_setsockopt_int(s.listener, SOL_SOCKET, SO_REUSEADDR, 1);
    script_accept(&s);
    struct sock *old = script_close(&s);
    host_sends(&s, FIN | ACK);
    peer_sends(&s, FIN | ACK, NULL, 0);
    CHECK(script_in_time_wait(&s));
    vk_close(s.listener);
    s.listener = vk_socket(s.vk, SOCK_STREAM);
    CHECK_EQ(vk_setsockopt_int(s.listener, SOL_SOCKET, SO_REUSEADDR, 1), 0);
    CHECK_EQ(vk_bind(s.listener, NULL, HOST_PORT), 0);
    CHECK_EQ(vk_listen(s.listener, 5), 0);
    sock_put(old);
    script_end(&s);
}

/* ---- random input ---- */

/* A segment that is right in most ways, so that it reaches deep code. */
static void random_segment(struct script *s, struct packet *p, uint8_t *options, const uint8_t *text)
{
    *p = (struct packet){
        .protocol = PACKET_TCP,
        .saddr = s->tap->ip,
        .daddr = s->vk->addr,
        .sport = (uint16_t)(PEER_PORT + sim_random() % 3),
        .dport = sim_random() % 8 ? HOST_PORT : (uint16_t)sim_random(),
        .seq = sim_random() % 8 ? s->snd + (uint32_t)(sim_random() % 8000) - 3000 : (uint32_t)sim_random(),
        .ack = sim_random() % 8 ? s->rcv + (uint32_t)(sim_random() % 8000) - 3000 : (uint32_t)sim_random(),
        .flags = (uint8_t)sim_random(),
        .window = (uint16_t)sim_random(),
        .urgent = (uint16_t)sim_random(),
        .options = options,
        .options_len = sim_random() % 4 ? 0 : sim_random() % 41,
        .payload = text,
        .payload_len = sim_random() % 3 ? 0 : sim_random() % 1400
    };
    for (int i = 0; i < 40; i++)
        options[i] = (uint8_t)(sim_random() % 12);
    if (sim_random() % 2)
        p->flags = (uint8_t)((p->flags | ACK) & ~(RST | SYN)); /* or nothing would live long */
    memcpy(p->dst_mac, s->vk->nic->dev->dev_addr, sizeof p->dst_mac);
}

TEST(ten_thousand_random_segments_leave_nothing_behind) /* nor break an assertion */
{
    static const uint8_t text[1400];
    uint8_t options[40];
    struct packet p;
    struct sock *child;
    for (int round = 0; round < 20; round++) {
        struct script s = script_begin();
        script_accept(&s);
        vk_send(s.sk, text, sizeof text, MSG_DONTWAIT);
        for (int i = 0; i < 500; i++) {
            random_segment(&s, &p, options, text);
            tap_send(s.tap, &p);
            sim_run_for(us(10) + (i % 50 ? 0 : ms(300)));
            if (sock_accept(s.listener, MSG_DONTWAIT, &child) == 0) {
                vk_send(child, text, 900, MSG_DONTWAIT);
                vk_close(child);
            }
            tap_flush(s.tap);
        }
        script_end(&s);
    }
}

/* ---- what it tells ---- */

static void read_proc(struct script *s, const char *name, char *text, size_t size)
{
    const struct net_proc_file *f = net_proc_find(s->vk->net, name);
    struct textbuf out = { .buf = text, .size = size };
    CHECK(f);
    f->show(s->vk->net, &out);
    CHECK(out.len < size);
}

TEST(proc_net_tcp_has_a_line_a_socket) /* proc(5); as Linux prints it */
{
    struct script s = script_begin();
    char text[2048];
    script_accept(&s);
    read_proc(&s, "tcp", text, sizeof text);
    CHECK(strstr(text, "  sl  local_address rem_address   st tx_queue rx_queue") == text);
    CHECK(strstr(text, ": 00000000:0050 00000000:0000 0A "));
    CHECK(strstr(text, ": 0100000A:0050 0200000A:0FA0 01 "));
    read_proc(&s, "tcp_counters", text, sizeof text);
    CHECK(strstr(text, "passive_opens                1\n"));
    read_proc(&s, "snmp", text, sizeof text);
    CHECK(strstr(text, "\nTcp: 1 200 120000 -1 0 1 0 0 1 "));
    script_end(&s);
}

TEST(proc_net_tcp_counts_no_byte_for_an_acknowledged_fin) /* write_seq lies behind snd_una then */
{
    struct script s = script_begin();
    char text[2048];
    script_accept(&s);
    struct sock *old = script_close(&s);
    host_sends(&s, FIN | ACK);
    peer_sends(&s, FIN | ACK, NULL, 0);
    CHECK(script_in_time_wait(&s));
    read_proc(&s, "tcp", text, sizeof text);
    CHECK(strstr(text, ": 0100000A:0050 0200000A:0FA0 06 00000000:00000000 "));
    sock_put(old);
    script_end(&s);
}

TEST(options_are_set_and_told) /* tcp(7) */
{
    struct script s = script_begin();
    char name[16] = { 0 };
    socklen_t len = sizeof name;
    script_accept(&s);
    CHECK_EQ(vk_getsockopt_int(s.sk, IPPROTO_TCP, TCP_NODELAY), 0);
    CHECK_EQ(vk_getsockopt_int(s.sk, IPPROTO_TCP, TCP_MAXSEG), 536);
    CHECK_EQ(vk_setsockopt_int(s.sk, IPPROTO_TCP, TCP_MAXSEG, 5), -EINVAL);
    CHECK_EQ(vk_setsockopt_int(s.sk, IPPROTO_TCP, TCP_MAXSEG, 200), 0);
    CHECK_EQ(vk_getsockopt_int(s.sk, IPPROTO_TCP, TCP_MAXSEG), 200);
    CHECK_EQ(sock_getsockopt(s.sk, IPPROTO_TCP, TCP_CONGESTION, name, &len), 0);
    CHECK(strcmp(name, "reno") == 0);
    CHECK_EQ(sock_setsockopt(s.sk, IPPROTO_TCP, TCP_CONGESTION, "nonsense", 8), -ENOENT);
    CHECK_EQ(vk_setsockopt_int(s.sk, IPPROTO_TCP, 9999, 1), -ENOPROTOOPT);
    uint8_t info[104];
    len = sizeof info;
    CHECK_EQ(sock_getsockopt(s.sk, IPPROTO_TCP, TCP_INFO, info, &len), 0);
    CHECK_EQ(len, 104);
    CHECK_EQ(info[0], TCPS_ESTABLISHED);
    script_end(&s);
}

TEST(names_tell_both_ends) /* getsockname(2), getpeername(2) */
{
    struct script s = script_begin();
    struct sockaddr_storage name;
    struct sock *fresh = vk_socket(s.vk, SOCK_STREAM);
    CHECK_EQ(sock_getname(fresh, &name, true), -ENOTCONN);
    vk_close(fresh);
    script_accept(&s);
    CHECK_EQ(vk_port(s.sk), HOST_PORT);
    CHECK(sock_getname(s.sk, &name, true) > 0);
    struct sockaddr_in in;
    memcpy(&in, &name, sizeof in);
    CHECK_EQ(ntohs(in.sin_port), PEER_PORT);
    CHECK_EQ(ntohl(in.sin_addr.s_addr), ip4(10, 0, 0, 2));
    script_end(&s);
}

TEST(a_connect_that_fails_half_way_leaves_nothing_behind)
{
    struct vpair p = vpair_create(NULL);
    for (unsigned n = 1; n < 12; n++) {
        struct sock *sk = vk_socket(p.a, SOCK_STREAM);
        sim_fail_nth_alloc(n);
        vk_connect(sk, "10.0.0.2", LOOP_PORT);
        sim_fail_nth_alloc(0);
        vk_close(sk);
    }
    sim_run_for(sec(240));
    vpair_destroy(&p); /* who is left in the table is there for ever */
}
