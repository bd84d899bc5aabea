/* net/ipv4/af_inet.c - IPv4 joins a network: its state, its packet type, its files; the transports register
 * here. */
#include "net/ipv4/ipv4.h"
#include "net/ipv4/rtnl.h"

int inet_add_protocol(struct net *net, const struct inet_protocol *p, uint8_t protocol)
{
    if (net->ipv4->protocols[protocol])
        return -EEXIST;
    net->ipv4->protocols[protocol] = p;
    return 0;
}

void inet_del_protocol(struct net *net, uint8_t protocol)
{
    net->ipv4->protocols[protocol] = NULL;
}

static uint64_t dropped(const struct net *net, enum skb_drop_reason first, enum skb_drop_reason last)
{
    uint64_t sum = 0;

    for (unsigned reason = first; reason <= (unsigned)last; reason++)
        sum += READ_ONCE(net->drops[reason]);
    return sum;
}

static void show_snmp(struct net *net, struct textbuf *out)
{
    struct ip_counters c;

    net_counters_read(&c, &net->ipv4->counters, sizeof c);
    textbuf_printf(out, "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams "
                        "InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes "
                        "ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates "
                        "OutTransmits\n");
    textbuf_printf(out, "Ip: %d %d %lu %lu %lu %lu ", READ_ONCE(net->ipv4->conf_all.forwarding) ? 1 : 2,
                   READ_ONCE(net->ipv4->knobs.default_ttl), c.in_receives,
                   dropped(net, SKB_DROP_IP_SHORT, SKB_DROP_IP_TTL),
                   dropped(net, SKB_DROP_IP_SOURCE_INVALID, SKB_DROP_IP_NOT_FOR_US), c.forw_datagrams);
    textbuf_printf(out, "%lu %lu %lu %lu %lu %lu ", net_dropped(net, SKB_DROP_IP_NO_PROTOCOL),
                   net_dropped(net, SKB_DROP_IP_FILTER), c.in_delivers, c.out_requests,
                   dropped(net, SKB_DROP_DEV_DOWN, SKB_DROP_DEV_TX_ERROR) +
                       dropped(net, SKB_DROP_NEIGH_QUEUE_FULL, SKB_DROP_NEIGH_TABLE_FULL),
                   c.out_no_routes);
    textbuf_printf(out, "%lu %lu %lu %lu %lu %lu %lu %lu\n", net_dropped(net, SKB_DROP_FRAG_TIMEOUT),
                   c.reasm_reqds, c.reasm_oks, dropped(net, SKB_DROP_FRAG_BAD, SKB_DROP_FRAG_MEMORY),
                   c.frag_oks, c.frag_fails, c.frag_creates,
                   c.out_requests + c.forw_datagrams - c.frag_oks - c.frag_fails + c.frag_creates);
}

/* Linux's further counters of IP, of which few are counted here. */
static void show_netstat(struct net *net, struct textbuf *out)
{
    textbuf_printf(
        out, "IpExt: InNoRoutes InTruncatedPkts InMcastPkts OutMcastPkts InBcastPkts OutBcastPkts "
             "InOctets OutOctets InMcastOctets OutMcastOctets InBcastOctets OutBcastOctets InCsumErrors "
             "InNoECTPkts InECT1Pkts InECT0Pkts InCEPkts ReasmOverlaps\n");
    textbuf_printf(out, "IpExt: 0 %lu 0 0 0 0 0 0 0 0 0 0 %lu 0 0 0 0 0\n",
                   net_dropped(net, SKB_DROP_IP_SHORT), net_dropped(net, SKB_DROP_IP_CSUM));
}

/* Datagrams in parts that wait, and their bytes. */
static void show_sockstat(struct net *net, struct textbuf *out)
{
    struct frag_table *frags = &net->ipv4->frags;
    const struct list_head *at;
    unsigned inuse = 0;

    lock_acquire(&frags->lock);
    for (at = frags->oldest_first.next; at != &frags->oldest_first; at = at->next)
        inuse++;
    size_t memory = frags->memory;
    lock_release(&frags->lock);
    textbuf_printf(out, "FRAG: inuse %u memory %lu\n", inuse, memory);
}

static bool is_range(const void *base, const int64_t *numbers, const char *text)
{
    (void)base, (void)text;
    return numbers[0] <= numbers[1];
}

