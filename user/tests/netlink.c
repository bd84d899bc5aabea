/* user/tests/netlink.c - netlink sockets and what NETLINK_ROUTE answers. Nothing is changed: requests ask, or
 * are wrong. Of what there is only lo is looked at, and of lo what is the same everywhere. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* <linux/netlink.h> and <linux/rtnetlink.h>, which this C library does not bring. */
struct name {
    uint16_t family, pad;
    uint32_t pid, groups;
};
struct header {
    uint32_t len;
    uint16_t type, flags;
    uint32_t seq, pid;
};
struct attr {
    uint16_t len, type;
};
struct link {
    uint8_t family, pad;
    uint16_t type;
    int32_t index;
    uint32_t flags, change;
};
struct address {
    uint8_t family, len, flags, scope;
    uint32_t index;
};
struct route {
    uint8_t family, dst_len, src_len, tos, table, protocol, scope, type;
    uint32_t flags;
};
enum { ROUTE = 0, REQUEST = 1, ACK = 4, DUMP = 0x300, EXCL = 0x200, CREATE = 0x400, ERROR = 2, DONE = 3 };
enum { NEWLINK = 16, DELLINK, GETLINK, NEWADDR = 20, DELADDR, GETADDR, NEWROUTE = 24, DELROUTE, GETROUTE };
enum { GETNEIGH = 30, GETRULE = 34, IFNAME = 3, SOL_NETLINK_ = 270, CAP_ACK = 10, EXT_ACK = 11, STRICT = 12 };

static _Alignas(8) unsigned char in[32768], out[1024];
static unsigned n_out;

static void put(const void *data, size_t n)
{
    memcpy(out + n_out, data, n);
    n_out += (n + 3) & ~3u;
    ((struct header *)out)->len = n_out;
}

/* A request begins: its fixed part of n bytes. */
static void ask(int type, int flags, const void *fixed, size_t n)
{
    const struct header h = { .type = (uint16_t)type, .flags = (uint16_t)(flags | REQUEST), .seq = 7 };

    memset(out, 0, sizeof out);
    n_out = 0;
    put(&h, sizeof h);
    put(fixed, n);
}

static void attr(int type, const void *data, size_t n)
{
    const struct attr a = { .len = (uint16_t)(sizeof a + n), .type = (uint16_t)type };

    put(&a, sizeof a);
    put(data, n);
}

static void ip(int type, const char *text)
{
    uint32_t addr = inet_addr(text);

    attr(type, &addr, sizeof addr);
}

static int netlink(void)
{
    return socket(AF_NETLINK, SOCK_RAW, ROUTE);
}

static const struct attr *find(const struct header *h, size_t fixed, int type)
{
    const unsigned char *p = (const unsigned char *)(h + 1) + fixed, *end = (const unsigned char *)h + h->len;

    for (; p + sizeof(struct attr) <= end; p += (((const struct attr *)p)->len + 3) & ~3u)
        if (((const struct attr *)p)->type == type)
            return (const struct attr *)p;
    return NULL;
}

static void show_ip(const char *what, const struct header *h, size_t fixed, int type)
{
    const struct attr *a = find(h, fixed, type);

    printf(" %s %s", what, a ? inet_ntoa(*(const struct in_addr *)(a + 1)) : "-");
}

static void show_error(const struct header *h)
{
    int err = *(const int *)(h + 1);
    const struct attr *text = h->flags & 0x200 ? find(h, 20 + (h->flags & 0x100 ? 0 : 0), 1) : NULL;

    printf("error %s, flags %x, %u bytes%s%s\n", err ? errno_name(-err) : "none", h->flags, h->len,
           text ? ", " : "", text ? (const char *)(text + 1) : "");
}

