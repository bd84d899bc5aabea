/* dev/virtio-net/virtio_pci.h - a virtio 1.x device on PCI: its structures, features and queues; knows no
 * network. Legacy devices are not served. Section numbers are those of VIRTIO 1.2. */
#pragma once
#include "dev/virtio-net/virtq.h"

enum { VIRTIO_VENDOR = 0x1af4 };
enum { VIRTIO_F_EVENT_IDX = 29, VIRTIO_F_VERSION_1 = 32 }; /* 6: bit numbers */

/* A structure that a vendor capability points to (4.1.4). */
struct virtio_region {
    struct mmio bar; /* size 0: not mapped */
    uint32_t offset, length;
};

struct virtio_pci {
    struct device *device;
    struct virtio_region common, notify, config;
    uint32_t notify_multiplier;
    uint64_t features; /* negotiated */
};

/* Find and map the structures. 0, -ENODEV if it is no virtio 1.x device, -ENOMEM. Process context. */
int virtio_pci_map(struct virtio_pci *v, struct device *d);
void virtio_pci_unmap(struct virtio_pci *v);
/* The device forgets everything and leaves memory alone. 0, or -EIO when it does not answer. */
int virtio_reset(struct virtio_pci *v);
/* Reset, then agree on those of wanted that it offers; VERSION_1 must be among them (3.1.1 1-6). 0, -EIO,
 * -ENODEV. */
int virtio_negotiate(struct virtio_pci *v, uint64_t wanted);
static inline bool virtio_has(const struct virtio_pci *v, unsigned feature)
{
    return v->features >> feature & 1;
}
/* Interrupt by this MSI-X vector when the configuration changes. */
void virtio_config_vector(struct virtio_pci *v, uint16_t vector);
/* Make queue index with the device's own size, VIRTQ_MAX at most, interrupting by vector. 0, -ENODEV,
 * -ENOMEM. */
int virtio_queue_init(struct virtio_pci *v, struct virtq *q, uint16_t index, uint16_t vector);
/* The driver is ready (3.1.1 8). */
void virtio_start(struct virtio_pci *v);
/* Is the device at work still? It says so itself (2.1.2). */
bool virtio_works(struct virtio_pci *v);
/* Notify the device of what was added, if it wants to know. */
void virtio_kick(struct virtio_pci *v, struct virtq *q);
uint8_t virtio_config_read8(const struct virtio_pci *v, uint32_t offset);
uint16_t virtio_config_read16(const struct virtio_pci *v, uint32_t offset);
