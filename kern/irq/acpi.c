/* kern/irq/acpi.c - the few ACPI tables we read (ACPI 6.4, chapter 5): MADT for the processors and interrupt
 * controllers, FADT for the timer and the power switch, and in the DSDT the _S5 package.
 * A table is used only if its length is sane and its bytes sum to zero; entries only as far as they lie
 * within. */
#include "kern/boot/boot.h"
#include "kern/irq/irq.h"
#include "kern/mm/mm.h"
#include "lib/string.h"
#include "net/port.h"

struct rsdp { /* 5.2.5.3 */
    char signature[8];
    uint8_t checksum;
    char oem[6];
    uint8_t revision;
    uint32_t rsdt;
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum, reserved[3];
} __attribute__((packed));
enum { RSDP_V1_LENGTH = 20 };

struct sdt { /* 5.2.6 */
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem[6], oem_table[8];
    uint32_t oem_revision, creator, creator_revision;
} __attribute__((packed));
_Static_assert(sizeof(struct sdt) == 36, "ACPI 5.2.6");

struct fadt { /* 5.2.9, as far as we read */
    struct sdt header;
    uint32_t facs, dsdt;
    uint8_t reserved1[12];
    uint32_t pm1a_event, pm1b_event, pm1a_control, pm1b_control, pm2_control, pm_timer;
    uint8_t reserved2[32];
    uint32_t flags;
    uint8_t reset_space, reset_width, reset_offset, reset_access;
    uint64_t reset_address;
    uint8_t reset_value;
} __attribute__((packed));
_Static_assert(offsetof(struct fadt, pm_timer) == 76 && offsetof(struct fadt, flags) == 112, "ACPI 5.2.9");
enum { FADT_TIMER_32BIT = 1 << 8, FADT_RESET = 1 << 10, SPACE_IO = 1 };

struct madt { /* 5.2.12 */
    struct sdt header;
    uint32_t lapic_base, flags;
} __attribute__((packed));
struct madt_entry {
    uint8_t type, length;
} __attribute__((packed));
enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, LAPIC_ENABLED = 1 };
struct madt_lapic { /* 5.2.12.2 */
    struct madt_entry entry;
    uint8_t processor, id;
    uint32_t flags;
} __attribute__((packed));
struct madt_ioapic { /* 5.2.12.3 */
    struct madt_entry entry;
    uint8_t id, reserved;
    uint32_t address, gsi_base;
} __attribute__((packed));
struct madt_override { /* 5.2.12.5 */
    struct madt_entry entry;
    uint8_t bus, source;
    uint32_t gsi;
    uint16_t flags;
} __attribute__((packed));

struct acpi_madt_info acpi;

/* ---- finding tables ---- */

static bool sums_to_zero(const void *p, size_t n)
{
    const uint8_t *bytes = p;
    uint8_t sum = 0;
    while (n--)
        sum += *bytes++;
    return sum == 0;
}

static bool is_rsdp(const struct rsdp *r)
{
    return memcmp(r->signature, "RSD PTR ", 8) == 0 && sums_to_zero(r, RSDP_V1_LENGTH);
}

/* Where the loader said, or as 5.2.5.1 says: on a 16-byte boundary of the BIOS area. */
static const struct rsdp *find_rsdp(void)
{
    enum { BIOS_START = 0xe0000, BIOS_END = 0x100000 };
    if (boot_info.rsdp && is_rsdp(phys_to_virt(boot_info.rsdp)))
        return phys_to_virt(boot_info.rsdp);
    for (uint64_t pa = BIOS_START; pa < BIOS_END; pa += 16)
        if (is_rsdp(phys_to_virt(pa)))
            return phys_to_virt(pa);
    return NULL;
}

/* The table at pa if it is whole, else NULL. */
static const struct sdt *table_at(uint64_t pa)
{
    enum { LARGEST = 1 << 20 };
    const struct sdt *t = phys_to_virt(pa);
    if (!pa || t->length < sizeof *t || t->length > LARGEST || !sums_to_zero(t, t->length))
        return NULL;
    return t;
}

/* The table with that signature in the list of addresses (of 4 bytes in an RSDT, of 8 in an XSDT), or NULL.
 */
static const struct sdt *find_table(const struct sdt *list, size_t width, const char *signature)
{
    const uint8_t *p = (const uint8_t *)(list + 1), *end = (const uint8_t *)list + list->length;
    for (; p + width <= end; p += width) {
        uint64_t pa = 0;
        memcpy(&pa, p, width);
        const struct sdt *t = table_at(pa);
        if (t && memcmp(t->signature, signature, 4) == 0)
            return t;
    }
    return NULL;
}

/* ---- MADT ---- */

static void add_cpu(const struct madt_lapic *l)
{
    if (l->flags & LAPIC_ENABLED && acpi.n_cpus < ARRAY_SIZE(acpi.cpu_lapic_ids))
        acpi.cpu_lapic_ids[acpi.n_cpus++] = l->id;
}

