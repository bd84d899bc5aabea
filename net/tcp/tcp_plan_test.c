/* net/tcp/tcp_plan_test.c - what may be sent, as a table. MSS 1000, numbers from 100 on unless a row says
 * otherwise. Checklist 81, 83, 86, 87, 96. */
#include "lib/compiler.h"
#include "net/tcp/tcp_plan.h"
#include "sim/test.h"

/* A connection at 100 with sent bytes in flight and more written; a window and a cwnd of ten segments. */
static struct tcp_send_view view(uint32_t una, uint32_t sent, uint32_t unsent)
{
    return (struct tcp_send_view){ .snd_una = una,
                                   .snd_nxt = una + sent,
                                   .snd_wnd = 10000,
                                   .max_window = 10000,
                                   .write_seq = una + sent + unsent,
                                   .mss = 1000,
                                   .cwnd = 10000,
                                   .flight = sent };
}

struct row {
    const char *what;
    uint32_t sent, unsent, window, cwnd;
    bool fin, nodelay, override;
    enum tcp_plan_kind kind;
    uint32_t len;
    bool with_fin;
};

static const struct row window_rows[] = {
    { "nothing written", 0, 0, 10000, 10000, false, false, false, TCP_PLAN_IDLE, 0, false },
    { "a full segment", 0, 5000, 10000, 10000, false, false, false, TCP_PLAN_SEND, 1000, false },
    { "the window is full", 10000, 1000, 10000, 20000, false, false, false, TCP_PLAN_WINDOW, 0, false },
    { "the window is shut", 0, 1000, 0, 10000, false, false, false, TCP_PLAN_WINDOW, 0, false },
    { "the window has shrunk below what is in flight", 5000, 1000, 2000, 10000, false, false, false,
      TCP_PLAN_WINDOW, 0, false },
    { "the congestion window is full", 4000, 5000, 10000, 4000, false, false, false, TCP_PLAN_CWND, 0,
      false },
    { "less than a segment of it is left", 3500, 5000, 10000, 4000, false, false, false, TCP_PLAN_CWND, 0,
      false },
};

static const struct row nagle_rows[] = {
    { "a small one, nothing in flight", 0, 10, 10000, 10000, false, false, false, TCP_PLAN_SEND, 10, false },
    { "Nagle: a small one waits for the ACK", 500, 10, 10000, 10000, false, false, false, TCP_PLAN_SMALL, 0,
      false },
    { "Nagle: behind full ones it goes", 2000, 10, 10000, 10000, false, false, false, TCP_PLAN_SEND, 10,
      false },
    { "Nagle: a full one does not", 500, 1000, 10000, 10000, false, false, false, TCP_PLAN_SEND, 1000,
      false },
    { "TCP_NODELAY: a small one goes", 500, 10, 10000, 10000, false, true, false, TCP_PLAN_SEND, 10, false },
};

static const struct row silly_rows[] = {
    { "SWS: a sliver of window is not worth it", 0, 1000, 200, 10000, false, false, false, TCP_PLAN_SMALL, 0,
      false },
    { "SWS: unless the timer overrides", 0, 1000, 200, 10000, false, false, true, TCP_PLAN_SEND, 200, false },
    { "SWS: all that is left fits", 0, 200, 200, 10000, false, false, false, TCP_PLAN_SEND, 200, false },
};

static const struct row fin_rows[] = {
    { "a FIN alone", 0, 0, 10000, 10000, true, false, false, TCP_PLAN_SEND, 0, true },
    { "a FIN behind the last text", 0, 10, 10000, 10000, true, false, false, TCP_PLAN_SEND, 10, true },
    { "a FIN is not Nagle's affair", 500, 10, 10000, 10000, true, false, false, TCP_PLAN_SEND, 10, true },
    { "a FIN waits for the last segment", 0, 1500, 10000, 10000, true, false, false, TCP_PLAN_SEND, 1000,
      false },
    { "a FIN beyond the window stays", 0, 500, 500, 10000, true, false, false, TCP_PLAN_SEND, 500, false },
    { "a FIN in a shut window stays", 0, 0, 0, 10000, true, false, false, TCP_PLAN_WINDOW, 0, false },
};

