/* user/tests/errors_sockets.c - call by call, the errors that its page documents: sockets of the Internet. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#define BAD ((void *)8)

static char buf[70000];
static int file, tcp, udp, none = 999;
static struct sockaddr_in local;
static socklen_t local_size = sizeof local;

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void open_each_kind(void)
{
    file = open("f", O_RDWR | O_CREAT, 0600);
    tcp = socket(AF_INET, SOCK_STREAM, 0);
    udp = socket(AF_INET, SOCK_DGRAM, 0);
    signal(SIGPIPE, SIG_IGN);
}

/* Bound to 127.0.0.1 and a port of the kernel's choice. */
static struct sockaddr_in bound(int fd)
{
    struct sockaddr_in a = loopback(0);
    socklen_t size = sizeof a;

    bind(fd, (struct sockaddr *)&a, sizeof a);
    getsockname(fd, (struct sockaddr *)&a, &size);
    return a;
}

/* A port of 127.0.0.1 on which nobody listens. */
static struct sockaddr_in closed_port(int type)
{
    int fd = socket(AF_INET, type, 0);
    struct sockaddr_in a = bound(fd);

    close(fd);
    return a;
}

#define ADDRESS(a) (struct sockaddr *)&(a), sizeof(a)

CASE(socket_errors)
{
    SHOW(socket(999, SOCK_STREAM, 0));
    SHOW(socket(-1, SOCK_STREAM, 0));
    SHOW(socket(0, SOCK_STREAM, 0));
    SHOW(socket(AF_INET, 9, 0));
    SHOW(socket(AF_INET, -1, 0));
    SHOW(socket(AF_INET, 0, 0));
    SHOW(socket(AF_INET, SOCK_STREAM, IPPROTO_UDP));
    SHOW(socket(AF_INET, SOCK_DGRAM, IPPROTO_TCP));
    SHOW(socket(AF_INET, SOCK_STREAM, 255));
    SHOW(socket(AF_INET, SOCK_STREAM, 999));
    SHOW(socket(AF_INET, SOCK_STREAM, -1));
    SHOW(socket(AF_INET, SOCK_STREAM | 0x10000, 0));
    SHOW(socket(AF_INET, SOCK_STREAM, IPPROTO_TCP));
    SHOW(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP));
    SHOW(fcntl(4, F_GETFD));
    SHOW(fcntl(4, F_GETFL) & O_NONBLOCK);
}

CASE(bind_errors)
{
    struct sockaddr_in a = loopback(0), taken, far = loopback(0), odd = loopback(0);
    int other = socket(AF_INET, SOCK_STREAM, 0);

    open_each_kind();
    far.sin_addr.s_addr = inet_addr("192.0.2.77"); /* TEST-NET-1: nobody's */
    odd.sin_family = 77;
    SHOW(bind(none, ADDRESS(a)));
    SHOW(bind(file, ADDRESS(a)));
    SHOW(bind(tcp, (struct sockaddr *)&a, 15));
    SHOW(bind(tcp, (struct sockaddr *)&a, 1));
    SHOW(bind(tcp, (struct sockaddr *)&a, (socklen_t)-1));
    SHOW(bind(tcp, (struct sockaddr *)&a, 200));
    SHOW(syscall(SYS_bind, tcp, BAD, 16));
    SHOW(bind(tcp, ADDRESS(odd)));
    SHOW(bind(tcp, ADDRESS(far)));
    SHOW(bind(udp, ADDRESS(far)));
    taken = bound(other);
    SHOW(bind(tcp, ADDRESS(taken)));
    SHOW(bind(tcp, ADDRESS(a)));
    SHOW(bind(tcp, ADDRESS(a)));
    taken = bound(udp);
    SHOW(bind(socket(AF_INET, SOCK_DGRAM, 0), ADDRESS(taken)));
    SHOW(bind(udp, ADDRESS(a)));
}

