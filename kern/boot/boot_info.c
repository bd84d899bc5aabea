/* kern/boot/boot_info.c - from the two loaders' forms to struct boot_info.
 * Everything is copied out, the RSDP included: mm_init() may give the loader's memory to anybody afterwards,
 * save for the modules, which it keeps. */
#include "kern/boot/boot.h"
#include "kern/mm/mm.h"
#include "lib/format.h"
#include "lib/string.h"
#include "net/port.h"

struct boot_info boot_info;

static void add_region(uint64_t start, uint64_t length, bool usable)
{
    if (boot_info.n_regions < BOOT_MAX_REGIONS)
        boot_info.regions[boot_info.n_regions++] =
            (struct boot_region){ .start = start, .length = length, .usable = usable };
}

static void add_module(uint64_t start, uint64_t length)
{
    if (boot_info.n_modules == BOOT_MAX_MODULES)
        panic("boot: more than %d modules", BOOT_MAX_MODULES);
    boot_info.modules[boot_info.n_modules].start = start;
    boot_info.modules[boot_info.n_modules++].length = length;
}

static void set_cmdline(const char *text)
{
    ksnprintf(boot_info.cmdline, sizeof boot_info.cmdline, "%s", text);
}

/* ---- PVH: xen/include/public/arch-x86/hvm/start_info.h, version 1 ---- */

struct pvh_start_info {
    uint32_t magic, version, flags, nr_modules;
    uint64_t modlist, cmdline, rsdp;
    uint64_t memmap;
    uint32_t memmap_entries, reserved;
};
struct pvh_module {
    uint64_t start, size, cmdline, reserved;
};
struct pvh_memory {
    uint64_t start, size;
    uint32_t type, reserved;
};
enum { PVH_MAGIC = 0x336ec578, MEMORY_RAM = 1 /* as E820 and Multiboot2 count */ };

static void from_pvh(const struct pvh_start_info *info)
{
    const struct pvh_module *modules = phys_to_virt(info->modlist);
    const struct pvh_memory *memory = phys_to_virt(info->memmap);
    boot_info.loader = "PVH";
    if (info->version < 1)
        panic("boot: PVH start info without a memory map (version %u)", info->version);
    for (uint32_t i = 0; i < info->memmap_entries; i++)
        add_region(memory[i].start, memory[i].size, memory[i].type == MEMORY_RAM);
    for (uint32_t i = 0; i < info->nr_modules; i++)
        add_module(modules[i].start, modules[i].size);
    if (info->cmdline)
        set_cmdline(phys_to_virt(info->cmdline));
    boot_info.rsdp = info->rsdp;
}

/* ---- Multiboot2 specification 3.6: a list of tags ---- */

enum {
    MULTIBOOT2_MAGIC = 0x36d76289,
    TAG_END = 0,
    TAG_CMDLINE = 1,
    TAG_LOADER = 2,
    TAG_MODULE = 3,
    TAG_MMAP = 6,
    TAG_ACPI_OLD = 14,
    TAG_ACPI_NEW = 15
};
struct tag {
    uint32_t type, size;
};
struct tag_module {
    struct tag tag;
    uint32_t start, end;
};
struct tag_mmap {
    struct tag tag;
    uint32_t entry_size, entry_version;
    struct pvh_memory entries[]; /* the same layout */
};

static void read_mmap(const struct tag_mmap *map)
{
    const char *end = (const char *)map + map->tag.size;
    for (const char *p = (const char *)map->entries; p + map->entry_size <= end; p += map->entry_size) {
        const struct pvh_memory *m = (const struct pvh_memory *)p;
        add_region(m->start, m->size, m->type == MEMORY_RAM);
    }
}

static void keep_rsdp(const struct tag *tag)
{
    static uint8_t rsdp[36] __attribute__((aligned(16)));
    memcpy(rsdp, tag + 1, MIN(tag->size - sizeof *tag, sizeof rsdp));
    boot_info.rsdp = virt_to_phys(rsdp);
}

static void set_loader(const char *name)
{
    static char text[64];
    ksnprintf(text, sizeof text, "Multiboot2 (%s)", name);
    boot_info.loader = text;
}

static void read_tag(const struct tag *tag)
{
    const struct tag_module *module = (const struct tag_module *)tag;
    switch (tag->type) {
    case TAG_CMDLINE:
        set_cmdline((const char *)(tag + 1));
        break;
    case TAG_LOADER:
        set_loader((const char *)(tag + 1));
        break;
    case TAG_MODULE:
        add_module(module->start, module->end - module->start);
        break;
    case TAG_MMAP:
        read_mmap((const struct tag_mmap *)tag);
        break;
    case TAG_ACPI_OLD:
    case TAG_ACPI_NEW: /* the newer one stands behind the older */
        keep_rsdp(tag);
        break;
    }
}

static void from_multiboot2(const char *info)
{
    const char *end = info + *(const uint32_t *)info;
    set_loader("unnamed loader");
    for (const char *p = info + 8; p < end;) {
        const struct tag *tag = (const struct tag *)p;
        if (tag->type == TAG_END || tag->size < sizeof *tag)
            break;
        read_tag(tag);
        p += ROUND_UP(tag->size, 8);
    }
}

void boot_info_init(uint32_t magic, uint64_t info)
{
    if (magic == PVH_MAGIC)
        from_pvh(phys_to_virt(info));
    else if (magic == MULTIBOOT2_MAGIC)
        from_multiboot2(phys_to_virt(info));
    else
        panic("boot: loaded neither by PVH nor by Multiboot2 (magic %#x)", magic);
    if (boot_info.n_regions == 0)
        panic("boot: %s gave no memory map", boot_info.loader);
}
