/* net/net.h - what net/ offers to kern/ (and to sim/): networks and sockets.
 *
 * All state hangs on a struct net; a machine may hold several that know nothing of each other. Socket calls
 * have the meaning of the Linux call of that name and return 0, a count, or -errno. All are process context,
 * no lock held. */
#pragma once
#include "lib/abi/errno.h"
#include "lib/abi/socket.h"
#include "lib/format.h"
#include "lib/sysctl.h"
#include "net/port.h"

struct net;
struct sock;
struct net_device;

/* A network with a loopback device that is down. NULL when memory is out. */
struct net *net_create(const char *name);
/* The same in steps, so that who makes it can name each: first a network without any protocol, then each in
 * the order of the table of net/init.c: i counts from 0 to the one whose name is NULL. 0 or -errno. */
struct net *net_create_bare(const char *name);
const char *net_module_name(unsigned i);
int net_module_init(struct net *net, unsigned i) MUST_CHECK;
/* Close what is open, free all. No socket and no driver's device may be left. */
void net_destroy(struct net *net);

/* ---- data in and out ---- */

/* One piece of memory: base is a user address for ITER_USER, else a kernel one. ITER_PAGES: the bytes lie in
 * pages with a count (net/port.h), so that who sends them may take references instead of copies. */
struct io_vector {
    uintptr_t base;
    size_t len;
};
enum iter_kind { ITER_USER, ITER_KERNEL, ITER_PAGES };
/* A place within a list of pieces; copying moves it on. */
struct iov_iter {
    const struct io_vector *vectors;
    unsigned n;
    enum iter_kind kind;
    bool more;     /* the next call follows at once: what MSG_MORE says */
    size_t offset; /* into vectors[0] */
    size_t count;  /* bytes left in all */
};
void iov_iter_init(struct iov_iter *it, enum iter_kind kind, const struct io_vector *v, unsigned n);
/* Copy n bytes (n <= it->count) and move on. 0, or -EFAULT with the place unchanged. No lock held. */
int copy_from_iter(void *dst, size_t n, struct iov_iter *it) MUST_CHECK;
int copy_to_iter(const void *src, size_t n, struct iov_iter *it) MUST_CHECK;
/* Part of a page. */
struct page_part {
    void *page;
    uint32_t offset, len;
};
/* The next bytes of an ITER_PAGES or an ITER_USER, at most `most` (not 0), as far as they lie in one page, to
 * which the caller has a reference then. The place stays: iov_iter_advance() moves it on by n <= it->count.
 * 0, -EFAULT, -ENOMEM. No lock held. */
int iov_iter_page(const struct iov_iter *it, uint32_t most, struct page_part *part) MUST_CHECK;
void iov_iter_advance(struct iov_iter *it, size_t n);

/* A message: struct msghdr with its parts already in kernel memory. */
struct message {
    struct sockaddr_storage
        *name;          /* send: the destination or NULL; receive: where the source goes, or NULL */
    socklen_t name_len; /* receive: set to the source's length, 0 if there is none */
    struct iov_iter iter;
    void *control;       /* control messages in kernel memory, or NULL */
    size_t control_len;  /* send: their length; receive: the room for them */
    size_t control_used; /* receive: how much of it put_cmsg() has filled */
    int flags;           /* receive: MSG_TRUNC, MSG_CTRUNC, ... come back here */
    /* SCM_RIGHTS. Send: who takes them sets this to NULL, else they stay the caller's. Receive: the caller's.
     */
    struct passed_files *files;
};

/* ---- control messages, cmsg(3) ---- */

/* The first control message of one sent, and the one behind c; NULL: there is none. It may claim to be longer
 * than it can be: */
const struct cmsghdr *cmsg_first(const struct message *msg);
const struct cmsghdr *cmsg_next(const struct message *msg, const struct cmsghdr *c);
/* Does c lie within the message, header and all? To be asked before its data are looked at. */
bool cmsg_is_whole(const struct message *msg, const struct cmsghdr *c);
/* Are those of SOL_SOCKET that are sent such as a stream takes: marks and priorities, which have no effect
 * there, and what only local sockets look at? 0 or -EINVAL. */
int cmsg_check_socket(const struct message *msg);
/* Append a control message to one received; what has no room is cut, and MSG_CTRUNC says so. */
void put_cmsg(struct message *msg, int level, int type, const void *data, size_t n);

