/* kern/fs/sysfs.c - /sys as a tree: a constant table of directories and texts, and one directory for each
 * network device. An inode is made for each look-up and names its entry, as in procfs.c. */
#include "kern/fs/sysfs.h"
#include "kern/cpu/cpu.h"
#include "kern/fs/file.h"
#include "kern/fs/mount.h"
#include "kern/fs/procfs.h"
#include "kern/mm/mm.h"
#include "kern/sys/sys_socket.h"
#include "lib/abi/stat.h"
#include "lib/format.h"
#include "lib/string.h"
#include "net/core/netdevice.h"

struct entry {
    const char *name;
    void (*show)(struct textbuf *out, const struct net_device_facts *dev); /* NULL: a directory */
    const struct entry *children; /* ends with a NULL name; NULL: the devices */
};

struct sys_inode {
    struct inode inode;
    const struct entry *entry;
    uint32_t ifindex; /* below a device's directory; 0: elsewhere */
};

/* ---- the texts ---- */

static void show_cpus(struct textbuf *out, const struct net_device_facts *dev)
{
    (void)dev;
    if (cpu_count() == 1)
        textbuf_printf(out, "0\n");
    else
        textbuf_printf(out, "0-%u\n", cpu_count() - 1);
}

static void show_clocksource(struct textbuf *out, const struct net_device_facts *dev)
{
    (void)dev;
    textbuf_printf(out, "tsc\n");
}

static void show_hugepages(struct textbuf *out, const struct net_device_facts *dev)
{
    (void)dev;
    textbuf_printf(out, "always madvise [never]\n");
}

static void show_address(struct textbuf *out, const struct net_device_facts *dev)
{
    textbuf_printf(out, "%pM\n", dev->address);
}

static void show_broadcast(struct textbuf *out, const struct net_device_facts *dev)
{
    textbuf_printf(out, "%pM\n", dev->broadcast);
}

static void show_carrier(struct textbuf *out, const struct net_device_facts *dev)
{
    textbuf_printf(out, "%d\n", dev->carrier);
}

static void show_operstate(struct textbuf *out, const struct net_device_facts *dev)
{
    bool loopback = dev->type != NETDEV_TYPE_ETHER;

    textbuf_printf(out, "%s\n", loopback ? "unknown" : dev->carrier && (dev->flags & 1) ? "up" : "down");
}

#define NUMBER(name, format, value)                                                                          \
    static void show_##name(struct textbuf *out, const struct net_device_facts *dev)                         \
    {                                                                                                        \
        textbuf_printf(out, format "\n", value);                                                             \
    }
NUMBER(ifindex, "%u", dev->ifindex)
NUMBER(mtu, "%u", dev->mtu)
NUMBER(type, "%u", dev->type)
NUMBER(flags, "0x%x", dev->flags)
NUMBER(queue_len, "%u", dev->tx_queue_len)

#define COUNTER(name, value)                                                                                 \
    static void show_##name(struct textbuf *out, const struct net_device_facts *dev)                         \
    {                                                                                                        \
        textbuf_printf(out, "%llu\n", (unsigned long long)(value));                                          \
    }
COUNTER(rx_packets, dev->stats.rx_packets)
COUNTER(rx_bytes, dev->stats.rx_bytes)
COUNTER(rx_errors, dev->stats.rx_errors)
COUNTER(rx_dropped, dev->stats.rx_dropped)
COUNTER(rx_missed, dev->stats.rx_no_buffer)
COUNTER(tx_packets, dev->stats.tx_packets)
COUNTER(tx_bytes, dev->stats.tx_bytes)
COUNTER(tx_errors, dev->stats.tx_errors)
COUNTER(tx_dropped, dev->stats.tx_dropped)
COUNTER(never, dev->stats.rx_packets & 0) /* what our devices do not tell apart */

/* ---- the tree ---- */

static const struct entry statistics[] = { { "rx_packets", show_rx_packets, NULL },
                                           { "rx_bytes", show_rx_bytes, NULL },
                                           { "rx_errors", show_rx_errors, NULL },
                                           { "rx_dropped", show_rx_dropped, NULL },
                                           { "rx_missed_errors", show_rx_missed, NULL },
                                           { "rx_fifo_errors", show_never, NULL },
                                           { "rx_crc_errors", show_never, NULL },
                                           { "rx_frame_errors", show_never, NULL },
                                           { "rx_length_errors", show_never, NULL },
                                           { "rx_over_errors", show_never, NULL },
                                           { "multicast", show_never, NULL },
                                           { "collisions", show_never, NULL },
                                           { "tx_packets", show_tx_packets, NULL },
                                           { "tx_bytes", show_tx_bytes, NULL },
                                           { "tx_errors", show_tx_errors, NULL },
                                           { "tx_dropped", show_tx_dropped, NULL },
                                           { "tx_fifo_errors", show_never, NULL },
                                           { "tx_carrier_errors", show_never, NULL },
                                           { NULL, NULL, NULL } };
static const struct entry device[] = { { "address", show_address, NULL },
                                       { "broadcast", show_broadcast, NULL },
                                       { "carrier", show_carrier, NULL },
                                       { "flags", show_flags, NULL },
                                       { "ifindex", show_ifindex, NULL },
                                       { "mtu", show_mtu, NULL },
                                       { "operstate", show_operstate, NULL },
                                       { "statistics", NULL, statistics },
                                       { "tx_queue_len", show_queue_len, NULL },
                                       { "type", show_type, NULL },
                                       { NULL, NULL, NULL } };
