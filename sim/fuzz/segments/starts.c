/* sim/fuzz/segments/starts.c - bringing the connection where a story begins, by segments and calls as they
 * come in life. That it got there is checked, so that no state is only said to be a start. */
#include "lib/compiler.h"
#include "sim/fuzz/segments/world.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

enum { SMALL_BUFFER = 4000, SEGMENTS = 12, PATIENCE = 400 };

static const char *const names[START_STATES] = {
    [START_ESTABLISHED] = "ESTABLISHED",
    [START_ESTABLISHED_ACTIVE] = "ESTABLISHED by connect()",
    [START_CLOSED] = "CLOSED",
    [START_LISTEN] = "LISTEN",
    [START_SYN_SENT] = "SYN-SENT",
    [START_SYN_RECEIVED] = "SYN-RECEIVED",
    [START_SYN_RECEIVED_BOTH] = "SYN-RECEIVED of both",
    [START_FIN_WAIT_1] = "FIN-WAIT-1",
    [START_FIN_WAIT_2] = "FIN-WAIT-2",
    [START_CLOSING] = "CLOSING",
    [START_TIME_WAIT] = "TIME-WAIT",
    [START_CLOSE_WAIT] = "CLOSE-WAIT",
    [START_LAST_ACK] = "LAST-ACK",
};
static const int states[START_STATES] = {
    [START_ESTABLISHED] = TCPS_ESTABLISHED, [START_ESTABLISHED_ACTIVE] = TCPS_ESTABLISHED,
    [START_SYN_SENT] = TCPS_SYN_SENT,       [START_SYN_RECEIVED] = TCPS_SYN_RECEIVED,
    [START_FIN_WAIT_1] = TCPS_FIN_WAIT_1,   [START_SYN_RECEIVED_BOTH] = TCPS_SYN_RECEIVED,
    [START_FIN_WAIT_2] = TCPS_FIN_WAIT_2,   [START_CLOSING] = TCPS_CLOSING,
    [START_TIME_WAIT] = TCPS_TIME_WAIT,     [START_CLOSE_WAIT] = TCPS_CLOSE_WAIT,
    [START_LAST_ACK] = TCPS_LAST_ACK,
};

static unsigned long begun[START_STATES]; /* by all stories of this process */

__attribute__((destructor)) static void say_starts(void)
{
    for (unsigned i = 0; i < START_STATES; i++)
        if (begun[i])
            fprintf(stderr, "stat::start %s: %lu\n", names[i], begun[i]);
}

static enum start_state state_of(const struct world *w)
{
    return (enum start_state)(w->story->start.state % START_STATES);
}

static enum start_matter matter_of(const struct world *w)
{
    return (enum start_matter)(w->story->start.matter % MATTERS);
}

static bool ends_by_close(const struct world *w)
{
    return w->story->start.user & USER_ORPHAN;
}

/* ---- the peer's part ---- */

size_t syn_options(const struct world *w, uint8_t *to)
{
    const struct start *s = &w->story->start;
    size_t n = 0;

    if (s->peer & PEER_MSS) {
        const uint8_t mss[] = { 2, 4, (uint8_t)(s->mss >> 8), (uint8_t)s->mss };
        memcpy(to, mss, sizeof mss);
        n = sizeof mss;
    }
    if (s->peer & PEER_SCALES) {
        const uint8_t scale[] = { 1, 3, 3, s->peer_scale };
        memcpy(to + n, scale, sizeof scale);
        n += sizeof scale;
    }
    if (s->peer & PEER_SACKS) {
        static const uint8_t permitted[] = { 1, 1, 4, 2 };
        memcpy(to + n, permitted, sizeof permitted);
        n += sizeof permitted;
    }
    if (s->peer & PEER_STAMPS)
        n += put_stamp(to + n, (uint32_t)(time_now() / ms(1)), w->flows[0].host_clock);
    return n;
}

