/* net/tcp/tcp_trace_test.c - what a connection's trace points tell, and that they are silent when they are
 * off. */
#include "net/tcp/tcp_script_test.h"
#include "net/tcp/tcp_trace.h"
#include <stdio.h>

enum { MSS = 536 };
static const uint8_t zeroes[10 * MSS];
static char seen[2000];

/* One word a point of TCP's own: its name without "tcp." and the value. */
static void note(const char *point, uint64_t id, uint32_t value)
{
    size_t n = strlen(seen);
    if (strncmp(point, "tcp.", 4) || !strcmp(point, "tcp.transmit") || !strcmp(point, "tcp.receive"))
        return;
    if (id != HOST_PORT * 100000ull + PEER_PORT && id != HOST_PORT * 100000ull) /* the listener's */
        return;                                                                 /* a packet's point */
    snprintf(seen + n, sizeof seen - n, "%s %u; ", point + 4, value);
}

static void expect(const char *text)
{
    if (strcmp(seen, text))
        printf("  %s\n", seen);
    CHECK(!strcmp(seen, text));
    seen[0] = 0;
}

static struct script begin(int32_t points)
{
    struct script s = script_begin();
    s.vk->net->tcp->trace = points;
    seen[0] = 0;
    sim_on_trace(note);
    return s;
}

/* Ten segments go out, the first is lost: three duplicate ACKs, then all is acknowledged. */
static void lose_one(struct script *s)
{
    CHECK_EQ(vk_send(s->sk, zeroes, sizeof zeroes, 0), sizeof zeroes);
    for (int i = 0; i < 10; i++)
        host_sends(s, i < 9 ? ACK : PSH | ACK);
    uint32_t lost = s->rcv - 10 * MSS;
    for (int i = 0; i < 3; i++)
        peer_sends_at(s, ACK, s->snd, lost, NULL, 0);
    CHECK_EQ(host_sends_any(s, ACK).seq, lost);
    peer_sends(s, ACK, NULL, 0);
}

TEST(each_change_of_state_is_traced) /* with the state before it */
{
    struct script s = begin(TCP_TRACE_STATE);
    script_accept(&s);
    struct sock *sk = script_close(&s);
    host_sends(&s, FIN | ACK);
    peer_sends(&s, ACK, NULL, 0);
    peer_sends(&s, FIN | ACK, NULL, 0);
    expect("listen 7; syn_received 7; established 3; fin_wait_1 1; fin_wait_2 4; time_wait 5; closed 6; ");
    sock_put(sk);
    script_end(&s);
}

TEST(each_change_of_the_windows_is_traced)
{
    struct script s = begin(TCP_TRACE_WINDOW);
    script_accept(&s);
    expect("cwnd 5360; ssthresh 1073741824; ");
    lose_one(&s);
    expect(
        "cwnd 4288; ssthresh 2680; cwnd 1072; "); /* halved, and three segments; then no burst (RFC 6582) */
    script_end(&s);
}

TEST(what_goes_again_is_traced_with_the_reason)
{
    struct script s = begin(TCP_TRACE_RETRANSMIT);
    s.vk->net->tcp->tlp = false;
    script_accept(&s);
    expect("");
    lose_one(&s);
    expect("retransmit_fast 536; ");
    CHECK_EQ(vk_send(s.sk, "x", 1, 0), 1);
    host_sends(&s, PSH | ACK);
    sim_run_for(ms(300));
    tap_flush(s.tap);
    expect("retransmit_timeout 1; ");
    script_end(&s);
}

TEST(a_syn_that_goes_again_is_traced)
{
    struct script s = begin(TCP_TRACE_RETRANSMIT);
    CHECK_EQ(net_sysctl_set(s.vk->net, "net/ipv4/ip_local_port_range", "80 80"), 0);
    script_connect(&s);
    sim_run_for(ms(1500));
    tap_flush(s.tap);
    expect("retransmit_syn 0; ");
    script_end(&s);
}

TEST(a_connection_without_trace_points_says_nothing)
{
    struct script s = begin(0);
    script_accept(&s);
    lose_one(&s);
    sock_put(script_close(&s));
    sim_run_for(sec(3));
    tap_flush(s.tap);
    expect("");
    script_end(&s);
}
