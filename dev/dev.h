/* dev/dev.h - what a driver asks for: registers, memory a device can see, interrupts.
 *
 * Implemented by kern/devport.c over PCI, and on the host by the harness that runs a driver against QEMU's
 * own card or a register model. Drivers include this, lib/, and net/'s public headers; nothing else. */
#pragma once
#include "lib/compiler.h"
#include "net/port.h"

struct net;
typedef uint64_t dma_addr_t; /* an address as the device sees it */

/* One device on a bus, as its driver sees it. */
struct device {
    const char *name; /* "00:03.0" */
    uint16_t vendor, device;
    struct net *net; /* the network its interfaces join */
    void *driver_data;
    void *bus; /* the bus's part */
};

struct device_id {
    uint16_t vendor, device;
};
/* A driver: the bus calls probe for each device whose id is in the table (ended by a zero vendor). */
struct device_driver {
    const char *name;
    const struct device_id *ids;
    int (*probe)(struct device *d);   /* process context; 0 or -errno, then the device stays unused */
    void (*remove)(struct device *d); /* process context; undoes probe */
};
/* Every driver there is, asked in this order; ends with NULL. dev/drivers.c */
extern const struct device_driver *const device_drivers[];
/* The first driver whose table names the device, or NULL. */
const struct device_driver *device_find_driver(uint16_t vendor, uint16_t device);

/* ---- registers: offsets in bytes from the start of a mapped BAR; an access is one exit to the model ---- */

struct mmio {
    uintptr_t base;
    size_t size;
};
/* Map a memory BAR, uncached. 0, -ENODEV if it is none, -ENOMEM. Process context. */
int device_map_bar(struct device *d, unsigned bar, struct mmio *m);
void device_unmap_bar(struct device *d, struct mmio *m);
uint8_t mmio_read8(const struct mmio *m, uint32_t offset);
uint16_t mmio_read16(const struct mmio *m, uint32_t offset);
uint32_t mmio_read32(const struct mmio *m, uint32_t offset);
void mmio_write8(const struct mmio *m, uint32_t offset, uint8_t value);
void mmio_write16(const struct mmio *m, uint32_t offset, uint16_t value);
void mmio_write32(const struct mmio *m, uint32_t offset, uint32_t value);

/* ---- configuration space and interrupts ---- */

uint32_t device_config_read32(struct device *d, unsigned offset);
void device_config_write32(struct device *d, unsigned offset, uint32_t value);
void device_set_master(struct device *d, bool on); /* let it do DMA */
/* Vectors by MSI-X, index 0 .. n - 1; the number granted, or -ENOSYS if the device has none. */
int device_msix_enable(struct device *d, unsigned n);
/* Call handler(arg) in hard irq on each interrupt; it returns whether the device had asked for it (lines are
 * shared). index is the MSI-X vector, or 0 for the INTx line. 0 or -errno. Process context. */
int device_irq_request(struct device *d, unsigned index, bool (*handler)(void *arg), void *arg);
/* No more calls, and none is running when it returns. Process context. */
void device_irq_free(struct device *d, unsigned index, void *arg);

/* ---- memory ---- */

/* Zeroed, page-aligned, physically contiguous; *bus is its address for the device. NULL when memory is out.
 */
void *dma_alloc(struct device *d, size_t size, dma_addr_t *bus);
void dma_free(struct device *d, void *p, size_t size);
/* The device's address of bytes in an sk_buff (or any dma_buffer_alloc memory). */
dma_addr_t dma_map(struct device *d, const void *p);

void udelay(unsigned microseconds); /* busy wait */

/* x86 keeps stores in order and loads in order; only the compiler must be told. A store followed by a load of
 * another word needs a real fence. */
#define dma_wmb() barrier()
#define dma_rmb() barrier()
#define dma_mb()  __atomic_thread_fence(__ATOMIC_SEQ_CST)
