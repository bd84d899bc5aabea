/* kern/cpu/fpu.c - the floating-point and vector registers of programs: FXSAVE's area, or XSAVE's where there
 * is AVX. The kernel is compiled without them, so they are a program's own from its start to the next switch.
 */
#include "kern/cpu/cpu_private.h"
#include "kern/cpu/cpuid.h"
#include "lib/string.h"

enum { FXSAVE_SIZE = 512, XCR0_X87 = 1, XCR0_SSE = 2, XCR0_AVX = 4 };
enum { FCW_DEFAULT = 0x037f, MXCSR_DEFAULT = 0x1f80 }; /* System V ABI 3.2.3 */
enum { FXSAVE_FCW = 0, FXSAVE_MXCSR = 24 };            /* SDM 1 10.5.1 */

size_t fpu_area_size = FXSAVE_SIZE;
static uint32_t xsave_mask; /* 0: FXSAVE */

static void enable_xsave(void)
{
    xsave_mask = (XCR0_X87 | XCR0_SSE | XCR0_AVX) & cpuid(0xd, 0).eax;
    __asm__ volatile("xsetbv" : : "c"(0), "a"(xsave_mask), "d"(0));
    fpu_area_size = cpuid(0xd, 0).ebx; /* for the parts enabled in XCR0 */
}

void fpu_init_cpu(void)
{
    if (cpu_has_xsave())
        enable_xsave();
    __asm__ volatile("fninit");
}

void fpu_init_state(void *area)
{
    uint16_t fcw = FCW_DEFAULT;
    uint32_t mxcsr = MXCSR_DEFAULT;
    memset(area, 0, fpu_area_size);
    memcpy((uint8_t *)area + FXSAVE_FCW, &fcw, sizeof fcw);
    memcpy((uint8_t *)area + FXSAVE_MXCSR, &mxcsr, sizeof mxcsr);
    if (xsave_mask) /* XSTATE_BV: which parts are there; the rest is in its initial state */
        memcpy((uint8_t *)area + FXSAVE_SIZE, &(uint64_t){ XCR0_X87 | XCR0_SSE }, sizeof(uint64_t));
}

void fpu_save(void *area)
{
    if (xsave_mask)
        __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"(xsave_mask), "d"(0) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory");
}

void fpu_restore(const void *area)
{
    if (xsave_mask)
        __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"(xsave_mask), "d"(0) : "memory");
    else
        __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory");
}
