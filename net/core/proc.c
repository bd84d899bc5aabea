/* net/core/proc.c - the files of /proc/net, and those of them that tell of net/core.
 * A format that Linux has is printed as Linux prints it, so that its programs read it. */
#include "lib/string.h"
#include "net/core/net_namespace.h"

void net_proc_register(struct net *net, struct net_proc_file *f)
{
    list_add_tail(&f->link, &net->proc_files);
}

void net_proc_unregister(struct net *net, struct net_proc_file *f)
{
    (void)net;
    list_del(&f->link);
}

void net_proc_section_register(struct net *net, struct net_proc_file *section)
{
    struct list_head *at = net->proc_sections.next;

    while (at != &net->proc_sections && list_entry(at, struct net_proc_file, link)->order <= section->order)
        at = at->next;
    list_add_tail(&section->link, at); /* before it */
}

void net_proc_section_unregister(struct net *net, struct net_proc_file *section)
{
    (void)net;
    list_del(&section->link);
}

const struct net_proc_file *net_proc_find(struct net *net, const char *name)
{
    struct net_proc_file *f;

    list_for_each_entry (f, &net->proc_files, link)
        if (!strcmp(f->name, name))
            return f;
    return NULL;
}

const struct net_proc_file *net_proc_next(struct net *net, const struct net_proc_file *prev)
{
    const struct list_head *next = prev ? prev->link.next : net->proc_files.next;
    return next == &net->proc_files ? NULL : list_entry(next, struct net_proc_file, link);
}

void net_counters_read(void *to, const void *from, size_t size)
{
    const uint64_t *counters = from;
    uint64_t *copy = to;

    for (size_t i = 0; i < size / sizeof *copy; i++)
        copy[i] = net_counted(&counters[i]);
}

static void show_sections(struct net *net, const char *name, struct textbuf *out)
{
    struct net_proc_file *section;

    list_for_each_entry (section, &net->proc_sections, link)
        if (!strcmp(section->name, name))
            section->show(net, out);
}

/* ---- the files ---- */

static void show_dev(struct net *net, struct textbuf *out)
{
    textbuf_printf(out, "Inter-|   Receive                                                |  Transmit\n"
                        " face |bytes    packets errs drop fifo frame compressed multicast|"
                        "bytes    packets errs drop fifo colls carrier compressed\n");
    for (struct net_device *dev = dev_next(net, NULL); dev; dev = dev_next(net, dev)) {
        struct net_device_stats s;
        dev_get_stats(dev, &s);
        textbuf_printf(out, "%6s: %7lu %7lu %4lu %4lu %4lu %5lu %10lu %9lu ", dev_name(dev).text, s.rx_bytes,
                       s.rx_packets, s.rx_errors, s.rx_dropped, s.rx_no_buffer, 0ul, 0ul, 0ul);
        textbuf_printf(out, "%8lu %7lu %4lu %4lu %4lu %5lu %7lu %10lu\n", s.tx_bytes, s.tx_packets,
                       s.tx_errors, s.tx_dropped, 0ul, 0ul, 0ul, 0ul);
    }
}

static void show_skbuff(struct net *net, struct textbuf *out)
{
    textbuf_printf(out, "live %ld\nrings %ld\n", READ_ONCE(net->live_skbs), READ_ONCE(net->ring_skbs));
}

static void show_drops(struct net *net, struct textbuf *out)
{
    for (unsigned reason = 0; reason < SKB_DROP_REASON_COUNT; reason++)
        textbuf_printf(out, "%s %lu %s\n", skb_drop_reason_name(reason), READ_ONCE(net->drops[reason]),
                       skb_drop_reason_text(reason));
}

static void show_sockstat(struct net *net, struct textbuf *out)
{
    textbuf_printf(out, "sockets: used %ld\n", READ_ONCE(net->sockets));
    show_sections(net, "sockstat", out);
}

static void show_snmp(struct net *net, struct textbuf *out)
{
    show_sections(net, "snmp", out);
}

static void show_netstat(struct net *net, struct textbuf *out)
{
    show_sections(net, "netstat", out);
}

static void show_interrupts(struct net *net, struct textbuf *out)
{
    for (struct net_device *dev = dev_next(net, NULL); dev; dev = dev_next(net, dev))
        textbuf_printf(out, "%s irqs %lu polls %lu\n", dev_name(dev).text, net_counted(&dev->stats.irqs),
                       net_counted(&dev->stats.polls));
}

/* There is no IPv6, but programs open its files: they are as in a Linux where nobody uses it. */
static void show_tcp6(struct net *net, struct textbuf *out)
{
    (void)net;
    textbuf_printf(
        out, "  sl  local_address                         remote_address                        st tx_queue"
             " rx_queue tr tm->when retrnsmt   uid  timeout inode\n");
}

static void show_udp6(struct net *net, struct textbuf *out)
{
    (void)net;
    textbuf_printf(
        out, "  sl  local_address                         remote_address                        st tx_queue"
             " rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n");
}

static void show_nothing(struct net *net, struct textbuf *out)
{
    (void)net;
    (void)out;
}

static const struct net_proc_file files[] = {
    { .name = "tcp6", .show = show_tcp6 },       { .name = "udp6", .show = show_udp6 },
    { .name = "raw6", .show = show_udp6 },       { .name = "if_inet6", .show = show_nothing },
    { .name = "dev", .show = show_dev },         { .name = "skbuff", .show = show_skbuff },
    { .name = "drops", .show = show_drops },     { .name = "sockstat", .show = show_sockstat },
    { .name = "snmp", .show = show_snmp },       { .name = "netstat", .show = show_netstat },
    { .name = "napi", .show = show_interrupts },
};

int net_proc_init(struct net *net)
{
    net->core_proc_files = mem_alloc(sizeof files);
    if (!net->core_proc_files)
        return -ENOMEM;
    memcpy(net->core_proc_files, files, sizeof files);
    for (unsigned i = 0; i < ARRAY_SIZE(files); i++)
        net_proc_register(net, &net->core_proc_files[i]);
    return 0;
}

void net_proc_exit(struct net *net)
{
    for (unsigned i = 0; i < ARRAY_SIZE(files); i++)
        net_proc_unregister(net, &net->core_proc_files[i]);
    mem_free(net->core_proc_files);
}
