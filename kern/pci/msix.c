/* kern/pci/msix.c - message-signalled interrupts: a table in a BAR says what the device writes where.
 * A vector is masked unless somebody has requested it. PCI Local Bus Specification 3.0, 6.8.2. */
#include "kern/mm/mm.h"
#include "kern/pci/pci.h"
#include "lib/abi/errno.h"

enum { MSIX_CONTROL = 0, MSIX_TABLE = 4 };                   /* registers, from the capability on */
enum { CONTROL_SIZE_SHIFT = 16, CONTROL_SIZE_MASK = 0x7ff }; /* 6.8.2.3, in the upper half */
enum { CONTROL_MASK_ALL = 1 << 30, TABLE_BAR_MASK = 7 };
enum { ENTRY_ADDRESS, ENTRY_ADDRESS_HIGH, ENTRY_DATA, ENTRY_CONTROL, ENTRY_WORDS, ENTRY_MASKED = 1 };
#define CONTROL_ENABLE (1u << 31)

static volatile uint32_t *entry(struct pci_device *p, unsigned index)
{
    return p->msix_table + index * ENTRY_WORDS;
}

static void set_control(struct pci_device *p, uint32_t set, uint32_t clear)
{
    uint32_t control = pci_config_read32(p, p->msix_capability + MSIX_CONTROL);
    pci_config_write32(p, p->msix_capability + MSIX_CONTROL, (control | set) & ~clear);
}

/* Map the first n entries of the table. */
static volatile uint32_t *map_table(struct pci_device *p, unsigned n)
{
    uint32_t where = pci_config_read32(p, p->msix_capability + MSIX_TABLE);
    unsigned bar = where & TABLE_BAR_MASK;
    uint32_t offset = where & ~(uint32_t)TABLE_BAR_MASK;
    size_t size = n * ENTRY_WORDS * sizeof(uint32_t);

    if (bar >= PCI_BARS || p->bars[bar].size < offset + size)
        return NULL;
    return ioremap(p->bars[bar].address + offset, size);
}

int pci_msix_enable(struct pci_device *p, unsigned n)
{
    if (!p->msix_capability)
        return -ENOSYS;
    uint32_t control = pci_config_read32(p, p->msix_capability + MSIX_CONTROL);
    unsigned there = (control >> CONTROL_SIZE_SHIFT & CONTROL_SIZE_MASK) + 1;
    n = MIN(n, there);
    n = MIN(n, (unsigned)PCI_MAX_VECTORS);
    p->msix_table = map_table(p, n);
    if (!p->msix_table)
        return -ENOMEM;
    p->msix_enabled = n;
    set_control(p, CONTROL_ENABLE | CONTROL_MASK_ALL, 0);
    for (unsigned i = 0; i < n; i++)
        pci_msix_mask(p, i);
    pci_command(p, PCI_COMMAND_INTX_OFF, 0);
    set_control(p, 0, CONTROL_MASK_ALL);
    return (int)n;
}

void pci_msix_disable(struct pci_device *p)
{
    if (!p->msix_enabled)
        return;
    set_control(p, 0, CONTROL_ENABLE);
    pci_command(p, 0, PCI_COMMAND_INTX_OFF);
    iounmap((void *)p->msix_table, p->msix_enabled * ENTRY_WORDS * sizeof(uint32_t));
    p->msix_table = NULL;
    p->msix_enabled = 0;
}

void pci_msix_set(struct pci_device *p, unsigned index, uint64_t address, uint32_t data)
{
    volatile uint32_t *e = entry(p, index);

    e[ENTRY_ADDRESS] = (uint32_t)address;
    e[ENTRY_ADDRESS_HIGH] = (uint32_t)(address >> 32);
    e[ENTRY_DATA] = data;
    e[ENTRY_CONTROL] = 0;
}

void pci_msix_mask(struct pci_device *p, unsigned index)
{
    entry(p, index)[ENTRY_CONTROL] = ENTRY_MASKED;
}
