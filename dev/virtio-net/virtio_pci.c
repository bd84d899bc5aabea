/* dev/virtio-net/virtio_pci.c - a virtio 1.x device on PCI.
 * Vendor capabilities in configuration space say in which BAR, and where, each structure lies. */
#include "dev/virtio-net/virtio_pci.h"
#include "lib/abi/errno.h"

enum { PCI_CAPABILITIES = 0x34, PCI_CAP_VENDOR = 0x09, CAPABILITIES_MAX = 48 };
enum { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_DEVICE = 4 };                           /* 4.1.4: cfg_type */
enum { CAP_BAR = 4, CAP_OFFSET = 8, CAP_LENGTH = 12, CAP_NOTIFY_MULTIPLIER = 16 }; /* 4.1.4 */
enum {                                                                             /* 4.1.4.3 */
       COMMON_DEVICE_FEATURE_SELECT = 0,
       COMMON_DEVICE_FEATURE = 4,
       COMMON_DRIVER_FEATURE_SELECT = 8,
       COMMON_DRIVER_FEATURE = 12,
       COMMON_CONFIG_MSIX_VECTOR = 16,
       COMMON_DEVICE_STATUS = 20,
       COMMON_QUEUE_SELECT = 22,
       COMMON_QUEUE_SIZE = 24,
       COMMON_QUEUE_MSIX_VECTOR = 26,
       COMMON_QUEUE_ENABLE = 28,
       COMMON_QUEUE_NOTIFY_OFF = 30,
       COMMON_QUEUE_DESC = 32,
       COMMON_QUEUE_DRIVER = 40,
       COMMON_QUEUE_DEVICE = 48,
       COMMON_SIZE = 56
};
enum {
    STATUS_ACKNOWLEDGE = 1,
    STATUS_DRIVER = 2,
    STATUS_DRIVER_OK = 4,
    STATUS_FEATURES_OK = 8,
    STATUS_NEEDS_RESET = 64
}; /* 2.1 */
enum { RESET_TRIES = 10000, RESET_STEP_US = 10 };

/* ---- structures ---- */

static int region_map(struct virtio_pci *v, struct virtio_region *r, unsigned capability)
{
    if (r->bar.size)
        return 0; /* the first of a kind counts (4.1.4.1) */
    r->offset = device_config_read32(v->device, capability + CAP_OFFSET);
    r->length = device_config_read32(v->device, capability + CAP_LENGTH);
    uint8_t bar = (uint8_t)device_config_read32(v->device, capability + CAP_BAR);
    int err = device_map_bar(v->device, bar, &r->bar);
    if (!err && (uint64_t)r->offset + r->length > r->bar.size) {
        device_unmap_bar(v->device, &r->bar);
        err = -ENODEV;
    }
    return err;
}

static int capability_use(struct virtio_pci *v, unsigned capability, uint8_t type)
{
    switch (type) {
    case CAP_COMMON:
        return region_map(v, &v->common, capability);
    case CAP_NOTIFY:
        v->notify_multiplier = device_config_read32(v->device, capability + CAP_NOTIFY_MULTIPLIER);
        return region_map(v, &v->notify, capability);
    case CAP_DEVICE:
        return region_map(v, &v->config, capability);
    default:
        return 0;
    }
}

static bool structures_complete(const struct virtio_pci *v)
{
    return v->common.bar.size && v->common.length >= COMMON_SIZE && v->notify.bar.size && v->config.bar.size;
}

int virtio_pci_map(struct virtio_pci *v, struct device *d)
{
    unsigned at = device_config_read32(d, PCI_CAPABILITIES) & 0xfc;
    int err = 0;

    *v = (struct virtio_pci){ .device = d };
    for (int i = 0; at && !err && i < CAPABILITIES_MAX; i++) {
        uint32_t header = device_config_read32(d, at);
        if ((header & 0xff) == PCI_CAP_VENDOR)
            err = capability_use(v, at, (uint8_t)(header >> 24));
        at = header >> 8 & 0xfc;
    }
    if (!err && !structures_complete(v))
        err = -ENODEV;
    if (err)
        virtio_pci_unmap(v);
    return err;
}

static void region_unmap(struct virtio_pci *v, struct virtio_region *r)
{
    if (r->bar.size)
        device_unmap_bar(v->device, &r->bar);
}

void virtio_pci_unmap(struct virtio_pci *v)
{
    region_unmap(v, &v->common);
    region_unmap(v, &v->notify);
    region_unmap(v, &v->config);
}

/* ---- registers of the common structure ---- */

