/* kern/fs/procfs_system.c - the files of /proc about the machine, in Linux's format (proc(5)) where it has
 * one. */
#include "kern/boot/boot.h"
#include "kern/boot/initcall.h"
#include "kern/cpu/cpu.h"
#include "kern/debug/console.h"
#include "kern/debug/witness.h"
#include "kern/fs/locks.h"
#include "kern/fs/mount.h"
#include "kern/fs/procfs.h"
#include "kern/fs/procfs_kernel.h"
#include "kern/irq/irq.h"
#include "kern/mm/mm.h"
#include "kern/port.h"
#include "kern/proc/process.h"
#include "kern/sched/softirq.h"
#include "lib/format.h"

enum { TICKS = 10000000 /* ns in one of 1/100 s */ };

static void show_meminfo(struct textbuf *out, struct process *p)
{
    struct mm_stats mm;
    const uint64_t kib = PAGE_SIZE / 1024;

    (void)p;
    mm_get_stats(&mm);
    textbuf_printf(out, "MemTotal:       %8llu kB\n", (unsigned long long)(mm.total * kib));
    textbuf_printf(out, "MemFree:        %8llu kB\n", (unsigned long long)(mm.free * kib));
    textbuf_printf(out, "MemAvailable:   %8llu kB\n", (unsigned long long)(mm.free * kib));
    textbuf_printf(out, "Buffers:        %8d kB\nCached:         %8d kB\n", 0, 0);
    textbuf_printf(out, "SwapTotal:      %8d kB\nSwapFree:       %8d kB\n", 0, 0);
    textbuf_printf(out, "Slab:           %8llu kB\n", (unsigned long long)(mm.slab * kib));
}

static void show_uptime(struct textbuf *out, struct process *p)
{
    uint64_t idle = 0, now = time_now() / TICKS;

    (void)p;
    for_each_cpu (i)
        idle += sched_cpu_use(i).idle_ns / TICKS;
    textbuf_printf(out, "%llu.%02llu %llu.%02llu\n", (unsigned long long)now / 100,
                   (unsigned long long)now % 100, (unsigned long long)idle / 100,
                   (unsigned long long)idle % 100);
}

static void show_version(struct textbuf *out, struct process *p)
{
    (void)p;
    textbuf_printf(out, "Towpath version 5.10.0-towpath #1 SMP PREEMPT x86_64\n");
}

static void show_cmdline(struct textbuf *out, struct process *p)
{
    (void)p;
    textbuf_printf(out, "%s\n", boot_info.cmdline);
}

static void show_cpuinfo(struct textbuf *out, struct process *p)
{
    (void)p;
    for_each_cpu (i)
        textbuf_printf(out, "processor\t: %u\nvendor_id\t: unknown\nmodel name\t: x86-64\napicid\t\t: %u\n\n",
                       i, cpus[i].lapic_id);
}

static void add_cpu_use(struct cpu_use *sum, const struct cpu_use *u)
{
    sum->user_ns += u->user_ns;
    sum->nice_ns += u->nice_ns;
    sum->system_ns += u->system_ns;
    sum->idle_ns += u->idle_ns;
}

static void show_cpu_use(struct textbuf *out, const char *name, const struct cpu_use *u)
{
    textbuf_printf(out, "%s %llu %llu %llu %llu 0 0 0 0 0 0\n", name,
                   (unsigned long long)(u->user_ns / TICKS), (unsigned long long)(u->nice_ns / TICKS),
                   (unsigned long long)(u->system_ns / TICKS), (unsigned long long)(u->idle_ns / TICKS));
}

static void show_stat(struct textbuf *out, struct process *p)
{
    uint64_t irqs = 0, switches = 0;
    struct cpu_use all = { 0 }, each[MAX_CPUS];
    char name[16];

    (void)p;
    for_each_cpu (i) {
        each[i] = sched_cpu_use(i);
        add_cpu_use(&all, &each[i]);
        irqs += READ_ONCE(cpus[i].irqs);
        switches += READ_ONCE(cpus[i].context_switches);
    }
    show_cpu_use(out, "cpu ", &all);
    for_each_cpu (i) {
        ksnprintf(name, sizeof name, "cpu%u", i);
        show_cpu_use(out, name, &each[i]);
    }
    textbuf_printf(out, "intr %llu\nctxt %llu\nbtime %llu\n", (unsigned long long)irqs,
                   (unsigned long long)switches, (unsigned long long)((time_wall() - time_now()) / sec(1)));
    textbuf_printf(out, "processes %u\nprocs_running %u\nprocs_blocked 0\n", process_count(),
                   sched_n_runnable());
}