static const struct entry class[] = { { "net", NULL, NULL }, { NULL, NULL, NULL } };
static const struct entry cpu[] = { { "online", show_cpus, NULL },
                                    { "possible", show_cpus, NULL },
                                    { "present", show_cpus, NULL },
                                    { NULL, NULL, NULL } };
static const struct entry clocksource0[] = { { "available_clocksource", show_clocksource, NULL },
                                             { "current_clocksource", show_clocksource, NULL },
                                             { NULL, NULL, NULL } };
static const struct entry clocksource[] = { { "clocksource0", NULL, clocksource0 }, { NULL, NULL, NULL } };
static const struct entry system[] = { { "clocksource", NULL, clocksource },
                                       { "cpu", NULL, cpu },
                                       { NULL, NULL, NULL } };
static const struct entry devices[] = { { "system", NULL, system }, { NULL, NULL, NULL } };
static const struct entry hugepage[] = { { "enabled", show_hugepages, NULL }, { NULL, NULL, NULL } };
static const struct entry mm[] = { { "transparent_hugepage", NULL, hugepage }, { NULL, NULL, NULL } };
static const struct entry kernel[] = { { "mm", NULL, mm }, { NULL, NULL, NULL } };
static const struct entry top[] = {
    { "class", NULL, class }, { "devices", NULL, devices }, { "kernel", NULL, kernel }, { NULL, NULL, NULL }
};
static const struct entry root_entry = { "sys", NULL, top }, device_entry = { "device", NULL, device };

/* ---- inodes ---- */

static const struct inode_ops sys_ops;
static const struct file_ops sys_file_ops;

static struct sys_inode *sys(struct inode *inode)
{
    return container_of(inode, struct sys_inode, inode);
}

static uint32_t mode_of(const struct entry *e)
{
    return e->show ? S_IFREG | 0444 : S_IFDIR | 0755;
}

/* The same thing has the same number each time. */
static uint64_t ino_of(const struct entry *e, uint32_t ifindex)
{
    return (uint64_t)ifindex << 32 | ((uintptr_t)e & 0xffffffff);
}

static struct inode *make_inode(struct inode *parent, const struct entry *e, uint32_t ifindex)
{
    struct sys_inode *s = kzalloc(sizeof *s);

    if (!s)
        return NULL;
    inode_init(&s->inode, mode_of(e), &sys_ops, e->show ? &sys_file_ops : &directory_file_ops);
    s->inode.ino = ino_of(e, ifindex);
    s->inode.dev = DEV_SYSFS;
    s->inode.uid = s->inode.gid = 0;
    s->entry = e;
    s->ifindex = ifindex;
    if (!e->show)
        s->inode.parent = inode_get(parent);
    return &s->inode;
}

struct inode *sysfs_create_root(struct inode *parent)
{
    return make_inode(parent, &root_entry, 0);
}

static void sys_evict(struct inode *inode)
{
    kfree(sys(inode));
}

static struct inode *look_up_device(struct inode *dir, const char *name)
{
    struct net_device_facts f;

    for (uint32_t from = 0; netdev_next(kernel_net, from, &f); from = f.ifindex + 1)
        if (!strcmp(f.name, name))
            return make_inode(dir, &device_entry, f.ifindex);
    return NULL;
}

static struct inode *sys_lookup(struct inode *dir, const char *name)
{
    const struct entry *e = sys(dir)->entry->children;

    if (!e)
        return look_up_device(dir, name);
    for (; e->name; e++)
        if (!strcmp(e->name, name))
            return make_inode(dir, e, sys(dir)->ifindex);
    return NULL;
}

/* Position 2 + ifindex is a device. */
static bool list_devices(uint64_t *pos, struct dir_buffer *out)
{
    struct net_device_facts f;

    while (netdev_next(kernel_net, (uint32_t)(*pos - 2), &f)) {
        if (!dir_emit(out, f.name, ino_of(&device_entry, f.ifindex), S_IFDIR, f.ifindex + 3))
            return false;
        *pos = f.ifindex + 3;
    }
    return true;
}

static bool list_table(const struct inode *dir, const struct entry *table, uint64_t *pos,
                       struct dir_buffer *out)
{
    uint32_t ifindex = container_of(dir, const struct sys_inode, inode)->ifindex;

    for (uint64_t i = 0; table[i].name; i++)
        if (i + 2 == *pos) {
            if (!dir_emit(out, table[i].name, ino_of(&table[i], ifindex), mode_of(&table[i]), *pos + 1))
                return false;
            ++*pos;
        }
    return true;
}

static int sys_readdir(struct inode *dir, uint64_t *pos, struct dir_buffer *out)
{
    const struct entry *table = sys(dir)->entry->children;
    bool room = dir_emit_dots(dir, pos, out);

    if (room)
        room = table ? list_table(dir, table, pos, out) : list_devices(pos, out);
    return room || out->used ? 0 : -EINVAL;
}

static const struct inode_ops sys_ops = { .lookup = sys_lookup, .readdir = sys_readdir, .evict = sys_evict };

static void show(struct textbuf *out, struct inode *inode)
{
    struct net_device_facts f = { .ifindex = 0 };
    uint32_t ifindex = sys(inode)->ifindex;

    if (!ifindex || (netdev_next(kernel_net, ifindex, &f) && f.ifindex == ifindex))
        sys(inode)->entry->show(out, &f);
}

static int sys_open(struct file *f)
{
    return proc_text_open(f, show);
}

static const struct file_ops sys_file_ops = {
    .seekable = true, .open = sys_open, .read = proc_text_read, .release = proc_text_release
};
