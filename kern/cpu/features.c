/* kern/cpu/features.c - what this processor can do, and switching it on: the same on every CPU.
 * Write protection holds for the kernel too; no user page is executed (SMEP) or touched (SMAP) by it by
 * mistake. */
#include "kern/cpu/cpu_private.h"
#include "kern/cpu/cpuid.h"
#include "net/port.h"

enum { /* SDM 3A 2.5 */
       CR0_PE = 1 << 0,
       CR0_MP = 1 << 1,
       CR0_ET = 1 << 4,
       CR0_NE = 1 << 5,
       CR0_WP = 1 << 16,
       CR0_AM = 1 << 18,
       CR0_PG = 1 << 31,
       CR4_PAE = 1 << 5,
       CR4_MCE = 1 << 6,
       CR4_PGE = 1 << 7,
       CR4_OSFXSR = 1 << 9,
       CR4_OSXMMEXCPT = 1 << 10,
       CR4_UMIP = 1 << 11,
       CR4_OSXSAVE = 1 << 18,
       CR4_SMEP = 1 << 20,
       CR4_SMAP = 1 << 21
};
enum { EFER_SCE = 1 << 0, EFER_NXE = 1 << 11 };
enum {
    MSR_EFER = 0xc0000080,
    MSR_STAR = 0xc0000081,
    MSR_LSTAR = 0xc0000082,
    MSR_FMASK = 0xc0000084,
    MSR_KERNEL_GS_BASE = 0xc0000102
};
enum {
    RFLAGS_TF = 1 << 8,
    RFLAGS_IF = 1 << 9,
    RFLAGS_DF = 1 << 10,
    RFLAGS_IOPL = 3 << 12,
    RFLAGS_NT = 1 << 14,
    RFLAGS_AC = 1 << 18
};

static bool leaf7(enum cpuid_register reg, unsigned bit)
{
    return cpuid(0, 0).eax >= 7 && cpuid_bit(7, reg, bit);
}

bool cpu_has_smap(void)
{
    static int8_t known = -1; /* asked at every trap */
    if (known < 0)
        known = leaf7(CPUID_EBX, 20);
    return known;
}

bool cpu_has_xsave(void)
{
    return cpuid_bit(1, CPUID_ECX, 26);
}

bool cpu_has_nx(void)
{
    return cpuid_bit(0x80000001, CPUID_EDX, 20);
}

static void write_cr0(uint64_t v)
{
    __asm__ volatile("mov %0, %%cr0" : : "r"(v));
}

static void write_cr4(uint64_t v)
{
    __asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory");
}

static void set_control_registers(void)
{
    uint64_t cr4 = CR4_PAE | CR4_MCE | CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT;
    if (leaf7(CPUID_ECX, 2))
        cr4 |= CR4_UMIP;
    if (leaf7(CPUID_EBX, 7))
        cr4 |= CR4_SMEP;
    if (cpu_has_smap())
        cr4 |= CR4_SMAP;
    if (cpu_has_xsave())
        cr4 |= CR4_OSXSAVE;
    write_cr0((uint32_t)(CR0_PG | CR0_AM | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE));
    write_cr4(cr4);
}

/* sysret takes SS from the base + 8 and CS from the base + 16, hence the order in the GDT. */
static void set_syscall_msrs(void)
{
    uint64_t sysret_base = KERNEL_SS | 3, syscall_base = KERNEL_CS;
    wrmsr(MSR_STAR, sysret_base << 48 | syscall_base << 32);
    wrmsr(MSR_LSTAR, (uint64_t)syscall_entry);
    wrmsr(MSR_FMASK, RFLAGS_AC | RFLAGS_NT | RFLAGS_IOPL | RFLAGS_DF | RFLAGS_IF | RFLAGS_TF);
    wrmsr(MSR_KERNEL_GS_BASE, 0); /* the user's, while in the kernel */
}

void features_init_cpu(void)
{
    if (!cpu_has_nx())
        panic("this CPU has no NX bit");
    wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
    set_control_registers();
    set_syscall_msrs();
    fpu_init_cpu();
}
