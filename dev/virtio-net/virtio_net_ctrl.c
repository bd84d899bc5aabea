/* dev/virtio-net/virtio_net_ctrl.c - the control queue: which frames the card lets in (5.1.6.5).
 * One command at a time, in memory of its own; whoever gives one waits for it, so the memory is free again. A
 * card that does not answer is told nothing more and keeps the filter it has. Without a control queue it has
 * none. */
#include "dev/virtio-net/virtio_net.h"
#include "lib/abi/errno.h"
#include "lib/string.h"

enum { CTRL_RX = 0, CTRL_RX_PROMISC = 0, CTRL_RX_ALLMULTI = 1 }; /* 5.1.6.5.1: class, commands */
enum { CTRL_MAC = 1, CTRL_MAC_TABLE_SET = 0 };                   /* 5.1.6.5.2 */
enum { CTRL_OK = 0 };
enum { GROUPS_MOST = 64 }; /* more: all of them. What QEMU's card has room for */
enum { ANSWER_TRIES = 10000, ANSWER_STEP_US = 5 };

struct command {
    uint8_t class, command;
    uint8_t data[2 * sizeof(uint32_t) + GROUPS_MOST * ETH_ALEN];
};
enum { COMMAND_MEMORY = sizeof(struct command) + 1 }; /* and the card's answer */

static bool has_filter(const struct virtio_net *n)
{
    return virtio_has(&n->pci, VIRTIO_NET_F_CTRL_VQ) && virtio_has(&n->pci, VIRTIO_NET_F_CTRL_RX);
}

int virtio_net_ctrl_alloc(struct virtio_net *n)
{
    if (!has_filter(n))
        return 0;
    int err = virtio_queue_init(&n->pci, &n->ctrl, VIRTIO_NET_QUEUE_CTRL, VECTOR_CONFIG);
    if (err)
        return err;
    virtq_quiet(&n->ctrl);
    n->command = dma_alloc(n->pci.device, COMMAND_MEMORY, &n->command_bus);
    return n->command ? 0 : -ENOMEM;
}

void virtio_net_ctrl_free(struct virtio_net *n)
{
    if (n->command)
        dma_free(n->pci.device, n->command, COMMAND_MEMORY);
    n->command = NULL;
    virtq_free(&n->ctrl);
}

static bool answered(struct virtio_net *n)
{
    uint32_t len;

    for (int i = 0; i < ANSWER_TRIES && virtio_works(&n->pci); i++) {
        if (virtq_take(&n->ctrl, &len))
            return true;
        udelay(ANSWER_STEP_US);
    }
    return false;
}

/* Give the command that stands in n->command with data_len bytes of data. */
static void give(struct virtio_net *n, uint8_t class, uint8_t command, size_t data_len)
{
    struct command *c = n->command;
    uint8_t *answer = (uint8_t *)n->command + sizeof *c;
    const struct virtq_seg segs[] = {
        { n->command_bus, (uint32_t)(offsetof(struct command, data) + data_len) },
        { n->command_bus + sizeof *c, 1 },
    };

    c->class = class;
    c->command = command;
    *answer = 0xff;
    virtq_add(&n->ctrl, segs, 1, 1, c);
    virtio_kick(&n->pci, &n->ctrl);
    if (!answered(n)) {
        klog(LOG_WARNING, "%s: the control queue does not answer", n->netdev->name);
        n->pci.features &= ~(1ull << VIRTIO_NET_F_CTRL_RX);
    } else if (*(volatile uint8_t *)answer != CTRL_OK) {
        klog(LOG_WARNING, "%s: the card refuses command %u of class %u", n->netdev->name, command, class);
    }
}

static void give_flag(struct virtio_net *n, uint8_t command, bool on)
{
    if (!has_filter(n))
        return;
    ((struct command *)n->command)->data[0] = on;
    give(n, CTRL_RX, command, 1);
}

/* Two tables, each a count and that many addresses: unicast ones beside the card's own, of which there are
 * none, and groups. */
static void give_groups(struct virtio_net *n, const struct net_device *dev)
{
    uint8_t *data = ((struct command *)n->command)->data, *address = data + 2 * sizeof(uint32_t);
    const uint32_t counts[2] = { 0, dev->n_groups };
    const struct netdev_group *g;

    if (!has_filter(n))
        return;
    memcpy(data, counts, sizeof counts);
    list_for_each_entry (g, &dev->groups, link) {
        memcpy(address, g->address, ETH_ALEN);
        address += ETH_ALEN;
    }
    give(n, CTRL_MAC, CTRL_MAC_TABLE_SET, (size_t)(address - data));
}

void virtio_net_set_rx_mode(struct net_device *dev)
{
    struct virtio_net *n = netdev_priv(dev);
    bool all_groups = dev_flags(dev, NETDEV_ALLMULTI) || dev->n_groups > GROUPS_MOST;

    if (!n->command)
        return;
    if (!all_groups)
        give_groups(n, dev);
    give_flag(n, CTRL_RX_ALLMULTI, all_groups);
    give_flag(n, CTRL_RX_PROMISC, dev_flags(dev, NETDEV_PROMISC));
}
