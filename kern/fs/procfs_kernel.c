/* kern/fs/procfs_kernel.c - the files of /proc about the kernel's own parts: timers, the buddy allocator, the
 * scheduler, in Linux's format where it has one. */
#include "kern/fs/procfs_kernel.h"
#include "kern/cpu/cpu.h"
#include "kern/mm/mm.h"
#include "kern/sched/thread.h"
#include "kern/time/time.h"
#include "lib/format.h"
#include "net/port.h"

void proc_show_timers(struct textbuf *out, struct process *p)
{
    (void)p;
    textbuf_printf(out, "Timer List Version: v0.9\nnow at %llu nsecs\n", (unsigned long long)time_now());
    for_each_cpu (i)
        timers_show(out, i);
}

/* Free blocks of each order, in one zone: there is no NUMA, and all memory is alike. */
void proc_show_buddyinfo(struct textbuf *out, struct process *p)
{
    uint64_t blocks[MAX_ORDER + 1];

    (void)p;
    page_count_blocks(blocks);
    textbuf_printf(out, "Node 0, zone %8s ", "Normal");
    for (unsigned order = 0; order <= MAX_ORDER; order++)
        textbuf_printf(out, "%6llu ", (unsigned long long)blocks[order]);
    textbuf_printf(out, "\n");
}

void proc_show_vmstat(struct textbuf *out, struct process *p)
{
    struct mm_stats mm;
    uint64_t faults = 0;

    (void)p;
    mm_get_stats(&mm);
    for_each_cpu (i)
        faults += READ_ONCE(cpus[i].page_faults);
    textbuf_printf(out, "nr_free_pages %llu\nnr_slab_unreclaimable %llu\npgfault %llu\n",
                   (unsigned long long)mm.free, (unsigned long long)mm.slab, (unsigned long long)faults);
}

/* Version 15 of Linux's file. What is counted here: calls of the scheduler's switch, the time that threads
 * ran. The rest is 0. */
void proc_show_schedstat(struct textbuf *out, struct process *p)
{
    (void)p;
    textbuf_printf(out, "version 15\ntimestamp %llu\n", (unsigned long long)(time_now() / ms(10)));
    for_each_cpu (i) {
        struct cpu_use use = sched_cpu_use(i);
        uint64_t switches = READ_ONCE(cpus[i].context_switches);
        textbuf_printf(out, "cpu%u 0 0 %llu 0 0 0 %llu 0 %llu\n", i, (unsigned long long)switches,
                       (unsigned long long)(use.user_ns + use.nice_ns + use.system_ns),
                       (unsigned long long)switches);
    }
}
