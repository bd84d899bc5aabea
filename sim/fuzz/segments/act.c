/* sim/fuzz/segments/act.c - one action of a story: a segment near the connection's true numbers, a call of
 * the program's, an ICMP error, time, or memory that is out. */
#include "lib/compiler.h"
#include "sim/fuzz/segments/world.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

/* What an action's numbers are relative to; from the connection, or else from what the peer has heard. */
struct numbers {
    uint32_t snd_una, snd_nxt, write_seq, iss, rcv_nxt, right_edge, irs, peer_next, mss;
};

static struct numbers numbers_of(struct world *w, unsigned flow)
{
    const struct flow *f = &w->flows[flow];
    struct tcp_node *node = flow_node(w, flow);

    if (!node)
        return (struct numbers){ f->host_next,     f->host_next,  f->host_next,
                                 f->host_next - 1, f->host_acked, f->host_acked + 20000,
                                 f->host_acked,    f->peer_next,  536 };
    if (node->time_wait) {
        const struct tcp_timewait *tw = tcp_node_timewait(node);
        return (struct numbers){ tw->snd_nxt,     tw->snd_nxt,  tw->snd_nxt,
                                 tw->snd_nxt - 1, tw->rcv_nxt,  tw->rcv_nxt + tw->rcv_wnd,
                                 tw->rcv_nxt,     f->peer_next, 536 };
    }
    const struct tcp_sock *tp = container_of(node, struct tcp_sock, node);
    return (struct numbers){ tp->snd_una, tp->snd_nxt,  tp->write_seq,
                             tp->iss,     tp->rcv_nxt,  tp->rcv_nxt + tp->rcv_wnd,
                             tp->irs,     f->peer_next, tp->mss };
}

/* Where the buffer n of those sent begins; without one, k segments on from the oldest. */
static uint32_t buffer_edge(struct world *w, unsigned flow, unsigned n)
{
    struct tcp_sock *tp = flow_connection(w, flow);
    struct sk_buff *skb = tp ? skb_peek(&tp->write_queue) : NULL;

    while (skb && n-- && skb_queue_next(&tp->write_queue, skb))
        skb = skb_queue_next(&tp->write_queue, skb);
    return skb ? tcp_cb(skb)->seq : w->flows[flow].host_next;
}

/* ---- segments ---- */

static uint32_t seq_of(const struct action *a, const struct numbers *n)
{
    const uint32_t bases[SEQ_BASES] = { n->rcv_nxt, n->right_edge, n->irs, n->peer_next };
    const uint32_t units[] = { 1, n->mss, 1u << 16, 1u << 24 };

    return bases[a->seq_base % 16 % SEQ_BASES] + (uint32_t)a->seq * units[a->unit % ARRAY_SIZE(units)];
}

static uint32_t ack_of(struct world *w, unsigned flow, const struct action *a, const struct numbers *n)
{
    const uint32_t bases[ACK_BASES] = { n->snd_una, n->snd_nxt, n->write_seq, n->iss,
                                        buffer_edge(w, flow, a->a % 32u) };
    int32_t on = a->ack & 1 ? (a->ack >> 1) * (int32_t)(n->mss & 0xffff) : a->ack / 2;

    return bases[a->ack_base % 16 % ACK_BASES] + (uint32_t)on;
}

size_t put_stamp(uint8_t *to, uint32_t value, uint32_t echo)
{
    const uint8_t option[] = { 1, 1, 8, 10 };

    memcpy(to, option, sizeof option);
    for (unsigned i = 0; i < 4; i++) {
        to[4 + i] = (uint8_t)(value >> (24 - 8 * i));
        to[8 + i] = (uint8_t)(echo >> (24 - 8 * i));
    }
    return 12;
}

size_t put_block(uint8_t *to, uint32_t start, uint32_t end)
{
    const uint8_t option[] = { 1, 1, 5, 10 };

    memcpy(to, option, sizeof option);
    for (unsigned i = 0; i < 4; i++) {
        to[4 + i] = (uint8_t)(start >> (24 - 8 * i));
        to[8 + i] = (uint8_t)(end >> (24 - 8 * i));
    }
    return 12;
}

static size_t put_garbage(uint8_t *to, const struct action *a)
{
    const uint8_t odd[] = { a->a, a->b, (uint8_t)a->window, (uint8_t)(a->window >> 8) };

    memcpy(to, odd, sizeof odd);
    return sizeof odd;
}