static void peer_syn(struct world *w, uint8_t flags)
{
    struct packet p = peer_packet(w, 0);
    uint8_t options[40];

    p.flags = flags;
    if (w->story->start.peer & PEER_ECN)
        p.flags |= flags & ACK ? ECE : ECE | CWR; /* RFC 3168 6.1.1 */
    p.seq = w->story->start.iss;
    p.ack = flags & ACK ? w->flows[0].host_next : 0;
    p.options = options;
    p.options_len = syn_options(w, options);
    peer_sends(w, 0, &p);
}

/* At seq, with n bytes of text and extra options; a timestamp, if they are agreed upon. */
static void peer_segment(struct world *w, uint32_t seq, uint32_t ack, uint8_t flags, size_t n,
                         uint16_t window, const struct tcp_sack_block *block)
{
    struct packet p = peer_packet(w, 0);
    uint8_t bytes[1460], options[40];

    for (size_t i = 0; i < n; i++)
        bytes[i] = peer_text(seq + (uint32_t)i);
    p.seq = seq;
    p.ack = ack;
    p.flags = flags | ACK;
    p.window = window;
    p.payload = bytes;
    p.payload_len = n;
    p.options = options;
    if (w->flows[0].stamps)
        p.options_len += put_stamp(options, (uint32_t)(time_now() / ms(1)), w->flows[0].host_clock);
    if (block)
        p.options_len += put_block(options + p.options_len, block->start, block->end);
    peer_sends(w, 0, &p);
}

static void peer_ack(struct world *w, uint32_t ack)
{
    peer_segment(w, w->flows[0].peer_next, ack, 0, 0, w->story->start.window, NULL);
}

static void peer_fin(struct world *w)
{
    const struct tcp_sock *tp = flow_connection(w, 0);

    peer_segment(w, tp->rcv_nxt, tp->snd_una, FIN, 0, w->story->start.window, NULL);
}

/* ---- the program's part ---- */

static void number_option(struct sock *sk, int level, int option, int value)
{
    FUZZ_CHECK(sock_setsockopt(sk, level, option, &value, sizeof value) == 0);
}

static struct sock *fresh_socket(struct world *w)
{
    uint8_t user = w->story->start.user;
    struct sock *sk;

    FUZZ_CHECK(sock_create(w->net, AF_INET, SOCK_STREAM, 0, &sk) == 0);
    if (user & USER_SMALL_RCVBUF || matter_of(w) == MATTER_WE_SHUT)
        number_option(sk, SOL_SOCKET, SO_RCVBUF, SMALL_BUFFER);
    if (user & USER_SMALL_SNDBUF)
        number_option(sk, SOL_SOCKET, SO_SNDBUF, SMALL_BUFFER);
    if (user & USER_NODELAY)
        number_option(sk, IPPROTO_TCP, TCP_NODELAY, 1);
    if (user & USER_KEEPALIVE)
        number_option(sk, SOL_SOCKET, SO_KEEPALIVE, 1);
    return sk;
}

static void listen_here(struct world *w)
{
    struct sock *sk = fresh_socket(w);
    struct sockaddr_storage name;
    int len = sockaddr_in_make(&name, cpu_to_be32(0), cpu_to_be16(HOST_PORT));

    FUZZ_CHECK(sock_bind(sk, (struct sockaddr *)&name, (socklen_t)len) == 0);
    FUZZ_CHECK(sock_listen(sk, 2) == 0);
    world_keep(w, sk);
}

static void connect_there(struct world *w)
{
    struct sock *sk = fresh_socket(w);
    struct sockaddr_storage name;
    int len = sockaddr_in_make(&name, cpu_to_be32(ip4(10, 0, 0, 9)), cpu_to_be16(PEER_PORT));

    FUZZ_CHECK(sock_connect(sk, (struct sockaddr *)&name, (socklen_t)len, MSG_DONTWAIT) == -EINPROGRESS);
    w->connection = world_keep(w, sk);
    world_run(w, 0);
    FUZZ_CHECK(w->flows[0].heard);
}

static void accept_it(struct world *w)
{
    struct sock *sk;

    FUZZ_CHECK(sock_accept(w->socks[0].sk, MSG_DONTWAIT, &sk) == 0);
    w->connection = world_keep(w, sk);
}

