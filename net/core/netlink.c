/* net/core/netlink.c - who answers which request, and how a change gets to who listens.
 * The tables of handlers are as the modules registered them; the sockets are net/netlink's. */
#include "net/core/netlink.h"

enum { EVENT_ROOM = 2048 }; /* the longest: a link with all that is known of it */

void nl_register(struct net *net, struct nl_table *t, int protocol, const struct nl_handler *handlers,
                 unsigned n)
{
    t->protocol = protocol;
    t->handlers = handlers;
    t->n = n;
    list_add_tail(&t->link, &net->nl.tables);
}

void nl_unregister(struct nl_table *t)
{
    list_del(&t->link);
}

static bool is_for(const struct nl_handler *h, uint16_t type, uint8_t family)
{
    /* who asks for every family gets those there are */
    return h->type == type && (h->family == family || h->family == AF_UNSPEC || family == AF_UNSPEC);
}

const struct nl_handler *nl_find(struct net *net, int protocol, uint16_t type, uint8_t family)
{
    struct nl_table *t;

    list_for_each_entry (t, &net->nl.tables, link) {
        if (t->protocol != protocol)
            continue;
        for (unsigned i = 0; i < t->n; i++)
            if (is_for(&t->handlers[i], type, family))
                return &t->handlers[i];
    }
    return NULL;
}

struct sk_buff *nl_event(struct net *net, unsigned group)
{
    struct sk_buff *skb = alloc_skb(net, EVENT_ROOM);

    if (!skb && net->nl.publish)
        net->nl.publish(net, group, NULL);
    return skb;
}

void nl_publish(struct net *net, unsigned group, struct sk_buff *skb)
{
    if (net->nl.publish)
        net->nl.publish(net, group, skb);
    else
        consume_skb(skb);
}
