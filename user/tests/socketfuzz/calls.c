/* user/tests/socketfuzz/calls.c - one call by chance, and what it returned. */
#define _GNU_SOURCE
#include "user/tests/socketfuzz/fuzz.h"

/* ---- addresses ---- */

static const char *const words[] = { "slot",   "any",  "loopback", "other loopback", "unspec", "short",
                                     "family", "name", "abstract", "long",           "none" };
enum { SLOT, ANY, LOOPBACK, OTHER, UNSPEC, SHORT, FAMILY, NAME, ABSTRACT, LONG, NONE };

static socklen_t inet_address(struct sockaddr_storage *addr, uint32_t ip, int family)
{
    const struct sockaddr_in in = { .sin_family = (sa_family_t)family, .sin_addr.s_addr = htonl(ip) };

    memcpy(addr, &in, sizeof in);
    return sizeof in;
}

static socklen_t unix_address(struct sockaddr_storage *addr, bool abstract)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };

    if (!abstract) {
        strcpy(un.sun_path, below(2) ? "name" : "other");
        memcpy(addr, &un, sizeof un);
        return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(un.sun_path) + below(2));
    }
    snprintf(un.sun_path + 1, sizeof un.sun_path - 1, "fuzz-%07d-%d", getpid(), (int)below(2));
    memcpy(addr, &un, sizeof un);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(un.sun_path + 1));
}

static socklen_t address_of_slot(struct sockaddr_storage *addr)
{
    int slot = some_slot();
    socklen_t len = sizeof *addr;

    tell(" of %d", slot);
    memset(addr, 0, sizeof *addr);
    return getsockname(now.slots[slot].fd, (struct sockaddr *)addr, &len) ? 0 : len;
}

socklen_t some_address(struct sockaddr_storage *addr)
{
    static const uint8_t inet[] = { SLOT,   SLOT,  SLOT,   SLOT, ANY,  LOOPBACK, OTHER,
                                    UNSPEC, SHORT, FAMILY, NAME, LONG, NONE };
    static const uint8_t local[] = { SLOT,     SLOT,   SLOT,  NAME,     NAME, ABSTRACT,
                                     ABSTRACT, UNSPEC, SHORT, LOOPBACK, LONG, NONE };
    int kind = now.slots[0].family == AF_INET ? PICK(inet) : PICK(local);

    memset(addr, 0, sizeof *addr);
    tell(" %s", words[kind]);
    switch (kind) {
    case SLOT:
        return address_of_slot(addr);
    case ANY:
        return inet_address(addr, INADDR_ANY, AF_INET);
    case LOOPBACK:
        return inet_address(addr, INADDR_LOOPBACK, AF_INET);
    case OTHER:
        return inet_address(addr, INADDR_LOOPBACK + 1, AF_INET);
    case UNSPEC:
        return inet_address(addr, INADDR_ANY, AF_UNSPEC);
    case SHORT:
        inet_address(addr, INADDR_LOOPBACK, now.slots[0].family);
        return (socklen_t)below(8);
    case FAMILY:
        return inet_address(addr, INADDR_LOOPBACK, (int)below(44));
    case NAME:
        return unix_address(addr, false);
    case ABSTRACT:
        return unix_address(addr, true);
    case LONG:
        inet_address(addr, INADDR_LOOPBACK, AF_INET);
        return (socklen_t)(100 + below(60));
    default:
        return 0;
    }
}

void tell_address(const struct sockaddr_storage *addr, socklen_t len)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)addr;
    const struct sockaddr_un *un = (const struct sockaddr_un *)addr;

    if (len < sizeof(sa_family_t)) {
        tell(" [%u]", len);
        return;
    }
    tell(" [%u family %d", len, addr->ss_family);
    if (addr->ss_family == AF_INET && len >= sizeof *in)
        tell(" %x %s", ntohl(in->sin_addr.s_addr), in->sin_port ? "port" : "no port");
    else if (addr->ss_family == AF_UNIX && len > 2)
        tell(" %s", un->sun_path[0] ? un->sun_path : "abstract");
    tell("]");
}

/* ---- calls without messages ---- */