/* At most 40 bytes: what comes first counts. */
static size_t options_of(struct world *w, unsigned flow, const struct action *a, const struct numbers *n,
                         uint8_t *to)
{
    const struct flow *f = &w->flows[flow];
    uint32_t now = (uint32_t)(time_now() / ms(1));
    size_t len = 0;

    if (a->options & WITH_SYN_OPTIONS)
        return syn_options(w, to);
    if (f->stamps && !(a->options & WITHOUT_STAMP))
        len += put_stamp(to, a->options & OLD_STAMP ? now - a->b * 100u : now,
                         f->host_clock + (a->options & STRANGE_ECHO ? a->b * 8u - 1000u : 0));
    if (a->options & WITH_DSACK) /* RFC 2883 4: what was acknowledged already */
        len += put_block(to + len, n->snd_una - (a->b % 8 + 1) * n->mss, n->snd_una - a->b % 8 * n->mss);
    if (a->options & WITH_SACK)
        len += put_block(to + len, buffer_edge(w, flow, a->a % 32u),
                         buffer_edge(w, flow, a->a % 32u + a->b % 16u + 1) + (a->b & 64 ? 1 : 0));
    if (a->options & WITH_GARBAGE && len + 4 <= 40)
        len += put_garbage(to + len, a);
    return len;
}

static void act_segment(struct world *w, const struct action *a)
{
    unsigned flow = a->seq_base / 16 % FLOWS, times = a->ack_base / 16 % 8 + 1;
    struct numbers n = numbers_of(w, flow);
    struct packet p = peer_packet(w, flow);
    uint8_t bytes[1460], options[40];

    p.flags = a->flags;
    p.seq = seq_of(a, &n);
    p.ack = ack_of(w, flow, a, &n);
    p.window = a->window;
    p.urgent = a->b;
    p.tos = a->options & WITH_MARK ? 3 : 0; /* RFC 3168 5 */
    p.options = options;
    p.options_len = options_of(w, flow, a, &n, options);
    p.payload = bytes;
    p.payload_len = a->len % (sizeof bytes + 1);
    for (size_t i = 0; i < p.payload_len; i++)
        bytes[i] = peer_text(p.seq + !!(p.flags & SYN) + (uint32_t)i);
    w->marks += !!(p.flags & URG);
    while (times--)
        peer_sends(w, flow, &p);
}

/* About a segment of the host's: by its addresses, ports and number (RFC 5927 4.1). */
static void act_icmp(struct world *w, const struct action *a)
{
    static const uint8_t types[] = { 3, 3, 3, 11, 12, 5, 4 };
    unsigned flow = a->seq_base / 16 % FLOWS;
    struct numbers n = numbers_of(w, flow);
    struct packet quoted = peer_packet(w, flow), p = peer_packet(w, flow);
    uint8_t frame[FRAME_MAX];

    quoted.saddr = p.daddr;
    quoted.daddr = p.saddr;
    quoted.sport = p.dport;
    quoted.dport = p.sport;
    quoted.seq = ack_of(w, flow, a, &n);
    packet_build(&quoted, frame);
    p.protocol = PACKET_ICMP;
    p.icmp_type = types[a->a % ARRAY_SIZE(types)];
    p.icmp_code = p.icmp_type == 3 && a->b & 64 ? 4 : a->b % 16;
    p.icmp_rest = a->window % 1600u; /* next-hop MTU */
    p.payload = frame + FRAME_HEADER;
    p.payload_len = 28;
    peer_sends(w, flow, &p);
}

/* ---- the program ---- */

static struct user_sock *chosen_sock(struct world *w, const struct action *a)
{
    if (!w->n_socks)
        return NULL;
    if (w->connection != NO_SOCK && a->seq_base < 192)
        return &w->socks[w->connection];
    return &w->socks[a->seq_base % w->n_socks];
}

static struct message message_of(struct io_vector *v)
{
    struct message msg = { 0 };

    iov_iter_init(&msg.iter, ITER_KERNEL, v, 1);
    return msg;
}

void user_writes(struct world *w, struct user_sock *u, size_t n, int flags)
{
    static uint8_t bytes[1 << 16];
    struct io_vector v = { (uintptr_t)bytes, MIN(n, sizeof bytes) };
    struct message msg = message_of(&v);
    uint32_t at = tcp_sk(u->sk)->write_seq;

    for (size_t i = 0; i < v.len; i++)
        bytes[i] = host_text(at + (uint32_t)i);
    (void)sock_sendmsg(u->sk, &msg, flags | MSG_DONTWAIT);
    world_run(w, 0);
}

