/* user/tests/socketfuzz/options.c - setsockopt and getsockopt with values, lengths and numbers by chance.
 * Every option of the levels is asked for; some are not set to just anything, as they would make the rest of
 * the round depend on time, or on the size of the machine's buffers. */
#define _GNU_SOURCE
#include "user/tests/socketfuzz/fuzz.h"

enum print {
    ALL,    /* the value */
    LENGTH, /* how long it is: the value is the machine's */
    NEVER   /* neither set nor asked for: the reason stands beside it */
};
enum value { ANY, SWITCH, SMALL, TIME, LINGER, DEVICE, NAME, BUFFER, NOT_SET };

struct option {
    const char *name;
    int level, number;
    enum print print;
    enum value value;
};
#define SO(name, print, value)                                                                               \
    {                                                                                                        \
#name, SOL_SOCKET, name, print, value                                                                \
    }
#define TCP(name, print, value)                                                                              \
    {                                                                                                        \
#name, IPPROTO_TCP, name, print, value                                                               \
    }
#define IP(name, print, value)                                                                               \
    {                                                                                                        \
#name, IPPROTO_IP, name, print, value                                                                \
    }

static const struct option options[] = {
    SO(SO_DEBUG, ALL, SWITCH),
    SO(SO_REUSEADDR, ALL, ANY),
    SO(SO_TYPE, ALL, ANY),
    SO(SO_ERROR, ALL, ANY),
    SO(SO_DONTROUTE, ALL, ANY),
    SO(SO_BROADCAST, ALL, ANY),
    SO(SO_SNDBUF, LENGTH, BUFFER),
    SO(SO_RCVBUF, LENGTH, BUFFER),
    SO(SO_KEEPALIVE, ALL, ANY),
    SO(SO_OOBINLINE, ALL, ANY),
    SO(SO_NO_CHECK, ALL, ANY),
    SO(SO_PRIORITY, ALL, ANY),
    SO(SO_LINGER, ALL, LINGER),
    SO(SO_BSDCOMPAT, ALL, ANY),
    SO(SO_REUSEPORT, ALL, ANY),
    SO(SO_PASSCRED, ALL, ANY),
    SO(SO_PEERCRED, LENGTH, ANY),
    SO(SO_RCVLOWAT, ALL, SMALL),
    SO(SO_SNDLOWAT, ALL, ANY),
    SO(SO_RCVTIMEO, ALL, TIME),
    SO(SO_SNDTIMEO, ALL, TIME),
    { "22", SOL_SOCKET, 22, ALL, ANY },
    SO(SO_BINDTODEVICE, ALL, DEVICE),
    SO(SO_PEERNAME, LENGTH, ANY),
    SO(SO_TIMESTAMP, ALL, ANY),
    SO(SO_ACCEPTCONN, ALL, ANY),
    SO(SO_SNDBUFFORCE, LENGTH, BUFFER),
    SO(SO_RCVBUFFORCE, LENGTH, BUFFER),
    SO(SO_TIMESTAMPNS, ALL, ANY),
    SO(SO_MARK, ALL, ANY),
    SO(SO_TIMESTAMPING, NEVER, ANY), /* doc/limits.md: it is not there */
    SO(SO_PROTOCOL, ALL, ANY),
    SO(SO_DOMAIN, ALL, ANY),
    SO(SO_RXQ_OVFL, ALL, ANY),
    SO(SO_WIFI_STATUS, ALL, ANY),
    SO(SO_PEEK_OFF, ALL, SMALL),
    SO(SO_NOFCS, ALL, ANY),
    SO(SO_LOCK_FILTER, ALL, NOT_SET),
    SO(SO_SELECT_ERR_QUEUE, ALL, ANY),
    SO(SO_BUSY_POLL, ALL, SMALL),
    SO(SO_BPF_EXTENSIONS, LENGTH, ANY),
    SO(SO_INCOMING_CPU, LENGTH, SMALL),
    SO(SO_MEMINFO, LENGTH, ANY),
    SO(SO_INCOMING_NAPI_ID, ALL, ANY),
    SO(SO_COOKIE, LENGTH, ANY),
    { "SO_BINDTOIFINDEX", SOL_SOCKET, 62, ALL, SMALL },
    { "SO_TIMESTAMP_NEW", SOL_SOCKET, 63, ALL, ANY },
    { "SO_TIMESTAMPNS_NEW", SOL_SOCKET, 64, ALL, ANY },
    { "SO_RCVTIMEO_NEW", SOL_SOCKET, 66, ALL, TIME },
    { "SO_SNDTIMEO_NEW", SOL_SOCKET, 67, ALL, TIME },
    { "SO_PREFER_BUSY_POLL", SOL_SOCKET, 69, ALL, SWITCH },
    { "SO_BUSY_POLL_BUDGET", SOL_SOCKET, 70, ALL, SMALL },
    { "SO_NETNS_COOKIE", SOL_SOCKET, 71, LENGTH, ANY },
    { "SO_BUF_LOCK", SOL_SOCKET, 72, ALL, NOT_SET },
    { "SO_TXREHASH", SOL_SOCKET, 74, ALL, ANY },
    { "SO_RCVMARK", SOL_SOCKET, 75, ALL, ANY },

    TCP(TCP_NODELAY, ALL, ANY),
    TCP(TCP_MAXSEG, LENGTH, ANY),
    TCP(TCP_CORK, ALL, ANY),
    TCP(TCP_KEEPIDLE, ALL, ANY),
    TCP(TCP_KEEPINTVL, ALL, ANY),
    TCP(TCP_KEEPCNT, ALL, ANY),
    TCP(TCP_SYNCNT, ALL, ANY),
    TCP(TCP_LINGER2, ALL, ANY),
    TCP(TCP_DEFER_ACCEPT, ALL, ANY),
    TCP(TCP_WINDOW_CLAMP, LENGTH, NOT_SET),
    TCP(TCP_INFO, NEVER, ANY), /* its length is the kernel's version's */
    TCP(TCP_QUICKACK, LENGTH, ANY),
    TCP(TCP_CONGESTION, LENGTH, NAME),
    TCP(TCP_MD5SIG, NEVER, ANY), /* there or not by how Linux was configured */
    TCP(TCP_THIN_LINEAR_TIMEOUTS, ALL, ANY),
    TCP(TCP_THIN_DUPACK, ALL, ANY),
    TCP(TCP_USER_TIMEOUT, ALL, ANY),
    TCP(TCP_REPAIR, ALL, NOT_SET),
    TCP(TCP_FASTOPEN, ALL, ANY),
    TCP(TCP_TIMESTAMP, LENGTH, ANY),
    TCP(TCP_NOTSENT_LOWAT, ALL, NOT_SET),
    TCP(TCP_CC_INFO, LENGTH, ANY),
    TCP(TCP_SAVE_SYN, NEVER, ANY), /* doc/limits.md: they are not there */
    TCP(TCP_SAVED_SYN, NEVER, ANY),
    TCP(TCP_FASTOPEN_CONNECT, ALL, NOT_SET),
    TCP(TCP_ULP, ALL, NAME),
    TCP(TCP_INQ, ALL, ANY),
    TCP(TCP_TX_DELAY, ALL, NOT_SET),

    IP(IP_TOS, ALL, ANY),
    IP(IP_TTL, ALL, ANY),
    IP(IP_RECVTTL, ALL, ANY),
    IP(IP_RECVTOS, ALL, ANY),
    IP(IP_PKTINFO, ALL, ANY),
    IP(IP_MTU_DISCOVER, ALL, ANY),
    IP(IP_RECVERR, ALL, ANY),
    IP(IP_FREEBIND, ALL, ANY),
    IP(IP_BIND_ADDRESS_NO_PORT, ALL, ANY),
    IP(IP_MTU, LENGTH, ANY),
    { "UDP_CORK", IPPROTO_UDP, 1, ALL, SWITCH },
};

