/* net/ipv4/ip_hooks.h - the five places where a filter may look at a packet; private to net/. */
#pragma once
#include "net/core/net_namespace.h"

enum ip_hook_place {
    IP_HOOK_PREROUTING,
    IP_HOOK_LOCAL_IN,
    IP_HOOK_FORWARD,
    IP_HOOK_LOCAL_OUT,
    IP_HOOK_POSTROUTING,
    IP_HOOK_POINTS
};
enum ip_verdict { IP_ACCEPT, IP_DROP, IP_STOLEN };
enum { IP_HOOKS_MAX = 8 };

/* IP header at data. STOLEN: fn has taken skb. Process or softirq; may run on several CPUs at once. */
struct ip_hook {
    enum ip_verdict (*fn)(const struct ip_hook *hook, struct sk_buff *skb);
    void *arg;
};
struct ip_hook_point {
    uint32_t count; /* one load tells that nobody listens */
    const struct ip_hook *hooks[IP_HOOKS_MAX];
};

/* Have hook called at place, behind those already there. 0 or -ENOSPC. Only while no packet flows. */
int ip_hook_register(struct net *net, enum ip_hook_place place, const struct ip_hook *hook);
void ip_hook_unregister(struct net *net, enum ip_hook_place place, const struct ip_hook *hook);
/* ip_hook_pass() (ipv4.h) where there are hooks: asks them in their order. */
bool ip_hook_ask(struct net *net, enum ip_hook_place place, struct sk_buff *skb);
