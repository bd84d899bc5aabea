/* user/tests/urgent.c - urgent data over the loopback: the mark, MSG_OOB, SO_OOBINLINE, who is told. tcp(7),
 * socket(7). */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>

static char buf[4096];
static int listener, client, server;

static void open_pair(void)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;

    signal(SIGPIPE, SIG_IGN);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    bind(listener, (struct sockaddr *)&at, sizeof at);
    listen(listener, 8);
    getsockname(listener, (struct sockaddr *)&at, &size);
    client = socket(AF_INET, SOCK_STREAM, 0);
    connect(client, (struct sockaddr *)&at, sizeof at);
    server = accept(listener, NULL, NULL);
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
}

/* Until what was sent on the other side has come. */
static void settle(void)
{
    struct timespec t = { 0, 20000000 };

    nanosleep(&t, NULL);
}

static int at_mark(int fd)
{
    int answer = -1;

    return ioctl(fd, SIOCATMARK, &answer) ? -1 : answer;
}

static int waiting(int fd)
{
    int answer = -1;

    return ioctl(fd, FIONREAD, &answer) ? -1 : answer;
}

static void show_read(int fd, size_t n, int flags)
{
    memset(buf, 0, sizeof buf);
    errno = 0;
    ssize_t got = recv(fd, buf, n, flags);
    printf("recv(%zu, %x): %zd %s '%s' mark %d\n", n, flags, got, got < 0 ? errno_name(errno) : "", buf,
           at_mark(fd));
}

static void show_poll(int fd)
{
    struct pollfd p = { fd, POLLIN | POLLPRI | POLLRDNORM | POLLRDBAND | POLLRDHUP, 0 };
    int n = poll(&p, 1, 0);

    printf("poll: %d %x, %d wait\n", n, p.revents, waiting(fd));
}

static void inline_on(int fd, int on)
{
    setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
}

CASE(the_mark_in_the_middle)
{
    open_pair();
    SHOW(send(client, "ab!", 3, MSG_OOB));
    SHOW(send(client, "cd", 2, 0));
    settle();
    show_poll(server);
    show_read(server, 100, 0);
    show_poll(server);
    show_read(server, 100, MSG_OOB | MSG_PEEK);
    show_read(server, 100, MSG_OOB);
    show_read(server, 100, MSG_OOB);
    show_poll(server);
    show_read(server, 100, 0);
    show_poll(server);
    show_read(server, 100, MSG_OOB);
    show_read(server, 100, MSG_DONTWAIT);
}

CASE(the_mark_first)
{
    open_pair();
    SHOW(send(client, "!", 1, MSG_OOB));
    settle();
    show_poll(server);
    show_read(server, 100, MSG_DONTWAIT);
    show_poll(server);
    show_read(server, 1, MSG_OOB);
    SHOW(send(client, "xy", 2, 0));
    settle();
    show_poll(server);
    show_read(server, 100, 0);
}

CASE(read_on_without_looking)
{
    open_pair();
    SHOW(send(client, "ab!", 3, MSG_OOB));
    SHOW(send(client, "cd", 2, 0));
    settle();
    show_read(server, 1, 0);
    show_read(server, 100, MSG_WAITALL);
    show_read(server, 1, MSG_PEEK);
    show_read(server, 1, 0);
    show_read(server, 100, MSG_OOB);
    show_read(server, 1, 0);
}

CASE(in_the_stream)
{
    open_pair();
    inline_on(server, 1);
    SHOW(send(client, "ab!", 3, MSG_OOB));
    SHOW(send(client, "cd", 2, 0));
    settle();
    show_poll(server);
    show_read(server, 100, MSG_OOB);
    show_read(server, 100, 0);
    show_poll(server);
    show_read(server, 1, MSG_PEEK);
    show_read(server, 100, 0);
    show_poll(server);
}

CASE(into_the_stream_later)
{
    open_pair();
    SHOW(send(client, "a!", 2, MSG_OOB));
    settle();
    inline_on(server, 1);
    show_read(server, 100, MSG_OOB);
    inline_on(server, 0);
    show_read(server, 100, MSG_OOB);
    inline_on(server, 1);
    show_read(server, 100, 0);
    show_read(server, 100, 0);
}