static struct option some_option(void)
{
    static const int levels[] = { IPPROTO_TCP, IPPROTO_UDP, 41, 255, 77, -1 };
    static const int beyond[] = { 0, 87, 99, 200, 1000, -1, INT32_MAX };

    if (below(12)) {
        struct option o = PICK(options);
        if (below(14) == 0)
            o.level = PICK(levels);
        return o;
    }
    return (struct option){ "?", PICK(levels), PICK(beyond), ALL, ANY };
}

/* Levels that options.c has no table for, and options whose meaning there is another. */
static bool is_foreign(const struct option *o)
{
    return o->print == NEVER;
}

static const int numbers[] = { 0,  1,  1,   1,     2,     3,     6,    7,       20,        64,     88,
                               -1, 64, 255, 256,   536,   1460,  4096, 30000,   32767,     32768,  65535,
                               -2, 77, 127, 65536, 70000, 86400, 1000, INT_MAX, INT32_MIN, 0x10001 };

/* ---- setting ---- */

static size_t make_value(enum value kind, uint8_t *value)
{
    static const char *const names[] = { "reno", "cubic", "nosuch", "lo", "nosuch0", "" };
    static const int small[] = { 0, 1, 2, 3, 5, 20, -1, -5 };
    int number = kind == SWITCH ? (int)below(2) : kind == SMALL ? PICK(small) : PICK(numbers);

    memset(value, 0, 64);
    memcpy(value, &number, sizeof number);
    switch (kind) {
    case TIME:
        memcpy(value, &(struct timeval){ PICK(small), below(4) ? (long)below(10) * 100000 : PICK(numbers) },
               sizeof(struct timeval));
        return sizeof(struct timeval);
    case LINGER:
        memcpy(value, &(struct linger){ (int)below(3), (int)below(2) }, sizeof(struct linger));
        return sizeof(struct linger);
    case DEVICE:
    case NAME:
        strcpy((char *)value, PICK(names));
        return strlen((char *)value) + below(2);
    default:
        return sizeof number;
    }
}