CASE(listen_errors)
{
    open_each_kind();
    SHOW(listen(none, 5));
    SHOW(listen(file, 5));
    SHOW(listen(udp, 5));
    SHOW(listen(tcp, 5)); /* takes a port by itself */
    getsockname(tcp, (struct sockaddr *)&local, &local_size);
    SHOW(local.sin_port != 0);
    SHOW(listen(tcp, 0));
    SHOW(listen(tcp, -1));
}

CASE(accept_errors)
{
    struct sockaddr_in a;
    socklen_t size = sizeof a;

    open_each_kind();
    SHOW(accept(none, NULL, NULL));
    SHOW(accept(file, NULL, NULL));
    SHOW(accept(tcp, NULL, NULL));
    SHOW(accept(udp, NULL, NULL));
    bound(tcp);
    listen(tcp, 5);
    fcntl(tcp, F_SETFL, O_NONBLOCK);
    SHOW(accept(tcp, NULL, NULL));
    SHOW(accept(tcp, (struct sockaddr *)&a, &size));
    SHOW(accept4(tcp, NULL, NULL, 1));
    SHOW(accept4(tcp, NULL, NULL, SOCK_CLOEXEC));
}

CASE(accept_bad_addresses)
{
    struct sockaddr_in a;
    socklen_t size = sizeof a;
    int one, two;

    open_each_kind();
    a = bound(tcp);
    listen(tcp, 5);
    one = socket(AF_INET, SOCK_STREAM, 0);
    two = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(connect(one, ADDRESS(a)));
    SHOW(connect(two, ADDRESS(a)));
    SHOW(syscall(SYS_accept, tcp, BAD, &size));
    size = (socklen_t)-1;
    SHOW(syscall(SYS_accept, tcp, &a, &size));
}

CASE(connect_errors)
{
    struct sockaddr_in a, closed = closed_port(SOCK_STREAM), odd = loopback(9), own;
    int client = socket(AF_INET, SOCK_STREAM, 0);

    open_each_kind();
    odd.sin_family = 77;
    SHOW(connect(none, ADDRESS(closed)));
    SHOW(connect(file, ADDRESS(closed)));
    SHOW(connect(tcp, ADDRESS(odd)));
    SHOW(connect(tcp, (struct sockaddr *)&closed, 4));
    SHOW(syscall(SYS_connect, tcp, BAD, 16));
    SHOW(connect(tcp, ADDRESS(closed)));
    SHOW(connect(tcp, ADDRESS(closed))); /* the socket can be used again */
    close(tcp);
    tcp = socket(AF_INET, SOCK_STREAM, 0);
    a = bound(tcp);
    listen(tcp, 5);
    SHOW(connect(tcp, ADDRESS(a)));
    SHOW(connect(client, ADDRESS(a)));
    SHOW(connect(client, ADDRESS(a)));
    SHOW(connect(udp, ADDRESS(odd)));
    SHOW(connect(udp, (struct sockaddr *)&a, 4));
    SHOW(connect(udp, ADDRESS(a)));
    own = loopback(0);
    own.sin_family = AF_UNSPEC; /* dissolves it */
    SHOW(connect(udp, ADDRESS(own)));
    SHOW(send(udp, buf, 1, 0));
}

CASE(name_errors)
{
    struct sockaddr_in a = loopback(0);
    socklen_t size = sizeof a;

    open_each_kind();
    SHOW(getsockname(none, (struct sockaddr *)&a, &size));
    SHOW(getsockname(file, (struct sockaddr *)&a, &size));
    SHOW(getsockname(tcp, (struct sockaddr *)&a, &size));
    printf("%d %d\n", size, a.sin_port);
    SHOW(syscall(SYS_getsockname, tcp, BAD, &size));
    SHOW(syscall(SYS_getsockname, tcp, &a, BAD));
    size = (socklen_t)-1;
    SHOW(getsockname(tcp, (struct sockaddr *)&a, &size));
    size = 4;
    SHOW(getsockname(tcp, (struct sockaddr *)&a, &size));
    SHOW(size); /* what it would be */
    SHOW(getpeername(tcp, (struct sockaddr *)&a, &size));
    SHOW(getpeername(udp, (struct sockaddr *)&a, &size));
    SHOW(getpeername(file, (struct sockaddr *)&a, &size));
}

