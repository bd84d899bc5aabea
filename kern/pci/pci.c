/* kern/pci/pci.c - the bus: configuration space, who is there, which driver takes it.
 *
 * Configuration mechanism #1 (PCI Local Bus Specification 3.0, 3.2.2.3.2): an address port and a data port,
 * so an access is two instructions under one lock. The firmware has placed the BARs and routed the lines;
 * both are taken as found. */
#include "kern/pci/pci.h"
#include "kern/mm/mm.h"
#include "kern/sched/spinlock.h"
#include "lib/format.h"

enum { PORT_CONFIG_ADDRESS = 0xcf8, PORT_CONFIG_DATA = 0xcfc };
enum { PCI_SLOTS = 32, PCI_FUNCTIONS = 8, PCI_MAX_DEPTH = 8 };
enum { HEADER_BRIDGE = 1, HEADER_TYPE_MASK = 0x7f, HEADER_MULTI_FUNCTION = 0x80 };
enum { CLASS_NETWORK = 0x02 };
enum { CAPABILITY_MSIX = 0x11 };
enum { BAR_IO = 1 << 0, BAR_TYPE_MASK = 3 << 1, BAR_TYPE_64 = 2 << 1, BAR_FLAGS = 0xf }; /* 6.2.5.1 */

static struct spinlock config_lock = SPINLOCK_INIT("pci config", RANK_PCI);
static struct list_head pci_devices = { &pci_devices, &pci_devices };

/* ---- configuration space ---- */

static uint32_t config_address(const struct pci_device *p, unsigned offset)
{
    return 1u << 31 | (uint32_t)p->bus << 16 | (uint32_t)p->slot << 11 | (uint32_t)p->function << 8 |
           (offset & 0xfc);
}

uint32_t pci_config_read32(const struct pci_device *p, unsigned offset)
{
    uint64_t flags = spin_lock(&config_lock);
    outl(PORT_CONFIG_ADDRESS, config_address(p, offset));
    uint32_t value = inl(PORT_CONFIG_DATA);
    spin_unlock(&config_lock, flags);
    return value;
}

void pci_config_write32(const struct pci_device *p, unsigned offset, uint32_t value)
{
    uint64_t flags = spin_lock(&config_lock);
    outl(PORT_CONFIG_ADDRESS, config_address(p, offset));
    outl(PORT_CONFIG_DATA, value);
    spin_unlock(&config_lock, flags);
}

void pci_command(struct pci_device *p, uint32_t set, uint32_t clear)
{
    uint32_t command =
        pci_config_read32(p, PCI_COMMAND) & 0xffff; /* ones in the status half would clear it */
    pci_config_write32(p, PCI_COMMAND, (command | set) & ~clear);
}

unsigned pci_find_capability(const struct pci_device *p, uint8_t id)
{
    if (!(pci_config_read32(p, PCI_COMMAND) & PCI_STATUS_CAPABILITIES))
        return 0;
    unsigned offset = pci_config_read32(p, PCI_CAPABILITIES) & 0xfc;
    for (int i = 0; offset && i < 48; i++) { /* no more fit; a loop in the list ends here */
        uint32_t header = pci_config_read32(p, offset);
        if ((header & 0xff) == id)
            return offset;
        offset = header >> 8 & 0xfc;
    }
    return 0;
}

/* ---- base addresses ---- */

/* Write ones to the BAR word at offset, read back which bits stick, restore it. */
static uint32_t bar_probe(struct pci_device *p, unsigned offset, uint32_t value)
{
    pci_config_write32(p, offset, ~0u);
    uint32_t mask = pci_config_read32(p, offset);
    pci_config_write32(p, offset, value);
    return mask;
}

/* Read and size the memory BAR i; how many words it takes. */
static unsigned bar_read(struct pci_device *p, unsigned i)
{
    unsigned offset = PCI_BAR0 + 4 * i;
    uint32_t low = pci_config_read32(p, offset);
    uint32_t mask = bar_probe(p, offset, low);

    if (low & BAR_IO || !mask)
        return 1;
    bool wide = (low & BAR_TYPE_MASK) == BAR_TYPE_64 && i + 1 < PCI_BARS;
    uint64_t address = low & ~(uint32_t)BAR_FLAGS, sizes = 0xffffffff00000000 | (mask & ~(uint32_t)BAR_FLAGS);
    if (wide) {
        uint32_t high = pci_config_read32(p, offset + 4);
        address |= (uint64_t)high << 32;
        sizes = (uint64_t)bar_probe(p, offset + 4, high) << 32 | (uint32_t)sizes;
    }
    if (address)
        p->bars[i] = (struct pci_bar){ address, ~sizes + 1 };
    return wide ? 2 : 1;
}