static void show_loadavg(struct textbuf *out, struct process *p)
{
    uint64_t loads[3];

    (void)p;
    load_averages(loads);
    for (unsigned i = 0; i < 3; i++)
        textbuf_printf(out, "%llu.%02llu ", (unsigned long long)(loads[i] / LOAD_ONE),
                       (unsigned long long)(loads[i] % LOAD_ONE * 100 / LOAD_ONE));
    textbuf_printf(out, "%u/%u %d\n", sched_n_runnable(), process_count(), process_last_pid());
}

static void show_slabinfo(struct textbuf *out, struct process *p)
{
    (void)p;
    slab_show(out);
}

static void show_interrupts(struct textbuf *out, struct process *p)
{
    (void)p;
    irq_show(out);
}

static void show_softirqs(struct textbuf *out, struct process *p)
{
    static const char *const names[SOFTIRQ_LEVELS] = {
        "HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "TASKLET"
    };

    (void)p;
    textbuf_printf(out, "%10s", "");
    for_each_cpu (i)
        textbuf_printf(out, " %9s%u", "CPU", i);
    textbuf_printf(out, "\n");
    for (int level = 0; level < SOFTIRQ_LEVELS; level++) {
        textbuf_printf(out, "%9s:", names[level]);
        for_each_cpu (i)
            textbuf_printf(out, " %10llu", (unsigned long long)softirq_runs(i, (enum softirq_level)level));
        textbuf_printf(out, "\n");
    }
}

static void show_initcalls(struct textbuf *out, struct process *p)
{
    (void)p;
    initcalls_show(out);
}

/* The witness's; debug kernels only. */
static void show_lockstat(struct textbuf *out, struct process *p)
{
    (void)p;
    if (CONFIG_DEBUG)
        witness_show_locks(out);
}

static void show_lockorder(struct textbuf *out, struct process *p)
{
    (void)p;
    if (CONFIG_DEBUG)
        witness_show_orders(out);
}

static void show_irqsoff(struct textbuf *out, struct process *p)
{
    (void)p;
    if (CONFIG_DEBUG)
        witness_show_irqsoff(out);
}

static void show_trace(struct textbuf *out, struct process *p)
{
    (void)p;
    trace_show(out);
}

static void show_kmsg(struct textbuf *out, struct process *p)
{
    (void)p;
    klog_show(out);
}

static void show_mounts(struct textbuf *out, struct process *p)
{
    (void)p;
    mount_show(out);
}

static void show_filesystems(struct textbuf *out, struct process *p)
{
    (void)p;
    textbuf_printf(out,
                   "nodev\trootfs\nnodev\ttmpfs\nnodev\tramfs\nnodev\tdevtmpfs\nnodev\tproc\nnodev\tsysfs\n");
}

static void show_locks(struct textbuf *out, struct process *p)
{
    (void)p;
    lock_show(out);
}

const struct proc_entry proc_system_entries[] = { { "buddyinfo", proc_show_buddyinfo, NULL },
                                                  { "cmdline", show_cmdline, NULL },
                                                  { "cpuinfo", show_cpuinfo, NULL },
                                                  { "filesystems", show_filesystems, NULL },
                                                  { "initcalls", show_initcalls, NULL },
                                                  { "interrupts", show_interrupts, NULL },
                                                  { "irqsoff", show_irqsoff, NULL },
                                                  { "kmsg", show_kmsg, NULL },
                                                  { "locks", show_locks, NULL },
                                                  { "loadavg", show_loadavg, NULL },
                                                  { "lockorder", show_lockorder, NULL },
                                                  { "lockstat", show_lockstat, NULL },
                                                  { "meminfo", show_meminfo, NULL },
                                                  { "mounts", show_mounts, NULL },
                                                  { "schedstat", proc_show_schedstat, NULL },
                                                  { "slabinfo", show_slabinfo, NULL },
                                                  { "softirqs", show_softirqs, NULL },
                                                  { "stat", show_stat, NULL },
                                                  { "timers", proc_show_timers, NULL },
                                                  { "trace", show_trace, NULL },
                                                  { "uptime", show_uptime, NULL },
                                                  { "version", show_version, NULL },
                                                  { "vmstat", proc_show_vmstat, NULL },
                                                  { NULL, NULL, NULL } };
