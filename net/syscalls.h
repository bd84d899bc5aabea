/* net/syscalls.h - the calls on a socket with a user's arguments: addresses, vectors, messages and options
 * are copied in and out here, for the kernel's system calls and for the library's (sim/towpath.h) alike. Who
 * calls has found the socket behind the descriptor and holds it.
 *
 * user, user_len and the pointers within structures are user addresses; layouts and results are Linux's:
 * -errno for an error, -EFAULT for a bad address. flags are those of the call, with MSG_DONTWAIT for a
 * descriptor in non-blocking mode. Process context, no lock held. */
#pragma once
#include "net/net.h"

enum {
    IO_VECTORS_MOST = 1024,     /* pieces of memory in one call, UIO_MAXIOV */
    IO_BYTES_MOST = 0x7ffff000, /* bytes in one call; what is beyond is cut */
    CONTROL_MOST = 16384,       /* bytes of control messages sent */
    MESSAGES_MOST = 1024,       /* of sendmmsg, recvmmsg */
    SOCKET_TYPE_MASK = 0xf,     /* of socket()'s type; above it are flags */
};

/* ---- vectors ---- */

/* Copy a user's array of n struct iovec to v. The lengths then sum up to at most IO_BYTES_MOST. -EINVAL: a
 * length is negative; n is at most IO_VECTORS_MOST. */
int io_vectors_from_user(struct io_vector *v, uintptr_t user, size_t n) MUST_CHECK;

/* ---- naming and connecting ---- */

/* -EACCES: the port is below 1024, and the caller may not have it. */
int user_bind(struct sock *sk, uintptr_t user, socklen_t len);
int user_connect(struct sock *sk, uintptr_t user, socklen_t len, int flags);
/* As sock_accept(); the peer's address goes to user unless that is 0. */
int user_accept(struct sock *sk, uintptr_t user, uintptr_t user_len, int flags, struct sock **connection);
/* getsockname(), getpeername(). */
int user_getname(struct sock *sk, uintptr_t user, uintptr_t user_len, bool peer);

/* ---- options ---- */

int user_setsockopt(struct sock *sk, int level, int option, uintptr_t user, int len);
int user_getsockopt(struct sock *sk, int level, int option, uintptr_t user, uintptr_t user_len);

/* ---- sending and receiving ---- */

/* Whoever has descriptors of its own gives and takes those in messages; NULL in its place: there are none. */
struct descriptor_ops {
    /* Take the files that msg's control messages name into msg->files. */
    int (*from_control)(struct message *msg);
    /* Give the caller descriptors for msg->files, as far as there is room, and let go of them. */
    void (*to_control)(struct message *msg, bool cloexec);
};

int64_t user_sendto(struct sock *sk, uintptr_t buf, size_t n, int flags, uintptr_t user, socklen_t len);
int64_t user_recvfrom(struct sock *sk, uintptr_t buf, size_t n, int flags, uintptr_t user,
                      uintptr_t user_len);
/* writev() and readv(). */
int64_t user_send_vectors(struct sock *sk, uintptr_t user, size_t n, int flags);
int64_t user_recv_vectors(struct sock *sk, uintptr_t user, size_t n, int flags);
int64_t user_sendmsg(struct sock *sk, uintptr_t user, int flags, const struct descriptor_ops *ops);
int64_t user_recvmsg(struct sock *sk, uintptr_t user, int flags, const struct descriptor_ops *ops);
/* How many were sent, or the first one's error; *err is what ended it, 0 if nothing did. */
int64_t user_sendmmsg(struct sock *sk, uintptr_t user, unsigned count, int flags,
                      const struct descriptor_ops *ops, int *err);
/* Until count came, none is there, or, looked at behind each, the deadline is past: how many, or the first
 * one's error. */
int64_t user_recvmmsg(struct sock *sk, uintptr_t user, unsigned count, int flags, uint64_t deadline,
                      const struct descriptor_ops *ops);
