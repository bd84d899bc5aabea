/* sim/dev_host.c - dev/dev.h on the host: checks what a driver may not do, then asks the card. */
#include "sim/dev_host.h"
#include "sim/sim.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Whether memory is to be had now: the faults of sim_fail_nth_alloc() reach these allocations too. */
static bool mem_alloc_allowed(void)
{
    void *p = mem_alloc(1);
    mem_free(p);
    return p;
}

static struct host_device *host_of(struct device *d)
{
    return container_of(d, struct host_device, device);
}

void host_device_init(struct host_device *h, const struct host_device_ops *ops, const char *name,
                      uint16_t vendor, uint16_t device)
{
    *h = (struct host_device){ .device = { .name = name, .vendor = vendor, .device = device }, .ops = ops };
    for (unsigned i = 0; i < HOST_BARS; i++)
        h->bars[i] = (struct host_bar){ h, i };
}

/* ---- DMA memory of a card in this process ---- */

void *host_heap_alloc(struct host_device *h, size_t size, dma_addr_t *bus)
{
    void *p = NULL;

    if (posix_memalign(&p, 4096, size))
        return NULL;
    h->live_dma++;
    *bus = (uintptr_t)p;
    return memset(p, 0, size);
}

void host_heap_free(struct host_device *h, void *p, size_t size)
{
    (void)size;
    h->live_dma--;
    free(p);
}

dma_addr_t host_heap_map(struct host_device *h, const void *p)
{
    (void)h;
    return (uintptr_t)p;
}

/* ---- registers ---- */

int device_map_bar(struct device *d, unsigned bar, struct mmio *m)
{
    struct host_device *h = host_of(d);
    size_t size = bar < HOST_BARS ? h->ops->bar_size(h, bar) : 0;

    if (!size)
        return -ENODEV;
    h->bars_mapped++;
    *m = (struct mmio){ .base = (uintptr_t)&h->bars[bar], .size = size };
    return 0;
}

void device_unmap_bar(struct device *d, struct mmio *m)
{
    host_of(d)->bars_mapped--;
    *m = (struct mmio){ 0 };
}

static struct host_bar *bar_at(const struct mmio *m, uint32_t offset, unsigned width)
{
    if (offset % width || offset + width > m->size)
        panic("register access of %u bytes at 0x%x, the BAR has 0x%zx", width, offset, m->size);
    return (struct host_bar *)m->base;
}

static uint32_t bar_read(const struct mmio *m, uint32_t offset, unsigned width)
{
    struct host_bar *b = bar_at(m, offset, width);
    return b->host->ops->read(b->host, b->index, offset, width);
}

static void bar_write(const struct mmio *m, uint32_t offset, unsigned width, uint32_t value)
{
    struct host_bar *b = bar_at(m, offset, width);
    b->host->ops->write(b->host, b->index, offset, width, value);
}

uint8_t mmio_read8(const struct mmio *m, uint32_t offset)
{
    return (uint8_t)bar_read(m, offset, 1);
}
uint16_t mmio_read16(const struct mmio *m, uint32_t offset)
{
    return (uint16_t)bar_read(m, offset, 2);
}
uint32_t mmio_read32(const struct mmio *m, uint32_t offset)
{
    return bar_read(m, offset, 4);
}
void mmio_write8(const struct mmio *m, uint32_t offset, uint8_t value)
{
    bar_write(m, offset, 1, value);
}
void mmio_write16(const struct mmio *m, uint32_t offset, uint16_t value)
{
    bar_write(m, offset, 2, value);
}
void mmio_write32(const struct mmio *m, uint32_t offset, uint32_t value)
{
    bar_write(m, offset, 4, value);
}

/* ---- configuration space ---- */

enum { CONFIG_COMMAND = 4, COMMAND_MASTER = 1 << 2 };

uint32_t device_config_read32(struct device *d, unsigned offset)
{
    return host_of(d)->ops->config_read(host_of(d), offset);
}

void device_config_write32(struct device *d, unsigned offset, uint32_t value)
{
    host_of(d)->ops->config_write(host_of(d), offset, value);
}

void device_set_master(struct device *d, bool on)
{
    uint32_t command = device_config_read32(d, CONFIG_COMMAND) & 0xffff & ~(uint32_t)COMMAND_MASTER;
    device_config_write32(d, CONFIG_COMMAND, on ? command | COMMAND_MASTER : command);
}

/* ---- interrupts ---- */

int device_msix_enable(struct device *d, unsigned n)
{
    struct host_device *h = host_of(d);
    return h->ops->msix_enable ? h->ops->msix_enable(h, MIN(n, (unsigned)HOST_VECTORS)) : -ENOSYS;
}

int device_irq_request(struct device *d, unsigned index, bool (*handler)(void *arg), void *arg)
{
    struct host_device *h = host_of(d);

    if (index >= HOST_VECTORS || h->irqs[index].handler)
        return -EINVAL;
    if (!mem_alloc_allowed())
        return -ENOMEM;
    h->irqs[index] = (struct host_irq){ handler, arg };
    h->ops->irq_changed(h, index);
    return 0;
}

void device_irq_free(struct device *d, unsigned index, void *arg)
{
    struct host_device *h = host_of(d);

    if (!h->irqs[index].handler || h->irqs[index].arg != arg)
        panic("irq %u freed, but not requested", index);
    h->irqs[index] = (struct host_irq){ 0 };
    h->ops->irq_changed(h, index);
}

struct call {
    struct host_irq irq;
    bool ours;
};

static void call_handler(void *arg)
{
    struct call *call = arg;
    call->ours = call->irq.handler(call->irq.arg);
}

bool host_device_interrupt(struct host_device *h, unsigned index)
{
    struct call call = { .irq = h->irqs[index] };

    if (call.irq.handler)
        sim_irq(call_handler, &call);
    return call.ours;
}

/* ---- memory ---- */

void *dma_alloc(struct device *d, size_t size, dma_addr_t *bus)
{
    return mem_alloc_allowed() ? host_of(d)->ops->dma_alloc(host_of(d), size, bus) : NULL;
}

void dma_free(struct device *d, void *p, size_t size)
{
    host_of(d)->ops->dma_free(host_of(d), p, size);
}

dma_addr_t dma_map(struct device *d, const void *p)
{
    return host_of(d)->ops->dma_map(host_of(d), p);
}

/* A card on the host is as quick as it says by itself: time passes with its own events. */
void udelay(unsigned microseconds)
{
    (void)microseconds;
}
