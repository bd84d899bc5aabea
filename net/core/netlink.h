/* net/core/netlink.h - what protocols offer by netlink: requests they answer, changes they tell of; private
 * to net/. The sockets are net/netlink's. Without that folder nobody asks and nobody listens: each publisher
 * sees so by one load. */
#pragma once
#include "net/core/net_namespace.h"
#include "net/core/nlmsg.h"

/* One request, or one step of a dump. */
struct nl_request {
    struct net *net;
    struct nl_input in;
    struct nl_to to;     /* who asks */
    struct sk_buff *skb; /* where the answer goes; NULL where there is none (new, del, set) */
    uint64_t at[4];      /* a dump: where it goes on, the handler's; zero at first */
    uint32_t uid;        /* of who asks */
};
struct nl_handler {
    uint16_t type;  /* RTM_* */
    uint8_t family; /* AF_*; AF_UNSPEC: whatever the request's */
    /* Do it, or write the one message that was asked for. Process context, within net_config_begin(). 0 or
     * -errno. */
    int (*doit)(struct nl_request *r);
    /* Write as many messages as have room, from r->at on, and note in r->at how far it came. 0: these were
     * the last; 1: there are more; or -errno. Context as doit's. */
    int (*dump)(struct nl_request *r);
};
/* A module's init and exit: handlers for the netlink protocol (NETLINK_ROUTE). */
void nl_register(struct net *net, struct nl_table *t, int protocol, const struct nl_handler *handlers,
                 unsigned n);
void nl_unregister(struct nl_table *t);
/* Who answers type for family, or NULL. */
const struct nl_handler *nl_find(struct net *net, int protocol, uint16_t type, uint8_t family);

/* ---- changes ---- */

/* Does anybody want to hear of group (RTNLGRP_*)? One load. */
static inline bool nl_heard(const struct net *net, unsigned group)
{
    return READ_ONCE(net->nl.listeners) >> group & 1 || READ_ONCE(net->nl.echo);
}
/* A buffer for one message about a change; NULL: memory is out (who listens to group is told so: ENOBUFS).
 * Process or softirq; locks up to NET_DEVICES may be held, here and below. */
struct sk_buff *nl_event(struct net *net, unsigned group);
/* Give it to all who listen to group, and to who asked for an echo of what it caused. Takes skb. */
void nl_publish(struct net *net, unsigned group, struct sk_buff *skb);
/* Links, addresses or routes are no longer as a dump that is under way has told. Process context. */
static inline void nl_changed(struct net *net)
{
    __atomic_fetch_add(&net->nl.generation, 1, __ATOMIC_RELAXED);
}
/* The numbers of the request that causes what happens now, for a change that only happens within
 * net_config_begin(): zeros for what was no request's doing. */
static inline struct nl_to nl_cause(const struct net *net)
{
    return net->nl.cause;
}

/* ---- rtnl_link.c: links ---- */

void rtnl_link_init(struct net *net);
/* Return when no news of a cable is on its way, all devices being down. Process context. */
void rtnl_link_settle(struct net *net);
/* Tell of dev as it is now; type: RTM_NEWLINK, or RTM_DELLINK when it goes. change: the flags that differ. */
void rtnl_link_notify(struct net_device *dev, uint16_t type, uint32_t change);