static void add_ioapic(const struct madt_ioapic *io)
{
    if (acpi.n_ioapics == ARRAY_SIZE(acpi.ioapics))
        return;
    acpi.ioapics[acpi.n_ioapics].base = io->address;
    acpi.ioapics[acpi.n_ioapics].gsi_base = io->gsi_base;
    acpi.ioapics[acpi.n_ioapics++].id = io->id;
}

static void add_override(const struct madt_override *o)
{
    if (acpi.n_overrides == ARRAY_SIZE(acpi.overrides))
        return;
    acpi.overrides[acpi.n_overrides].isa = o->source;
    acpi.overrides[acpi.n_overrides].gsi = o->gsi;
    acpi.overrides[acpi.n_overrides++].flags = o->flags;
}

static void read_madt_entry(const struct madt_entry *e)
{
    if (e->type == MADT_LAPIC && e->length >= sizeof(struct madt_lapic))
        add_cpu((const struct madt_lapic *)e);
    else if (e->type == MADT_IOAPIC && e->length >= sizeof(struct madt_ioapic))
        add_ioapic((const struct madt_ioapic *)e);
    else if (e->type == MADT_OVERRIDE && e->length >= sizeof(struct madt_override))
        add_override((const struct madt_override *)e);
}

static void read_madt(const struct madt *madt)
{
    const uint8_t *p = (const uint8_t *)(madt + 1), *end = (const uint8_t *)madt + madt->header.length;
    acpi.lapic_base = madt->lapic_base;
    while (p + sizeof(struct madt_entry) <= end) {
        const struct madt_entry *e = (const struct madt_entry *)p;
        if (e->length < sizeof *e || p + e->length > end)
            break;
        read_madt_entry(e);
        p += e->length;
    }
}

/* ---- FADT and DSDT ---- */

/* A byte constant of AML (20.2.3) at *p, which moves on. */
static uint8_t aml_byte(const uint8_t **p)
{
    enum { AML_ZERO = 0x00, AML_ONE = 0x01, AML_BYTE_PREFIX = 0x0a };
    uint8_t op = *(*p)++;
    return op == AML_BYTE_PREFIX ? *(*p)++ : op == AML_ONE ? 1 : AML_ZERO;
}

/* _S5 is Name(_S5_, Package(){ type for PM1a, type for PM1b, ... }): found by its name, without an
 * interpreter. */
static void read_s5(const struct sdt *dsdt)
{
    enum { AML_PACKAGE = 0x12, LONGEST = 16 };
    const uint8_t *p = (const uint8_t *)(dsdt + 1), *end = (const uint8_t *)dsdt + dsdt->length;
    for (; p + LONGEST <= end; p++) {
        if (memcmp(p, "_S5_", 4) != 0 || p[4] != AML_PACKAGE)
            continue;
        p += 5;
        p += (*p >> 6) + 2; /* PkgLength says in its top bits how many bytes follow it; then NumElements */
        acpi.s5_type_a = aml_byte(&p) & 7;
        acpi.s5_type_b = aml_byte(&p) & 7;
        return;
    }
}

static void read_fadt(const struct fadt *f)
{
    acpi.pm_timer_port = f->pm_timer;
    acpi.pm1a_control_port = f->pm1a_control;
    acpi.pm1b_control_port = f->pm1b_control;
    const struct sdt *dsdt = table_at(f->dsdt);
    if (dsdt)
        read_s5(dsdt);
    if (f->header.length < sizeof *f)
        return;
    acpi.pm_timer_32bit = f->flags & FADT_TIMER_32BIT;
    if (f->flags & FADT_RESET && f->reset_space == SPACE_IO) {
        acpi.reset_port = f->reset_address;
        acpi.reset_value = f->reset_value;
    }
}

void acpi_init(void)
{
    const struct rsdp *rsdp = find_rsdp();
    if (!rsdp)
        panic("ACPI: no RSDP: this kernel needs a PC with ACPI tables");
    bool has_xsdt = rsdp->revision >= 2 && rsdp->xsdt;
    const struct sdt *list = table_at(has_xsdt ? rsdp->xsdt : rsdp->rsdt);
    if (!list)
        panic("ACPI: the list of tables is damaged");
    const struct sdt *madt = find_table(list, has_xsdt ? 8 : 4, "APIC");
    const struct sdt *fadt = find_table(list, has_xsdt ? 8 : 4, "FACP");
    if (!madt || madt->length < sizeof(struct madt))
        panic("ACPI: no MADT: this kernel needs a local APIC and an IOAPIC");
    read_madt((const struct madt *)madt);
    if (fadt && fadt->length >= offsetof(struct fadt, flags))
        read_fadt((const struct fadt *)fadt);
    if (acpi.n_ioapics == 0)
        panic("ACPI: the MADT names no IOAPIC");
}
