/* kern/debug/machine.c - ways out: with a status, power off, reboot. Each tries the next when one has no
 * effect. */
#include "dev/dev.h"
#include "kern/cpu/cpu.h"
#include "kern/debug/console.h"
#include "kern/debug/debug.h"
#include "kern/irq/irq.h"

enum {
    DEBUG_EXIT_PORT = 0xf4,    /* QEMU's isa-debug-exit, as tools/qemu.py places it */
    QEMU_PM1A_CONTROL = 0x604, /* where QEMU's firmware puts it, for a panic before acpi_init */
    SLEEP_ENABLE = 1 << 13,    /* ACPI 6.4, 4.8.3.2.1 */
    SLEEP_TYPE_SHIFT = 10,
    RESET_CONTROL_PORT = 0xcf9, /* PCI chip sets */
    RESET_HARD = 0x06,
    KEYBOARD_COMMAND_PORT = 0x64,
    KEYBOARD_PULSE_RESET = 0xfe
};

static _Noreturn void halt(void)
{
    irq_disable();
    lapic_broadcast_halt();
    for (;;)
        __asm__ volatile("cli; hlt");
}

static _Noreturn void power_off(void)
{
    uint16_t port = acpi.pm1a_control_port ? acpi.pm1a_control_port : QEMU_PM1A_CONTROL;
    outw(port, acpi.s5_type_a << SLEEP_TYPE_SHIFT | SLEEP_ENABLE);
    if (acpi.pm1b_control_port)
        outw(acpi.pm1b_control_port, acpi.s5_type_b << SLEEP_TYPE_SHIFT | SLEEP_ENABLE);
    udelay(100000);
    klog_always("this machine cannot be powered off: halted");
    halt();
}

void machine_exit(int status)
{
    klog_always("exit status %d", status);
    serial_drain();
    outl(DEBUG_EXIT_PORT, status);
    power_off();
}

void machine_power_off(void)
{
    klog_always("power off");
    serial_drain();
    power_off();
}

void machine_reboot(void)
{
    static const struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) empty_idt;
    klog_always("reboot");
    serial_drain();
    if (acpi.reset_port)
        outb(acpi.reset_port, acpi.reset_value);
    udelay(50000);
    outb(RESET_CONTROL_PORT, RESET_HARD);
    udelay(50000);
    outb(KEYBOARD_COMMAND_PORT, KEYBOARD_PULSE_RESET);
    udelay(50000);
    __asm__ volatile("lidt %0; int3" : : "m"(empty_idt)); /* a third fault shuts the CPU down */
    halt();
}