/* Open files in a message. In flight the first two are net/unix's. */
enum { SCM_MAX_FD = 253 }; /* Linux's limit for one message */
struct passed_files {
    struct list_head link;
    struct sock *target;
    unsigned n;
    struct passed_file *file[]; /* a reference each */
};
struct passed_files *passed_files_alloc(unsigned most); /* with none in it; NULL: memory is out */
void passed_files_free(
    struct passed_files *files); /* puts each. NULL is fine. Process context, no lock held */

/* ---- sockets ---- */

/* The caller holds one reference in *sk and gives it up with sock_release(). -EAFNOSUPPORT, -EPROTONOSUPPORT,
 * -ESOCKTNOSUPPORT, -EINVAL, -ENOMEM. type is without SOCK_NONBLOCK and SOCK_CLOEXEC. */
int sock_create(struct net *net, int family, int type, int protocol, struct sock **sk);
/* socketpair(): two sockets that are each other's peer. As sock_create(), or -EOPNOTSUPP. */
int sock_pair(struct net *net, int family, int type, int protocol, struct sock *pair[2]);
/* close(): takes the reference. */
void sock_release(struct sock *sk);
int sock_bind(struct sock *sk, const struct sockaddr *addr, socklen_t len);
int sock_listen(struct sock *sk, int backlog);
/* flags: MSG_DONTWAIT for a socket in non-blocking mode, else 0; in all three below. */
int sock_accept(struct sock *sk, int flags, struct sock **newsk);
int sock_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len, int flags);
/* Bytes taken; -EAGAIN, -EPIPE (the caller raises SIGPIPE unless MSG_NOSIGNAL), -EINTR, ... */
ssize_t sock_sendmsg(struct sock *sk, struct message *msg, int flags);
/* Bytes given (with MSG_TRUNC in flags, a datagram's whole length); 0 at the end of a stream. */
ssize_t sock_recvmsg(struct sock *sk, struct message *msg, int flags);
int sock_shutdown(struct sock *sk, int how);
/* Write the local (or peer's) address to addr; its length, or -errno (-ENOTCONN). */
int sock_getname(struct sock *sk, struct sockaddr_storage *addr, bool peer);
/* value is kernel memory. get: *len is the room on entry, the length written on return. */
int sock_setsockopt(struct sock *sk, int level, int option, const void *value, socklen_t len);
int sock_getsockopt(struct sock *sk, int level, int option, void *value, socklen_t *len);
/* F_SETOWN of the socket's file: who is told of urgent text. */
void sock_set_owner(struct sock *sk, const struct signal_owner *owner);
/* SIOC*, FIONREAD: arg is a user address. -ENOTTY when the network knows no such request. */
int sock_ioctl(struct sock *sk, unsigned request, uintptr_t arg);
/* POLLIN, POLLOUT, ... that hold now. To wait for a change, hang on sock_waitq(). */
int sock_poll(struct sock *sk);
struct waitq *sock_waitq(struct sock *sk);
/* What a mapping of the socket shows: a reference, or NULL. Process context. */
struct shared_pages *sock_pages(struct sock *sk);
int sock_type(const struct sock *sk);     /* SOCK_STREAM, ... */
int sock_family(const struct sock *sk);   /* AF_INET, ... */
uint64_t sock_ino(const struct sock *sk); /* the number by which fstat() and /proc/net know it */

/* ---- knobs; paths begin with net/ (doc/sysctl.md) ---- */

/* The value as a line into buf: its whole length, or -ENOENT. */
int net_sysctl_get(struct net *net, const char *path, char *buf, size_t size);
/* 0, -ENOENT, -EINVAL for a bad value, -EACCES for one that cannot be set. Process context. */
int net_sysctl_set(struct net *net, const char *path, const char *text);
/* The table behind prev (NULL: the first), or NULL. They do not change while the network lives. */
const struct sysctl_table *net_sysctl_next(struct net *net, const struct sysctl_table *prev);

/* ---- what the network tells of itself ---- */

/* A file of /proc/net: show writes the whole text. Process context. */
struct net_proc_file {
    struct list_head link; /* in the net's list */
    const char *name;
    void (*show)(struct net *net, struct textbuf *out);
    int order; /* of a section of such a file: those with less come first */
};
/* The file called name, or NULL. */
const struct net_proc_file *net_proc_find(struct net *net, const char *name);
/* The file behind prev (NULL: the first), or NULL at the end. */
const struct net_proc_file *net_proc_next(struct net *net, const struct net_proc_file *prev);
