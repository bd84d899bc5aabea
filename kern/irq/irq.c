/* kern/irq/irq.c - interrupt lines and vectors, and whom an interrupt is for.
 *
 * A line is a vector with its source (a GSI, or a message) and the handlers that share it. Handlers are added
 * and removed under the IRQ lock and walked without it: a removed one is forgotten only when no walk is under
 * way that could still see it. */
#include "kern/irq/irq.h"
#include "kern/cpu/cpu.h"
#include "kern/cpu/ipi.h"
#include "kern/cpu/trap.h"
#include "kern/irq/ioapic.h"
#include "kern/mm/mm.h"
#include "kern/sched/softirq.h"
#include "kern/sched/spinlock.h"
#include "kern/sched/thread.h"
#include "kern/time/time.h"
#include "lib/abi/errno.h"
#include "lib/format.h"
#include "net/port.h"

enum { N_LINES = VECTOR_IRQ_LAST - VECTOR_IRQ_FIRST + 1, NO_GSI = -1, UNCLAIMED_LIMIT = 10000 };

struct irq_handler {
    struct irq_handler *next;
    bool (*fn)(void *arg);
    void *arg;
};
static struct irq_line {
    /* IRQ lock */
    struct irq_handler *handlers; /* read without it in hard irq */
    const char *name;             /* of the first handler */
    int gsi;                      /* NO_GSI: a message-signalled interrupt */
    bool used, level;
    /* atomic */
    uint32_t walks;
    /* of the CPU the line leads to */
    uint32_t unclaimed; /* in a row */
    uint64_t counts[MAX_CPUS];
} lines[N_LINES];
static struct spinlock irq_lock = SPINLOCK_INIT("irq", RANK_IRQ);

/* ---- start ---- */

/* The 8259s, which we do not use, must not speak: move them off the exceptions, then mask them. */
static void mask_8259s(void)
{
    enum { MASTER = 0x20, SLAVE = 0xa0, ICW1_INIT = 0x11, ICW4_8086 = 0x01, UNUSED_VECTORS = 0x20 };
    outb(MASTER, ICW1_INIT);
    outb(SLAVE, ICW1_INIT);
    outb(MASTER + 1, UNUSED_VECTORS);
    outb(SLAVE + 1, UNUSED_VECTORS + 8);
    outb(MASTER + 1, 1 << 2); /* the slave hangs on line 2 */
    outb(SLAVE + 1, 2);
    outb(MASTER + 1, ICW4_8086);
    outb(SLAVE + 1, ICW4_8086);
    outb(MASTER + 1, 0xff);
    outb(SLAVE + 1, 0xff);
}

void irq_init(void)
{
    mask_8259s();
    lapic_init_cpu();
    ioapic_init();
}

unsigned irq_isa_gsi(unsigned isa_irq, bool *level, bool *low)
{
    enum { POLARITY = 3, POLARITY_LOW = 3, TRIGGER = 3 << 2, TRIGGER_LEVEL = 3 << 2 }; /* ACPI 5.2.12.5 */
    *level = *low = false;
    for (unsigned i = 0; i < acpi.n_overrides; i++) {
        if (acpi.overrides[i].isa != isa_irq)
            continue;
        *low = (acpi.overrides[i].flags & POLARITY) == POLARITY_LOW;
        *level = (acpi.overrides[i].flags & TRIGGER) == TRIGGER_LEVEL;
        return acpi.overrides[i].gsi;
    }
    return isa_irq;
}

/* ---- who wants to hear; the IRQ lock held ---- */

static struct irq_line *line_of_gsi(int gsi)
{
    for (unsigned i = 0; i < N_LINES; i++)
        if (lines[i].used && lines[i].gsi == gsi)
            return &lines[i];
    return NULL;
}

static struct irq_line *new_line(int gsi, const char *name)
{
    for (unsigned i = 0; i < N_LINES; i++) {
        if (lines[i].used)
            continue;
        lines[i] = (struct irq_line){ .gsi = gsi, .name = name, .used = true };
        return &lines[i];
    }
    return NULL;
}

