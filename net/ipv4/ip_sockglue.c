/* net/ipv4/ip_sockglue.c - the options of SOL_IP, ip(7). */
#include "lib/string.h"
#include "net/ipv4/inet_ports.h"

/* An option's value may be a byte or an int. */
static int parse_int(const void *value, socklen_t len, int *number)
{
    if (len >= sizeof *number)
        memcpy(number, value, sizeof *number);
    else if (len >= 1)
        *number = *(const uint8_t *)value;
    else
        return -EINVAL;
    return 0;
}

static int set_ttl(struct sock *sk, int ttl)
{
    if (ttl != -1 && (ttl < 1 || ttl > 255)) /* RFC 1122 3.2.1.7: never zero */
        return -EINVAL;
    sk->ttl = ttl == -1 ? 0 : (uint8_t)ttl;
    return 0;
}

int ip_setsockopt(struct sock *sk, int option, const void *value, socklen_t len)
{
    int number, err = parse_int(value, len, &number);
    if (err)
        return err;
    lock_acquire(&sk->lock);
    switch (option) {
    case IP_TTL:
        err = set_ttl(sk, number);
        break;
    case IP_TOS:
        sk->tos = (uint8_t)number;
        break;
    case IP_MTU_DISCOVER:
        sk->pmtudisc = number;
        break;
    case IP_RECVERR:
    case IP_RECVTTL:
    case IP_PKTINFO:
        break; /* accepted; no control messages come */
    default:
        err = -ENOPROTOOPT;
    }
    lock_release(&sk->lock);
    return err;
}

int ip_getsockopt(struct sock *sk, int option, void *value, socklen_t *len)
{
    int number;

    switch (option) {
    case IP_TTL:
        number = sk->ttl ? sk->ttl : 64;
        break;
    case IP_TOS:
        number = sk->tos;
        break;
    case IP_MTU_DISCOVER:
        number = sk->pmtudisc;
        break;
    case IP_RECVERR:
    case IP_RECVTTL:
    case IP_PKTINFO:
        number = 0;
        break;
    default:
        return -ENOPROTOOPT;
    }
    *len = MIN(*len, (socklen_t)sizeof number);
    memcpy(value, &number, *len);
    return 0;
}
