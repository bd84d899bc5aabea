/* kern/boot/main.c - the kernel from its first line to the idle loop: the order of initialisation.
 * Each call may use what stands above it and nothing below. Interrupts come on when everything that they need
 * is there; from then on this is the boot CPU's idle thread, and others may run instead. */
#include "kern/boot/boot.h"
#include "kern/cpu/cpu.h"
#include "kern/debug/console.h"
#include "kern/fs/fs.h"
#include "kern/irq/irq.h"
#include "kern/mm/mm.h"
#include "kern/pci/pci.h"
#include "kern/proc/process.h"
#include "kern/sched/selftest.h"
#include "kern/sched/softirq.h"
#include "kern/sched/thread.h"
#include "kern/sys/sys_socket.h"
#include "kern/time/time.h"
#include "net/net.h"

_Noreturn void kmain(uint32_t magic, uint64_t info);

static void greet(void)
{
    klog(LOG_INFO, "Towpath, loaded by %s", boot_info.loader);
    klog(LOG_INFO, "command line: %s", boot_info.cmdline);
}

static void start_init(void)
{
    char value[8];
    if (cmdline_get("selftest", value, sizeof value))
        selftest_run();
    else
        process_start_init();
}

/* From start.S: the boot CPU in long mode on the boot tables, irqs off; magic and info as the loader left
 * them. */
void kmain(uint32_t magic, uint64_t info)
{
    console_init();
    cpu_init_boot();
    boot_info_init(magic, info);
    klog_init();
    greet();
    cmdline_check();
    mm_init();
    acpi_init();
    irq_init();
    clock_init();
    softirq_init_cpu();
    timers_init_cpu();
    sched_init();
    irq_enable();
    smp_start();
    ksoftirqd_start();
    serial_irq_init();
    kernel_net = net_create("init");
    if (!kernel_net)
        panic("no memory for a network");
    pci_init(kernel_net);
    fs_init();
    start_init();
    sched_idle();
}