static struct user_sock *connection(struct world *w)
{
    FUZZ_CHECK(w->connection != NO_SOCK);
    return &w->socks[w->connection];
}

static void user_ends(struct world *w)
{
    if (!ends_by_close(w)) {
        FUZZ_CHECK(sock_shutdown(connection(w)->sk, SHUT_WR) == 0);
    } else {
        user_reads(w, connection(w), 1 << 20, 0); /* or it would be a reset: RFC 1122 4.2.2.13 */
        world_close(w, w->connection);
    }
    world_run(w, 0);
}

/* ---- in the middle of what ---- */

static void receive_some(struct world *w, bool holes)
{
    uint32_t at = flow_connection(w, 0)->rcv_nxt + (holes ? 700 : 0);

    for (unsigned i = 0; i < 3; i++, at += holes ? 900 : 500)
        peer_segment(w, at, flow_connection(w, 0)->snd_una, PSH, 500, w->story->start.window, NULL);
}

static void shut_our_window(struct world *w)
{
    for (unsigned i = 0; i < PATIENCE && flow_connection(w, 0)->rcv_wnd; i++) {
        const struct tcp_sock *tp = flow_connection(w, 0);
        peer_segment(w, tp->rcv_nxt, tp->snd_una, 0, MIN(tp->rcv_wnd, 536u), w->story->start.window, NULL);
    }
}

static void overtake_first(struct world *w)
{
    for (unsigned i = 0; i < 3; i++) {
        struct tcp_sock *tp = flow_connection(w, 0);
        uint32_t first = tp->snd_una + tp->mss, end = first + (i + 1) * tp->mss;
        struct tcp_sack_block block = { first, end };
        peer_segment(w, tp->rcv_nxt, tp->snd_una, 0, 0, w->story->start.window,
                     tp->sack_ok && seq_before_eq(end, tp->snd_nxt) ? &block : NULL);
        world_run(w, ms(2));
    }
}

static void wait_for_loss(struct world *w)
{
    for (unsigned i = 0; i < PATIENCE && flow_connection(w, 0)->recovery != TCP_LOSS; i++)
        world_run(w, ms(10));
}

static void wait_for_probe(struct world *w)
{
    for (unsigned i = 0; i < PATIENCE && !flow_connection(w, 0)->tlp.out; i++)
        world_run(w, ms(5));
}

static void amid(struct world *w)
{
    enum start_matter matter = matter_of(w);
    struct user_sock *u = connection(w);

    if (matter == MATTER_PEER_SHUT)
        peer_segment(w, flow_connection(w, 0)->rcv_nxt, flow_connection(w, 0)->snd_una, 0, 0, 0, NULL);
    if (matter != MATTER_NOTHING && matter != MATTER_OUT_OF_ORDER && matter != MATTER_WE_SHUT)
        user_writes(w, u, (size_t)flow_connection(w, 0)->mss * (matter == MATTER_PROBE ? 1 : SEGMENTS), 0);
    if (matter == MATTER_BOTH_WAYS || matter == MATTER_OUT_OF_ORDER)
        receive_some(w, matter == MATTER_OUT_OF_ORDER);
    else if (matter == MATTER_WE_SHUT)
        shut_our_window(w);
    else if (matter == MATTER_FAST_RECOVERY)
        overtake_first(w);
    else if (matter == MATTER_FRTO || matter == MATTER_LOSS)
        wait_for_loss(w);
    else if (matter == MATTER_PROBE)
        wait_for_probe(w);
    if (matter == MATTER_LOSS)
        world_run(w, sec(5));
}

/* ---- opening and closing ---- */

static void open_passive(struct world *w)
{
    peer_syn(w, SYN);
    peer_ack(w, w->flows[0].host_next);
    accept_it(w);
}

static void open_active(struct world *w)
{
    connect_there(w);
    peer_syn(w, SYN | ACK);
}

