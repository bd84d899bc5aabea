/* sim/dev_host.h - dev/dev.h on the host: a driver's register access, interrupts and DMA memory go to one of
 * two kinds of card: a register model (sim/dev_model_e1000.h) or QEMU's own (sim/dev_qtest.h).
 *
 * A struct mmio's base points to a struct host_bar, which knows its card. */
#pragma once
#include "dev/dev.h"

enum { HOST_BARS = 6, HOST_VECTORS = 4 };

struct host_device;

/* What a kind of card does; bar, offset and width (1, 2 or 4 bytes) are within what map_bar has granted. */
struct host_device_ops {
    size_t (*bar_size)(struct host_device *h, unsigned bar); /* 0: none */
    uint32_t (*read)(struct host_device *h, unsigned bar, uint32_t offset, unsigned width);
    void (*write)(struct host_device *h, unsigned bar, uint32_t offset, unsigned width, uint32_t value);
    uint32_t (*config_read)(struct host_device *h, unsigned offset);
    void (*config_write)(struct host_device *h, unsigned offset, uint32_t value);
    int (*msix_enable)(struct host_device *h, unsigned n);
    void (*irq_changed)(struct host_device *h, unsigned index); /* a handler came or went */
    void *(*dma_alloc)(struct host_device *h, size_t size, dma_addr_t *bus);
    void (*dma_free)(struct host_device *h, void *p, size_t size);
    dma_addr_t (*dma_map)(struct host_device *h, const void *p);
};

struct host_bar {
    struct host_device *host;
    unsigned index;
};
struct host_irq {
    bool (*handler)(void *arg);
    void *arg;
};
struct host_device {
    struct device device;
    const struct host_device_ops *ops;
    struct host_bar bars[HOST_BARS];
    struct host_irq irqs[HOST_VECTORS];
    unsigned bars_mapped; /* must be 0 at the end */
    unsigned live_dma;    /* pieces of host_heap_alloc(); the same */
};

void host_device_init(struct host_device *h, const struct host_device_ops *ops, const char *name,
                      uint16_t vendor, uint16_t device);
/* DMA memory for a card in this process: the heap's, so that ASan sees each piece; bus addresses are
 * pointers. */
void *host_heap_alloc(struct host_device *h, size_t size, dma_addr_t *bus);
void host_heap_free(struct host_device *h, void *p, size_t size);
dma_addr_t host_heap_map(struct host_device *h, const void *p);
/* The line, or vector index, is asserted: call the driver's handler as a hard irq would. True if it was the
 * driver's. False too if nobody has requested it. */
bool host_device_interrupt(struct host_device *h, unsigned index);
