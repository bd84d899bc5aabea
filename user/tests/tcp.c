/* user/tests/tcp.c - TCP over the loopback: states, ends, errors that come later, what waits and what does
 * not. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

static char buf[1 << 20];
static int listener, client, server;
static struct sockaddr_in at;
static socklen_t at_size = sizeof at;

static void listen_somewhere(void)
{
    at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&at, sizeof at);
    listen(listener, 8);
    getsockname(listener, (struct sockaddr *)&at, &at_size);
}

static int connected(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (connect(fd, (struct sockaddr *)&at, sizeof at))
        printf("connect: %s\n", errno_name(errno));
    return fd;
}

static void open_pair(void)
{
    signal(SIGPIPE, SIG_IGN);
    listen_somewhere();
    client = connected();
    server = accept(listener, NULL, NULL);
}

static void nap(int milliseconds)
{
    struct timespec t = { milliseconds / 1000, milliseconds % 1000 * 1000000L };

    nanosleep(&t, NULL);
}

/* What poll says, once it says something of want. */
static void show_events(const char *who, int fd, short want)
{
    struct pollfd p = { fd, want, 0 };
    int n = poll(&p, 1, 5000);

    printf("%s: %d %s%s%s%s%s\n", who, n, p.revents & POLLIN ? "IN " : "", p.revents & POLLOUT ? "OUT " : "",
           p.revents & POLLERR ? "ERR " : "", p.revents & POLLHUP ? "HUP " : "",
           p.revents & POLLRDHUP ? "RDHUP" : "");
}

static int socket_error(int fd)
{
    int error = -1;
    socklen_t size = sizeof error;

    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

CASE(a_byte_each_way)
{
    open_pair();
    SHOW(send(client, "ping", 4, 0));
    SHOW(recv(server, buf, 100, 0));
    SHOW(send(server, "pong!", 5, 0));
    SHOW(recv(client, buf, 100, 0));
    printf("%.5s\n", buf);
    SHOW(close(client));
    SHOW(recv(server, buf, 100, 0));
    SHOW(recv(server, buf, 100, 0));
}

CASE(names_of_both_ends)
{
    struct sockaddr_in a, b;
    socklen_t size = sizeof a;

    open_pair();
    getsockname(client, (struct sockaddr *)&a, &size);
    getpeername(server, (struct sockaddr *)&b, &size);
    SHOW(!memcmp(&a, &b, sizeof a));
    getpeername(client, (struct sockaddr *)&a, &size);
    getsockname(server, (struct sockaddr *)&b, &size);
    SHOW(!memcmp(&a, &b, sizeof a));
    SHOW(a.sin_port == at.sin_port);
    SHOW(size);
    SHOW(a.sin_addr.s_addr == htonl(INADDR_LOOPBACK));
}

CASE(accept_tells_the_peer)
{
    struct sockaddr_in a, b;
    socklen_t size = sizeof a;

    listen_somewhere();
    client = connected();
    server = accept(listener, (struct sockaddr *)&a, &size);
    getsockname(client, (struct sockaddr *)&b, &(socklen_t){ sizeof b });
    SHOW(size);
    SHOW(!memcmp(&a, &b, sizeof a));
    size = 4;
    connected();
    SHOW_OK(accept(listener, (struct sockaddr *)&a, &size));
    SHOW(size);
}

CASE(accept_in_the_order_of_arrival)
{
    int clients[5];

    listen_somewhere();
    for (int i = 0; i < 5; i++) {
        clients[i] = connected();
        send(clients[i], &(char){ (char)('a' + i) }, 1, 0);
    }
    for (int i = 0; i < 5; i++) {
        server = accept(listener, NULL, NULL);
        SHOW(recv(server, buf, 1, 0));
        printf("%c\n", *buf);
    }
}

CASE(accept_wakes_up)
{
    listen_somewhere();
    if (!fork()) {
        nap(50);
        connected();
        _exit(0);
    }
    SHOW_OK(accept(listener, NULL, NULL));
    wait(NULL);
}

CASE(accept_inherits_no_flags)
{
    listen_somewhere();
    fcntl(listener, F_SETFL, O_NONBLOCK);
    fcntl(listener, F_SETFD, FD_CLOEXEC);
    connected();
    show_events("listener", listener, POLLIN);
    server = accept(listener, NULL, NULL);
    SHOW(fcntl(server, F_GETFL) & O_NONBLOCK);
    SHOW(fcntl(server, F_GETFD));
    connected();
    show_events("listener", listener, POLLIN);
    server = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    SHOW(fcntl(server, F_GETFL) & O_NONBLOCK);
    SHOW(fcntl(server, F_GETFD));
}

CASE(accept_inherits_options)
{
    int value = 0;
    socklen_t size = sizeof value;

    listen_somewhere();
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    setsockopt(listener, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }, sizeof(int));
    connected();
    server = accept(listener, NULL, NULL);
    getsockopt(server, IPPROTO_TCP, TCP_NODELAY, &value, &size);
    SHOW(value);
    getsockopt(server, SOL_SOCKET, SO_KEEPALIVE, &value, &size);
    SHOW(value);
}

