/* user/tests/socketfuzz/messages.c - calls that send and receive; straight to the kernel, as C libraries copy
 * messages and lay their parts out anew. */
#define _GNU_SOURCE
#include "user/tests/socketfuzz/fuzz.h"

enum { PIECE = 600, MESSAGES = 3 };

static uint8_t memory[4 * PIECE];
static uint8_t control[256];

static size_t some_size(void)
{
    static const size_t sizes[] = { 0, 1, 2, 3, 5, 10, 100, PIECE };

    return PICK(sizes);
}

static const struct {
    int flag;
    bool sends, receives;
} flags[] = {
    { MSG_OOB, true, true },        { MSG_PEEK, false, true },     { MSG_PEEK, false, true },
    { MSG_TRUNC, false, true },     { MSG_WAITALL, false, true },  { MSG_NOSIGNAL, true, true },
    { MSG_MORE, true, false },      { MSG_EOR, true, false },      { MSG_CONFIRM, true, false },
    { MSG_CTRUNC, true, true },     { MSG_ERRQUEUE, false, true }, { MSG_CMSG_CLOEXEC, false, true },
    { MSG_WAITFORONE, true, true }, { MSG_DONTWAIT, true, true },  { MSG_SYN, true, true },
    { MSG_FIN, true, true },        { MSG_RST, true, true },       { MSG_PROXY, true, true },
    { 0x100000, true, true },       { 0x800000, false, true },
};

/* doc/limits.md: local sockets have no urgent byte. */
static bool is_missing(const struct slot *s, int flag)
{
    return flag == MSG_OOB && s->family == AF_UNIX;
}

static int some_flags(const struct slot *s, bool send)
{
    int set = 0;

    if (below(3))
        return 0;
    for (uint64_t n = 1 + below(2); n; n--) {
        size_t i = below(sizeof flags / sizeof *flags);
        if ((send ? flags[i].sends : flags[i].receives) && !is_missing(s, flags[i].flag))
            set |= flags[i].flag;
    }
    return set;
}

static void fill(size_t n)
{
    for (size_t i = 0; i < n; i++)
        memory[i] = (uint8_t)('a' + i % 26);
}

/* Enough to tell one text from another. */
static void tell_bytes(size_t n)
{
    unsigned sum = 0;

    for (size_t i = 0; i < n && i < sizeof memory; i++)
        sum = sum * 31 + memory[i];
    if (n)
        tell(" %c %x", memory[0] ? memory[0] : '0', sum);
}

/* ---- sending ---- */

void call_send(struct slot *s)
{
    size_t n = some_size();
    struct sockaddr_storage addr;
    socklen_t len = 0;
    int how = some_flags(s, true);

    fill(n);
    tell(" %zu %x", n, how);
    if (below(4) == 0)
        len = some_address(&addr);
    tell_result(sendto(s->fd, memory, n, how, len ? (struct sockaddr *)&addr : NULL, len));
}

/* A message in one to three pieces, from our memory. */
static void make_message(struct msghdr *m, struct iovec *v)
{
    size_t at = 0;

    *m = (struct msghdr){ .msg_iov = v, .msg_iovlen = below(4) };
    for (unsigned i = 0; i < (unsigned)m->msg_iovlen; i++) {
        v[i] = (struct iovec){ memory + at, some_size() };
        at += v[i].iov_len;
    }
}

static size_t add_control(size_t at, int level, int type, const void *data, size_t n)
{
    struct cmsghdr c = { .cmsg_len = CMSG_LEN(n), .cmsg_level = level, .cmsg_type = type };

    memset(control + at, 0, CMSG_SPACE(n));
    memcpy(control + at, &c, sizeof c);
    memcpy(control + at + CMSG_LEN(0), data, n);
    return at + CMSG_SPACE(n);
}

static size_t some_control(void)
{
    const struct ucred me = { getpid(), getuid(), getgid() };
    int fds[2] = { now.slots[some_slot()].fd, now.epoll };
    int number = (int)below(300) - 20;

    switch (below(8)) {
    case 0:
        return add_control(0, SOL_SOCKET, SCM_RIGHTS, fds, sizeof(int) * (1 + below(2)));
    case 1:
        return add_control(0, SOL_SOCKET, SCM_CREDENTIALS, &me, sizeof me);
    case 2:
        return add_control(0, IPPROTO_IP, IP_TTL, &number, sizeof number);
    case 3:
        return add_control(0, IPPROTO_IP, IP_TOS, &number, sizeof number);
    case 4:
        return add_control(0, SOL_SOCKET, SO_MARK, &number, sizeof number);
    case 5:
        return add_control(0, SOL_SOCKET, (int)below(60), &number, sizeof number);
    case 6:
        return add_control(0, (int)below(20), (int)below(30), &number, sizeof number);
    default:
        return add_control(add_control(0, SOL_SOCKET, SCM_RIGHTS, fds, sizeof fds[0]), SOL_SOCKET, SCM_RIGHTS,
                           fds, sizeof fds[0]);
    }
}

