/* kern/cpu/gdt.c - segments, and the stacks on which interrupts begin.
 * In long mode segments say little more than the privilege; the task state segment names the stacks: rsp0 for
 * a trap from user mode, and one each for double fault, NMI and machine check, which may come when no other
 * is usable. */
#include "kern/cpu/cpu_private.h"
#include "lib/abi/vdso.h"

enum { IST_STACK_SIZE = 8192, GDT_TSS = 5, TSS_SELECTOR = GDT_TSS * 8 };

struct tss { /* SDM 3A 8.7 */
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3;
    uint16_t io_map; /* beyond the limit: no port is the user's */
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "SDM 3A 8.7");

static struct tss tss_of[MAX_CPUS];
static uint8_t ist_stacks[MAX_CPUS][IST_STACKS][IST_STACK_SIZE] __attribute__((aligned(16)));

static uint64_t tss_descriptor_low(uint64_t base)
{
    uint64_t limit = sizeof(struct tss) - 1, present_available = 0x89;
    return limit | (base & 0xffffff) << 16 | present_available << 40 | (base >> 24 & 0xff) << 56;
}

/* The stack's top, below which entry.S finds the address of its struct cpu. */
static uint64_t ist_top(const struct cpu *c, unsigned i)
{
    uint64_t *top = (uint64_t *)(ist_stacks[c->id][i] + IST_STACK_SIZE) - 2;
    *top = (uint64_t)c;
    return (uint64_t)top;
}

static void load_gdt(const struct cpu *c)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = { sizeof c->gdt - 1, (uint64_t)c->gdt };
    __asm__ volatile("lgdt %0" : : "m"(pointer)); /* the selectors in use mean the same in the boot GDT */
    __asm__ volatile("ltr %w0" : : "r"(TSS_SELECTOR));
}

/* A data segment that nobody uses: programs read its limit, the CPU's number (user/vdso/vdso.c). */
static uint64_t cpu_number_descriptor(unsigned id)
{
    uint64_t present_user_data = 0xf0, accessed_read_only = 0x1;
    return (uint64_t)(id & 0xffff) | (present_user_data | accessed_read_only) << 40;
}

void gdt_init_cpu(struct cpu *c)
{
    struct tss *tss = &tss_of[c->id];
    *tss = (struct tss){ .io_map = sizeof *tss };
    for (unsigned i = 0; i < IST_STACKS; i++)
        tss->ist[i] = ist_top(c, i);
    c->tss = tss;
    c->gdt[KERNEL_CS / 8] = 0x00af9a000000ffff;
    c->gdt[KERNEL_SS / 8] = 0x00cf92000000ffff;
    c->gdt[USER_SS / 8] = 0x00cff2000000ffff;
    c->gdt[USER_CS / 8] = 0x00affa000000ffff;
    c->gdt[GDT_TSS] = tss_descriptor_low((uint64_t)tss);
    c->gdt[GDT_TSS + 1] = (uint64_t)tss >> 32;
    c->gdt[VDSO_CPU_SELECTOR / 8] = cpu_number_descriptor(c->id);
    load_gdt(c);
}

void cpu_set_kernel_stack(uint64_t top)
{
    struct cpu *c = this_cpu();
    c->tss->rsp[0] = top;
    c->kernel_rsp = top;
}
