/* net/core/datagram.h - receiving from a socket whose receive_queue holds whole datagrams; private to net/.
 */
#pragma once
#include "net/core/sock.h"

/* The first datagram in sk's receive_queue, waited for by the rules of flags and SO_RCVTIMEO: taken out, or
 * with MSG_PEEK a clone. 0 and *skb, which the caller frees with consume_skb(); *skb NULL when sk was shut
 * down; or -errno (sk->err first). Process context, no lock held. */
int datagram_receive(struct sock *sk, int flags, struct sk_buff **skb);
/* The first datagram, or the one to look at: as far from the front as SO_PEEK_OFF says, *skip of it itself.
 * NULL: there is none so far. Lock held. */
struct sk_buff *datagram_find(struct sock *sk, int flags, uint32_t *skip);
/* MSG_PEEK showed n bytes: SO_PEEK_OFF moves on. No lock held. */
void datagram_peeked(struct sock *sk, ssize_t n);
/* Copy the datagram at skb's data to msg; what does not fit is lost, and MSG_TRUNC says so. Bytes copied
 * (with MSG_TRUNC in flags the whole length), or -EFAULT. */
ssize_t datagram_copy(const struct sk_buff *skb, struct message *msg, int flags);
/* What was the wall clock's time at time, a moment of time_now()? */
uint64_t wall_at(uint64_t time);
/* SO_TIMESTAMP and SO_TIMESTAMPNS: tell when skb arrived, if sk asks for it. */
void sock_recv_stamp(const struct sock *sk, struct message *msg, const struct sk_buff *skb);
/* The same for what came at that time, where it is asked for. */
void sock_put_stamp(const struct sock *sk, struct message *msg, uint64_t time);
/* shutdown(): how is SHUT_RD, SHUT_WR or SHUT_RDWR. It counts even where it fails: -ENOTCONN without a peer,
 * as in Linux. */
int datagram_shutdown(struct sock *sk, int how);
/* FIONREAD: the length of the next datagram; TIOCOUTQ: what is on its way out. -ENOTTY for anything else. */
int datagram_ioctl(struct sock *sk, unsigned request, uintptr_t arg);
/* POLLIN and the other bits of a datagram socket. Lock not held. */
int datagram_poll(struct sock *sk);
