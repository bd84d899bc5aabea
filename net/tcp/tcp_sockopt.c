/* net/tcp/tcp_sockopt.c - options of the TCP level, with tcp(7)'s meaning; SOL_IP's are IPv4's. */
#include "lib/string.h"
#include "net/tcp/tcp.h"
#include "net/tcp/tcp_info.h"

enum { USER_MSS_MIN = 88, USER_MSS_MAX = 32767 }; /* tcp(7), TCP_MAXSEG */

static int set_congestion(struct tcp_sock *tp, const char *value, socklen_t len)
{
    char name[16] = { 0 };
    memcpy(name, value, MIN((size_t)len, sizeof name - 1));
    const struct tcp_cong_ops *cong = tcp_cong_find(name);
    if (!cong)
        return -ENOENT;
    tp->cong = cong;
    return 0;
}

static int set_int(struct tcp_sock *tp, int option, int value)
{
    switch (option) {
    case TCP_NODELAY: /* RFC 9293 3.7.4 */
        tp->nodelay = value != 0;
        if (tp->nodelay)
            tcp_output(tp);
        return 0;
    case TCP_MAXSEG:
        if (value && (value < USER_MSS_MIN || value > USER_MSS_MAX))
            return -EINVAL;
        tp->user_mss = (uint16_t)value;
        tcp_update_mss(tp);
        return 0;
    case TCP_USER_TIMEOUT: /* RFC 9293 3.9.1.1; milliseconds, 0: the usual one */
        if (value < 0)
            return -EINVAL;
        tp->user_timeout = ms((uint64_t)value);
        return 0;
    default:
        return -ENOPROTOOPT;
    }
}

static int set_tcp(struct tcp_sock *tp, int option, const void *value, socklen_t len)
{
    int number;
    if (option == TCP_CONGESTION)
        return set_congestion(tp, value, len);
    if (len < sizeof number)
        return -EINVAL;
    memcpy(&number, value, sizeof number);
    return set_int(tp, option, number);
}

int tcp_setsockopt(struct sock *sk, int level, int option, const void *value, socklen_t len)
{
    if (level == SOL_IP)
        return ip_setsockopt(sk, option, value, len);
    if (level != IPPROTO_TCP)
        return -ENOPROTOOPT;
    lock_acquire(&sk->lock);
    int err = set_tcp(tcp_sk(sk), option, value, len);
    lock_release(&sk->lock);
    return err;
}

/* Write n bytes at src, or as many as fit. */
static int give(const void *src, size_t n, void *value, socklen_t *len)
{
    *len = (socklen_t)MIN((size_t)*len, n);
    memcpy(value, src, *len);
    return 0;
}
static int give_int(int number, void *value, socklen_t *len)
{
    return give(&number, sizeof number, value, len);
}

static int get_tcp(struct tcp_sock *tp, int option, void *value, socklen_t *len)
{
    switch (option) {
    case TCP_NODELAY:
        return give_int(tp->nodelay, value, len);
    case TCP_MAXSEG:
        return give_int((int)tp->mss, value, len);
    case TCP_USER_TIMEOUT:
        return give_int((int)(tp->user_timeout / ms(1)), value, len);
    case TCP_CONGESTION:
        return give(tp->cong->name, strlen(tp->cong->name) + 1, value, len);
    case TCP_INFO: {
        struct tcp_info info = tcp_info_make(tp);
        return give(&info, sizeof info, value, len);
    }
    default:
        return -ENOPROTOOPT;
    }
}

int tcp_getsockopt(struct sock *sk, int level, int option, void *value, socklen_t *len)
{
    if (level == SOL_IP)
        return ip_getsockopt(sk, option, value, len);
    if (level != IPPROTO_TCP)
        return -ENOPROTOOPT;
    lock_acquire(&sk->lock);
    int err = get_tcp(tcp_sk(sk), option, value, len);
    lock_release(&sk->lock);
    return err;
}