CASE(half_closed)
{
    open_pair();
    SHOW(shutdown(client, SHUT_WR));
    SHOW(send(client, "x", 1, 0));
    SHOW(recv(server, buf, 10, 0));
    SHOW(send(server, "still", 5, 0));
    SHOW(recv(client, buf, 10, 0));
    SHOW(shutdown(client, SHUT_WR));
    SHOW(shutdown(server, SHUT_WR));
    SHOW(recv(client, buf, 10, 0));
}

CASE(reading_shut)
{
    open_pair();
    SHOW(shutdown(client, SHUT_RD));
    SHOW(recv(client, buf, 10, 0));
    show_events("client", client, POLLIN | POLLRDHUP);
    SHOW(send(client, "x", 1, 0));
    SHOW(recv(server, buf, 10, 0));
}

CASE(both_shut)
{
    open_pair();
    SHOW(shutdown(client, SHUT_RDWR));
    SHOW(send(client, "x", 1, 0));
    SHOW(recv(client, buf, 10, 0));
    SHOW(recv(server, buf, 10, 0));
    show_events("server", server, POLLIN | POLLOUT | POLLRDHUP);
}

CASE(polled_ends)
{
    open_pair();
    show_events("client", client, POLLIN | POLLOUT);
    send(server, "x", 1, 0);
    show_events("client", client, POLLIN);
    close(server);
    recv(client, buf, 1, 0);
    show_events("client", client, POLLIN | POLLRDHUP);
    shutdown(client, SHUT_WR);
    nap(20);
    show_events("client", client, POLLIN | POLLOUT);
    show_events("listener", listener, POLLOUT | POLLIN | (connected() < 0));
    client = socket(AF_INET, SOCK_STREAM, 0);
    show_events("new", client, POLLIN | POLLOUT);
}

CASE(sigpipe)
{
    open_pair();
    shutdown(client, SHUT_WR);
    SHOW(send(client, "x", 1, MSG_NOSIGNAL));
    signal(SIGPIPE, SIG_DFL);
    SHOW(send(client, "x", 1, MSG_NOSIGNAL));
    SHOW(send(client, "x", 1, 0));
}

CASE(reset_by_unread_data)
{
    open_pair();
    send(client, "never read", 10, 0);
    show_events("server", server, POLLIN);
    close(server); /* with data that nobody read: a reset instead of a FIN */
    show_events("client", client, POLLERR);
    SHOW(recv(client, buf, 10, 0));
    SHOW(recv(client, buf, 10, 0));
    SHOW(send(client, "x", 1, 0));
}