static const struct sysctl sysctls[] = {
    { SYSCTL_INT("net/ipv4/ip_default_ttl", struct ipv4_state, knobs.default_ttl, 1, 255,
                 "time to live of packets whose socket does not say otherwise") },
    { SYSCTL_INTS("net/ipv4/ip_local_port_range", struct ipv4_state, knobs.port_range, 2, 1, 65535,
                  "ports that are given to sockets that ask for any: the first and the last"),
      .check = is_range },
    { SYSCTL_U64("net/ipv4/ipfrag_high_thresh", struct ipv4_state, knobs.frag_memory_max, 0, INT32_MAX,
                 "memory for fragments that wait, bytes; beyond it the oldest datagrams go") },
    { SYSCTL_U64("net/ipv4/ipfrag_source_thresh", struct ipv4_state, knobs.frag_source_max, 0, INT32_MAX,
                 "of it the share that one source may hold, bytes; beyond it its own oldest datagrams go") },
    { SYSCTL_INT("net/ipv4/ipfrag_max_dist", struct ipv4_state, knobs.frag_max_dist, 0, INT32_MAX,
                 "fragments of one source that may come between two of one datagram; 0: any number") },
    { SYSCTL_SECONDS("net/ipv4/ipfrag_time", struct ipv4_state, knobs.frag_timeout, 1, 3600,
                     "how long a datagram waits for its other fragments, seconds") },
    { SYSCTL_INT("net/ipv4/inet_peer_threshold", struct ipv4_state, peer_knobs.max, 1, 1 << 20,
                 "destinations of which something is remembered; the one longest unused goes first") },
    { SYSCTL_INT("net/ipv4/route/min_pmtu", struct ipv4_state, peer_knobs.min_pmtu, 68, 65535,
                 "path MTU that an ICMP message may lower to; below it packets go without DF") },
    { SYSCTL_SECONDS("net/ipv4/route/mtu_expires", struct ipv4_state, peer_knobs.mtu_expires, 1, 1 << 30,
                     "how long a path MTU that was lowered is kept, seconds") },
    { .path = NULL },
};

static void knobs_init(struct net *net)
{
    net->ipv4->knobs = (struct ipv4_knobs){
        .default_ttl = IP_DEFAULT_TTL,
        .port_range = { PORT_EPHEMERAL_LOW, PORT_EPHEMERAL_HIGH },
        .frag_memory_max = FRAG_MEMORY_MAX,
        .frag_source_max = FRAG_SOURCE_MAX,
        .frag_max_dist = FRAG_MAX_DIST,
        .frag_timeout = FRAG_TIMEOUT,
    };
    net_sysctl_register(net, &net->ipv4->sysctls, sysctls, net->ipv4);
}

static int ipv4_init(struct net *net)
{
    struct ipv4_state *ipv4 = mem_alloc(sizeof *ipv4);
    if (!ipv4)
        return -ENOMEM;
    net->ipv4 = ipv4;
    int err = route_init(net);
    if (!err && (err = inet_conf_init(net)))
        route_exit(net);
    if (err) {
        mem_free(ipv4);
        net->ipv4 = NULL;
        return err;
    }
    ip_frag_init(&ipv4->frags);
    knobs_init(net);
    random_bytes(ipv4->ip_ids, sizeof ipv4->ip_ids);
    ipv4->packet_type = (struct packet_type){
        .type = ETH_P_IP, .func = ip_rcv, .gro_begins = ip_gro_begins, .gro_follows = ip_gro_follows
    };
    dev_add_pack(net, &ipv4->packet_type);
    ipv4->notifier = (struct netdev_notifier){ .event = inet_device_event };
    list_add_tail(&ipv4->notifier.link, &net->notifiers);
    ipv4->route_file = (struct net_proc_file){ .name = "route", .show = route_show };
    net_proc_register(net, &ipv4->route_file);
    ipv4->snmp_section = (struct net_proc_file){ .name = "snmp", .show = show_snmp };
    net_proc_section_register(net, &ipv4->snmp_section);
    ipv4->netstat_section = (struct net_proc_file){ .name = "netstat", .show = show_netstat, .order = 3 };
    net_proc_section_register(net, &ipv4->netstat_section);
    ipv4->sockstat_section = (struct net_proc_file){ .name = "sockstat", .show = show_sockstat };
    net_proc_section_register(net, &ipv4->sockstat_section);
    rtnl_ipv4_init(net);
    return 0;
}

static void ipv4_exit(struct net *net)
{
    struct ipv4_state *ipv4 = net->ipv4;

    net_proc_section_unregister(net, &ipv4->sockstat_section);
    rtnl_ipv4_exit(net);
    net_proc_section_unregister(net, &ipv4->snmp_section);
    net_proc_section_unregister(net, &ipv4->netstat_section);
    net_proc_unregister(net, &ipv4->route_file);
    list_del(&ipv4->notifier.link);
    dev_remove_pack(net, &ipv4->packet_type);
    ip_frag_exit(net);
    inet_conf_exit(net);
    route_exit(net);
    mem_free(ipv4);
    net->ipv4 = NULL;
}

const struct net_module ipv4_module = { .name = "ipv4", .init = ipv4_init, .exit = ipv4_exit };
