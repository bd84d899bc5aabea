/* net/core/net_namespace.c - making and unmaking a network.
 * Modules are initialised in the order of net_modules[] and exit in reverse; what one of them needs of
 * another stands before it in the table. */
#include "net/core/net_namespace.h"

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
}

/* Exit the modules before m, the last one first. */
static void exit_modules(struct net *net, const struct net_module *const *m)
{
    while (m > net_modules)
        (*--m)->exit(net);
}

static int init_modules(struct net *net)
{
    for (const struct net_module *const *m = net_modules; *m; m++) {
        int err = (*m)->init(net);
        if (err) {
            klog(LOG_ERROR, "net: %s: error %d", (*m)->name, -err);
            exit_modules(net, m);
            return err;
        }
    }
    return 0;
}

struct net *net_create(const char *name)
{
    struct net *net = mem_alloc(sizeof *net);
    if (!net)
        return NULL;
    net->name = name;
    random_bytes(&net->hash_key, sizeof net->hash_key);
    init_lists(net);
    net->skb_pool = pool_create("sk_buff", sizeof(struct sk_buff));
    if (!net->skb_pool)
        goto no_pool;
    if (softnet_init(net))
        goto no_softnet;
    if (net_proc_init(net))
        goto no_proc;
    if (init_modules(net))
        goto no_modules;
    return net;

no_modules:
    net_proc_exit(net);
no_proc:
    softnet_exit(net);
no_softnet:
    pool_destroy(net->skb_pool);
no_pool:
    mem_free(net);
    return NULL;
}

void net_destroy(struct net *net)
{
    const struct net_module *const *end = net_modules;

    for (struct net_device *dev = dev_next(net, NULL); dev; dev = dev_next(net, dev))
        dev_close(dev);
    while (*end)
        end++;
    exit_modules(net, end);
    net_proc_exit(net);
    softnet_exit(net);
    ASSERT(list_empty(&net->devices));
    pool_destroy(net->skb_pool);
    mem_free(net);
}