CASE(reset_by_linger_0)
{
    struct linger at_once = { 1, 0 };

    open_pair();
    setsockopt(server, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(server);
    show_events("client", client, POLLERR);
    SHOW(socket_error(client) == ECONNRESET);
    SHOW(socket_error(client));
    SHOW(recv(client, buf, 10, 0));
}

CASE(write_to_a_closed_end)
{
    open_pair();
    close(server);
    show_events("client", client, POLLIN);
    SHOW(send(client, "x", 1, 0)); /* is answered by a reset */
    show_events("client", client, POLLERR);
    SHOW(send(client, "x", 1, 0));
    SHOW(recv(client, buf, 10, 0));
}

CASE(connect_refused)
{
    listen_somewhere();
    close(listener);
    client = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(connect(client, (struct sockaddr *)&at, sizeof at));
    SHOW(socket_error(client));
    SHOW(send(client, "x", 1, MSG_NOSIGNAL));
}

CASE(connect_without_waiting)
{
    listen_somewhere();
    client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int result = connect(client, (struct sockaddr *)&at, sizeof at);
    SHOW(result == 0 || errno == EINPROGRESS);
    show_events("client", client, POLLOUT);
    SHOW(socket_error(client));
    SHOW(getpeername(client, (struct sockaddr *)&at, &at_size));
    SHOW(recv(client, buf, 1, 0));
}

CASE(refused_without_waiting)
{
    listen_somewhere();
    close(listener);
    client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int result = connect(client, (struct sockaddr *)&at, sizeof at);
    SHOW(result < 0 && (errno == EINPROGRESS || errno == ECONNREFUSED));
    if (errno == EINPROGRESS) {
        show_events("client", client, POLLOUT);
        result = socket_error(client);
    } else {
        say("client: 1 OUT ERR HUP ");
        result = ECONNREFUSED;
    }
    SHOW(result == ECONNREFUSED);
    SHOW(socket_error(client));
}

CASE(not_connected_yet)
{
    client = socket(AF_INET, SOCK_STREAM, 0);
    signal(SIGPIPE, SIG_IGN);
    SHOW(send(client, "x", 1, 0));
    SHOW(recv(client, buf, 1, 0));
    SHOW(shutdown(client, SHUT_WR));
    SHOW(getpeername(client, (struct sockaddr *)&at, &at_size));
}

CASE(peek)
{
    open_pair();
    send(client, "abcdef", 6, 0);
    show_events("server", server, POLLIN);
    SHOW(recv(server, buf, 3, MSG_PEEK));
    SHOW(recv(server, buf, 100, MSG_PEEK));
    printf("%.6s\n", buf);
    SHOW(recv(server, buf, 2, 0));
    SHOW(recv(server, buf, 100, MSG_PEEK));
    printf("%.4s\n", buf);
    SHOW(ioctl(server, FIONREAD, buf));
    SHOW(*(int *)buf);
    SHOW(recv(server, buf, 100, 0));
    SHOW(recv(server, buf, 100, MSG_DONTWAIT | MSG_PEEK));
}

CASE(wait_for_all)
{
    open_pair();
    if (!fork()) {
        for (int i = 0; i < 4; i++) {
            send(client, "abc", 3, 0);
            nap(20);
        }
        _exit(0);
    }
    SHOW(recv(server, buf, 10, MSG_WAITALL));
    SHOW(recv(server, buf, 10, 0));
    wait(NULL);
    close(client);
    SHOW(recv(server, buf, 10, MSG_WAITALL));
}

CASE(wait_for_all_ends_with_the_stream)
{
    open_pair();
    send(client, "abc", 3, 0);
    close(client);
    SHOW(recv(server, buf, 10, MSG_WAITALL));
    SHOW(recv(server, buf, 10, MSG_WAITALL));
}

CASE(truncated_to_nowhere)
{
    open_pair();
    send(client, "abcdef", 6, 0);
    show_events("server", server, POLLIN);
    SHOW(recv(server, NULL, 4, MSG_TRUNC)); /* tcp(7): bytes are thrown away */
    SHOW(recv(server, buf, 10, 0));
    printf("%.2s\n", buf);
}

CASE(zero_bytes)
{
    open_pair();
    SHOW(send(client, "", 0, 0));
    SHOW(recv(server, buf, 10, MSG_DONTWAIT));
    send(client, "x", 1, 0);
    show_events("server", server, POLLIN);
    SHOW(recv(server, buf, 0, 0));
    SHOW(recv(server, buf, 10, 0));
}

CASE(big_write_is_read_in_order)
{
    unsigned long sum = 0, sent = 0, total = 0;
    ssize_t n;

    open_pair();
    for (size_t i = 0; i < sizeof buf; i++)
        buf[i] = (char)(i * 31 >> 3), sent += (unsigned char)buf[i] * (i % 251);
    if (!fork()) {
        close(server);
        size_t done = 0;
        while (done < sizeof buf && (n = send(client, buf + done, sizeof buf - done, 0)) > 0)
            done += (size_t)n;
        _exit(done == sizeof buf ? 0 : 1);
    }
    close(client);
    while ((n = recv(server, buf, 7777, 0)) > 0)
        for (ssize_t i = 0; i < n; i++)
            sum += (unsigned char)buf[i] * (total++ % 251);
    printf("%lu bytes, the same: %d\n", total, sum == sent);
    int status;
    wait(&status);
    SHOW(status);
}

CASE(full_without_waiting)
{
    ssize_t n, total = 0;

    open_pair();
    fcntl(client, F_SETFL, O_NONBLOCK);
    while ((n = send(client, buf, 60000, 0)) > 0)
        total += n;
    say(errno_name(errno));
    SHOW(total > 60000);
    SHOW(poll(&(struct pollfd){ client, POLLOUT, 0 }, 1, 0));
    fcntl(server, F_SETFL, O_NONBLOCK);
    for (ssize_t got = 0; got < total;) {
        poll(&(struct pollfd){ server, POLLIN, 0 }, 1, 5000);
        n = recv(server, buf, sizeof buf, 0);
        if (n <= 0)
            break;
        got += n;
        total -= got == total ? total : 0;
    }
    SHOW(total);
    show_events("client", client, POLLOUT);
}

CASE(receive_timeout)
{
    struct timeval tv = { 0, 30000 };

    open_pair();
    SHOW(setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    SHOW(recv(client, buf, 1, 0));
    SHOW(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    SHOW(accept(listener, NULL, NULL));
}

CASE(send_timeout)
{
    struct timeval tv = { 0, 30000 };
    ssize_t n;

    open_pair();
    SHOW(setsockopt(client, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof tv));
    while ((n = send(client, buf, sizeof buf, 0)) > 0)
        ;
    say(errno_name(errno));
}

static void on_signal(int signo)
{
    (void)signo;
}

CASE(interrupted)
{
    struct sigaction act = { .sa_handler = on_signal };

    open_pair();
    sigaction(SIGALRM, &act, NULL);
    ualarm(30000, 0);
    SHOW(recv(client, buf, 1, 0));
    ualarm(30000, 0);
    SHOW(accept(listener, NULL, NULL));
    act.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &act, NULL);
    if (!fork()) {
        nap(80);
        send(server, "x", 1, 0);
        _exit(0);
    }
    ualarm(30000, 0);
    SHOW(recv(client, buf, 1, 0));
    wait(NULL);
}

CASE(address_in_use_after_close)
{
    int again = socket(AF_INET, SOCK_STREAM, 0), on = 1;

    open_pair();
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    shutdown(server, SHUT_WR); /* the server closes first: its end waits in TIME-WAIT */
    recv(client, buf, 1, 0);
    close(client);
    recv(server, buf, 1, 0);
    close(server);
    close(listener);
    SHOW(bind(again, (struct sockaddr *)&at, sizeof at));
    setsockopt(again, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    SHOW(bind(again, (struct sockaddr *)&at, sizeof at));
    SHOW(listen(again, 1));
    client = connected();
    SHOW_OK(accept(again, NULL, NULL));
}

CASE(address_in_use_while_listening)
{
    int again = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in any = { .sin_family = AF_INET };

    listen_somewhere();
    any.sin_port = at.sin_port;
    SHOW(bind(again, (struct sockaddr *)&at, sizeof at));
    SHOW(bind(again, (struct sockaddr *)&any, sizeof any));
    setsockopt(again, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    SHOW(bind(again, (struct sockaddr *)&at, sizeof at));
    SHOW(bind(again, (struct sockaddr *)&any, sizeof any));
}

CASE(closing_a_listener_resets_who_waits)
{
    listen_somewhere();
    client = connected();
    close(listener);
    show_events("client", client, POLLERR);
    SHOW(recv(client, buf, 1, 0));
}

CASE(a_fork_shares_the_connection)
{
    open_pair();
    if (!fork()) {
        send(client, "from the child", 14, 0);
        _exit(0);
    }
    wait(NULL);
    SHOW(recv(server, buf, 100, 0));
    SHOW(send(client, "and the parent", 14, 0));
    SHOW(recv(server, buf, 100, 0));
}

CASE(states_as_tcp_info_has_them)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    open_pair();
    getsockopt(listener, IPPROTO_TCP, TCP_INFO, &info, &size);
    SHOW(info.tcpi_state);
    size = sizeof info;
    getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &size);
    SHOW(info.tcpi_state);
    shutdown(client, SHUT_WR);
    nap(20);
    size = sizeof info;
    getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &size);
    SHOW(info.tcpi_state);
    size = sizeof info;
    getsockopt(server, IPPROTO_TCP, TCP_INFO, &info, &size);
    SHOW(info.tcpi_state);
}

CASE(vectors)
{
    struct iovec v[3] = { { (char *)"ab", 2 }, { NULL, 0 }, { (char *)"cde", 3 } };
    char x[2], y[10];
    struct iovec in[2] = { { x, 2 }, { y, 10 } };

    open_pair();
    SHOW(writev(client, v, 3));
    SHOW(readv(server, in, 2));
    printf("%.2s %.3s\n", x, y);
    struct msghdr m = { .msg_iov = v, .msg_iovlen = 3 };
    SHOW(sendmsg(client, &m, 0));
    m = (struct msghdr){ .msg_iov = in, .msg_iovlen = 2 };
    SHOW(recvmsg(server, &m, 0));
    SHOW(m.msg_flags);
    SHOW(m.msg_namelen);
}

/* Linux lets the first ten segments go as they come, and a segment of the loopback may have 64 kB. */
CASE(a_paced_stream_is_no_faster_than_it_may_be)
{
    enum { RATE = 4000000, BYTES = 4 << 20, UNPACED = 1 << 20 };
    unsigned long rate = 0, limit = RATE;
    struct timespec began, now;
    socklen_t size = sizeof rate;
    int got = 0;

    open_pair();
    SHOW(getsockopt(client, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &size));
    SHOW(rate == ~0ul);
    SHOW(setsockopt(client, SOL_SOCKET, SO_MAX_PACING_RATE, &limit, sizeof limit));
    SHOW(getsockopt(client, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, &size));
    SHOW(rate);
    clock_gettime(CLOCK_MONOTONIC, &began);
    if (!fork()) {
        for (int sent = 0, n; sent < BYTES && (n = (int)write(client, buf, 65536)) > 0;)
            sent += n;
        _exit(0);
    }
    for (int n; got < BYTES && (n = (int)read(server, buf, sizeof buf)) > 0;)
        got += n;
    clock_gettime(CLOCK_MONOTONIC, &now);
    double took = (double)(now.tv_sec - began.tv_sec) + (double)(now.tv_nsec - began.tv_nsec) / 1e9;
    SHOW(got);
    SHOW(took > (double)(BYTES - UNPACED) / RATE);
    if (getenv("TOOK"))
        printf("%.3f s\n", took);
}