CASE(setsockopt_errors)
{
    int one = 1;

    open_each_kind();
    SHOW(setsockopt(none, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
    SHOW(setsockopt(file, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one));
    SHOW(setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, 1));
    SHOW(setsockopt(tcp, SOL_SOCKET, SO_REUSEADDR, &one, (socklen_t)-1));
    SHOW(syscall(SYS_setsockopt, tcp, SOL_SOCKET, SO_REUSEADDR, BAD, 4));
    SHOW(setsockopt(tcp, SOL_SOCKET, 9999, &one, sizeof one));
    SHOW(setsockopt(tcp, 9999, 1, &one, sizeof one));
    SHOW(setsockopt(tcp, IPPROTO_TCP, 9999, &one, sizeof one));
    SHOW(setsockopt(tcp, IPPROTO_IP, 9999, &one, sizeof one));
    SHOW(setsockopt(tcp, SOL_SOCKET, SO_TYPE, &one, sizeof one));
    SHOW(setsockopt(tcp, SOL_SOCKET, SO_ERROR, &one, sizeof one));
    SHOW(setsockopt(udp, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
    SHOW(setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &one, 2));
    SHOW(setsockopt(tcp, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one));
    SHOW(setsockopt(tcp, SOL_SOCKET, SO_RCVTIMEO, &one, sizeof one));
    SHOW(setsockopt(tcp, SOL_SOCKET, SO_LINGER, &one, sizeof one));
}

CASE(getsockopt_errors)
{
    int value = 7;
    socklen_t size = sizeof value;

    open_each_kind();
    SHOW(getsockopt(none, SOL_SOCKET, SO_TYPE, &value, &size));
    SHOW(getsockopt(file, SOL_SOCKET, SO_TYPE, &value, &size));
    SHOW(syscall(SYS_getsockopt, tcp, SOL_SOCKET, SO_TYPE, BAD, &size));
    SHOW(syscall(SYS_getsockopt, tcp, SOL_SOCKET, SO_TYPE, &value, BAD));
    size = (socklen_t)-1;
    SHOW(getsockopt(tcp, SOL_SOCKET, SO_TYPE, &value, &size));
    size = 2;
    SHOW(getsockopt(tcp, SOL_SOCKET, SO_TYPE, &value, &size));
    SHOW(size);
    size = 100;
    SHOW(getsockopt(udp, SOL_SOCKET, SO_TYPE, &value, &size));
    printf("%d in %d bytes\n", value, (int)size);
    size = sizeof value;
    SHOW(getsockopt(tcp, SOL_SOCKET, 9999, &value, &size));
    SHOW(getsockopt(tcp, IPPROTO_TCP, 9999, &value, &size));
    SHOW(getsockopt(tcp, SOL_SOCKET, SO_ERROR, &value, &size));
    SHOW(value);
    SHOW(getsockopt(tcp, SOL_SOCKET, SO_PROTOCOL, &value, &size));
    SHOW(value);
    SHOW(getsockopt(tcp, SOL_SOCKET, SO_DOMAIN, &value, &size));
    SHOW(value);
}

CASE(send_errors)
{
    struct sockaddr_in a = closed_port(SOCK_DGRAM), odd = a, far = a;

    open_each_kind();
    odd.sin_family = 77;
    far.sin_addr.s_addr = INADDR_BROADCAST;
    SHOW(send(none, buf, 1, 0));
    SHOW(send(file, buf, 1, 0));
    SHOW(send(tcp, buf, 1, 0));
    SHOW(write(tcp, buf, 1));
    SHOW(send(udp, buf, 1, 0));
    SHOW(write(udp, buf, 1));
    SHOW(sendto(udp, buf, 1, 0, (struct sockaddr *)&a, 4));
    SHOW(sendto(udp, buf, 1, 0, ADDRESS(odd)));
    SHOW(sendto(udp, buf, 65508, 0, ADDRESS(a)));
    SHOW(sendto(udp, buf, 70000, 0, ADDRESS(a)));
    SHOW(sendto(udp, BAD, 10, 0, ADDRESS(a)));
    SHOW(sendto(udp, buf, 1, 0, ADDRESS(far))); /* without SO_BROADCAST */
    a.sin_port = 0;
    SHOW(sendto(udp, buf, 1, 0, ADDRESS(a)));
    SHOW(syscall(SYS_sendto, udp, buf, 1, 0, BAD, 16));
}

CASE(sendmsg_errors)
{
    struct sockaddr_in a = closed_port(SOCK_DGRAM);
    struct iovec v[2] = { { buf, 4 }, { buf, 4 } };
    struct msghdr m = { .msg_name = &a, .msg_namelen = sizeof a, .msg_iov = v, .msg_iovlen = 2 };

    open_each_kind();
    SHOW(sendmsg(none, &m, 0));
    SHOW(sendmsg(file, &m, 0));
    SHOW(syscall(SYS_sendmsg, udp, BAD, 0));
    SHOW(sendmsg(udp, &m, 0));
    SHOW(syscall(SYS_recvmsg, udp, BAD, 0));
    SHOW(recvmsg(udp, &m, MSG_DONTWAIT));
}

CASE(sendmsg_vectors)
{
    struct sockaddr_in a = closed_port(SOCK_DGRAM);
    struct iovec v[2] = { { buf, 4 }, { BAD, 4 } };
    struct {
        void *name;
        unsigned namelen;
        struct iovec *iov;
        size_t iovlen;
        void *control;
        size_t controllen;
        unsigned flags;
    } m = { .name = &a, .namelen = sizeof a, .iov = v, .iovlen = 1025 };

    open_each_kind();
    SHOW(syscall(SYS_sendmsg, udp, &m, 0));
    m.iovlen = 2;
    SHOW(syscall(SYS_sendmsg, udp, &m, 0));
    m.iov = BAD;
    SHOW(syscall(SYS_sendmsg, udp, &m, 0));
    m.iovlen = 0;
    SHOW(syscall(SYS_sendmsg, udp, &m, 0));
    m.name = BAD;
    SHOW(syscall(SYS_sendmsg, udp, &m, 0));
    m.name = NULL;
    m.namelen = 0;
    SHOW(syscall(SYS_sendmsg, udp, &m, 0));
}

CASE(recv_errors)
{
    open_each_kind();
    SHOW(recv(none, buf, 1, 0));
    SHOW(recv(file, buf, 1, 0));
    SHOW(recv(tcp, buf, 1, 0));
    SHOW(read(tcp, buf, 1));
    SHOW(recv(udp, buf, 1, MSG_DONTWAIT));
    bound(udp);
    SHOW(recv(udp, buf, 1, MSG_DONTWAIT));
    bound(tcp);
    listen(tcp, 1);
    SHOW(recv(tcp, buf, 1, 0));
    SHOW(send(tcp, buf, 1, 0));
}

CASE(shutdown_errors)
{
    open_each_kind();
    SHOW(shutdown(none, SHUT_RD));
    SHOW(shutdown(file, SHUT_RD));
    SHOW(shutdown(tcp, 3));
    SHOW(shutdown(tcp, -1));
    SHOW(shutdown(tcp, SHUT_RDWR));
    SHOW(shutdown(udp, SHUT_RD));
}

CASE(file_calls_on_sockets)
{
    struct iovec v = { buf, 1 };

    open_each_kind();
    SHOW(lseek(tcp, 0, SEEK_SET));
    SHOW(pread(tcp, buf, 1, 0));
    SHOW(pwrite(udp, buf, 1, 0));
    SHOW(ftruncate(tcp, 0));
    SHOW(fsync(tcp));
    SHOW(fchdir(tcp));
    SHOW(readv(tcp, &v, 1));
    SHOW(writev(tcp, &v, 1));
    SHOW(syscall(SYS_getdents64, tcp, buf, 100));
    SHOW(openat(tcp, "x", O_RDONLY));
    SHOW(ioctl(tcp, 0x12345, buf));
    struct stat st;
    SHOW(fstat(tcp, &st));
    SHOW(S_ISSOCK(st.st_mode));
}