/* Send what was asked and show the errors that come back. */
static void errors_of(int s)
{
    ssize_t n;

    if (send(s, out, n_out, 0) != (ssize_t)n_out)
        printf("send: %s\n", errno_name(errno));
    n = recv(s, in, sizeof in, MSG_DONTWAIT);
    if (n < 0)
        printf("nothing: %s\n", errno_name(errno));
    for (unsigned char *p = in; n > 0 && p < in + n; p += (((struct header *)p)->len + 3) & ~3u)
        if (((struct header *)p)->type == ERROR)
            show_error((struct header *)p);
        else
            printf("type %d\n", ((struct header *)p)->type);
}

/* ---- sockets ---- */

CASE(kinds_and_protocols)
{
    SHOW(socket(AF_NETLINK, SOCK_STREAM, ROUTE));
    SHOW(socket(AF_NETLINK, SOCK_SEQPACKET, ROUTE));
    SHOW(socket(AF_NETLINK, SOCK_RAW, 31));
    SHOW(socket(AF_NETLINK, SOCK_RAW, 99));
    SHOW(close(socket(AF_NETLINK, SOCK_DGRAM, ROUTE)));
    SHOW(listen(netlink(), 1));
    SHOW(accept(netlink(), NULL, NULL));
    SHOW(shutdown(netlink(), SHUT_RDWR));
}

CASE(names)
{
    struct name a = { AF_NETLINK, 0, 0, 0 }, b = a;
    socklen_t len = sizeof b;
    int s = netlink(), t = netlink();

    SHOW(getsockname(s, (void *)&b, &len));
    printf("%u bytes, family %d, port %u, groups %x\n", (unsigned)len, b.family, b.pid, b.groups);
    SHOW(bind(s, (void *)&a, sizeof a));
    getsockname(s, (void *)&b, &len);
    printf("port is pid: %d\n", b.pid == (uint32_t)getpid());
    SHOW(bind(t, (void *)&b, sizeof b));
    SHOW(bind(t, (void *)&a, sizeof a));
    getsockname(t, (void *)&b, &len);
    printf("port is pid: %d\n", b.pid == (uint32_t)getpid());
    a.pid = 12345;
    SHOW(bind(t, (void *)&a, sizeof a));
    SHOW(bind(t, (void *)&a, 11));
    a.family = AF_INET;
    SHOW(bind(t, (void *)&a, sizeof a));
    SHOW(getpeername(t, (void *)&b, &len));
    printf("%u bytes, port %u\n", (unsigned)len, b.pid);
}

CASE(groups)
{
    struct name a = { AF_NETLINK, 0, 0, 0x51 }, b;
    socklen_t len = sizeof b;
    int s = netlink();

    SHOW(bind(s, (void *)&a, sizeof a));
    SHOW(setsockopt(s, SOL_NETLINK_, 1, &(int){ 2 }, 4));
    SHOW(setsockopt(s, SOL_NETLINK_, 2, &(int){ 1 }, 4));
    SHOW(setsockopt(s, SOL_NETLINK_, 1, &(int){ 0 }, 4));
    SHOW(setsockopt(s, SOL_NETLINK_, 1, &(int){ 5000 }, 4));
    SHOW(setsockopt(s, SOL_NETLINK_, 1, &(int){ 1 }, 2));
    getsockname(s, (void *)&b, &len);
    printf("groups %x\n", b.groups);
    a.groups = 0;
    SHOW(bind(s, (void *)&a, sizeof a));
    getsockname(s, (void *)&b, &len);
    printf("groups %x\n", b.groups);
}