static uint8_t read8(const struct virtio_pci *v, uint32_t reg)
{
    return mmio_read8(&v->common.bar, v->common.offset + reg);
}
static uint16_t read16(const struct virtio_pci *v, uint32_t reg)
{
    return mmio_read16(&v->common.bar, v->common.offset + reg);
}
static uint32_t read32(const struct virtio_pci *v, uint32_t reg)
{
    return mmio_read32(&v->common.bar, v->common.offset + reg);
}
static void write8(const struct virtio_pci *v, uint32_t reg, uint8_t value)
{
    mmio_write8(&v->common.bar, v->common.offset + reg, value);
}
static void write16(const struct virtio_pci *v, uint32_t reg, uint16_t value)
{
    mmio_write16(&v->common.bar, v->common.offset + reg, value);
}
static void write32(const struct virtio_pci *v, uint32_t reg, uint32_t value)
{
    mmio_write32(&v->common.bar, v->common.offset + reg, value);
}
static void write64(const struct virtio_pci *v, uint32_t reg, uint64_t value)
{
    write32(v, reg, (uint32_t)value);
    write32(v, reg + 4, (uint32_t)(value >> 32));
}

uint8_t virtio_config_read8(const struct virtio_pci *v, uint32_t offset)
{
    return mmio_read8(&v->config.bar, v->config.offset + offset);
}
uint16_t virtio_config_read16(const struct virtio_pci *v, uint32_t offset)
{
    return mmio_read16(&v->config.bar, v->config.offset + offset);
}

/* ---- 3.1.1: the driver's steps ---- */

int virtio_reset(struct virtio_pci *v)
{
    write8(v, COMMON_DEVICE_STATUS, 0);
    for (int i = 0; i < RESET_TRIES; i++) { /* 4.1.4.3.2: over when it reads 0 */
        if (!read8(v, COMMON_DEVICE_STATUS))
            return 0;
        udelay(RESET_STEP_US);
    }
    return -EIO;
}

static uint64_t features_offered(struct virtio_pci *v)
{
    write32(v, COMMON_DEVICE_FEATURE_SELECT, 0);
    uint64_t low = read32(v, COMMON_DEVICE_FEATURE);
    write32(v, COMMON_DEVICE_FEATURE_SELECT, 1);
    return low | (uint64_t)read32(v, COMMON_DEVICE_FEATURE) << 32;
}

static void features_accept(struct virtio_pci *v)
{
    write32(v, COMMON_DRIVER_FEATURE_SELECT, 0);
    write32(v, COMMON_DRIVER_FEATURE, (uint32_t)v->features);
    write32(v, COMMON_DRIVER_FEATURE_SELECT, 1);
    write32(v, COMMON_DRIVER_FEATURE, (uint32_t)(v->features >> 32));
}

int virtio_negotiate(struct virtio_pci *v, uint64_t wanted)
{
    int err = virtio_reset(v);
    if (err)
        return err;
    write8(v, COMMON_DEVICE_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
    v->features = features_offered(v) & (wanted | 1ull << VIRTIO_F_VERSION_1);
    if (!virtio_has(v, VIRTIO_F_VERSION_1))
        return -ENODEV;
    features_accept(v);
    write8(v, COMMON_DEVICE_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK);
    return read8(v, COMMON_DEVICE_STATUS) & STATUS_FEATURES_OK ? 0 : -ENODEV;
}

void virtio_config_vector(struct virtio_pci *v, uint16_t vector)
{
    write16(v, COMMON_CONFIG_MSIX_VECTOR, vector);
}

int virtio_queue_init(struct virtio_pci *v, struct virtq *q, uint16_t index, uint16_t vector)
{
    write16(v, COMMON_QUEUE_SELECT, index);
    uint16_t size = MIN(read16(v, COMMON_QUEUE_SIZE), (uint16_t)VIRTQ_MAX);
    if (!size || size & (size - 1)) /* 2.7: a power of two; 0: there is no such queue */
        return -ENODEV;
    int err = virtq_init(q, v->device, index, size, virtio_has(v, VIRTIO_F_EVENT_IDX));
    if (err)
        return err;
    q->notify_at = v->notify.offset + read16(v, COMMON_QUEUE_NOTIFY_OFF) * v->notify_multiplier;
    write16(v, COMMON_QUEUE_SIZE, size);
    write16(v, COMMON_QUEUE_MSIX_VECTOR, vector);
    write64(v, COMMON_QUEUE_DESC, q->desc_bus);
    write64(v, COMMON_QUEUE_DRIVER, q->avail_bus);
    write64(v, COMMON_QUEUE_DEVICE, q->used_bus);
    write16(v, COMMON_QUEUE_ENABLE, 1);
    return 0;
}

void virtio_start(struct virtio_pci *v)
{
    write8(v, COMMON_DEVICE_STATUS,
           STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
}

bool virtio_works(struct virtio_pci *v)
{
    uint8_t status = read8(v, COMMON_DEVICE_STATUS);

    return status & STATUS_DRIVER_OK && !(status & STATUS_NEEDS_RESET);
}

void virtio_kick(struct virtio_pci *v, struct virtq *q)
{
    if (virtq_kick_prepare(q))
        mmio_write16(&v->notify.bar, q->notify_at, q->index); /* 4.1.5.2 */
}