static uint8_t vector_of(const struct irq_line *line)
{
    return VECTOR_IRQ_FIRST + (line - lines);
}

/* Lines are dealt out to the CPUs in turn. */
static uint32_t target_of(const struct irq_line *line)
{
    return cpus[(line - lines) % n_cpus].lapic_id;
}

static void add_handler(struct irq_line *line, struct irq_handler *h)
{
    h->next = line->handlers;
    __atomic_store_n(&line->handlers, h, __ATOMIC_RELEASE); /* whole before it is seen */
}

static int attach_gsi(unsigned gsi, bool level, bool low, struct irq_handler *h, const char *name)
{
    struct irq_line *line = line_of_gsi(gsi);
    if (!line)
        line = new_line(gsi, name);
    if (!line)
        return -ENOSPC;
    bool first = !line->handlers;
    line->level = level;
    add_handler(line, h);
    int err = first ? ioapic_route(gsi, vector_of(line), level, low, target_of(line)) : 0;
    if (err)
        *line = (struct irq_line){ .used = false };
    return err;
}

static struct irq_handler *new_handler(bool (*fn)(void *arg), void *arg)
{
    struct irq_handler *h = kmalloc(sizeof *h);
    if (h)
        *h = (struct irq_handler){ .fn = fn, .arg = arg };
    return h;
}

int irq_request_gsi(unsigned gsi, bool level, bool low, bool (*handler)(void *arg), void *arg,
                    const char *name)
{
    struct irq_handler *h = new_handler(handler, arg);
    if (!h)
        return -ENOMEM;
    uint64_t flags = spin_lock(&irq_lock);
    int err = attach_gsi(gsi, level, low, h, name);
    spin_unlock(&irq_lock, flags);
    if (err)
        kfree(h);
    return err;
}

int irq_request_msi(bool (*handler)(void *arg), void *arg, const char *name, uint64_t *address,
                    uint32_t *data)
{
    enum { MESSAGE_ADDRESS = 0xfee00000, DESTINATION_SHIFT = 12 }; /* SDM 3A 11.11.1 */
    struct irq_handler *h = new_handler(handler, arg);
    if (!h)
        return -ENOMEM;
    uint64_t flags = spin_lock(&irq_lock);
    struct irq_line *line = new_line(NO_GSI, name);
    if (line) {
        add_handler(line, h);
        *address = (uint64_t)MESSAGE_ADDRESS | target_of(line) << DESTINATION_SHIFT;
        *data = vector_of(line);
    }
    spin_unlock(&irq_lock, flags);
    if (!line)
        kfree(h);
    return line ? 0 : -ENOSPC;
}

/* Take the handler off its line, which is masked if it was the last; NULL if no line has it. */
static struct irq_handler *unlink_handler(bool (*fn)(void *arg), void *arg, struct irq_line **line)
{
    for (*line = lines; *line < lines + N_LINES; ++*line) {
        for (struct irq_handler **p = &(*line)->handlers, *h; (h = *p); p = &h->next) {
            if (h->fn != fn || h->arg != arg)
                continue;
            __atomic_store_n(p, h->next, __ATOMIC_SEQ_CST); /* partner: the walk's counting, in run_line */
            if (!(*line)->handlers && (*line)->gsi != NO_GSI)
                ioapic_mask((*line)->gsi);
            return h;
        }
    }
    return NULL;
}

void irq_free(bool (*handler)(void *arg), void *arg)
{
    struct irq_line *line;
    uint64_t flags = spin_lock(&irq_lock);
    struct irq_handler *h = unlink_handler(handler, arg, &line);
    spin_unlock(&irq_lock, flags);
    if (!h)
        return;
    while (__atomic_load_n(&line->walks, __ATOMIC_SEQ_CST) != 0)
        cpu_relax();
    kfree(h);
    flags = spin_lock(&irq_lock);
    line->used = line->handlers != NULL;
    spin_unlock(&irq_lock, flags);
}

/* ---- in hard irq ---- */

