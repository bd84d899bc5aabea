/* sim/script/names.c - the words of the language, as tables. The numbers of calls' constants are Linux's. */
#include "sim/script/names.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

static bool same(const char *text, const char *name, size_t n)
{
    return strlen(text) == n && !memcmp(text, name, n);
}

/* ---- constants ---- */

struct constant {
    const char *name;
    int64_t value;
};

#define E(name)                                                                                              \
    {                                                                                                        \
#name, -name                                                                                         \
    }
#define IS(name)                                                                                             \
    {                                                                                                        \
#name, name                                                                                          \
    }

static const struct constant errors[] = {
    E(EPERM),      E(ENOENT),        E(EINTR),      E(EIO),          E(EBADF),           E(EAGAIN),
    E(ENOMEM),     E(EACCES),        E(EFAULT),     E(EBUSY),        E(EEXIST),          E(EINVAL),
    E(EMFILE),     E(EPIPE),         E(EDOM),       E(ENOTSOCK),     E(EDESTADDRREQ),    E(EMSGSIZE),
    E(EPROTOTYPE), E(ENOPROTOOPT),   E(EOPNOTSUPP), E(EADDRINUSE),   E(EPROTONOSUPPORT), E(EAFNOSUPPORT),
    E(ENETDOWN),   E(EADDRNOTAVAIL), E(ENOBUFS),    E(ENETUNREACH),  E(ECONNABORTED),    E(ECONNRESET),
    E(EISCONN),    E(ENOTCONN),      E(ETIMEDOUT),  E(ECONNREFUSED), E(EHOSTUNREACH),    E(EHOSTDOWN),
    E(EALREADY),   E(EINPROGRESS),   E(EPROTO),     E(ENOSYS),       E(ENODEV),          E(ESOCKTNOSUPPORT),
    E(ENOTTY),     E(EBADMSG),
};

static const struct constant constants[] = {
    { "tcp", SOCK_STREAM },
    { "udp", SOCK_DGRAM },
    IS(MSG_PEEK),
    IS(MSG_DONTWAIT),
    IS(MSG_OOB),
    IS(MSG_TRUNC),
    IS(MSG_WAITALL),
    IS(MSG_NOSIGNAL),
    IS(MSG_MORE),
    IS(MSG_ERRQUEUE),
    IS(MSG_CTRUNC),
    IS(MSG_CONFIRM),
    IS(SHUT_RD),
    IS(SHUT_WR),
    IS(SHUT_RDWR),
    IS(POLLIN),
    IS(POLLOUT),
    IS(POLLERR),
    IS(POLLHUP),
    IS(POLLPRI),
    IS(POLLRDHUP),
    IS(POLLNVAL),
    IS(IP_PMTUDISC_DONT),
    IS(IP_PMTUDISC_DO),
    IS(IP_PMTUDISC_WANT),
    IS(IP_PMTUDISC_PROBE),
    { "ESTABLISHED", TCP_ESTABLISHED },
    { "SYN_SENT", TCP_SYN_SENT },
    { "SYN_RECEIVED", TCP_SYN_RECV },
    { "FIN_WAIT_1", TCP_FIN_WAIT1 },
    { "FIN_WAIT_2", TCP_FIN_WAIT2 },
    { "TIME_WAIT", TCP_TIME_WAIT },
    { "CLOSED", TCP_CLOSE },
    { "CLOSE_WAIT", TCP_CLOSE_WAIT },
    { "LAST_ACK", TCP_LAST_ACK },
    { "LISTEN", TCP_LISTEN },
    { "CLOSING", TCP_CLOSING },
};

