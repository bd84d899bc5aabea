/* kern/irq/ioapic.c - from device lines (global system interrupts, GSIs) to vectors on CPUs: Intel 82093AA.
 * Each controller serves the GSIs from its base on; a line is masked unless somebody has asked for it. */
#include "kern/irq/ioapic.h"
#include "kern/irq/irq.h"
#include "kern/mm/mm.h"
#include "lib/abi/errno.h"
#include "net/port.h"

enum { /* 82093AA 3.1, 3.2 */
       SELECT = 0x00,
       WINDOW = 0x10,
       REG_VERSION = 0x01,
       REG_REDIRECTION = 0x10,
       ENTRY_LOW_ACTIVE = 1 << 13,
       ENTRY_LEVEL = 1 << 15,
       ENTRY_MASKED = 1 << 16
};

static struct ioapic {
    volatile uint8_t *registers;
    unsigned gsi_base, n_lines;
} ioapics[ARRAY_SIZE(acpi.ioapics)];

static volatile uint32_t *at(const struct ioapic *io, unsigned offset)
{
    return (volatile uint32_t *)(io->registers + offset);
}

static uint32_t read(const struct ioapic *io, unsigned reg)
{
    *at(io, SELECT) = reg;
    return *at(io, WINDOW);
}

static void write(const struct ioapic *io, unsigned reg, uint32_t v)
{
    *at(io, SELECT) = reg;
    *at(io, WINDOW) = v;
}

static struct ioapic *serving(unsigned gsi)
{
    for (unsigned i = 0; i < acpi.n_ioapics; i++)
        if (gsi >= ioapics[i].gsi_base && gsi - ioapics[i].gsi_base < ioapics[i].n_lines)
            return &ioapics[i];
    return NULL;
}

void ioapic_init(void)
{
    for (unsigned i = 0; i < acpi.n_ioapics; i++) {
        struct ioapic *io = &ioapics[i];
        io->registers = ioremap(acpi.ioapics[i].base, PAGE_SIZE);
        if (!io->registers)
            panic("IOAPIC: cannot map %#x", acpi.ioapics[i].base);
        io->gsi_base = acpi.ioapics[i].gsi_base;
        io->n_lines = (read(io, REG_VERSION) >> 16 & 0xff) + 1;
        for (unsigned line = 0; line < io->n_lines; line++)
            write(io, REG_REDIRECTION + 2 * line, ENTRY_MASKED);
    }
}

int ioapic_route(unsigned gsi, uint8_t vector, bool level, bool low, uint32_t lapic_id)
{
    struct ioapic *io = serving(gsi);
    if (!io)
        return -EINVAL;
    unsigned reg = REG_REDIRECTION + 2 * (gsi - io->gsi_base);
    write(io, reg, ENTRY_MASKED);
    write(io, reg + 1, lapic_id << 24);
    write(io, reg, vector | (level ? ENTRY_LEVEL : 0) | (low ? ENTRY_LOW_ACTIVE : 0));
    return 0;
}

void ioapic_mask(unsigned gsi)
{
    struct ioapic *io = serving(gsi);
    if (io)
        write(io, REG_REDIRECTION + 2 * (gsi - io->gsi_base), ENTRY_MASKED);
}