CASE(one_behind_the_other)
{
    open_pair();
    SHOW(send(client, "a1", 2, MSG_OOB));
    settle();
    SHOW(send(client, "b2", 2, MSG_OOB));
    settle();
    show_read(server, 100, MSG_OOB);
    show_read(server, 100, 0);
    show_read(server, 100, MSG_DONTWAIT);
    SHOW(send(client, "3", 1, MSG_OOB));
    settle();
    SHOW(send(client, "4", 1, MSG_OOB));
    settle();
    show_poll(server);
    show_read(server, 100, MSG_OOB);
    SHOW(send(client, "x", 1, 0));
    settle();
    show_read(server, 100, MSG_DONTWAIT);
}

CASE(nothing_urgent)
{
    open_pair();
    show_read(server, 1, MSG_OOB);
    show_read(listener, 1, MSG_OOB);
    show_read(socket(AF_INET, SOCK_STREAM, 0), 1, MSG_OOB);
    inline_on(server, 1);
    show_read(server, 1, MSG_OOB);
    SHOW(send(client, "", 0, MSG_OOB));
    SHOW(send(socket(AF_INET, SOCK_STREAM, 0), "x", 1, MSG_OOB));
    SHOW(send(socket(AF_INET, SOCK_DGRAM, 0), "x", 1, MSG_OOB));
    SHOW(at_mark(listener));
    SHOW(at_mark(socket(AF_INET, SOCK_DGRAM, 0)));
    SHOW(at_mark(0));
    close(server);
    settle();
    show_read(client, 1, MSG_OOB);
}

CASE(urgent_to_the_end)
{
    open_pair();
    SHOW(send(client, "a!", 2, MSG_OOB));
    shutdown(client, SHUT_WR);
    settle();
    show_poll(server);
    show_read(server, 100, 0);
    show_poll(server);
    show_read(server, 100, 0);
    show_read(server, 100, MSG_OOB);
    show_poll(server);
}

CASE(a_message_says_what_it_is)
{
    struct iovec v = { buf, 10 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };

    open_pair();
    SHOW(send(client, "ab!", 3, MSG_OOB));
    settle();
    v.iov_len = 0;
    SHOW(recvmsg(server, &m, MSG_OOB | MSG_PEEK));
    printf("%x\n", m.msg_flags);
    v.iov_len = 10;
    SHOW(recvmsg(server, &m, MSG_OOB | MSG_TRUNC | MSG_PEEK));
    printf("%x\n", m.msg_flags);
    SHOW(recvmsg(server, &m, MSG_OOB));
    printf("%x %c\n", m.msg_flags, buf[0]);
    SHOW(recvmsg(server, &m, 0));
    printf("%x %.2s\n", m.msg_flags, buf);
    SHOW(send(client, "!", 1, MSG_OOB));
    settle();
    SHOW(recv(server, (void *)8, 1, MSG_OOB));
    SHOW(recv(server, buf, 1, MSG_OOB));
}

static volatile int told;
static volatile int told_code;

static void on_urgent(int signo, siginfo_t *info, void *context)
{
    (void)signo;
    (void)context;
    told++;
    told_code = info->si_code == SI_KERNEL;
}

static void listen_for_urgent(void)
{
    struct sigaction action = { .sa_sigaction = on_urgent, .sa_flags = SA_SIGINFO | SA_RESTART };

    sigaction(SIGURG, &action, NULL);
}

CASE(the_owner_is_told)
{
    open_pair();
    listen_for_urgent();
    SHOW(send(client, "1", 1, MSG_OOB));
    settle();
    printf("%d\n", told);
    SHOW(fcntl(server, F_GETOWN));
    SHOW(fcntl(server, F_SETOWN, getpid()));
    SHOW(fcntl(server, F_GETOWN) == getpid());
    SHOW(send(client, "2", 1, MSG_OOB));
    settle();
    printf("%d %d\n", told, told_code);
    SHOW(fcntl(server, F_SETOWN, -getpgrp()));
    SHOW(send(client, "3", 1, MSG_OOB));
    settle();
    printf("%d\n", told);
    SHOW(fcntl(server, F_SETOWN, 0));
    SHOW(send(client, "4", 1, MSG_OOB));
    settle();
    printf("%d\n", told);
    SHOW(fcntl(server, F_SETOWN, 4194303));
    SHOW(fcntl(server, F_SETOWN, INT_MIN));
}

