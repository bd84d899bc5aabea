/* net/tcp/tcp_urgent.c - urgent text: RFC 9293 3.8.5, RFC 6093; the user's side as tcp(7) and Linux have it.
 *
 * The urgent pointer names one place in the stream, the mark: the byte before the one it points at (RFC 6093
 * 3.1). A newer pointer moves the mark on, never back. The byte at the mark stays in the receive queue, where
 * a read stops before it; unless SO_OOBINLINE is set the next read passes over it, and MSG_OOB gives a copy.
 * RFC 6093 5 asks new programs to use none of this, and 6 asks those that do to set SO_OOBINLINE. */
#include "net/tcp/tcp.h"

enum { POINTER_MAX = UINT16_MAX };

/* ---- the sender's side ---- */

void tcp_urgent_send(struct tcp_sock *tp)
{
    tp->snd_up = tp->write_seq;
    tp->snd_urgent = seq_after(tp->snd_up, tp->snd_una);
}

void tcp_urgent_acked(struct tcp_sock *tp)
{
    tp->snd_urgent = seq_after(tp->snd_up, tp->snd_una);
}

bool tcp_urgent_in_reach(const struct tcp_sock *tp)
{
    return tp->snd_urgent && tp->snd_up - tp->snd_una <= POINTER_MAX;
}

void tcp_urgent_write(const struct tcp_sock *tp, struct tcp_hdr *th, uint32_t seq)
{
    const uint32_t ahead = tp->snd_up - seq;

    if (!seq_before(seq, tp->snd_up))
        return;
    if (ahead > POINTER_MAX && !seq_after(seq + POINTER_MAX, tp->snd_nxt))
        return; /* too far for this segment: a later one says where */
    th->flags |= TCP_FLAG_URG;
    th->urgent = cpu_to_be16((uint16_t)MIN(ahead, (uint32_t)POINTER_MAX));
}

/* ---- the receiver's side ---- */

uint32_t tcp_read_seq(const struct tcp_sock *tp)
{
    return tp->rcv_nxt - (uint32_t)tp->sk.receive_queue.bytes - tp->fin_reached;
}

/* The byte at the old mark is next to be read, and a new one lies ahead: it was offered, it does not become
 * ordinary text. A reader at work has it passed already, or looks at it (MSG_PEEK) and keeps it. */
static void drop_old_mark(struct tcp_sock *tp)
{
    struct sk_buff *skb = skb_peek(&tp->sk.receive_queue);

    if (skb && !tp->sk.reading && !tp->sk.oobinline && tcp_at_mark(tp))
        tcp_consume(tp, skb, 1);
}

/* RFC 9293 3.10.7.4, sixth: RCV.UP <- max(RCV.UP, SEG.UP), and the user is told; not of what he has read, or
 * could have. A pointer of 0 names the segment's first byte, as it does in Linux. */
static void move_mark(struct tcp_sock *tp, const struct tcp_segment *seg)
{
    const uint32_t mark = seg->seq + (seg->urgent ? seg->urgent - 1u : 0);

    if (seq_before(mark, tp->rcv_nxt) || (tp->rcv_urgent && !seq_after(mark, tcp_mark(tp))))
        return;
    if (tp->rcv_urgent)
        drop_old_mark(tp);
    tp->rcv_up = mark + 1;
    tp->rcv_urgent = TCP_URGENT_AWAITED;
    if (tp->sk.owner.who)
        signal_urgent(&tp->sk.owner);
}

/* The byte at the mark, should seg bring it: it is there for MSG_OOB even if text before it is missing. */
static void take_byte(struct tcp_sock *tp, const struct tcp_segment *seg)
{
    const uint32_t at = tcp_mark(tp) - seg->seq - tcp_segment_has(seg, TCP_FLAG_SYN);

    if (at >= tcp_segment_text(seg) || tcp_mark(tp) - tp->rcv_nxt >= tp->rcv_wnd)
        return;
    tp->urgent_byte = seg->skb->data[at];
    tp->rcv_urgent = TCP_URGENT_HERE;
    sock_wake_readers(&tp->sk);
}

void tcp_urgent_receive(struct tcp_sock *tp, const struct tcp_segment *seg)
{
    if (!tcp_in(tp, TCPS_MAY_RECEIVE))
        return;
    if (tcp_segment_has(seg, TCP_FLAG_URG))
        move_mark(tp, seg);
    if (tp->rcv_urgent == TCP_URGENT_AWAITED)
        take_byte(tp, seg);
}

void tcp_urgent_passed(struct tcp_sock *tp)
{
    if (seq_after(tcp_read_seq(tp), tcp_mark(tp)))
        tp->rcv_urgent = TCP_URGENT_NONE;
}

uint32_t tcp_before_mark(const struct tcp_sock *tp)
{
    const uint32_t waiting = (uint32_t)tp->sk.receive_queue.bytes;
    const uint32_t ahead = tcp_mark(tp) - tcp_read_seq(tp);

    return tp->rcv_urgent && !tp->sk.oobinline && ahead < waiting ? ahead : waiting;
}

/* recv() with MSG_OOB, up to the copy: 1 and *byte, 0 (the end: none will come), or -errno. Lock held. */
static int read_byte(struct tcp_sock *tp, int flags, uint8_t *byte)
{
    const struct sock *sk = &tp->sk;

    if (sk->state == TCPS_LISTEN)
        return -ENOTCONN;
    if (sk->oobinline || tp->rcv_urgent == TCP_URGENT_NONE || tp->rcv_urgent == TCP_URGENT_READ)
        return -EINVAL;
    if (tp->rcv_urgent == TCP_URGENT_AWAITED)
        return sk->shutdown & RCV_SHUTDOWN ? 0 : -EAGAIN; /* never waits, whatever the socket's mode */
    *byte = tp->urgent_byte;
    if (!(flags & MSG_PEEK))
        tp->rcv_urgent = TCP_URGENT_READ;
    return 1;
}

ssize_t tcp_urgent_recvmsg(struct tcp_sock *tp, struct message *msg, int flags)
{
    uint8_t byte = 0;

    lock_acquire(&tp->sk.lock);
    int n = read_byte(tp, flags, &byte);
    lock_release(&tp->sk.lock);
    if (n <= 0)
        return n;
    msg->flags |= MSG_OOB;
    if (!msg->iter.count) {
        msg->flags |= MSG_TRUNC;
        return 0;
    }
    return flags & MSG_TRUNC || !copy_to_iter(&byte, 1, &msg->iter) ? 1 : -EFAULT;
}
