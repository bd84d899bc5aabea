/* net/tcp/tcp_window.c - the window we offer: RFC 9293 3.8.6 from the receiver's side.
 * rcv_nxt + rcv_wnd, the right edge, never moves left (SHLD-14). Half the receive buffer is offered as
 * window: the other half pays for the buffers' own overhead. */
#include "net/tcp/tcp.h"

enum {
    WINDOW_SHIFT = 7,  /* RFC 7323 2.2 */
    SHORT_SEGMENTS = 4 /* what is offered while memory is short; as Linux */
};
_Static_assert(SOCK_BUF_MAX / 2 <= TCP_WINDOW_FIELD << WINDOW_SHIFT, "the largest buffer can be offered");

uint8_t tcp_window_shift(void)
{
    return WINDOW_SHIFT;
}

static uint32_t window_limit(const struct tcp_sock *tp)
{
    uint32_t half = tp->sk.rcvbuf / 2;

    return tp->window_clamp ? MIN(half, tp->window_clamp) : half;
}

uint32_t tcp_receive_space(const struct tcp_sock *tp)
{
    uint32_t queued = (uint32_t)MIN(tp->sk.receive_queue.bytes, (uint64_t)UINT32_MAX);
    uint32_t limit = window_limit(tp);
    uint32_t space = limit > queued ? limit - queued : 0;
    if (tcp_mem_short(tp)) /* a few segments, so that what all of them offer is not more than there is */
        space = MIN(space, SHORT_SEGMENTS * (uint32_t)tcp_advertised_mss(tp));
    return space;
}

/* RFC 9293 3.8.6.2.2: the edge moves by min(MSS, half the buffer) at least, or not at all. */
static bool worth_opening(const struct tcp_sock *tp, uint32_t space)
{
    uint32_t step = MIN((uint32_t)tcp_advertised_mss(tp), window_limit(tp) / 2);
    return space >= tp->rcv_wnd + step;
}

uint16_t tcp_select_window(struct tcp_sock *tp, bool syn)
{
    uint32_t unit = 1u << (syn ? 0 : tp->rcv_wscale); /* RFC 7323 2.2: never scaled in a SYN */
    uint32_t space = tcp_receive_space(tp);
    uint32_t most = (uint32_t)TCP_WINDOW_FIELD * unit;
    if (worth_opening(tp, space))
        tp->rcv_wnd = MAX(tp->rcv_wnd, ROUND_DOWN(space, unit));
    tp->rcv_wnd = MIN(ROUND_UP(tp->rcv_wnd, unit), most); /* up: RFC 7323 2.4, the edge must not retreat */
    return (uint16_t)(tp->rcv_wnd / unit);
}

void tcp_window_update(struct tcp_sock *tp)
{
    if (!tcp_in(tp, TCPS_MAY_RECEIVE))
        return;
    uint32_t space = tcp_receive_space(tp);
    uint32_t gain = space > tp->rcv_wnd ? space - tp->rcv_wnd : 0;
    bool was_shut = tp->rcv_wnd < tcp_advertised_mss(tp);
    if (worth_opening(tp, space) && (was_shut || gain >= window_limit(tp) / 2))
        tcp_send_ack(tp);
}
