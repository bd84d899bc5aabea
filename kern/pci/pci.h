/* kern/pci/pci.h - devices on the PCI bus.
 *
 * pci_init() finds them once, while one CPU runs; the list does not change afterwards. What a driver may ask
 * for is dev/dev.h, implemented upon this by kern/devport.c. All process context. */
#pragma once
#include "dev/dev.h"
#include "lib/list.h"

enum { PCI_BARS = 6, PCI_MAX_VECTORS = 8 };

enum pci_register { /* PCI Local Bus Specification 3.0, 6.1 */
                    PCI_ID = 0x00,
                    PCI_COMMAND = 0x04, /* status in the upper half */
                    PCI_CLASS = 0x08,
                    PCI_HEADER = 0x0c,
                    PCI_BAR0 = 0x10,
                    PCI_BRIDGE_BUSES = 0x18,
                    PCI_CAPABILITIES = 0x34,
                    PCI_INTERRUPT = 0x3c
};
enum { /* 6.2.2 */
       PCI_COMMAND_IO = 1 << 0,
       PCI_COMMAND_MEMORY = 1 << 1,
       PCI_COMMAND_MASTER = 1 << 2,
       PCI_COMMAND_INTX_OFF = 1 << 10,
       PCI_STATUS_CAPABILITIES = 1 << 20
};

/* A memory BAR; size 0: none, or one of I/O ports. */
struct pci_bar {
    uint64_t address, size;
};
/* Who is called for a vector (or, at index 0 without MSI-X, for the line). */
struct pci_irq {
    bool (*handler)(void *arg);
    void *arg;
};

struct pci_device {
    struct list_head link; /* in pci.c's list */
    struct device device;
    char name[16]; /* "00:03.0": bus, slot, function */
    uint8_t bus, slot, function;
    uint8_t base_class;
    const struct device_driver *driver; /* bound to it, or NULL */
    struct pci_bar bars[PCI_BARS];
    struct pci_irq irqs[PCI_MAX_VECTORS];

    unsigned msix_capability;      /* its offset, 0: none */
    unsigned msix_enabled;         /* vectors in use, 0: the INTx line is */
    volatile uint32_t *msix_table; /* mapped while enabled */
};

/* Find every device, and give those of the network that a driver knows to it; their interfaces join net. One
 * line of the log each, and one if there is no network card. */
void pci_init(struct net *net);

uint32_t pci_config_read32(const struct pci_device *p, unsigned offset);
void pci_config_write32(const struct pci_device *p, unsigned offset, uint32_t value);
/* Set and clear bits of the command register. */
void pci_command(struct pci_device *p, uint32_t set, uint32_t clear);
/* The offset of the capability with this id, 0 if there is none (6.7). */
unsigned pci_find_capability(const struct pci_device *p, uint8_t id);

/* ---- kern/pci/msix.c ---- */

/* Switch to message-signalled interrupts, all masked: the number of vectors, n at most; -ENOSYS, -ENOMEM. */
int pci_msix_enable(struct pci_device *p, unsigned n);
void pci_msix_disable(struct pci_device *p);
/* What the device shall write where for vector index, and that it may. */
void pci_msix_set(struct pci_device *p, unsigned index, uint64_t address, uint32_t data);
void pci_msix_mask(struct pci_device *p, unsigned index);