void call_sendmsg(struct slot *s)
{
    struct sockaddr_storage addr;
    struct iovec v[4];
    struct msghdr m;
    int how = some_flags(s, true);

    fill(sizeof memory);
    make_message(&m, v);
    tell(" %u pieces %x", (unsigned)m.msg_iovlen, how);
    if (below(4) == 0) {
        m.msg_name = &addr;
        m.msg_namelen = some_address(&addr);
    }
    if (below(4) == 0) {
        m.msg_control = control;
        m.msg_controllen = some_control();
        tell(" control %u", (unsigned)m.msg_controllen);
        for (size_t i = 0; i < CMSG_LEN(sizeof(int)) / sizeof(int) - 1; i += 1)
            tell(i ? ",%d" : " %d", ((int *)control)[i]);
    }
    tell_result(syscall(SYS_sendmsg, s->fd, &m, how));
}

void call_sendmmsg(struct slot *s)
{
    struct mmsghdr m[MESSAGES];
    struct iovec v[MESSAGES][4];
    int how = some_flags(s, true);

    fill(sizeof memory);
    memset(m, 0, sizeof m);
    for (int i = 0; i < MESSAGES; i++)
        make_message(&m[i].msg_hdr, v[i]);
    tell(" %x", how);
    long n = syscall(SYS_sendmmsg, s->fd, m, MESSAGES, how);
    tell_result(n);
    for (int i = 0; i < n; i++)
        tell(" %u", m[i].msg_len);
}

/* ---- receiving ---- */

void call_recv(struct slot *s)
{
    size_t n = some_size();
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    int how = some_flags(s, false);
    bool named = below(3) == 0;

    memset(memory, 0, sizeof memory);
    memset(&addr, 0, sizeof addr);
    tell(" %zu %x", n, how);
    ssize_t got =
        recvfrom(s->fd, memory, n, how, named ? (struct sockaddr *)&addr : NULL, named ? &len : NULL);
    tell_result(got);
    if (got > 0)
        tell_bytes((size_t)got);
    if (got >= 0 && named)
        tell_address(&addr, len);
}

static void close_files(const struct cmsghdr *c)
{
    size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

    for (size_t i = 0; i < n; i++) {
        int fd;
        memcpy(&fd, CMSG_DATA(c) + i * sizeof fd, sizeof fd);
        close(fd);
    }
}

/* The control messages: what they are, and their values where those are nobody's own. */
static void tell_control(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        int number = 0;
        tell(" {%d %d %zu", c->cmsg_level, c->cmsg_type, (size_t)c->cmsg_len);
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
            close_files(c);
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_len >= CMSG_LEN(sizeof number)) {
            memcpy(&number, CMSG_DATA(c), sizeof number);
            if (c->cmsg_type == IP_TTL || c->cmsg_type == IP_TOS)
                tell(" %d", number);
        }
        tell("}");
    }
}

static void tell_received(struct msghdr *m, ssize_t got)
{
    tell_bytes((size_t)got);
    tell(" flags %x", (unsigned)m->msg_flags);
    if (m->msg_name)
        tell_address(m->msg_name, m->msg_namelen);
    if (m->msg_control)
        tell_control(m);
}

void call_recvmsg(struct slot *s)
{
    static const size_t rooms[] = { 256, 256, 64, 24, 17, 1, 0 };
    struct sockaddr_storage addr;
    struct iovec v[4];
    struct msghdr m;
    int how = some_flags(s, false);

    memset(memory, 0, sizeof memory);
    memset(&addr, 0, sizeof addr);
    make_message(&m, v);
    if (below(2)) {
        m.msg_name = &addr;
        m.msg_namelen = (socklen_t)(below(3) ? sizeof addr : below(20));
    }
    if (below(2)) {
        m.msg_control = control;
        m.msg_controllen = PICK(rooms);
    }
    tell(" %u pieces %x name %u control %u", (unsigned)m.msg_iovlen, how, m.msg_namelen,
         (unsigned)m.msg_controllen);
    ssize_t got = syscall(SYS_recvmsg, s->fd, &m, how);
    tell_result(got);
    if (got >= 0)
        tell_received(&m, got);
}

void call_recvmmsg(struct slot *s)
{
    struct mmsghdr m[MESSAGES];
    struct iovec v[MESSAGES][4];
    struct timespec t = { 0, 0 };
    int how = some_flags(s, false);

    memset(memory, 0, sizeof memory);
    memset(m, 0, sizeof m);
    for (int i = 0; i < MESSAGES; i++)
        make_message(&m[i].msg_hdr, v[i]);
    tell(" %x", how);
    long n = syscall(SYS_recvmmsg, s->fd, m, MESSAGES, how, below(2) ? &t : NULL);
    tell_result(n);
    for (int i = 0; i < n; i++)
        tell(" %u/%x", m[i].msg_len, (unsigned)m[i].msg_hdr.msg_flags);
}