/* Small, so that the least shows, and then as large as it has to be for all that a round sends. */
static void set_buffer(struct slot *s, const struct option *o)
{
    static const int sizes[] = { -1, 0, 1, 1000, 2000, 3000, 5000, 30000, 100000 };
    int ask = o->number == SO_SNDBUF || o->number == SO_SNDBUFFORCE ? SO_SNDBUF : SO_RCVBUF;
    int size = PICK(sizes), got = 0, enough = 150000;
    socklen_t len = sizeof got;

    tell(" %d", size);
    tell_result(setsockopt(s->fd, SOL_SOCKET, o->number, &size, sizeof size));
    if (size >= 3000 &&
        !getsockopt(s->fd, SOL_SOCKET, ask, &got, &len)) /* below: the least, by struct sizes */
        tell(" %d", got);
    setsockopt(s->fd, SOL_SOCKET, ask, &enough, sizeof enough);
}

void call_setsockopt(struct slot *s)
{
    static const int lengths[] = { 0, 1, 2, 3, 5, 8, 12, 15, 16, 17, 40, -1 };
    struct option o = some_option();
    uint8_t value[64];
    int len = (int)make_value(o.value, value);

    tell(" %s %d", o.name, o.level);
    if (is_foreign(&o) || o.value == NOT_SET)
        return;
    if (o.value == BUFFER && o.level == SOL_SOCKET) {
        set_buffer(s, &o);
        return;
    }
    if (below(10) == 0)
        len = PICK(lengths);
    bool bad = below(40) == 0;
    tell(" %d:", len);
    for (int i = 0; i < len && i < 16; i += 4)
        tell(" %d", *(int *)(void *)(value + i));
    tell(bad ? " bad" : "");
    tell_result(setsockopt(s->fd, o.level, o.number, bad ? (void *)8 : value, (socklen_t)len));
}

/* ---- asking ---- */

void call_getsockopt(struct slot *s)
{
    static const int lengths[] = { 64, 64, 64, 4, 4, 4, 0, 1, 2, 3, 8, 16, -1 };
    struct option o = some_option();
    union {
        uint8_t bytes[64];
        int numbers[16];
    } value;
    socklen_t len = (socklen_t)PICK(lengths);

    memset(&value, 0, sizeof value);
    tell(" %s %d %d", o.name, o.level, (int)len);
    if (is_foreign(&o))
        return;
    long result = getsockopt(s->fd, o.level, o.number, value.bytes, &len);
    tell_result(result);
    if (result)
        return;
    tell(" %u", len);
    if (o.print == ALL)
        for (unsigned i = 0; i < len && i < 16; i += 4)
            tell(" %d", value.numbers[i / 4]);
}