static void check_row(const struct row *r, uint32_t una)
{
    struct tcp_send_view v = view(una, r->sent, r->unsent);
    v.snd_wnd = r->window;
    v.cwnd = r->cwnd;
    v.fin_queued = r->fin;
    v.nodelay = r->nodelay;
    v.small_in_flight = r->sent % v.mss != 0;
    v.override = r->override;
    struct tcp_plan plan = tcp_plan_next(&v);
    if (plan.kind != r->kind || plan.len != r->len || plan.fin != r->with_fin)
        test_fail(__FILE__, __LINE__, "%s, from %u: kind %d, len %u, fin %d", r->what, una, plan.kind,
                  plan.len, plan.fin);
    if (plan.kind == TCP_PLAN_SEND)
        CHECK_EQ(plan.seq, v.snd_nxt);
}

static void check_rows(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        check_row(&rows[i], 100);
        check_row(&rows[i], 0xfffffff0u); /* checklist 53: the wrap lies inside */
        check_row(&rows[i], 0xffffffffu - rows[i].sent);
    }
}

TEST(the_plan_obeys_the_windows) /* RFC 9293 3.8.6, RFC 5681 3.1; checklist 81, 83 */
{
    check_rows(window_rows, ARRAY_SIZE(window_rows));
}

TEST(the_plan_obeys_nagle) /* RFC 9293 3.7.4; checklist 87 */
{
    check_rows(nagle_rows, ARRAY_SIZE(nagle_rows));
}

TEST(the_plan_avoids_silly_windows) /* RFC 9293 3.8.6.2.1; checklist 86 */
{
    check_rows(silly_rows, ARRAY_SIZE(silly_rows));
}

TEST(the_plan_puts_the_fin_last) /* RFC 9293 3.10.4 */
{
    check_rows(fin_rows, ARRAY_SIZE(fin_rows));
}

TEST(a_fin_is_planned_once) /* checklist 65 */
{
    struct tcp_send_view v = view(100, 0, 0);
    v.fin_queued = true;
    v.snd_nxt = v.write_seq + 1;
    v.flight = 1;
    CHECK_EQ(tcp_plan_next(&v).kind, TCP_PLAN_IDLE);
}

static struct tcp_send_view lost(uint32_t sent, uint32_t resent)
{
    struct tcp_send_view v = view(100, sent, 2000);
    v.lost = true;
    v.lost_seq = v.snd_una + resent;
    v.lost_len = sent - resent;
    v.flight = resent;
    return v;
}

TEST(what_was_lost_goes_before_anything_new) /* RFC 5681 3.1 */
{
    struct tcp_send_view v = lost(3500, 1000);
    struct tcp_plan plan = tcp_plan_next(&v);
    CHECK_EQ(plan.kind, TCP_PLAN_RESEND);
    CHECK_EQ(plan.seq, 1100);
    CHECK_EQ(plan.len, 1000);
    v.lost_seq = 3100;
    v.lost_len = 500;
    plan = tcp_plan_next(&v);
    CHECK_EQ(plan.len, 500); /* not into what is new */
    v.lost = false;
    CHECK_EQ(tcp_plan_next(&v).kind, TCP_PLAN_SEND);
}

TEST(a_resent_fin_keeps_its_place) /* checklist 65 */
{
    struct tcp_send_view v = lost(3001, 3000);
    v.write_seq = 3100;
    v.lost_len = 0;
    v.fin_queued = true;
    struct tcp_plan plan = tcp_plan_next(&v);
    CHECK_EQ(plan.kind, TCP_PLAN_RESEND);
    CHECK_EQ(plan.len, 0);
    CHECK(plan.fin);
}

TEST(resending_obeys_both_windows) /* RFC 5681 3.1, RFC 9293 3.8.6; checklist 81, 97 */
{
    struct tcp_send_view v = lost(5000, 1000);
    v.cwnd = 1000;
    CHECK_EQ(tcp_plan_next(&v).kind, TCP_PLAN_CWND);
    v.cwnd = 10000;
    v.snd_wnd = 1000; /* shrunk: what lies behind its edge is not repeated */
    CHECK_EQ(tcp_plan_next(&v).kind, TCP_PLAN_WINDOW);
}