static void call_bind(struct slot *s)
{
    struct sockaddr_storage addr;
    socklen_t len = some_address(&addr);

    tell_result(bind(s->fd, (struct sockaddr *)&addr, len));
}

static void call_connect(struct slot *s)
{
    struct sockaddr_storage addr;
    socklen_t len = some_address(&addr);

    tell_result(connect(s->fd, (struct sockaddr *)&addr, len));
}

static void call_listen(struct slot *s)
{
    static const int backlogs[] = { 0, 1, 5, -1, 100000 };

    tell_result(listen(s->fd, PICK(backlogs)));
}

static void call_accept(struct slot *s)
{
    static const int flags[] = { SOCK_NONBLOCK, SOCK_NONBLOCK, SOCK_NONBLOCK, SOCK_NONBLOCK | SOCK_CLOEXEC,
                                 1 };
    struct sockaddr_storage addr;
    static const int lengths[] = { 128, 128, 16, 3, 0, -1 };
    socklen_t len = (socklen_t)PICK(lengths);
    bool named = below(3);
    int fd, flag = PICK(flags);

    memset(&addr, 0, sizeof addr);
    errno = 0;
    fd = accept4(s->fd, named ? (struct sockaddr *)&addr : NULL, named ? &len : NULL, flag);
    tell(" %x", flag);
    tell_result(fd < 0 ? -1 : 0);
    if (fd >= 0 && named)
        tell_address(&addr, len);
    add_slot(fd, s->family, s->type);
}

static void call_shutdown(struct slot *s)
{
    static const int how[] = { SHUT_RD, SHUT_WR, SHUT_RDWR, 3, -1 };
    int h = how[below(20) ? below(3) : below(5)];

    tell(" %d", h);
    tell_result(shutdown(s->fd, h));
}

static void call_getname(struct slot *s)
{
    struct sockaddr_storage addr;
    static const int lengths[] = { 128, 128, 128, 16, 7, 1, 0, -1 };
    socklen_t len = (socklen_t)PICK(lengths);
    bool peer = below(2);

    memset(&addr, 0, sizeof addr);
    tell(peer ? " peer" : " own");
    long result = (peer ? getpeername : getsockname)(s->fd, (struct sockaddr *)&addr, &len);
    tell_result(result);
    if (!result)
        tell_address(&addr, len);
}

static void call_poll(struct slot *s)
{
    static const short wanted[] = { -1, POLLIN | POLLOUT, POLLIN | POLLPRI | POLLRDHUP, 0 };
    struct pollfd p = { s->fd, PICK(wanted), 0 };

    tell(" %hx", p.events);
    tell_result(poll(&p, 1, 0));
    tell(" %hx", p.revents);
}

static void call_ioctl(struct slot *s)
{
    static const struct {
        const char *name;
        unsigned long request;
    } requests[] = { { "FIONREAD", FIONREAD },     { "FIONREAD", FIONREAD },    { "FIONREAD", FIONREAD },
                     { "SIOCATMARK", SIOCATMARK }, { "SIOCGPGRP", SIOCGPGRP },  { "none", 0x123456 },
                     { "FIOASYNC", FIOASYNC },     { "TIOCGWINSZ", TIOCGWINSZ } };
    unsigned i = (unsigned)below(sizeof requests / sizeof *requests);
    int value[8] = { 0 };

    if (s->family == AF_UNIX && requests[i].request == SIOCATMARK) /* as MSG_OOB: doc/limits.md */
        return;
    tell(" %s", requests[i].name);
    long result = ioctl(s->fd, requests[i].request, below(20) || i > 2 ? (void *)value : (void *)8);
    tell_result(result);
    if (!result)
        tell(" %d", value[0]);
}

static void call_close(struct slot *s)
{
    tell_result(close(s->fd));
    s->fd = -1;
}

