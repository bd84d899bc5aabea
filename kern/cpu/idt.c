/* kern/cpu/idt.c - the interrupt descriptor table: every vector leads to its stub in entry.S.
 * All are interrupt gates: interrupts are off when the stub begins. User code may only use int3. */
#include "kern/cpu/cpu_private.h"

enum { GATE_INTERRUPT = 0x8e, GATE_USER = 0x60, VECTOR_BREAKPOINT = 3 };

struct gate { /* SDM 3A 6.14.1 */
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "SDM 3A 6.14.1");

static struct gate idt[256];

static uint8_t stack_of(unsigned vector)
{
    switch (vector) {
    case 2:
        return IST_NMI;
    case 8:
        return IST_DOUBLE_FAULT;
    case 18:
        return IST_MACHINE_CHECK;
    default:
        return 0;
    }
}

void idt_init(void)
{
    for (unsigned i = 0; i < 256; i++) {
        uint64_t stub = (uint64_t)trap_stubs[i];
        idt[i] = (struct gate){
            .offset_low = (uint16_t)stub,
            .offset_middle = (uint16_t)(stub >> 16),
            .offset_high = stub >> 32,
            .selector = KERNEL_CS,
            .ist = stack_of(i),
            .type = GATE_INTERRUPT | (i == VECTOR_BREAKPOINT ? GATE_USER : 0),
        };
    }
}

void idt_init_cpu(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = { sizeof idt - 1, (uint64_t)idt };
    __asm__ volatile("lidt %0" : : "m"(pointer));
}
