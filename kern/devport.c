/* kern/devport.c - dev/dev.h upon PCI: what a driver may ask of the kernel.
 *
 * Physical memory is mapped whole and DMA addresses are physical addresses (there is no IOMMU), so packet
 * buffers and rings need no mapping of their own. */
#include "dev/dev.h"
#include "kern/cpu/cpu.h"
#include "kern/irq/irq.h"
#include "kern/mm/mm.h"
#include "kern/pci/pci.h"
#include "lib/abi/errno.h"

static struct pci_device *pci_of(struct device *d)
{
    return d->bus;
}

/* ---- registers ---- */

int device_map_bar(struct device *d, unsigned bar, struct mmio *m)
{
    struct pci_device *p = pci_of(d);

    if (bar >= PCI_BARS || !p->bars[bar].size)
        return -ENODEV;
    void *base = ioremap(p->bars[bar].address, p->bars[bar].size);
    if (!base)
        return -ENOMEM;
    *m = (struct mmio){ .base = (uintptr_t)base, .size = p->bars[bar].size };
    return 0;
}

void device_unmap_bar(struct device *d, struct mmio *m)
{
    (void)d;
    iounmap((void *)m->base, m->size);
    *m = (struct mmio){ 0 };
}

/* Where a register lies; beyond the BAR is the driver's mistake. */
static void *mmio_at(const struct mmio *m, uint32_t offset, size_t width)
{
    ASSERT(offset + width <= m->size);
    return (void *)(m->base + offset);
}

uint8_t mmio_read8(const struct mmio *m, uint32_t offset)
{
    return *(volatile uint8_t *)mmio_at(m, offset, 1);
}
uint16_t mmio_read16(const struct mmio *m, uint32_t offset)
{
    return *(volatile uint16_t *)mmio_at(m, offset, 2);
}
uint32_t mmio_read32(const struct mmio *m, uint32_t offset)
{
    return *(volatile uint32_t *)mmio_at(m, offset, 4);
}
void mmio_write8(const struct mmio *m, uint32_t offset, uint8_t value)
{
    *(volatile uint8_t *)mmio_at(m, offset, 1) = value;
}
void mmio_write16(const struct mmio *m, uint32_t offset, uint16_t value)
{
    *(volatile uint16_t *)mmio_at(m, offset, 2) = value;
}
void mmio_write32(const struct mmio *m, uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)mmio_at(m, offset, 4) = value;
}

/* ---- configuration space ---- */

uint32_t device_config_read32(struct device *d, unsigned offset)
{
    return pci_config_read32(pci_of(d), offset);
}

void device_config_write32(struct device *d, unsigned offset, uint32_t value)
{
    pci_config_write32(pci_of(d), offset, value);
}

void device_set_master(struct device *d, bool on)
{
    pci_command(pci_of(d), on ? PCI_COMMAND_MASTER : 0, on ? 0 : PCI_COMMAND_MASTER);
}

/* ---- interrupts ---- */

int device_msix_enable(struct device *d, unsigned n)
{
    return pci_msix_enable(pci_of(d), n);
}

static int request_vector(struct pci_device *p, unsigned index, bool (*handler)(void *arg), void *arg)
{
    uint64_t address;
    uint32_t data;
    int err = irq_request_msi(handler, arg, p->name, &address, &data);
    if (!err)
        pci_msix_set(p, index, address, data);
    return err;
}

/* The line register holds the ISA irq that the firmware routed the pin to; without an override in the MADT
 * that says otherwise, a PCI line is level-triggered and active low. */
static int request_line(struct pci_device *p, bool (*handler)(void *arg), void *arg)
{
    uint32_t interrupt = pci_config_read32(p, PCI_INTERRUPT);
    uint8_t line = (uint8_t)interrupt, pin = (uint8_t)(interrupt >> 8);
    bool level, low;

    if (!pin || line > 15)
        return -ENODEV;
    unsigned gsi = irq_isa_gsi(line, &level, &low);
    if (!level)
        level = low = true;
    return irq_request_gsi(gsi, level, low, handler, arg, p->name);
}

int device_irq_request(struct device *d, unsigned index, bool (*handler)(void *arg), void *arg)
{
    struct pci_device *p = pci_of(d);

    if (index >= MAX(p->msix_enabled, 1u) || p->irqs[index].handler)
        return -EINVAL;
    int err = p->msix_enabled ? request_vector(p, index, handler, arg) : request_line(p, handler, arg);
    if (!err)
        p->irqs[index] = (struct pci_irq){ handler, arg };
    return err;
}

void device_irq_free(struct device *d, unsigned index, void *arg)
{
    struct pci_device *p = pci_of(d);

    ASSERT(index < PCI_MAX_VECTORS && p->irqs[index].handler && p->irqs[index].arg == arg);
    if (p->msix_enabled)
        pci_msix_mask(p, index);
    irq_free(p->irqs[index].handler, arg);
    p->irqs[index] = (struct pci_irq){ 0 };
}

/* ---- memory ---- */

/* The smallest block of pages that holds size bytes. */
static unsigned order_of(size_t size)
{
    unsigned order = 0;
    while (((size_t)PAGE_SIZE << order) < size)
        order++;
    return order;
}

void *dma_alloc(struct device *d, size_t size, dma_addr_t *bus)
{
    (void)d;
    void *p = page_alloc_zeroed(order_of(size));
    if (p)
        *bus = virt_to_phys(p);
    return p;
}

void dma_free(struct device *d, void *p, size_t size)
{
    (void)d;
    page_free(p, order_of(size));
}

dma_addr_t dma_map(struct device *d, const void *p)
{
    (void)d;
    return virt_to_phys(p);
}