CASE(options)
{
    static const int options[] = { 3, 4, 5, CAP_ACK, EXT_ACK, STRICT };
    int s = netlink();

    for (unsigned i = 0; i < sizeof options / sizeof *options; i++) {
        int value = 5;
        socklen_t len = sizeof value;
        SHOW(setsockopt(s, SOL_NETLINK_, options[i], &value, sizeof value));
        SHOW(getsockopt(s, SOL_NETLINK_, options[i], &value, &len));
        printf("%d is %d, %u bytes\n", options[i], value, (unsigned)len);
        SHOW(setsockopt(s, SOL_NETLINK_, options[i], &value, 3));
    }
    SHOW(setsockopt(s, SOL_NETLINK_, 99, &(int){ 1 }, 4));
    SHOW(getsockopt(s, SOL_NETLINK_, 99, in, &(socklen_t){ 4 }));
    SHOW(setsockopt(s, SOL_NETLINK_, EXT_ACK, NULL, 4));
}

CASE(polling)
{
    const struct link any = { 0 };
    int s = netlink();
    struct pollfd p = { s, POLLIN | POLLOUT, 0 };

    poll(&p, 1, 0);
    printf("%x\n", p.revents);
    ask(NEWLINK + 900, ACK, &any, sizeof any);
    SHOW(send(s, out, n_out, 0) == (ssize_t)n_out);
    poll(&p, 1, 0);
    printf("%x\n", p.revents);
    SHOW(recv(s, in, 5, MSG_TRUNC));
    SHOW(recv(s, in, 5, MSG_DONTWAIT));
}

/* ---- links ---- */

static void ask_lo(void)
{
    const struct link any = { 0 };

    ask(GETLINK, 0, &any, sizeof any);
    attr(IFNAME, "lo", 3);
}

CASE(lo_is_told)
{
    const struct header *h = (void *)in;
    const struct link *l = (void *)(h + 1);
    static const unsigned char zeros[6];
    int s = netlink();

    ask_lo();
    SHOW(send(s, out, n_out, 0) == (ssize_t)n_out);
    ssize_t n = recv(s, in, sizeof in, 0);
    printf("whole %d, type %d, flags %x, seq %u, port is ours %d\n", n == (ssize_t)h->len, h->type, h->flags,
           h->seq, h->pid == (uint32_t)getpid());
    printf("family %d, type %d, index is right %d, flags %x\n", l->family, l->type,
           l->index == (int)if_nametoindex("lo"), l->flags);
    printf("name %s", (const char *)(find(h, sizeof *l, IFNAME) + 1));
    printf(", address %d", memcmp(find(h, sizeof *l, 1) + 1, zeros, 6));
    printf(", state %d, carrier %d", *(const uint8_t *)(find(h, sizeof *l, 16) + 1),
           *(const uint8_t *)(find(h, sizeof *l, 33) + 1));
    printf(", discipline %s", (const char *)(find(h, sizeof *l, 6) + 1));
    printf(", statistics %d and %d\n", find(h, sizeof *l, 7) != NULL, find(h, sizeof *l, 23) != NULL);
}