static void call_socket(struct slot *s)
{
    static const int families[] = { AF_INET, AF_INET, AF_UNIX, AF_UNIX, AF_UNSPEC, 45, 77, -1 };
    int family = PICK(families), type = (int)(below(6) ? 1 + below(3) : below(17)),
        protocol = (int)(below(2) ? 0 : below(20));
    static const int more[] = { SOCK_NONBLOCK, SOCK_NONBLOCK, SOCK_NONBLOCK | SOCK_CLOEXEC,
                                SOCK_NONBLOCK | 0x100 };
    int flags = PICK(more), pair[2];
    bool two = below(2);

    (void)s;
    if (type == SOCK_PACKET || (family == AF_INET && type == SOCK_RAW)) /* both hear what others do */
        type = SOCK_STREAM;
    if (protocol == IPPROTO_SCTP || protocol == 262)
        protocol = 0;
    tell(" %s %d %x %d", two ? "pair" : "one", family, type | flags, protocol);
    if (two) {
        long result = socketpair(family, type | flags, protocol, pair);
        tell_result(result);
        if (!result) {
            add_slot(pair[0], family, type);
            add_slot(pair[1], family, type);
        }
        return;
    }
    int fd = socket(family, type | flags, protocol);
    tell_result(fd < 0 ? -1 : 0);
    add_slot(fd, family, type);
}

/* ---- epoll ---- */

static void call_epoll_ctl(struct slot *s)
{
    static const uint32_t events[] = { EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET,
                                       EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET,
                                       EPOLLIN | EPOLLOUT | EPOLLRDHUP,
                                       EPOLLIN | EPOLLET,
                                       EPOLLOUT | EPOLLET,
                                       EPOLLIN | EPOLLOUT | EPOLLONESHOT,
                                       EPOLLIN | EPOLLEXCLUSIVE,
                                       EPOLLET };
    static const int ops[] = {
        EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLL_CTL_MOD, EPOLL_CTL_DEL, 9
    };
    struct epoll_event event = { .events = PICK(events), .data.u32 = (uint32_t)(s - now.slots) };
    int op = PICK(ops);

    tell(" %d %x", op, event.events);
    tell_result(epoll_ctl(now.epoll, op, s->fd, &event));
}

static void call_epoll_wait(struct slot *s)
{
    struct epoll_event events[SLOTS];
    uint32_t of_slot[SLOTS] = { 0 };
    int n = epoll_wait(now.epoll, events, SLOTS, 0);

    (void)s;
    tell_result(n);
    for (int i = 0; i < n; i++)
        of_slot[events[i].data.u32 % SLOTS] = events[i].events;
    for (int i = 0; i < SLOTS; i++)
        if (of_slot[i])
            tell(" %d:%x", i, of_slot[i]);
}

/* ---- one of them ---- */

static const struct {
    const char *name;
    void (*make)(struct slot *s);
    int often;
} calls[] = {
    { "setsockopt", call_setsockopt, 16 },
    { "getsockopt", call_getsockopt, 12 },
    { "bind", call_bind, 5 },
    { "connect", call_connect, 7 },
    { "listen", call_listen, 4 },
    { "accept", call_accept, 5 },
    { "shutdown", call_shutdown, 4 },
    { "getname", call_getname, 4 },
    { "poll", call_poll, 8 },
    { "ioctl", call_ioctl, 4 },
    { "close", call_close, 2 },
    { "socket", call_socket, 2 },
    { "epoll_ctl", call_epoll_ctl, 7 },
    { "epoll_wait", call_epoll_wait, 10 },
    { "send", call_send, 10 },
    { "sendmsg", call_sendmsg, 5 },
    { "sendmmsg", call_sendmmsg, 2 },
    { "recv", call_recv, 12 },
    { "recvmsg", call_recvmsg, 6 },
    { "recvmmsg", call_recvmmsg, 2 },
};

void make_call(void)
{
    struct slot *s = &now.slots[some_slot()];
    uint64_t sum = 0;
    size_t i = 0;

    for (size_t j = 0; j < sizeof calls / sizeof *calls; j++)
        sum += (uint64_t)calls[j].often;
    for (sum = below(sum); sum >= (uint64_t)calls[i].often; i++)
        sum -= (uint64_t)calls[i].often;
    tell("%s(%d)", calls[i].name, (int)(s - now.slots));
    errno = 0;
    calls[i].make(s);
}