/* Options with the level they are of. */
static const struct {
    struct constant constant;
    int level;
} options[] = {
#define SOL(name)                                                                                            \
    {                                                                                                        \
        { #name, name }, SOL_SOCKET                                                                          \
    }
#define TCP(name)                                                                                            \
    {                                                                                                        \
        { #name, name }, IPPROTO_TCP                                                                         \
    }
#define IPO(name)                                                                                            \
    {                                                                                                        \
        { #name, name }, IPPROTO_IP                                                                          \
    }
    SOL(SO_ERROR),         SOL(SO_REUSEADDR),      SOL(SO_REUSEPORT),     SOL(SO_KEEPALIVE),
    SOL(SO_LINGER),        SOL(SO_OOBINLINE),      SOL(SO_SNDBUF),        SOL(SO_RCVBUF),
    SOL(SO_RCVTIMEO),      SOL(SO_SNDTIMEO),       SOL(SO_RCVLOWAT),      SOL(SO_BROADCAST),
    SOL(SO_ACCEPTCONN),    SOL(SO_TYPE),           SOL(SO_SNDBUFFORCE),   SOL(SO_RCVBUFFORCE),
    SOL(SO_BINDTODEVICE),  TCP(TCP_NODELAY),       TCP(TCP_CORK),         TCP(TCP_MAXSEG),
    TCP(TCP_KEEPIDLE),     TCP(TCP_KEEPINTVL),     TCP(TCP_KEEPCNT),      TCP(TCP_SYNCNT),
    TCP(TCP_LINGER2),      TCP(TCP_DEFER_ACCEPT),  TCP(TCP_QUICKACK),     TCP(TCP_USER_TIMEOUT),
    TCP(TCP_CONGESTION),   TCP(TCP_NOTSENT_LOWAT), TCP(TCP_WINDOW_CLAMP), IPO(IP_TTL),
    IPO(IP_TOS),           IPO(IP_RECVERR),        IPO(IP_MTU_DISCOVER),  IPO(IP_MTU),
    IPO(IP_MULTICAST_TTL), IPO(IP_MULTICAST_LOOP),
#undef SOL
#undef TCP
#undef IPO
};

static bool constant_in(const struct constant *table, size_t count, const char *name, size_t n,
                        int64_t *value)
{
    for (size_t i = 0; i < count; i++)
        if (same(table[i].name, name, n)) {
            *value = table[i].value;
            return true;
        }
    return false;
}

#define COUNT(table) (sizeof(table) / sizeof *(table))

bool name_constant(const char *name, size_t n, int64_t *value)
{
    if (constant_in(errors, COUNT(errors), name, n, value) ||
        constant_in(constants, COUNT(constants), name, n, value))
        return true;
    for (size_t i = 0; i < COUNT(options); i++)
        if (constant_in(&options[i].constant, 1, name, n, value))
            return true;
    return false;
}

int option_level(const char *name, size_t n)
{
    for (size_t i = 0; i < COUNT(options); i++)
        if (same(options[i].constant.name, name, n))
            return options[i].level;
    return -1;
}

const char *name_of_errno(int64_t error)
{
    for (size_t i = 0; i < COUNT(errors); i++)
        if (errors[i].value == -error)
            return errors[i].name;
    return NULL;
}

/* ---- packets ---- */

#define PORTS (LAYER_TCP | LAYER_UDP)
#define TEXT  (LAYER_TCP | LAYER_UDP | LAYER_ICMP | LAYER_OTHER)

const struct field_name field_names[FIELD_COUNT] = {
    [FIELD_VERSION] = { "ver", LAYER_IP, PLAIN },
    [FIELD_IHL] = { "ihl", LAYER_IP, PLAIN },
    [FIELD_TOS] = { "tos", LAYER_IP, HEX },
    [FIELD_TOTAL] = { "total", LAYER_IP, PLAIN },
    [FIELD_ID] = { "id", LAYER_IP, PLAIN },
    [FIELD_DF] = { "df", LAYER_IP, FLAG },
    [FIELD_MORE] = { "more", LAYER_IP, FLAG },
    [FIELD_OFFSET] = { "offset", LAYER_IP, PLAIN },
    [FIELD_TTL] = { "ttl", LAYER_IP, PLAIN },
    [FIELD_PROTO] = { "protocol", LAYER_IP, PLAIN },
    [FIELD_SRC] = { "src", LAYER_IP, ADDRESS },
    [FIELD_DST] = { "dst", LAYER_IP, ADDRESS },
    [FIELD_MAC] = { "mac", LAYER_IP, MAC },
    [FIELD_PAD] = { "pad", LAYER_IP, PLAIN },
    [FIELD_CUT] = { "cut", LAYER_IP, PLAIN },
    [FIELD_FROM] = { "from", PORTS, PLAIN },
    [FIELD_TO] = { "to", PORTS, PLAIN },
    [FIELD_SEQ] = { "seq", LAYER_TCP, PLAIN },
    [FIELD_ACK] = { "ack", LAYER_TCP, PLAIN },
    [FIELD_RAWSEQ] = { "rawseq", LAYER_TCP, PLAIN },
    [FIELD_RAWACK] = { "rawack", LAYER_TCP, PLAIN },
    [FIELD_DOFF] = { "doff", LAYER_TCP, PLAIN },
    [FIELD_WIN] = { "win", LAYER_TCP, PLAIN },
    [FIELD_RAWWIN] = { "rawwin", LAYER_TCP, PLAIN },
    [FIELD_URG] = { "urg", LAYER_TCP, PLAIN },
    [FIELD_LEN] = { "len", TEXT, PLAIN },
    [FIELD_LENGTH] = { "length", LAYER_UDP, PLAIN },
    [FIELD_TYPE] = { "type", LAYER_ICMP, PLAIN },
    [FIELD_CODE] = { "code", LAYER_ICMP, PLAIN },
    [FIELD_ICMPID] = { "id", LAYER_ICMP, PLAIN },
    [FIELD_NUM] = { "num", LAYER_ICMP, PLAIN },
    [FIELD_MTU] = { "mtu", LAYER_ICMP, PLAIN },
    [FIELD_QUOTE] = { "quote", LAYER_ICMP, PLAIN },
    [FIELD_OP] = { "op", LAYER_ARP, PLAIN },
    [FIELD_SENDER] = { "sender", LAYER_ARP, ADDRESS },
    [FIELD_TARGET] = { "target", LAYER_ARP, ADDRESS },
    [FIELD_SMAC] = { "smac", LAYER_ARP, MAC },
    [FIELD_TMAC] = { "tmac", LAYER_ARP, MAC },
    [FIELD_HW] = { "hw", LAYER_ARP, PLAIN },
    [FIELD_PT] = { "pt", LAYER_ARP, HEX },
    [FIELD_HLEN] = { "hlen", LAYER_ARP, PLAIN },
    [FIELD_PLEN] = { "plen", LAYER_ARP, PLAIN },
};

enum field field_find(enum field_layer layer, const char *name, size_t n)
{
    for (int i = 0; i < FIELD_COUNT; i++)
        if (field_names[i].layers & layer && same(field_names[i].name, name, n))
            return (enum field)i;
    return FIELD_COUNT;
}

enum field_layer field_layer_of(enum packet_kind kind)
{
    static const enum field_layer layers[] = {
        [KIND_ANY] = LAYER_IP,    [KIND_TCP] = LAYER_TCP,     [KIND_UDP] = LAYER_UDP,
        [KIND_ICMP] = LAYER_ICMP, [KIND_OTHER] = LAYER_OTHER, [KIND_ARP] = LAYER_ARP
    };

    return layers[kind];
}

const char *const tcp_flag_names[8] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR" };

uint8_t name_tcp_flag(const char *name, size_t n)
{
    for (unsigned i = 0; i < COUNT(tcp_flag_names); i++)
        if (same(tcp_flag_names[i], name, n))
            return (uint8_t)(1u << i);
    return 0;
}

/* ---- calls ---- */

static const struct call_name calls[] = {
    { "socket", 1, 3, CALL_SOCKET },
    { "bind", 2, 2, CALL_BIND },
    { "listen", 2, 2, CALL_LISTEN },
    { "accept", 1, 1, CALL_ACCEPT },
    { "connect", 2, 2, CALL_CONNECT },
    { "write", 2, 2, CALL_SEND },
    { "send", 2, 3, CALL_SEND },
    { "read", 2, 2, CALL_RECV },
    { "recv", 2, 3, CALL_RECV },
    { "sendto", 3, 4, CALL_SENDTO },
    { "recvfrom", 2, 3, CALL_RECVFROM },
    { "close", 1, 1, CALL_CLOSE },
    { "shutdown", 2, 2, CALL_SHUTDOWN },
    { "setsockopt", 3, 3, CALL_SETSOCKOPT },
    { "getsockopt", 2, 2, CALL_GETSOCKOPT },
    { "poll", 2, 3, CALL_POLL },
    { "nonblock", 1, 1, CALL_NONBLOCK },
    { "getsockname", 1, 1, CALL_GETSOCKNAME },
    { "getpeername", 1, 1, CALL_GETPEERNAME },
    { "fionread", 1, 1, CALL_FIONREAD },
};

const struct call_name *call_find(const char *name, size_t n)
{
    for (size_t i = 0; i < COUNT(calls); i++)
        if (same(calls[i].name, name, n))
            return &calls[i];
    return NULL;
}
