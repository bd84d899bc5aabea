/* net/tcp/tcp_mem_test.c - the memory of all connections together: counted, limited, given back. tcp(7),
 * tcp_mem and tcp_max_orphans. */
#include "net/tcp/tcp_script_test.h"
#include <stdio.h>

enum { MANY = 20, BYTES = 150000 };

static void read_sockstat(struct net *net, char *text, size_t size)
{
    struct textbuf out = { .buf = text, .size = size };
    net_proc_find(net, "sockstat")->show(net, &out);
}

static const char *tcp_line(struct net *net)
{
    static char text[400], line[100];
    memset(text, 0, sizeof text);
    read_sockstat(net, text, sizeof text);
    const char *at = strstr(text, "TCP: ");
    CHECK(at);
    snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
    return line;
}

TEST(sockstat_tells_of_connections_as_linux_does) /* proc(5) */
{
    struct script s = script_begin();
    struct net *net = s.vk->net;
    CHECK(!strcmp(tcp_line(net), "TCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0"));
    script_accept(&s);
    CHECK(!strcmp(tcp_line(net), "TCP: inuse 2 orphan 0 tw 0 alloc 2 mem 0"));
    peer_sends(&s, PSH | ACK, "text", 4);
    CHECK(!strcmp(tcp_line(net), "TCP: inuse 2 orphan 0 tw 0 alloc 2 mem 1"));
    char buf[4];
    CHECK_EQ(vk_recv(s.sk, buf, 4, 0), 4);
    CHECK(!strcmp(tcp_line(net), "TCP: inuse 2 orphan 0 tw 0 alloc 2 mem 0"));
    struct sock *sk = script_close(&s);
    CHECK(!strcmp(tcp_line(net), "TCP: inuse 2 orphan 1 tw 0 alloc 2 mem 0"));
    sim_run_for(ms(50));
    tap_flush(s.tap);
    s.rcv++;
    peer_sends(&s, ACK, NULL, 0);
    peer_sends(&s, FIN | ACK, NULL, 0);
    CHECK(!strcmp(tcp_line(net), "TCP: inuse 1 orphan 0 tw 1 alloc 2 mem 0"));
    sim_run_for(sec(61));
    sock_put(sk);
    CHECK(!strcmp(tcp_line(net), "TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 0"));
    script_end(&s);
}

TEST(the_limits_are_parts_of_the_machines_memory)
{
    struct net *net = net_create("host");
    char text[64];
    CHECK(net_sysctl_get(net, "net/ipv4/tcp_mem", text, sizeof text) > 0);
    CHECK(!strcmp(text, "6144\t8192\t12288\n")); /* 512 MiB */
    CHECK(net_sysctl_get(net, "net/ipv4/tcp_max_orphans", text, sizeof text) > 0);
    CHECK(!strcmp(text, "16384\n"));
    net_destroy(net);
}

static void set_mem(struct net *net, const char *numbers)
{
    CHECK_EQ(net_sysctl_set(net, "net/ipv4/tcp_mem", numbers), 0);
}

/* The peer sends n segments of size bytes, the user reads nothing; how many bytes lie there then. */
static uint64_t fill(struct script *s, unsigned n, size_t size)
{
    static const uint8_t text[1460];
    for (unsigned i = 0; i < n; i++) {
        peer_sends_at(s, ACK, s->snd, s->rcv, text, size);
        s->snd = tcp_sk(s->sk)->rcv_nxt;
    }
    sim_run_for(ms(50));
    tap_flush(s->tap);
    return s->sk->receive_queue.bytes;
}

TEST(text_beyond_the_limit_is_refused_but_for_the_least) /* tcp(7): tcp_mem, tcp_rmem */
{
    struct script s = script_begin();
    script_accept(&s);
    set_mem(s.vk->net, "0 0 0");
    uint64_t lies = fill(&s, 30, 1000);
    CHECK(lies >= 1000 && lies <= 4096);
    CHECK(s.vk->net->drops[SKB_DROP_TCP_MEMORY] > 20);
    set_mem(s.vk->net, "100 200 300"); /* and when there is memory again it goes on */
    CHECK(fill(&s, 30, 1000) >= lies + 20000);
    script_end(&s);
}

TEST(a_reader_who_has_read_gets_the_next_segment_even_without_memory)
{
    struct script s = script_begin();
    static uint8_t text[5000];
    script_accept(&s);
    set_mem(s.vk->net, "0 0 0");
    for (int i = 0; i < 20; i++) {
        uint64_t lies = fill(&s, 3, 1000);
        CHECK(lies > 0);
        CHECK_EQ(vk_recv(s.sk, text, sizeof text, 0), lies);
    }
    script_end(&s);
}

TEST(while_memory_is_short_little_window_is_offered)
{
    struct script s = script_begin();
    script_accept(&s);
    struct tcp_sock *tp = tcp_sk(s.sk);
    CHECK(tp->rcv_wnd > 50000);
    set_mem(s.vk->net, "1 2 300");
    uint32_t edge = tp->rcv_nxt + tp->rcv_wnd;
    fill(&s, 10, 1000);
    CHECK(s.vk->net->tcp->mem.pressure);
    fill(&s, 60, 1000);
    CHECK(!seq_before(tp->rcv_nxt + tp->rcv_wnd, edge)); /* RFC 9293 3.8.6: what was offered stays so */
    CHECK(tp->rcv_wnd <= 4 * 1460 || tp->rcv_nxt + tp->rcv_wnd == edge);
    script_end(&s);
}

