/* net/core/zerocopy.h - MSG_ZEROCOPY: a program's pages are sent as they are, and the program is told when
 * nobody needs them any more (Linux: Documentation/networking/msg_zerocopy).
 *
 * Each call that asks for it has a number, counted by socket from 0. When the last fragment of its bytes is
 * let go, the number waits in a queue of the socket for recvmsg(MSG_ERRQUEUE), one entry for numbers that
 * follow each other. Told of as copied is what had to be copied after all. */
#pragma once
#include "net/core/sock.h"

/* SO_ZEROCOPY: 0, -EOPNOTSUPP (neither TCP nor UDP), -EINVAL, -ENOMEM. sk->lock held. */
int zerocopy_set(struct sock *sk, int value);
/* A call begins that sends n bytes: *notice is for zerocopy_end(), or NULL if nothing was asked. 0 or
 * -ENOBUFS. Process context. */
int zerocopy_begin(struct sock *sk, int flags, size_t n, struct skb_notice **notice);
/* The call has ended and returns `sent`. If that is not more than 0 nobody is told, and the number is the
 * next call's. NULL is fine. Any lock but an ERRORS lock. */
void zerocopy_end(struct skb_notice *notice, ssize_t sent);
/* Is there something to be told? Any lock. */
bool zerocopy_pending(const struct sock *sk);
/* The oldest entry. False: there is none. */
bool zerocopy_take(struct sock *sk, struct sock_extended_err *ee);
/* The last reference to sk is gone. */
void zerocopy_free(struct sock *sk);