static void acknowledge_all(struct world *w)
{
    for (unsigned i = 0; i < PATIENCE; i++) {
        const struct tcp_sock *tp = flow_connection(w, 0);
        if (!tp || tp->sk.state != TCPS_FIN_WAIT_1)
            return;
        peer_segment(w, w->flows[0].peer_next, tp->snd_nxt, 0, 0, MAX(w->story->start.window, 2000), NULL);
        world_run(w, ms(100)); /* for a window that was shut, or SWS avoidance */
    }
}

static void close_as(struct world *w, enum start_state state)
{
    bool peers_fin = state == START_CLOSING || state == START_TIME_WAIT || state == START_CLOSE_WAIT ||
                     state == START_LAST_ACK;

    if (peers_fin) /* a FIN that finds our window shut would not be acceptable */
        user_reads(w, connection(w), 1 << 20, 0);
    if (state == START_CLOSE_WAIT || state == START_LAST_ACK)
        peer_fin(w);
    if (state != START_CLOSE_WAIT)
        user_ends(w);
    if (state == START_FIN_WAIT_2 || state == START_TIME_WAIT)
        acknowledge_all(w);
    if (state == START_CLOSING || state == START_TIME_WAIT)
        peer_fin(w);
}

static void go_there(struct world *w, enum start_state state)
{
    if (state != START_CLOSED)
        listen_here(w);
    switch (state) {
    case START_CLOSED:
    case START_LISTEN:
        return;
    case START_SYN_SENT:
        connect_there(w);
        return;
    case START_SYN_RECEIVED:
        peer_syn(w, SYN);
        return;
    case START_SYN_RECEIVED_BOTH:
        connect_there(w);
        peer_syn(w, SYN);
        return;
    case START_ESTABLISHED_ACTIVE:
        open_active(w);
        amid(w);
        return;
    case START_ESTABLISHED:
        open_passive(w);
        amid(w);
        return;
    default:
        open_passive(w);
        amid(w);
        close_as(w, state);
    }
}

static void check_there(struct world *w, enum start_state state)
{
    const struct tcp_node *node = flow_node(w, 0);
    const struct tcp_sock *tp = flow_connection(w, 0);
    begun[state]++;
    if (state == START_TIME_WAIT)
        FUZZ_CHECK(node && node->time_wait);
    else if (state == START_SYN_RECEIVED) /* half open, in the SYN cache or in a cookie */
        FUZZ_CHECK(!node && w->flows[0].heard);
    else if (state != START_CLOSED && state != START_LISTEN)
        FUZZ_CHECK(tp && tp->sk.state == states[state]);
}

/* ---- knobs ---- */

static void set_knobs(struct world *w)
{
    static const struct {
        uint8_t bit;
        const char *knob;
    } off[] = {
        { OFF_SACK, "tcp_sack" },
        { OFF_TIMESTAMPS, "tcp_timestamps" },
        { OFF_SCALING, "tcp_window_scaling" },
        { OFF_RACK, "tcp_recovery" },
        { OFF_TLP, "tcp_early_retrans" },
        { OFF_FRTO, "tcp_frto" },
        { OFF_DSACK, "tcp_dsack" },
    };
    static const char *const modules[] = { "reno", "cubic", "vegas", "hd", "htcp", "dctcp", "bbr" };
    static const char *const numbers[] = { "0", "1", "2" };
    const struct start *s = &w->story->start;

    for (size_t i = 0; i < ARRAY_SIZE(off); i++)
        if (s->switches & off[i].bit)
            world_knob(w, off[i].knob, "0");
    world_knob(w, "tcp_congestion_control", modules[s->cong % ARRAY_SIZE(modules)]);
    world_knob(w, "tcp_ecn", numbers[s->ecn % ARRAY_SIZE(numbers)]);
    if (s->switches & ALWAYS_COOKIES)
        world_knob(w, "tcp_syncookies", "2");
}

void story_start(struct world *w)
{
    enum start_state state = state_of(w);

    set_knobs(w);
    go_there(w, state);
    check_there(w, state);
    if (w->story->start.user & MEMORY_SHORT)
        sim_fail_allocs(50000);
}
