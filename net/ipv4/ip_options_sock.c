/* net/ipv4/ip_options_sock.c - IP options as programs give them and are told of them: IP_OPTIONS, IP_RETOPTS,
 * IP_RECVOPTS, ip(7). */
#include "lib/string.h"
#include "net/ipv4/ip_options.h"
#include "net/ipv4/ipv4.h"

int ip_options_set(struct sock *sk, const void *value, socklen_t len)
{
    struct ip_options *new = NULL, *old, parsed;

    if (sk->type == SOCK_STREAM) /* its segments leave no room for them */
        return -ENOPROTOOPT;
    int err = ip_options_from_user(value, len, &parsed);
    if (err)
        return err;
    if (parsed.len) {
        new = mem_alloc(sizeof *new);
        if (!new)
            return -ENOBUFS;
        *new = parsed;
    }
    lock_acquire(&sk->lock);
    old = sk->ip_options;
    sk->ip_options = new;
    lock_release(&sk->lock);
    mem_free(old);
    return 0;
}

int ip_options_get(struct sock *sk, void *value, socklen_t *len)
{
    struct ip_options options = { .len = 0 };

    if (sk->type == SOCK_STREAM)
        return -ENOPROTOOPT;
    lock_acquire(&sk->lock);
    if (sk->ip_options)
        options = *sk->ip_options;
    lock_release(&sk->lock);
    return sockopt_give(value, len, options.bytes, options.len);
}

int ip_options_wish(const struct cmsghdr *c, struct ip_wishes *w)
{
    return ip_options_from_user(CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0), &w->options);
}

void ip_options_choose(const struct sock *sk, struct ip_wishes *w)
{
    if (unlikely(sk->ip_options) && !w->options.len)
        w->options = *sk->ip_options;
}

void ip_options_tell(const struct sock *sk, struct message *msg, const struct sk_buff *skb)
{
    const struct ip_hdr *ip = ip_hdr(skb);
    struct ip_options back;

    if (ip_hdr_len(ip) == sizeof *ip)
        return;
    if (sk->ip_receive & IP_RECEIVE_OPTIONS)
        put_cmsg(msg, SOL_IP, IP_RECVOPTS, ip + 1, ip_hdr_len(ip) - sizeof *ip);
    if (sk->ip_receive & IP_RECEIVE_RETOPTS) {
        ip_options_echo(skb, &back);
        put_cmsg(msg, SOL_IP, IP_RETOPTS, back.bytes, back.len);
    }
}
