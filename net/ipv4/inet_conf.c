/* net/ipv4/inet_conf.c - /proc/sys/net/ipv4/conf: the same knobs for `all`, for `default`, and for each
 * device. The table below is `all`'s; a device's is a copy of it with the device's name in the paths. */
#include "net/ipv4/inet_conf.h"
#include "lib/string.h"
#include "net/ipv4/ipv4.h"

/* Call fn for each device's knobs. Process context. */
static void for_each_device(struct net *net, void (*fn)(struct inet_conf *c, const struct inet_conf *all))
{
    for (struct net_device *dev = dev_next(net, NULL); dev; dev = dev_next(net, dev))
        if (in_dev_get(dev))
            fn(&in_dev_get(dev)->conf, &net->ipv4->conf_all);
}

static void take_forwarding(struct inet_conf *c, const struct inet_conf *all)
{
    WRITE_ONCE(c->forwarding, all->forwarding);
}

/* `all` sets every device. RFC 1812 5.2.7.2: a router does not follow redirects, unless told again. */
static void forwarding_changed(void *base)
{
    struct inet_conf *c = base, *all = &c->net->ipv4->conf_all;

    if (c != all)
        return;
    for_each_device(c->net, take_forwarding);
    WRITE_ONCE(c->net->ipv4->conf_default.forwarding, all->forwarding);
    WRITE_ONCE(all->accept_redirects, !all->forwarding);
}

static void settle_source_check(struct inet_conf *c, const struct inet_conf *all)
{
    WRITE_ONCE(c->source_check, MAX(c->rp_filter, all->rp_filter));
}

static void rp_filter_changed(void *base)
{
    const struct inet_conf *c = base;
    for_each_device(c->net, settle_source_check);
}

static const struct sysctl knobs[] = {
    { SYSCTL_BOOL("net/ipv4/conf/all/forwarding", struct inet_conf, forwarding,
                  "pass on packets that came by this device and are for others; `all` sets every device"),
      .changed = forwarding_changed },
    { SYSCTL_BOOL("net/ipv4/conf/all/accept_redirects", struct inet_conf, accept_redirects,
                  "follow ICMP redirects of the router in use") },
    { SYSCTL_BOOL(
        "net/ipv4/conf/all/secure_redirects", struct inet_conf, secure_redirects,
        "of those only to gateways that some route names; not looked at where shared_media is set") },
    { SYSCTL_BOOL("net/ipv4/conf/all/shared_media", struct inet_conf, shared_media,
                  "networks with different prefixes may share the link, RFC 1620") },
    { SYSCTL_BOOL("net/ipv4/conf/all/send_redirects", struct inet_conf, send_redirects,
                  "a router tells senders of a shorter way") },
    { SYSCTL_BOOL("net/ipv4/conf/all/bc_forwarding", struct inet_conf, bc_forwarding,
                  "pass on broadcasts to other networks of ours, RFC 2644") },
    { SYSCTL_BOOL("net/ipv4/conf/all/accept_source_route", struct inet_conf, accept_source_route,
                  "take packets that came here by a source route; without it they are dropped") },
    { SYSCTL_BOOL("net/ipv4/conf/all/proxy_arp", struct inet_conf, proxy_arp,
                  "answer ARP requests for hosts that are reached by another device, RFC 1027") },
    { SYSCTL_BOOL("net/ipv4/conf/all/arp_notify", struct inet_conf, arp_notify,
                  "announce an address when it is given and when the device comes up, RFC 5227 2.3") },
    { SYSCTL_INT("net/ipv4/conf/all/arp_ignore", struct inet_conf, arp_ignore, 0, 8,
                 "requests for which of our addresses are answered: any (0), the device's (1), those whose "
                 "network the asker is in (2), none (8)") },
    { SYSCTL_BOOL("net/ipv4/conf/all/log_martians", struct inet_conf, log_martians,
                  "log packets whose source is impossible") },
    { SYSCTL_INT(
          "net/ipv4/conf/all/rp_filter", struct inet_conf, rp_filter, 0, 2,
          "a packet's source must be reached by the device it came by (1, strict) or at all (2, loose), "
          "RFC 3704"),
      .changed = rp_filter_changed },
    { .path = NULL },
};

static const struct sysctl forward_knob[] = {
    { SYSCTL_BOOL("net/ipv4/ip_forward", struct inet_conf, forwarding,
                  "be a router: pass on packets that are for others; conf/all/forwarding by another name"),
      .changed = forwarding_changed },
    { .path = NULL },
};

/* The name of a knob, behind the last slash. */
static const char *last_part(const char *path)
{
    const char *slash = path;

    for (const char *c = path; *c; c++)
        if (*c == '/')
            slash = c;
    return slash + 1;
}

/* The table with another name in the place of `all`: the paths lie behind it in the same memory. */
static struct sysctl *copy_knobs(const char *device)
{
    enum { PATH_MAX_LENGTH = 64 };
    char(*paths)[PATH_MAX_LENGTH];
    struct sysctl *copy = mem_alloc(sizeof knobs + ARRAY_SIZE(knobs) * sizeof *paths);

    if (!copy)
        return NULL;
    memcpy(copy, knobs, sizeof knobs);
    paths = (void *)(copy + ARRAY_SIZE(knobs));
    for (unsigned i = 0; knobs[i].path; i++) {
        ksnprintf(paths[i], sizeof paths[i], "net/ipv4/conf/%s/%s", device, last_part(knobs[i].path));
        copy[i].path = paths[i];
    }
    return copy;
}

int inet_conf_add(struct inet_conf *c, struct net *net, const char *device)
{
    *c = net->ipv4->conf_default;
    c->entries = copy_knobs(device);
    if (!c->entries)
        return -ENOMEM;
    settle_source_check(c, &net->ipv4->conf_all);
    net_sysctl_register(net, &c->table, c->entries, c);
    return 0;
}

void inet_conf_remove(struct inet_conf *c)
{
    net_sysctl_unregister(&c->table);
    mem_free(c->entries);
}

int inet_conf_init(struct net *net)
{
    struct ipv4_state *ipv4 = net->ipv4;
    const struct inet_conf at_first = { .net = net,
                                        .accept_redirects = true, /* RFC 1122 3.2.2.2 */
                                        .secure_redirects = true,
                                        .shared_media = true,
                                        .send_redirects = true }; /* RFC 1812 5.2.7.2 */

    ipv4->conf_all = ipv4->conf_default = at_first;
    ipv4->conf_default.arp_notify = true;
    ipv4->conf_default.accept_source_route = true; /* so that `all` decides, RFC 1812 5.3.13.4 */
    int err = inet_conf_add(&ipv4->conf_default, net, "default");
    if (err)
        return err;
    net_sysctl_register(net, &ipv4->conf_all.table, knobs, &ipv4->conf_all);
    net_sysctl_register(net, &ipv4->forward_table, forward_knob, &ipv4->conf_all);
    return 0;
}

void inet_conf_exit(struct net *net)
{
    net_sysctl_unregister(&net->ipv4->forward_table);
    net_sysctl_unregister(&net->ipv4->conf_all.table);
    inet_conf_remove(&net->ipv4->conf_default);
}
