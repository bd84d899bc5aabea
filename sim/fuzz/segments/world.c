/* sim/fuzz/segments/world.c - the host, its wire, and the ears of the peer. */
#include "sim/fuzz/segments/world.h"
#include <string.h>

enum { HOURS_LEFT = 4, BUSY_MOST = 6000, RATE = 20 }; /* frames at once; frames a second over a long time */

static const uint8_t peer_mac[6] = { 0x02, 0x99, 0, 0, 0, 9 }, host_mac[6] = { 0x02, 0, 0, 0, 0, 1 };
static const struct flow fresh_flow = { .host_port = HOST_PORT };

static uint8_t text(uint32_t seq, uint32_t salt)
{
    uint32_t x = (seq + salt) * 2654435761u;

    return (uint8_t)(x >> 24 ^ x >> 11);
}

uint8_t peer_text(uint32_t seq)
{
    return text(seq, 17);
}

uint8_t host_text(uint32_t seq)
{
    return text(seq, 0x5eed);
}

static void say(const char *who, const struct packet *p)
{
    char line[256];

    packet_print(p, line, sizeof line);
    printf("%12.6f  %s %s\n", (double)time_now() / 1e9, who, line);
}

/* ---- the peer hears ---- */

static void hear_stamp(struct flow *f, const struct packet *p)
{
    const uint8_t *o = packet_tcp_option(p, 8);

    f->stamps = o != NULL;
    if (o)
        f->host_clock = (uint32_t)o[2] << 24 | (uint32_t)o[3] << 16 | (uint32_t)o[4] << 8 | o[5];
}

/* Whatever the host sends, it is its user's text in its place. */
static void check_text(const struct packet *p)
{
    const uint8_t *bytes = p->payload;

    for (size_t i = 0; i < p->payload_len; i++)
        FUZZ_CHECK(bytes[i] == host_text(p->seq + !!(p->flags & SYN) + (uint32_t)i));
}

static void hear_tcp(struct world *w, const struct packet *p)
{
    struct flow *f;

    FUZZ_CHECK(p->ip_checksum_ok && p->checksum_ok);
    if (p->dport < PEER_PORT || p->dport >= PEER_PORT + FLOWS)
        return;
    f = &w->flows[p->dport - PEER_PORT];
    if (!(p->flags & RST)) {
        check_text(p);
        hear_stamp(f, p);
        f->host_port = p->sport;
        f->heard = true;
        f->host_next = p->seq + (uint32_t)p->payload_len + !!(p->flags & SYN) + !!(p->flags & FIN);
        if (p->flags & ACK)
            f->host_acked = p->ack;
    }
}

static void answer_arp(struct world *w, const struct packet *request)
{
    struct packet reply = { .ethertype = FRAME_ARP,
                            .arp_op = FRAME_ARP_REPLY,
                            .arp_sender_ip = ip4(10, 0, 0, 9),
                            .arp_target_ip = request->arp_sender_ip };
    uint8_t frame[FRAME_MAX];

    memcpy(reply.dst_mac, host_mac, 6);
    memcpy(reply.src_mac, peer_mac, 6);
    memcpy(reply.arp_sender_mac, peer_mac, 6);
    memcpy(reply.arp_target_mac, host_mac, 6);
    wire_transmit(&w->port, frame, packet_build(&reply, frame));
}

/* A segment cut before a smaller MTU was known goes out once more like that, in fragments (RFC 1191 6.4),
 * where the MTU told is below what we believe. They are no segments for themselves. */
static bool is_fragment(const struct packet *p)
{
    return p->frag_off & 0x3fff;
}

static void hear(struct wire_port *port, const uint8_t *bytes, size_t n)
{
    struct world *w = container_of(port, struct world, port);
    struct packet p = { 0 };

    packet_parse(&p, bytes, n);
    FUZZ_CHECK(!p.malformed);
    if (w->tell && p.ethertype == FRAME_IPV4)
        say("host", &p);
    if (p.ethertype == FRAME_ARP && p.arp_op == FRAME_ARP_REQUEST && p.arp_target_ip == ip4(10, 0, 0, 9))
        answer_arp(w, &p);
    if (p.ethertype == FRAME_IPV4)
        w->frames++;
    if (p.ethertype == FRAME_IPV4 && p.protocol == PACKET_TCP && !is_fragment(&p))
        hear_tcp(w, &p);
}

/* ---- the peer speaks ---- */

struct packet peer_packet(const struct world *w, unsigned flow)
{
    struct packet p = { .saddr = ip4(10, 0, 0, 9),
                        .daddr = ip4(10, 0, 0, 1),
                        .protocol = PACKET_TCP,
                        .sport = (uint16_t)(PEER_PORT + flow),
                        .dport = w->flows[flow].host_port,
                        .window = w->story->start.window };

    memcpy(p.dst_mac, host_mac, 6);
    memcpy(p.src_mac, peer_mac, 6);
    return p;
}

static unsigned long frames_sent; /* by all stories of this process */

__attribute__((destructor)) static void say_frames(void)
{
    if (frames_sent)
        fprintf(stderr, "stat::frames_sent: %lu\n", frames_sent);
}