/* n bytes that were read: each in its place; but the byte at a mark is not among them, and what a read with
 * MSG_TRUNC threw away may have had some. */
static void check_read(struct world *w, struct user_sock *u, const uint8_t *bytes, size_t n, bool peek)
{
    uint32_t at = u->read_to;

    for (size_t i = 0; i < n; i++, at++) {
        for (unsigned marks = 0; marks < w->marks && bytes[i] != peer_text(at); marks++)
            at++;
        FUZZ_CHECK(bytes[i] == peer_text(at));
    }
    if (!peek)
        u->read_to = at;
}

void user_reads(struct world *w, struct user_sock *u, size_t n, int flags)
{
    static uint8_t bytes[1 << 18];
    const struct tcp_sock *tp = tcp_sk(u->sk);
    struct io_vector v = { (uintptr_t)bytes, MIN(n, sizeof bytes) };
    struct message msg = message_of(&v);
    ssize_t got;

    if (!u->reading)
        u->read_to = tp->irs + 1;
    got = sock_recvmsg(u->sk, &msg, flags | MSG_DONTWAIT);
    if (got > 0) {
        u->reading = true;
        if (!(flags & MSG_TRUNC))
            check_read(w, u, bytes, (size_t)got, flags & MSG_PEEK);
        else if (!(flags & MSG_PEEK))
            u->read_to += (uint32_t)got;
    }
    world_run(w, 0);
}

static void act_end(struct world *w, const struct action *a)
{
    struct user_sock *u = chosen_sock(w, a);

    if (!u)
        return;
    if (a->a % 4 < 3)
        (void)sock_shutdown(u->sk, a->a % 4);
    else
        world_close(w, (unsigned)(u - w->socks));
    world_run(w, 0);
}

static void act_option(struct world *w, const struct action *a)
{
    static const struct {
        int level, option, most; /* values 0 .. most */
    } known[] = {
        { IPPROTO_TCP, TCP_NODELAY, 1 },
        { IPPROTO_TCP, TCP_CORK, 1 },
        { IPPROTO_TCP, TCP_QUICKACK, 1 },
        { IPPROTO_TCP, TCP_MAXSEG, 1500 },
        { IPPROTO_TCP, TCP_KEEPIDLE, 20 },
        { IPPROTO_TCP, TCP_KEEPINTVL, 20 },
        { IPPROTO_TCP, TCP_KEEPCNT, 10 },
        { IPPROTO_TCP, TCP_USER_TIMEOUT, 100000 },
        { IPPROTO_TCP, TCP_LINGER2, 100 },
        { IPPROTO_TCP, TCP_DEFER_ACCEPT, 10 },
        { IPPROTO_TCP, TCP_NOTSENT_LOWAT, 20000 },
        { IPPROTO_TCP, TCP_SYNCNT, 10 },
        { IPPROTO_TCP, TCP_WINDOW_CLAMP, 65535 },
        { SOL_SOCKET, SO_KEEPALIVE, 1 },
        { SOL_SOCKET, SO_RCVBUF, 65535 },
        { SOL_SOCKET, SO_SNDBUF, 65535 },
        { SOL_SOCKET, SO_OOBINLINE, 1 },
        { SOL_SOCKET, SO_RCVLOWAT, 5000 },
        { SOL_SOCKET, SO_LINGER, 5 },
    };
    static const char *const modules[] = { "reno", "cubic", "vegas", "hd", "htcp", "dctcp", "bbr", "nobody" };
    struct user_sock *u = chosen_sock(w, a);
    unsigned which = a->a % (ARRAY_SIZE(known) + 1);
    int value[2];

    if (!u)
        return;
    if (which == ARRAY_SIZE(known)) {
        const char *name = modules[a->b % ARRAY_SIZE(modules)];
        (void)sock_setsockopt(u->sk, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name));
        return;
    }
    value[0] = value[1] = (int)(a->len % ((unsigned)known[which].most + 1));
    (void)sock_setsockopt(u->sk, known[which].level, known[which].option, value,
                          known[which].option == SO_LINGER && known[which].level == SOL_SOCKET ? 8 : 4);
    world_run(w, 0);
}

static void act_accept(struct world *w)
{
    struct sock *sk;

    for (unsigned i = 0; i < w->n_socks; i++) {
        if (w->socks[i].sk->state != TCPS_LISTEN || sock_accept(w->socks[i].sk, MSG_DONTWAIT, &sk))
            continue;
        w->connection = world_keep(w, sk);
        return;
    }
}

