/* kern/boot/main.c - the kernel from its first line to the idle loop: the table of initialisation.
 * Each call may use what stands above it and nothing below. Interrupts come on when everything that they need
 * is there; from then on this is the boot CPU's idle thread, and others may run instead. */
#include "kern/boot/boot.h"
#include "kern/boot/initcall.h"
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
#include "kern/sched/workqueue.h"
#include "kern/sys/sys_socket.h"
#include "kern/time/time.h"
#include "lib/abi/errno.h"
#include "net/net.h"

_Noreturn void kmain(uint32_t magic, uint64_t info);

static struct {
    uint32_t magic;
    uint64_t info;
} loader; /* what it left in registers */

static void read_boot_info(void)
{
    boot_info_init(loader.magic, loader.info);
}

static void greet(void)
{
    klog(LOG_INFO, "Towpath, loaded by %s", boot_info.loader);
    klog(LOG_INFO, "command line: %s", boot_info.cmdline);
}

static int create_network(void)
{
    kernel_net = net_create_bare("init");
    return kernel_net ? 0 : -ENOMEM;
}

static int add_protocol(unsigned i)
{
    return net_module_init(kernel_net, i);
}

static void find_devices(void)
{
    pci_init(kernel_net);
}

static void start_init(void)
{
    char value[8];
    if (cmdline_get("selftest", value, sizeof value))
        selftest_run();
    else
        process_start_init();
}

static const struct initcall initcalls[] = {
    { INIT_EARLY, "console", .run = console_init },
    { INIT_EARLY, "cpu", .run = cpu_init_boot },
    { INIT_EARLY, "boot-info", .run = read_boot_info },
    { INIT_EARLY, "log", .run = klog_init },
    { INIT_EARLY, "greeting", .run = greet },
    { INIT_EARLY, "command-line", .run = cmdline_check },
    { INIT_EARLY, "initcall-debug", .run = initcall_debug_init },
    { INIT_CORE, "memory", .run = mm_init },
    { INIT_IRQ, "acpi", .run = acpi_init },
    { INIT_IRQ, "interrupts", .run = irq_init },
    { INIT_IRQ, "clock", .run = clock_init },
    { INIT_SCHED, "softirqs", .run = softirq_init_cpu },
    { INIT_SCHED, "timers", .run = timers_init_cpu },
    { INIT_SCHED, "scheduler", .run = sched_init },
    { INIT_SCHED, "interrupts-on", .run = irq_enable },
    { INIT_SMP, "cpus", .run = smp_start },
    { INIT_SMP, "ksoftirqd", .run = ksoftirqd_start },
    { INIT_SMP, "kworker", .run = workqueue_start },
    { INIT_NET, "network", .call = create_network },
    { INIT_NET, "net", .part = net_module_name, .call_part = add_protocol }, /* net/init.c */
    { INIT_DRIVERS, "serial", .run = serial_irq_init },
    { INIT_DRIVERS, "pci", .run = find_devices },
    { INIT_FS, "files", .run = fs_init },
    { INIT_LATE, "first-program", .run = start_init },
    { .name = NULL },
};

/* From start.S: the boot CPU in long mode on the boot tables, irqs off; magic and info as the loader left
 * them. */
void kmain(uint32_t magic, uint64_t info)
{
    loader.magic = magic;
    loader.info = info;
    initcalls_run(initcalls);
    sched_idle();
}