void peer_sends(struct world *w, unsigned flow, struct packet *p)
{
    struct flow *f = &w->flows[flow];
    uint32_t end = p->seq + (uint32_t)p->payload_len + !!(p->flags & SYN) + !!(p->flags & FIN);
    uint8_t frame[FRAME_MAX];

    if (p->protocol == PACKET_TCP && (seq_after(end, f->peer_next) || p->flags & SYN))
        f->peer_next = end;
    if (w->tell)
        say("peer", p);
    w->delivered++;
    frames_sent++;
    wire_transmit(&w->port, frame, packet_build(p, frame));
    world_run(w, 0);
}

void world_run(struct world *w, uint64_t duration)
{
    uint64_t before = w->frames, most = BUSY_MOST + duration / (sec(1) / RATE);

    sim_run_for(duration);
    FUZZ_CHECK(w->frames - before <= most); /* it does not babble */
}

/* ---- what there is ---- */

struct tcp_node *flow_node(struct world *w, unsigned flow)
{
    const struct tcp_ends ends = { .local = cpu_to_be32(ip4(10, 0, 0, 1)),
                                   .peer = cpu_to_be32(ip4(10, 0, 0, 9)),
                                   .lport = cpu_to_be16(w->flows[flow].host_port),
                                   .pport = cpu_to_be16((uint16_t)(PEER_PORT + flow)) };
    struct tcp_node *node = tcp_hash_lookup(w->net, &ends);

    if (node)
        tcp_node_put(w->net, node); /* the table has one, too */
    return node;
}

struct tcp_sock *flow_connection(struct world *w, unsigned flow)
{
    struct tcp_node *node = flow_node(w, flow);

    return node && !node->time_wait ? container_of(node, struct tcp_sock, node) : NULL;
}

struct user_sock *user_sock_of(struct world *w, const struct tcp_sock *tp)
{
    for (unsigned i = 0; i < w->n_socks; i++)
        if (w->socks[i].sk == &tp->sk)
            return &w->socks[i];
    return NULL;
}

void world_close(struct world *w, unsigned i)
{
    struct sock *sk = w->socks[i].sk;

    w->n_socks--;
    memmove(&w->socks[i], &w->socks[i + 1], (w->n_socks - i) * sizeof w->socks[0]);
    if (w->connection != NO_SOCK)
        w->connection = i == w->connection ? NO_SOCK : (uint8_t)(w->connection - (i < w->connection));
    sock_release(sk); /* may linger, and then time passes */
}

uint8_t world_keep(struct world *w, struct sock *sk)
{
    if (w->n_socks == SOCKS_MOST)
        world_close(w, 1);
    w->socks[w->n_socks] = (struct user_sock){ .sk = sk };
    return (uint8_t)w->n_socks++;
}

void world_knob(struct world *w, const char *name, const char *value)
{
    char path[64];

    snprintf(path, sizeof path, "net/ipv4/%s", name);
    FUZZ_CHECK(net_sysctl_set(w->net, path, value) == 0);
}

/* ---- beginning and end ---- */

void world_begin(struct world *w, const struct story *story)
{
    static const struct vnic_config card = { .rx_ring = 256, .tx_ring = 256 };

    *w = (struct world){ .story = story, .connection = NO_SOCK, .tell = getenv("TELL") != NULL };
    for (unsigned i = 0; i < FLOWS; i++)
        w->flows[i] = fresh_flow;
    if (w->tell)
        setvbuf(stdout, NULL, _IOLBF, 0); /* what is said before a crash is seen */
    sim_init(1);
    w->wire = wire_create("wire");
    w->net = net_create("host");
    w->nic = vnic_create(w->net, "eth0", host_mac, w->wire, &card);
    w->port.receive = hear;
    wire_attach(w->wire, &w->port);
    FUZZ_CHECK(netconfig_address(w->net, "lo", INADDR_LOOPBACK, 8) == 0);
    FUZZ_CHECK(netconfig_address(w->net, "eth0", ip4(10, 0, 0, 1), 24) == 0);
    sim_run_for(ms(1));
}

static bool connections_left(struct world *w)
{
    const struct net_proc_file *file = net_proc_find(w->net, "tcp");
    char lines[4096] = "";
    struct textbuf out = { .buf = lines, .size = sizeof lines - 1 };

    FUZZ_CHECK(file);
    file->show(w->net, &out);
    return strchr(lines, '\n')[1] != 0; /* more than the heading */
}

/* A peer that says nothing any more: whatever is open must end by itself. */
static void end_in_silence(struct world *w)
{
    world_run(w, sec(3600) * HOURS_LEFT);
    FUZZ_CHECK(!connections_left(w));
    FUZZ_CHECK(w->net->live_skbs == w->net->ring_skbs);
}

void world_end(struct world *w)
{
    sim_fail_allocs(0);
    sim_fail_nth_alloc(0);
    while (w->n_socks)
        world_close(w, w->n_socks - 1);
    if (!(w->story->start.user & ENDS_ABRUPTLY))
        end_in_silence(w);
    vnic_destroy(w->nic);
    FUZZ_CHECK(!w->net->ring_skbs);
    net_destroy(w->net); /* panics if an sk_buff is left */
    wire_detach(&w->port);
    wire_destroy(w->wire);
    sim_fini(); /* the same of memory and timers */
}
