/* kern/cpu/cpu.c - the processors' structs, and each processor's start. */
#include "kern/cpu/cpu_private.h"
#include "kern/irq/irq.h"
#include "net/port.h"

struct cpu cpus[MAX_CPUS];
unsigned n_cpus = 1;

void cpu_init_boot(void)
{
    struct cpu *c = this_cpu(); /* start.S made %gs lead to cpus[0] */
    idt_init();
    gdt_init_cpu(c);
    idt_init_cpu();
    features_init_cpu();
    c->online = true;
}

void cpu_init_other(unsigned id)
{
    struct cpu *c = &cpus[id];
    gdt_init_cpu(c);
    idt_init_cpu();
    features_init_cpu();
}

unsigned cpu_id(void)
{
    return this_cpu()->id;
}

unsigned cpu_count(void)
{
    return n_cpus;
}

void cpu_kick(unsigned id)
{
    lapic_send(cpus[id].lapic_id, VECTOR_KICK);
}
