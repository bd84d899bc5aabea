/* net/tcp/tcp_script_test.c - the scripted peer of tcp_script_test.h. */
#include "net/tcp/tcp_script_test.h"

struct script script_begin(void)
{
    struct script s = { .wire = wire_create("wire"), .sport = PEER_PORT, .dport = HOST_PORT };
    s.vk = vk_create("host", "10.0.0.1/24", NULL, s.wire);
    s.tap = tap_create(s.wire, ip4(10, 0, 0, 2));
    s.vk->net->tcp->quickacks = 0; /* what is acknowledged at once shall be what a test is about */
    s.snd = PEER_ISS;
    s.window = PEER_WINDOW;
    sim_run_for(ms(1));
    tap_flush(s.tap); /* what a host announces of itself when it comes up */
    return s;
}

void script_end(struct script *s)
{
    if (s->sk)
        vk_close(s->sk);
    if (s->listener)
        vk_close(s->listener);
    sim_run_for(ms(1));
    tap_destroy(s->tap);
    vk_destroy(s->vk); /* connections that linger end with their net */
    wire_destroy(s->wire);
}

static struct packet segment(const struct script *s, uint8_t flags, uint32_t seq, uint32_t ack)
{
    struct packet p = { .protocol = PACKET_TCP,
                        .saddr = s->tap->ip,
                        .daddr = s->vk->addr,
                        .sport = s->sport,
                        .dport = s->dport,
                        .flags = flags,
                        .seq = seq,
                        .ack = flags & ACK ? ack : 0,
                        .window = s->window };
    memcpy(p.dst_mac, s->vk->nic->dev->dev_addr, sizeof p.dst_mac);
    return p;
}

void peer_sends_at(struct script *s, uint8_t flags, uint32_t seq, uint32_t ack, const void *text, size_t n)
{
    struct packet p = segment(s, flags, seq, ack);
    p.payload = text;
    p.payload_len = n;
    tap_send(s->tap, &p);
    sim_run_for(us(10));
}

void peer_sends(struct script *s, uint8_t flags, const void *text, size_t n)
{
    peer_sends_at(s, flags, s->snd, s->rcv, text, n);
    s->snd += (uint32_t)n + !!(flags & SYN) + !!(flags & FIN);
}

void peer_sends_options(struct script *s, uint8_t flags, const uint8_t *options, size_t n)
{
    struct packet p = segment(s, flags, s->snd, s->rcv);
    p.options = options;
    p.options_len = n;
    tap_send(s->tap, &p);
    sim_run_for(us(10));
    s->snd += !!(flags & SYN);
}

struct packet host_sends_any(struct script *s, uint8_t flags)
{
    struct packet p;
    EXPECT_TCP(s->tap, &p, flags);
    CHECK_EQ(p.sport, s->dport);
    CHECK_EQ(p.dport, s->sport);
    return p;
}

struct packet host_sends(struct script *s, uint8_t flags)
{
    struct packet p = host_sends_any(s, flags);
    CHECK_EQ(p.seq, s->rcv);
    if (flags & ACK)
        CHECK_EQ(p.ack, s->snd);
    s->rcv += (uint32_t)p.payload_len + !!(flags & SYN) + !!(flags & FIN);
    return p;
}

void host_is_silent(struct script *s, uint64_t duration)
{
    EXPECT_SILENCE(s->tap, duration);
}

void script_listen(struct script *s, int backlog)
{
    s->listener = vk_socket(s->vk, SOCK_STREAM);
    CHECK_EQ(vk_bind(s->listener, NULL, HOST_PORT), 0);
    CHECK_EQ(vk_listen(s->listener, backlog), 0);
}

void script_accept(struct script *s)
{
    if (!s->listener)
        script_listen(s, 5);
    peer_sends(s, SYN, NULL, 0);
    s->rcv = host_sends_any(s, SYN | ACK).seq + 1;
    peer_sends(s, ACK, NULL, 0);
    CHECK_EQ(sock_accept(s->listener, MSG_DONTWAIT, &s->sk), 0);
    CHECK_EQ(script_state(s), TCPS_ESTABLISHED);
}

void script_connect(struct script *s)
{
    struct sockaddr_storage addr;
    s->sk = vk_socket(s->vk, SOCK_STREAM);
    int len = sockaddr_in_make(&addr, cpu_to_be32(s->tap->ip), cpu_to_be16(s->sport));
    CHECK_EQ(sock_connect(s->sk, (struct sockaddr *)&addr, (socklen_t)len, MSG_DONTWAIT), -EINPROGRESS);
    s->dport = vk_port(s->sk);
    s->rcv = host_sends_any(s, SYN).seq + 1;
    CHECK_EQ(script_state(s), TCPS_SYN_SENT);
}

void script_connected(struct script *s)
{
    script_connect(s);
    peer_sends(s, SYN | ACK, NULL, 0);
    host_sends(s, ACK);
    CHECK_EQ(script_state(s), TCPS_ESTABLISHED);
}

unsigned script_half_open(const struct script *s)
{
    return tcp_sk(s->listener)->listener->n_half_open;
}

bool script_in_time_wait(const struct script *s)
{
    const struct tcp_ends ends = { cpu_to_be32(s->vk->addr), cpu_to_be32(s->tap->ip), cpu_to_be16(s->dport),
                                   cpu_to_be16(s->sport) };
    struct tcp_node *node = tcp_hash_lookup(s->vk->net, &ends);
    bool waits = node && node->time_wait;
    if (node)
        tcp_node_put(s->vk->net, node);
    return waits;
}

struct sock *script_close(struct script *s)
{
    struct sock *sk = s->sk;
    s->sk = NULL;
    sock_hold(sk);
    vk_close(sk);
    return sk;
}
