/* net/ipv4/ip_hooks.c - the filter hooks: a short array a place, asked in order until one refuses. */
#include "net/ipv4/ipv4.h"

int ip_hook_register(struct net *net, enum ip_hook_place place, const struct ip_hook *hook)
{
    struct ip_hook_point *p = &net->ipv4->hooks[place];

    if (p->count == IP_HOOKS_MAX)
        return -ENOSPC;
    p->hooks[p->count] = hook;
    __atomic_store_n(&p->count, p->count + 1, __ATOMIC_RELEASE); /* partner: the load in ip_hook_pass */
    return 0;
}

void ip_hook_unregister(struct net *net, enum ip_hook_place place, const struct ip_hook *hook)
{
    struct ip_hook_point *p = &net->ipv4->hooks[place];
    uint32_t kept = 0;

    for (uint32_t i = 0; i < p->count; i++)
        if (p->hooks[i] != hook)
            p->hooks[kept++] = p->hooks[i];
    p->count = kept;
}

bool ip_hook_ask(struct net *net, enum ip_hook_place place, struct sk_buff *skb)
{
    const struct ip_hook_point *p = &net->ipv4->hooks[place];
    uint32_t count = __atomic_load_n(&p->count, __ATOMIC_ACQUIRE);

    for (uint32_t i = 0; i < count; i++) {
        enum ip_verdict verdict = p->hooks[i]->fn(p->hooks[i], skb);
        if (verdict == IP_DROP)
            kfree_skb_reason(skb, SKB_DROP_IP_FILTER);
        if (verdict != IP_ACCEPT)
            return false;
    }
    return true;
}