static void bars_read(struct pci_device *p)
{
    uint32_t command = pci_config_read32(p, PCI_COMMAND) & (PCI_COMMAND_IO | PCI_COMMAND_MEMORY);

    pci_command(p, 0, command); /* a BAR full of ones must not answer */
    for (unsigned i = 0; i < PCI_BARS;)
        i += bar_read(p, i);
    pci_command(p, command, 0);
}

/* ---- who is there ---- */

static void device_add(const struct pci_device *found, uint32_t id)
{
    struct pci_device *p = kzalloc(sizeof *p);
    if (!p) {
        klog(LOG_ERROR, "pci: no memory for device %04x:%04x", id & 0xffff, id >> 16);
        return;
    }
    *p = *found;
    ksnprintf(p->name, sizeof p->name, "%02x:%02x.%u", p->bus, p->slot, p->function);
    p->device =
        (struct device){ .name = p->name, .vendor = (uint16_t)id, .device = (uint16_t)(id >> 16), .bus = p };
    p->base_class = (uint8_t)(pci_config_read32(p, PCI_CLASS) >> 24);
    bars_read(p);
    p->msix_capability = pci_find_capability(p, CAPABILITY_MSIX);
    list_add_tail(&p->link, &pci_devices);
}

static void scan_bus(uint8_t bus, unsigned depth);

/* Look at one function; whether there is one, with further ones beside it. */
static bool scan_function(uint8_t bus, uint8_t slot, uint8_t function, unsigned depth)
{
    struct pci_device at = { .bus = bus, .slot = slot, .function = function };
    uint32_t id = pci_config_read32(&at, PCI_ID);
    if ((id & 0xffff) == 0xffff)
        return false;
    uint8_t header = (uint8_t)(pci_config_read32(&at, PCI_HEADER) >> 16);
    if ((header & HEADER_TYPE_MASK) == HEADER_BRIDGE) {
        uint8_t secondary = (uint8_t)(pci_config_read32(&at, PCI_BRIDGE_BUSES) >> 8);
        if (secondary > bus)
            scan_bus(secondary, depth + 1);
    } else {
        device_add(&at, id);
    }
    return header & HEADER_MULTI_FUNCTION;
}

static void scan_bus(uint8_t bus, unsigned depth)
{
    if (depth > PCI_MAX_DEPTH)
        return;
    for (uint8_t slot = 0; slot < PCI_SLOTS; slot++) {
        if (!scan_function(bus, slot, 0, depth))
            continue;
        for (uint8_t function = 1; function < PCI_FUNCTIONS; function++)
            scan_function(bus, slot, function, depth);
    }
}

/* ---- which driver takes it ---- */

static void bind(struct pci_device *p, struct net *net)
{
    struct device *d = &p->device;
    const struct device_driver *driver = device_find_driver(d->vendor, d->device);
    if (!driver) {
        klog(LOG_WARNING, "pci: %s %04x:%04x: no driver", d->name, d->vendor, d->device);
        return;
    }
    d->net = net;
    pci_command(p, PCI_COMMAND_MEMORY, 0);
    int err = driver->probe(d);
    if (err) {
        klog(LOG_ERROR, "pci: %s %04x:%04x: %s does not take it, error %d", d->name, d->vendor, d->device,
             driver->name, -err);
        return;
    }
    p->driver = driver;
    klog(LOG_INFO, "pci: %s %04x:%04x: %s", d->name, d->vendor, d->device, driver->name);
}

void pci_init(struct net *net)
{
    struct pci_device *p;
    unsigned cards = 0;

    scan_bus(0, 0);
    list_for_each_entry (p, &pci_devices, link) {
        if (p->base_class != CLASS_NETWORK)
            continue;
        cards++;
        bind(p, net);
    }
    if (!cards)
        klog(LOG_WARNING, "pci: no network card found");
}
