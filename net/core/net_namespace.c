/* net/core/net_namespace.c - making and unmaking a network.
 * Modules are initialised in the order of net_modules[] and exit in reverse; what one of them needs of
 * another stands before it in the table. */
#include "net/core/net_namespace.h"
#include "net/core/netlink.h"

static void init_lists(struct net *net)
{
    lock_init(&net->devices_lock, "net devices", RANK_NET_DEVICES);
    waitq_init(&net->config_wq);
    list_init(&net->devices);
    list_init(&net->taps);
    list_init(&net->link_types);
    list_init(&net->notifiers);
    list_init(&net->sock_families);
    list_init(&net->proc_files);
    list_init(&net->proc_sections);
    list_init(&net->nl.tables);
}

static void exit_modules(struct net *net)
{
    while (net->n_modules)
        net_modules[--net->n_modules]->exit(net);
}

const char *net_module_name(unsigned i)
{
    return net_modules[i] ? net_modules[i]->name : NULL;
}

int net_module_init(struct net *net, unsigned i)
{
    ASSERT(i == net->n_modules);
    int err = net_modules[i]->init(net);
    if (!err)
        net->n_modules++;
    return err;
}

static int init_modules(struct net *net)
{
    int err = 0;
    for (unsigned i = 0; net_modules[i] && !err; i++) {
        err = net_module_init(net, i);
        if (err)
            klog(LOG_ERROR, "net: %s: error %d", net_modules[i]->name, -err);
    }
    return err;
}

struct net *net_create_bare(const char *name)
{
    struct net *net = mem_alloc(sizeof *net);
    if (!net)
        return NULL;
    net->name = name;
    random_bytes(&net->hash_key, sizeof net->hash_key);
    init_lists(net);
    net_sysctl_init(net);
    rtnl_link_init(net);
    net->skb_pool = pool_create("sk_buff", sizeof(struct sk_buff));
    if (!net->skb_pool)
        goto no_pool;
    if (softnet_init(net))
        goto no_softnet;
    if (net_proc_init(net))
        goto no_proc;
    return net;

no_proc:
    softnet_exit(net);
no_softnet:
    pool_destroy(net->skb_pool);
no_pool:
    mem_free(net);
    return NULL;
}

struct net *net_create(const char *name)
{
    struct net *net = net_create_bare(name);
    if (net && init_modules(net)) {
        net_destroy(net);
        return NULL;
    }
    return net;
}

void net_destroy(struct net *net)
{
    for (struct net_device *dev = dev_next(net, NULL); dev; dev = dev_next(net, dev))
        dev_close(dev);
    softnet_settle(net); /* what still loops back names a device, and needs its protocols */
    rtnl_link_settle(net);
    exit_modules(net);
    net_proc_exit(net);
    softnet_exit(net);
    ASSERT(list_empty(&net->devices));
    pool_destroy(net->skb_pool);
    mem_free(net);
}