TEST(pressure_ends_when_memory_comes_back)
{
    struct script s = script_begin();
    static uint8_t text[60000];
    script_accept(&s);
    set_mem(s.vk->net, "4 8 300");
    fill(&s, 20, 1400);
    CHECK(s.vk->net->tcp->mem.pressure);
    CHECK_EQ(s.vk->net->tcp->counters[TCP_COUNT_memory_pressures], 1);
    CHECK(vk_recv(s.sk, text, sizeof text, 0) > 0);
    CHECK(!s.vk->net->tcp->mem.pressure);
    CHECK_EQ(tcp_mem_pages(s.vk->net), 0);
    script_end(&s);
}

TEST(a_writer_without_memory_waits_for_his_own_acknowledgements)
{
    struct script s = script_begin();
    static const uint8_t text[60000];
    script_accept(&s);
    set_mem(s.vk->net, "0 0 0");
    s.vk->net->tcp->mem.pressure = true; /* others have used it up */
    ssize_t n = vk_send(s.sk, text, sizeof text, MSG_DONTWAIT);
    CHECK(n > 0 && n < 10000);
    CHECK_EQ(vk_send(s.sk, text, sizeof text, MSG_DONTWAIT), -EAGAIN);
    CHECK(!(sock_poll(s.sk) & POLLOUT)); /* or who polls would turn round for nothing */
    CHECK(s.sk->sndbuf < SOCK_BUF_DEFAULT);
    while (s.sk->wmem_alloc) {
        struct packet p;
        while (tap_receive(s.tap, &p, ms(1)))
            s.rcv = seq_max(s.rcv, p.seq + (uint32_t)p.payload_len);
        peer_sends(&s, ACK, NULL, 0);
    }
    CHECK(sock_poll(s.sk) & POLLOUT);
    CHECK(vk_send(s.sk, text, 1000, MSG_DONTWAIT) == 1000);
    script_end(&s);
}

/* ---- many at once ---- */

static void receive_slowly(void *arg)
{
    static uint8_t data[5000];
    struct sock *sk = vk_accept(arg, NULL);
    size_t got = 0;
    CHECK(sk);
    for (ssize_t n; got < BYTES && (n = vk_recv(sk, data, sizeof data, 0)) > 0; got += (size_t)n)
        sim_sleep(ms(20));
    CHECK_EQ(got, BYTES);
    vk_close(sk);
}

static void send_all(void *arg)
{
    static const uint8_t data[BYTES];
    char end;
    struct sock *sk = vk_socket(arg, SOCK_STREAM);
    CHECK_EQ(vk_connect(sk, "10.0.0.2", HOST_PORT), 0);
    CHECK_EQ(vk_send_all(sk, data, sizeof data), sizeof data);
    CHECK_EQ(vk_recv(sk, &end, 1, 0), 0); /* an orphan with much to send might be reset */
    vk_close(sk);
}

TEST(many_connections_share_little_memory_and_all_end) /* tcp_mem; nobody waits for anybody else's */
{
    struct vpair w = vpair_create(NULL);
    struct sock *listener = vk_socket(w.b, SOCK_STREAM);
    struct sim_task *senders[MANY], *receivers[MANY];
    int64_t most = 0;
    set_mem(w.a->net, "16 24 32");
    set_mem(w.b->net, "16 24 32");
    CHECK_EQ(vk_bind(listener, NULL, HOST_PORT), 0);
    CHECK_EQ(vk_listen(listener, MANY), 0);
    for (int i = 0; i < MANY; i++) {
        receivers[i] = sim_spawn("receiver", receive_slowly, listener);
        senders[i] = sim_spawn("sender", send_all, w.a);
    }
    for (int i = 0; i < MANY; sim_run_for(ms(5))) {
        most = MAX(most, tcp_mem_pages(w.a->net));
        most = MAX(most, tcp_mem_pages(w.b->net));
        CHECK(time_now() < sec(600));
        i += sim_task_done(senders[i]) && sim_task_done(receivers[i]);
    }
    CHECK(w.b->net->tcp->counters[TCP_COUNT_memory_pressures] > 0);
    CHECK(most <= 32 + MANY * 4); /* the least of each, in whole segments; without: 600 */
    vk_close(listener);
    sim_run_for(sec(70));
    CHECK_EQ(tcp_mem_pages(w.a->net), 0);
    CHECK_EQ(tcp_mem_pages(w.b->net), 0);
    vpair_destroy(&w);
}

/* ---- orphans ---- */

TEST(an_orphan_too_many_is_reset) /* tcp(7): tcp_max_orphans */
{
    struct script s = script_begin();
    script_accept(&s);
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/tcp_max_orphans", "0"), 0);
    struct sock *sk = script_close(&s);
    CHECK_EQ(sk->state, TCPS_CLOSED);
    host_sends(&s, FIN | ACK);
    host_sends(&s, RST | ACK);
    CHECK_EQ(s.vk->net->tcp->counters[TCP_COUNT_aborts_on_memory], 1);
    CHECK(!strcmp(tcp_line(s.vk->net), "TCP: inuse 1 orphan 0 tw 0 alloc 2 mem 0"));
    sock_put(sk);
    script_end(&s);
}

TEST(an_orphan_with_much_to_send_goes_when_memory_is_out)
{
    struct script s = script_begin();
    static const uint8_t text[30000];
    script_accept(&s);
    CHECK_EQ(vk_send(s.sk, text, sizeof text, 0), sizeof text);
    set_mem(s.vk->net, "1 1 1");
    struct sock *sk = script_close(&s);
    CHECK_EQ(sk->state, TCPS_CLOSED);
    CHECK_EQ(tcp_mem_pages(s.vk->net), 0);
    sock_put(sk);
    script_end(&s);
}
