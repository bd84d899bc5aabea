/* kern/cpu/cpuid.h - asking the processor what it is. */
#pragma once
#include "lib/compiler.h"

enum cpuid_register { CPUID_EAX, CPUID_EBX, CPUID_ECX, CPUID_EDX };
struct cpuid {
    uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
    struct cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}
/* A bit of a leaf that the processor is known to have. */
static inline bool cpuid_bit(uint32_t leaf, enum cpuid_register reg, unsigned bit)
{
    struct cpuid r = cpuid(leaf, 0);
    uint32_t words[] = { r.eax, r.ebx, r.ecx, r.edx };
    return words[reg] >> bit & 1;
}