static void act_connect(struct world *w, struct user_sock *u, const struct action *a)
{
    struct sockaddr_storage name;
    uint16_t port = (uint16_t)(PEER_PORT + a->b % FLOWS);
    int len = sockaddr_in_make(&name, cpu_to_be32(ip4(10, 0, 0, 9)), cpu_to_be16(port));

    if (sock_connect(u->sk, (struct sockaddr *)&name, (socklen_t)len, MSG_DONTWAIT) == -EINPROGRESS)
        u->reading = false;
    world_run(w, 0);
}

static void act_open(struct world *w)
{
    struct sock *sk;

    if (sock_create(w->net, AF_INET, SOCK_STREAM, 0, &sk) == 0)
        w->connection = world_keep(w, sk);
}

static void act_call(struct world *w, const struct action *a)
{
    struct user_sock *u = chosen_sock(w, a);
    struct sockaddr_storage name = { 0 };
    uint8_t info[512];
    socklen_t len = sizeof info;

    switch (u ? a->a % 7 : 0) {
    case 0:
        act_open(w);
        break;
    case 1:
    case 2:
        act_accept(w);
        break;
    case 3:
        act_connect(w, u, a);
        break;
    case 4:
        (void)sock_poll(u->sk);
        (void)sock_getname(u->sk, &name, a->b & 1);
        break;
    case 5:
        (void)sock_getsockopt(u->sk, IPPROTO_TCP, TCP_INFO, info, &len);
        (void)sock_getsockopt(u->sk, SOL_SOCKET, SO_ERROR, info, &len);
        break;
    default:
        (void)sock_listen(u->sk, a->b % 4);
    }
}

static void act_write(struct world *w, const struct action *a)
{
    static const int flags[] = { 0, 0, 0, MSG_MORE, MSG_OOB };
    struct user_sock *u = chosen_sock(w, a);

    if (u)
        user_writes(w, u, a->a & 1 ? a->len % 50u : a->len % 30000u, flags[a->b % ARRAY_SIZE(flags)]);
}

static void act_read(struct world *w, const struct action *a)
{
    static const int flags[] = { 0, 0, 0, 0, MSG_PEEK, MSG_TRUNC, MSG_WAITALL };
    struct user_sock *u = chosen_sock(w, a);

    if (u)
        user_reads(w, u, a->a & 1 ? a->len % 50u : a->len, flags[a->b % ARRAY_SIZE(flags)]);
}

/* 1 us to two hours, and every length between as likely as the others of its size. */
static void act_time(struct world *w, const struct action *a)
{
    world_run(w, us(1) * (a->b + 1) << a->a % 26);
}

/* The next allocations: one of them, or some. */
static void act_memory(const struct action *a)
{
    if (a->a & 1)
        sim_fail_nth_alloc(a->b % 8 + 1u);
    else
        sim_fail_allocs(a->a & 2 ? 0 : a->b * 2000u);
}

static void tell_action(const struct world *w, const struct action *a)
{
    static const char *const kinds[ACTION_KINDS] = { "segment", "time", "write", "read",  "end",
                                                     "option",  "call", "icmp",  "memory" };

    if (w->tell)
        printf("%12.6f  %s a %u b %u len %u\n", (double)time_now() / 1e9, kinds[a->kind % ACTION_KINDS], a->a,
               a->b, a->len);
}

void story_act(struct world *w, const struct action *a)
{
    tell_action(w, a);
    w->frames = w->delivered = 0;
    switch (a->kind % ACTION_KINDS) {
    case ACT_SEGMENT:
        act_segment(w, a);
        break;
    case ACT_TIME:
        act_time(w, a);
        break;
    case ACT_WRITE:
        act_write(w, a);
        break;
    case ACT_READ:
        act_read(w, a);
        break;
    case ACT_END:
        act_end(w, a);
        break;
    case ACT_OPTION:
        act_option(w, a);
        break;
    case ACT_CALL:
        act_call(w, a);
        break;
    case ACT_ICMP:
        act_icmp(w, a);
        break;
    default:
        act_memory(a);
    }
}

void story_happens(const struct story *story)
{
    static struct world w;

    world_begin(&w, story);
    story_start(&w);
    world_check(&w);
    for (unsigned i = 0; i < story->n; i++) {
        story_act(&w, &story->actions[i]);
        world_check(&w);
    }
    world_end(&w);
}