CASE(a_peek_says_how_long_the_next_message_is)
{
    const struct link any = { 0 };
    struct iovec v = { in, 0 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
    int s = netlink(), type = 0, sums = 0;

    ask(GETLINK, DUMP, &any, sizeof any);
    SHOW(send(s, out, n_out, 0) == (ssize_t)n_out);
    while (type != DONE) {
        v.iov_len = 0;
        ssize_t n = recvmsg(s, &m, MSG_PEEK | MSG_TRUNC);
        v.iov_len = sizeof in;
        sums += m.msg_flags == MSG_TRUNC && n == recvmsg(s, &m, 0) && !m.msg_flags;
        type = ((struct header *)in)->type;
        if (type != DONE)
            sums--;
    }
    printf("%d, %x, %u bytes, status %d\n", sums, ((struct header *)in)->flags, ((struct header *)in)->len,
           *(int *)(in + 16));
    SHOW(recv(s, in, sizeof in, MSG_DONTWAIT));
}

CASE(a_second_dump_has_to_wait)
{
    const struct link any = { 0 };
    int s = netlink();

    SHOW(setsockopt(s, SOL_NETLINK_, CAP_ACK, &(int){ 1 }, 4));
    ask(GETLINK, DUMP, &any, sizeof any);
    SHOW(send(s, out, n_out, 0) == (ssize_t)n_out);
    SHOW(send(s, out, n_out, 0) == (ssize_t)n_out);
    SHOW(recv(s, in, sizeof in, 0) > 0);
    while (((struct header *)in)->type != ERROR && recv(s, in, sizeof in, MSG_DONTWAIT) > 0)
        ;
    show_error((void *)in);
}

/* ---- addresses ---- */

CASE(the_address_of_lo_is_told)
{
    const struct address all = { .family = AF_INET };
    int s = netlink(), done = 0;

    ask(GETADDR, DUMP, &all, sizeof all);
    SHOW(send(s, out, n_out, 0) == (ssize_t)n_out);
    while (!done) {
        ssize_t n = recv(s, in, sizeof in, 0);
        for (unsigned char *p = in; n > 0 && p < in + n; p += (((struct header *)p)->len + 3) & ~3u) {
            const struct header *h = (void *)p;
            const struct address *a = (void *)(h + 1);
            done |= h->type == DONE;
            if (h->type != NEWADDR || a->index != if_nametoindex("lo"))
                continue;
            printf("/%d flags %x scope %d", a->len, a->flags, a->scope);
            show_ip("address", h, sizeof *a, 1);
            show_ip("local", h, sizeof *a, 2);
            show_ip("broadcast", h, sizeof *a, 4);
            printf(" label %s\n", (const char *)(find(h, sizeof *a, 3) + 1));
        }
    }
}

CASE(getifaddrs_finds_lo)
{
    struct ifaddrs *all, *a;

    SHOW(getifaddrs(&all));
    for (a = all; a; a = a->ifa_next) {
        if (strcmp(a->ifa_name, "lo") != 0 || !a->ifa_addr || a->ifa_addr->sa_family != AF_INET)
            continue;
        printf("%s", inet_ntoa(((struct sockaddr_in *)a->ifa_addr)->sin_addr));
        printf(" %s flags %x\n", inet_ntoa(((struct sockaddr_in *)a->ifa_netmask)->sin_addr), a->ifa_flags);
    }
    freeifaddrs(all);
}

CASE(names_and_indices)
{
    char name[IF_NAMESIZE];
    struct if_nameindex *all = if_nameindex();
    int found = 0;

    printf("%s\n", if_indextoname(if_nametoindex("lo"), name));
    printf("%u\n", if_nametoindex("nosuch"));
    for (unsigned i = 0; all && all[i].if_index; i++)
        found += !strcmp(all[i].if_name, "lo") && all[i].if_index == if_nametoindex("lo");
    printf("%d\n", found);
    if_freenameindex(all);
}

/* ---- routes ---- */

CASE(the_way_to_ourselves_is_told)
{
    const struct header *h = (void *)in;
    const struct route to = { .family = AF_INET, .dst_len = 32 }, *r = (void *)(h + 1);
    int s = netlink();

    ask(GETROUTE, 0, &to, sizeof to);
    ip(1, "127.0.0.1");
    SHOW(send(s, out, n_out, 0) == (ssize_t)n_out);
    recv(s, in, sizeof in, 0);
    printf("type %d: %d /%d/%d scope %d type %d flags %x", h->type, r->family, r->dst_len, r->src_len,
           r->scope, r->type, r->flags);
    show_ip("to", h, sizeof *r, 1);
    show_ip("from", h, sizeof *r, 7);
    printf(" by lo %d\n", *(const uint32_t *)(find(h, sizeof *r, 4) + 1) == if_nametoindex("lo"));
}

CASE(the_routes_of_lo_are_told)
{
    const struct route local = { .family = AF_INET, .table = 255 };
    int s = netlink(), done = 0;

    SHOW(setsockopt(s, SOL_NETLINK_, STRICT, &(int){ 1 }, 4));
    ask(GETROUTE, DUMP, &local, sizeof local);
    SHOW(send(s, out, n_out, 0) == (ssize_t)n_out);
    while (!done) {
        ssize_t n = recv(s, in, sizeof in, 0);
        for (unsigned char *p = in; n > 0 && p < in + n; p += (((struct header *)p)->len + 3) & ~3u) {
            const struct header *h = (void *)p;
            const struct route *r = (void *)(h + 1);
            const struct attr *dst = find(h, sizeof *r, 1), *table = find(h, sizeof *r, 15);
            done |= h->type == DONE;
            if (h->type != NEWROUTE || !dst || *(const unsigned char *)(dst + 1) != 127)
                continue;
            printf("/%d scope %d type %d protocol %d table %u", r->dst_len, r->scope, r->type, r->protocol,
                   *(const unsigned *)(table + 1));
            show_ip("to", h, sizeof *r, 1);
            show_ip("from", h, sizeof *r, 7);
            printf("\n");
        }
    }
}

/* ---- what is wrong ---- */

CASE(wrong_requests)
{
    const struct link any = { 0 }, negative = { .index = -1 }, far = { .index = 999999 };
    const struct address on_lo = { .family = AF_INET, .len = 8, .index = if_nametoindex("lo") };
    const struct address on_none = { .family = AF_INET, .len = 8, .index = 999999 };
    const struct address long_prefix = { .family = AF_INET, .len = 33, .index = if_nametoindex("lo") };
    struct route r = { .family = AF_INET, .dst_len = 24, .table = 254, .protocol = 3, .type = 1 };
    int s = netlink();

    SHOW(setsockopt(s, SOL_NETLINK_, CAP_ACK, &(int){ 1 }, 4));
    ask(GETLINK, 0, &any, sizeof any);
    errors_of(s);
    ask(GETLINK, 0, &negative, sizeof negative);
    errors_of(s);
    ask(GETLINK, 0, &far, sizeof far);
    errors_of(s);
    ask(GETLINK, 0, &any, sizeof any);
    attr(IFNAME, "nosuch", 7);
    errors_of(s);
    ask(GETLINK, 0, &any, sizeof any);
    attr(IFNAME, "a name that is too long", 24);
    errors_of(s);
    ask(GETLINK, 0, &any, 4);
    errors_of(s);
    ask(NEWLINK + 900, 0, &any, sizeof any);
    errors_of(s);
    ask(DELADDR, ACK, &on_lo, sizeof on_lo);
    ip(2, "127.77.77.77");
    errors_of(s);
    ask(DELADDR, ACK, &on_none, sizeof on_none);
    ip(2, "127.77.77.77");
    errors_of(s);
    ask(NEWADDR, ACK | CREATE | EXCL, &on_lo, sizeof on_lo);
    ip(2, "127.0.0.1");
    ip(1, "127.0.0.1");
    errors_of(s);
    ask(NEWADDR, ACK | CREATE | EXCL, &long_prefix, sizeof long_prefix);
    ip(2, "127.0.0.1");
    errors_of(s);
    ask(NEWADDR, ACK | CREATE | EXCL, &on_lo, sizeof on_lo);
    errors_of(s);
    ask(NEWADDR, ACK | CREATE | EXCL, &on_lo, sizeof on_lo);
    attr(2, "\177\0", 2);
    errors_of(s);
    ask(DELROUTE, ACK, &r, sizeof r);
    ip(1, "198.51.100.0");
    errors_of(s);
    ask(NEWROUTE, ACK, &r, sizeof r);
    ip(1, "198.51.100.1");
    errors_of(s);
    r.dst_len = 33;
    ask(NEWROUTE, ACK, &r, sizeof r);
    ip(1, "198.51.100.0");
    errors_of(s);
    r.dst_len = 24;
    r.type = 99;
    ask(NEWROUTE, ACK, &r, sizeof r);
    ip(1, "198.51.100.0");
    errors_of(s);
    r.type = 1;
    ask(NEWROUTE, ACK | CREATE, &r, sizeof r);
    ip(1, "198.51.100.0");
    errors_of(s);
    ask(NEWROUTE, ACK | CREATE, &r, sizeof r);
    ip(1, "198.51.100.0");
    attr(4, &(int){ 999999 }, 4);
    errors_of(s);
}

CASE(an_error_quotes_what_was_asked)
{
    const struct link far = { .index = 999999 };
    int s = netlink();

    ask(GETLINK, ACK, &far, sizeof far);
    errors_of(s);
    printf("%d\n", memcmp(in + 20, out, n_out));
    ask(GETLINK, 0, &far, sizeof far);
    ((struct header *)out)->flags = ACK; /* no request: just acknowledged */
    errors_of(s);
    ((struct header *)out)->flags = 0;
    errors_of(s);
    ((struct header *)out)->flags = REQUEST | ACK;
    ((struct header *)out)->type = 1; /* NLMSG_NOOP */
    errors_of(s);
    ask(GETLINK, ACK, &far, 0);
    errors_of(s);
}

CASE(lengths_that_lie)
{
    static const uint32_t lengths[] = { 0, 15, 17, 1000, UINT32_MAX };
    int s = netlink();

    for (unsigned i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        ask_lo();
        ((struct header *)out)->flags |= ACK;
        ((struct header *)out)->len = lengths[i];
        errors_of(s);
    }
    SHOW(send(s, out, 10, 0));
    SHOW(send(s, out, 0, 0));
    SHOW(recv(s, in, sizeof in, MSG_DONTWAIT));
    SHOW(send(s, NULL, 20, 0));
    SHOW(send(s, out, 20, MSG_OOB));
}

CASE(two_requests_in_one_message)
{
    int s = netlink(), types[3] = { 0 };

    ask_lo();
    unsigned first = n_out;
    memcpy(out + first, out, first);
    ((struct header *)(out + first))->type = NEWLINK + 900;
    SHOW(send(s, out, 2 * first, 0) == (ssize_t)(2 * first));
    for (int i = 0; i < 3 && recv(s, in, sizeof in, MSG_DONTWAIT) > 0; i++)
        types[i] = ((struct header *)in)->type;
    printf("%d %d %d\n", types[0], types[1], types[2]);
}

CASE(changes_are_the_administrators)
{
    const struct address on_lo = { .family = AF_INET, .len = 8, .index = if_nametoindex("lo") };
    struct name other = { AF_NETLINK, 0, 4711, 0 };
    int s = netlink();

    SHOW(setsockopt(s, SOL_NETLINK_, CAP_ACK, &(int){ 1 }, 4));
    SHOW(setresuid(65534, 65534, 65534));
    ask(DELADDR, ACK, &on_lo, sizeof on_lo);
    ip(2, "127.77.77.77");
    errors_of(s);
    s = netlink();
    SHOW(setsockopt(s, SOL_NETLINK_, CAP_ACK, &(int){ 1 }, 4));
    ask(DELADDR, ACK, &on_lo, sizeof on_lo);
    ip(2, "127.77.77.77");
    errors_of(s);
    ask(NEWLINK + 900, ACK, &on_lo, sizeof on_lo);
    errors_of(s);
    SHOW(sendto(s, out, n_out, 0, (void *)&other, sizeof other));
    SHOW(connect(s, (void *)&other, sizeof other));
}

CASE(strangers)
{
    struct name other = { AF_NETLINK, 0, 0x7ffffff1, 0 };
    int s = netlink();

    SHOW(sendto(s, "hello", 5, 0, (void *)&other, sizeof other));
    other.family = AF_INET;
    SHOW(sendto(s, "hello", 5, 0, (void *)&other, sizeof other));
    SHOW(sendto(s, "hello", 5, 0, (void *)&other, 4));
}