CASE(the_owner_by_ioctl)
{
    int who = getpid();

    open_pair();
    listen_for_urgent();
    SHOW(ioctl(server, SIOCSPGRP, &who));
    who = 0;
    SHOW(ioctl(server, SIOCGPGRP, &who));
    SHOW(who == getpid());
    SHOW(ioctl(server, FIOGETOWN, &who));
    SHOW(who == getpid());
    SHOW(send(client, "1", 1, MSG_OOB));
    settle();
    printf("%d\n", told);
    who = -getpgrp();
    SHOW(ioctl(server, FIOSETOWN, &who));
    SHOW(fcntl(server, F_GETOWN) == -getpgrp());
    SHOW(ioctl(server, SIOCSPGRP, (void *)8));
    SHOW(ioctl(server, SIOCGPGRP, (void *)8));
}

CASE(who_may_not_be_told)
{
    pid_t child;

    if (getuid()) { /* needs two users */
        say("fcntl(server, F_SETOWN, parent) = 0");
        say("0");
        return;
    }
    open_pair();
    listen_for_urgent();
    child = fork();
    if (!child) {
        (void)!setresuid(1234, 1234, 1234);
        pid_t parent = getppid();
        SHOW(fcntl(server, F_SETOWN, parent));
        _exit(0);
    }
    waitpid(child, NULL, 0);
    send(client, "1", 1, MSG_OOB);
    settle();
    printf("%d\n", told);
}

CASE(an_ignored_signal_wakes_nobody)
{
    open_pair();
    fcntl(server, F_SETOWN, getpid());
    if (!fork()) {
        settle();
        send(client, "1", 1, MSG_OOB);
        settle();
        send(client, "x", 1, 0);
        _exit(0);
    }
    show_read(server, 100, 0);
    wait(NULL);
}

CASE(select_and_epoll)
{
    struct epoll_event event = { .events = EPOLLPRI | EPOLLET };
    struct timeval now = { 0, 0 };
    fd_set sets[3];
    int set = epoll_create1(0);

    open_pair();
    epoll_ctl(set, EPOLL_CTL_ADD, server, &event);
    SHOW(epoll_wait(set, &event, 1, 0));
    SHOW(send(client, "a!", 2, MSG_OOB));
    settle();
    for (int i = 0; i < 3; i++) {
        FD_ZERO(&sets[i]);
        FD_SET(server, &sets[i]);
    }
    SHOW(select(server + 1, &sets[0], &sets[1], &sets[2], &now));
    for (int i = 0; i < 3; i++)
        printf("%d\n", !!FD_ISSET(server, &sets[i]));
    SHOW(epoll_wait(set, &event, 1, 0));
    printf("%x\n", event.events);
    SHOW(epoll_wait(set, &event, 1, 0));
    show_read(server, 1, MSG_OOB);
    SHOW(epoll_wait(set, &event, 1, 0));
    SHOW(send(client, "b", 1, 0));
    settle();
    SHOW(epoll_wait(set, &event, 1, 0));
    SHOW(send(client, "!", 1, MSG_OOB));
    settle();
    SHOW(epoll_wait(set, &event, 1, 0));
}

CASE(much_urgent_data)
{
    int on = 0;
    size_t got = 0;
    ssize_t n;

    open_pair();
    memset(buf, 'u', sizeof buf);
    SHOW(send(client, buf, 3000, MSG_OOB));
    settle();
    SHOW(recv(server, buf, 1, MSG_OOB | MSG_PEEK));
    while (!(on = at_mark(server)) && (n = recv(server, buf, 700, MSG_DONTWAIT)) > 0)
        got += (size_t)n;
    printf("%zu %d\n", got, on);
    SHOW(recv(server, buf, 700, MSG_DONTWAIT));
    SHOW(at_mark(server));
}

CASE(a_corked_socket_lets_it_through)
{
    open_pair();
    setsockopt(client, IPPROTO_TCP, TCP_CORK, &(int){ 1 }, sizeof(int));
    SHOW(send(client, "ab", 2, 0));
    settle();
    show_poll(server);
    SHOW(send(client, "!", 1, MSG_OOB));
    settle();
    show_poll(server);
    show_read(server, 10, 0);
}
