/* net/core/sysctl.c - the knobs of a network: each module's table, found by name; and net/core's own. */
#include "net/core/net_namespace.h"
#include "net/core/sock.h"

enum { BACKLOG_MOST = 1 << 20, SOMAXCONN_MOST = 65535 };

static const struct sysctl core_sysctls[] = {
    { SYSCTL_INT("net/core/somaxconn", struct net_knobs, somaxconn, 1, SOMAXCONN_MOST,
                 "the most that listen() is given as backlog, whatever it asks for") },
    { SYSCTL_INT("net/core/rmem_default", struct net_knobs, rmem_default, SOCK_BUF_MIN, SOCK_BUF_MAX,
                 "receive buffer of a new socket, bytes") },
    { SYSCTL_INT("net/core/wmem_default", struct net_knobs, wmem_default, SOCK_BUF_MIN, SOCK_BUF_MAX,
                 "send buffer of a new socket, bytes") },
    { SYSCTL_INT("net/core/rmem_max", struct net_knobs, rmem_max, SOCK_BUF_MIN / 2, SOCK_BUF_MAX / 2,
                 "the most that SO_RCVBUF is granted, bytes; the buffer is twice that") },
    { SYSCTL_INT("net/core/wmem_max", struct net_knobs, wmem_max, SOCK_BUF_MIN / 2, SOCK_BUF_MAX / 2,
                 "the most that SO_SNDBUF is granted, bytes; the buffer is twice that") },
    { SYSCTL_INT("net/core/netdev_max_backlog", struct net_knobs, max_backlog, 1, BACKLOG_MOST,
                 "packets that loop back and wait on one CPU; more are dropped as BACKLOG_FULL") },
    { SYSCTL_INT("net/core/dev_weight", struct net_knobs, dev_weight, 1, NAPI_WEIGHT,
                 "packets that one poll of a card takes at most, before others have their turn") },
    { SYSCTL_BOOL("net/core/gro", struct net_knobs, gro,
                  "packets of one stream that one poll finds go up as one (net/core/gro.h)") },
    { .path = NULL },
};

void net_sysctl_register(struct net *net, struct sysctl_table *t, const struct sysctl *entries, void *base)
{
    *t = (struct sysctl_table){ .entries = entries, .base = base };
    list_add_tail(&t->link, &net->sysctls);
}

void net_sysctl_unregister(struct sysctl_table *t)
{
    list_del(&t->link);
}

void net_sysctl_init(struct net *net)
{
    list_init(&net->sysctls);
    net->knobs = (struct net_knobs){ .somaxconn = 4096,
                                     .rmem_default = SOCK_BUF_DEFAULT,
                                     .wmem_default = SOCK_BUF_DEFAULT,
                                     .rmem_max = SOCK_BUF_MAX / 2,
                                     .wmem_max = SOCK_BUF_MAX / 2,
                                     .max_backlog = 1000,
                                     .dev_weight = NAPI_WEIGHT,
                                     .gro = true };
    net_sysctl_register(net, &net->core_sysctls, core_sysctls, &net->knobs);
}

const struct sysctl_table *net_sysctl_next(struct net *net, const struct sysctl_table *prev)
{
    struct list_head *next = prev ? prev->link.next : net->sysctls.next;
    return next == &net->sysctls ? NULL : container_of(next, struct sysctl_table, link);
}

/* The entry called path, and what its table is about. */
static const struct sysctl *find(struct net *net, const char *path, void **base)
{
    const struct sysctl *s;
    for (const struct sysctl_table *t = net_sysctl_next(net, NULL); t; t = net_sysctl_next(net, t)) {
        if ((s = sysctl_find(t->entries, path))) {
            *base = t->base;
            return s;
        }
    }
    return NULL;
}

int net_sysctl_get(struct net *net, const char *path, char *buf, size_t size)
{
    void *base;
    const struct sysctl *s = find(net, path, &base);
    return s ? sysctl_read(s, base, buf, size) : -ENOENT;
}

int net_sysctl_set(struct net *net, const char *path, const char *text)
{
    void *base;
    const struct sysctl *s = find(net, path, &base);
    size_t len = 0;
    while (text[len])
        len++;
    return s ? sysctl_write(s, base, text, len) : -ENOENT;
}
