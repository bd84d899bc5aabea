/* kern/boot/boot.h - what the boot loader told us, in one form for PVH (QEMU -kernel) and Multiboot2 (GRUB).
 * boot_info is filled before kmain's first line and constant afterwards. */
#pragma once
#include "lib/compiler.h"

enum { BOOT_MAX_REGIONS = 64, BOOT_MAX_MODULES = 4, BOOT_CMDLINE_MAX = 2048 };
struct boot_region {
    uint64_t start, length;
    bool usable;
};
struct boot_info {
    const char *loader; /* "PVH" or "Multiboot2 (GRUB 2.06)" */
    char cmdline[BOOT_CMDLINE_MAX];
    struct boot_region regions[BOOT_MAX_REGIONS];
    unsigned n_regions;
    struct {
        uint64_t start, length; /* physical: the initramfs archives, in order */
    } modules[BOOT_MAX_MODULES];
    unsigned n_modules;
    uint64_t rsdp; /* physical, 0 if unknown */
};
extern struct boot_info boot_info;

/* Fill boot_info from what the loader left at physical address info; magic says which loader it was. Nothing
 * of the loader's memory is used afterwards but the modules. Panics on a loader that is neither. */
void boot_info_init(uint32_t magic, uint64_t info);

/* The parts of the kernel's image (kern/boot/kernel.ld), each page aligned; virtual addresses. */
extern char kernel_start[];
extern char kernel_text_start[], kernel_text_end[];
extern char kernel_rodata_start[], kernel_rodata_end[]; /* .extable, .ksyms and the notes too */
extern char kernel_data_start[], kernel_data_end[];     /* .bss too */
extern char kernel_end[];

/* The value of NAME=value on the command line (copied to buf, cut to size), or the empty text for a bare
 * NAME. False if it is not there. Words are separated by blanks; a value may stand in double quotes. */
bool cmdline_get(const char *name, char *buf, size_t size);
/* Complain, one line a word, about words that nothing in the kernel or init knows. */
void cmdline_check(void);