/* A level-triggered line that nobody silences would keep its CPU busy for ever. */
static void nobody_cared(struct irq_line *line)
{
    if (++line->unclaimed != UNCLAIMED_LIMIT || line->gsi == NO_GSI)
        return;
    uint64_t flags = spin_lock(&irq_lock);
    ioapic_mask(line->gsi);
    spin_unlock(&irq_lock, flags);
    klog(LOG_ERROR, "irq: nobody claims GSI %d: masked", line->gsi);
}

static void run_line(struct irq_line *line)
{
    bool claimed = false;
    line->counts[this_cpu()->id]++;
    __atomic_fetch_add(&line->walks, 1, __ATOMIC_SEQ_CST);
    for (struct irq_handler *h = __atomic_load_n(&line->handlers, __ATOMIC_SEQ_CST); h; h = h->next)
        claimed |= h->fn(h->arg);
    __atomic_fetch_sub(&line->walks, 1, __ATOMIC_SEQ_CST);
    if (claimed)
        line->unclaimed = 0;
    else
        nobody_cared(line);
}

static void run_vector(uint64_t vector)
{
    switch (vector) {
    case VECTOR_TIMER:
        clock_event_interrupt();
        break;
    case VECTOR_KICK: /* looking at what there is to do is irq_dispatch's end */
        this_cpu()->kicks++;
        break;
    case VECTOR_TLB:
        this_cpu()->shootdowns++;
        tlb_interrupt();
        break;
    case VECTOR_HALT:
        cpu_halt();
    default:
        if (vector >= VECTOR_IRQ_FIRST && vector <= VECTOR_IRQ_LAST)
            run_line(&lines[vector - VECTOR_IRQ_FIRST]);
    }
}

void irq_dispatch(struct trapframe *tf)
{
    struct cpu *c = this_cpu();
    if (CONFIG_DEBUG)
        witness_irqs_off();
    c->irqs++;
    preempt_count_add(HARDIRQ_ONE);
    run_vector(tf->vector);
    if (tf->vector >= VECTOR_IRQ_FIRST && tf->vector != VECTOR_SPURIOUS)
        lapic_eoi();
    preempt_count_sub(HARDIRQ_ONE);
    softirq_irq_exit();
    if (READ_ONCE(c->need_resched) && preempt_count() == 0)
        preempt_schedule();
    if (CONFIG_DEBUG)
        witness_irqs_on(); /* by the way back */
}

/* ---- /proc/interrupts ---- */

/* One line for each CPU's counts of something; the field begins offset bytes into struct cpu. */
static void show_counts(struct textbuf *out, const char *name, size_t offset, const char *what)
{
    textbuf_printf(out, "%3s: ", name);
    for_each_cpu (i)
        textbuf_printf(out, "%10llu ",
                       (unsigned long long)READ_ONCE(*(const uint64_t *)((const char *)&cpus[i] + offset)));
    textbuf_printf(out, "  %s\n", what);
}

/* A message has no number but its vector. */
static void show_line(const struct irq_line *line, struct textbuf *out)
{
    unsigned number = line->gsi == NO_GSI ? vector_of(line) : (unsigned)line->gsi;
    textbuf_printf(out, "%3u: ", number);
    for_each_cpu (i)
        textbuf_printf(out, "%10llu ", (unsigned long long)line->counts[i]);
    textbuf_printf(out, " %8s %4u-%-8s %s\n", line->gsi == NO_GSI ? "PCI-MSI" : "IO-APIC", number,
                   line->level ? "fasteoi" : "edge", line->name);
}

void irq_show(struct textbuf *out)
{
    textbuf_printf(out, "     ");
    for_each_cpu (i)
        textbuf_printf(out, "CPU%-8u", i);
    textbuf_printf(out, "\n");
    for (unsigned i = 0; i < N_LINES; i++)
        if (lines[i].used)
            show_line(&lines[i], out);
    show_counts(out, "LOC", offsetof(struct cpu, ticks), "Local timer interrupts");
    show_counts(out, "RES", offsetof(struct cpu, kicks), "Rescheduling interrupts");
    show_counts(out, "TLB", offsetof(struct cpu, shootdowns), "TLB shootdowns");
}
