/* kern/debug/irqsoff.c - how long interrupts are off: the witness's clock.
 *
 * A CPU notes when and where its interrupts went off, and looks at the clock when they come on again. The
 * clock is the TSC, which in an emulator goes on while the host runs something else instead of this CPU. Such
 * a moment hits any place, and the same place three times in a row hardly ever: so what is reported is a
 * place that was too long three times running, or one so long that no host is that busy. The longest times
 * are kept, a single one too: /proc/irqsoff. */
#include "kern/boot/boot.h"
#include "kern/debug/debug.h"
#include "kern/debug/witness.h"
#include "kern/time/time.h"
#include "lib/format.h"
#include "net/port.h"

enum { KEPT = 12, TOO_LONG_BUCKETS = 1024, IN_A_ROW = 3, ENTRY_DEPTH = 3 };
#define TOO_LONG ms(100)
#define EXTREME  sec(10)

struct span {
    uint64_t ticks;
    struct site off, on;
};
static struct irqsoff_cpu { /* its CPU, irqs off */
    uint64_t since;         /* TSC; 0: they are on, or nobody noted when they went off */
    struct site off;
    uint64_t least; /* what a span must exceed to be kept */
    struct span kept[KEPT];
} irqsoff[MAX_CPUS];
/* How often in a row it was too long, by where they went off; of all CPUs, since threads move about. */
static uint8_t too_long[TOO_LONG_BUCKETS];

static struct irqsoff_cpu *mine(void)
{
    return &irqsoff[this_cpu()->id];
}

const struct site *irqs_off_site(void)
{
    return &mine()->off;
}

void witness_irqs_off(void)
{
    struct irqsoff_cpu *i = mine();
    site_take(&i->off, __builtin_frame_address(0));
    i->since = rdtsc();
}

/* ---- a span has ended ---- */

static bool same_place(const struct site *a, const struct site *b)
{
    for (unsigned i = 0; i < ENTRY_DEPTH; i++)
        if (a->pc[i] != b->pc[i])
            return false;
    return true;
}

/* The span with the same ends, else the shortest. */
static struct span *span_to_replace(struct irqsoff_cpu *i, const struct span *s)
{
    struct span *shortest = &i->kept[0];
    for (struct span *k = i->kept; k < i->kept + KEPT; k++) {
        if (k->ticks && same_place(&k->off, &s->off) && same_place(&k->on, &s->on))
            return k;
        shortest = k->ticks < shortest->ticks ? k : shortest;
    }
    return shortest;
}

static void keep(struct irqsoff_cpu *i, const struct span *s)
{
    struct span *k = span_to_replace(i, s);
    if (s->ticks <= k->ticks)
        return;
    *k = *s;
    i->least = UINT64_MAX;
    for (k = i->kept; k < i->kept + KEPT; k++)
        i->least = MIN(i->least, k->ticks);
}

static void complain(const struct span *s, uint64_t ns)
{
    char off[192], on[192];
    site_format(off, sizeof off, &s->off);
    site_format(on, sizeof on, &s->on);
    klog(LOG_ERROR, "witness: interrupts were off for %llu ms on CPU %u, again and again",
         (unsigned long long)(ns / ms(1)), cpu_id());
    klog(LOG_ERROR, "witness:   they went off at %s", off);
    klog(LOG_ERROR, "witness:   and came on at %s", on);
}

static uint8_t *bucket_of(const struct irqsoff_cpu *i)
{
    return &too_long[(i->off.pc[0] ^ i->off.pc[1] >> 3 ^ i->off.pc[2] >> 5) % TOO_LONG_BUCKETS];
}

static void look_closely(struct irqsoff_cpu *i, uint64_t ticks, const void *frame)
{
    struct span s = { .ticks = ticks, .off = i->off };
    uint64_t ns = clock_ticks_to_ns(ticks);
    uint8_t *times = bucket_of(i);
    site_take(&s.on, frame);
    keep(i, &s);
    *times = ns > TOO_LONG ? *times + 1 : 0;
    if (*times == IN_A_ROW || ns > EXTREME) {
        *times = 0;
        complain(&s, ns);
    }
}

static void ended(const void *frame)
{
    struct irqsoff_cpu *i = mine();
    if (!i->since)
        return;
    uint64_t ticks = rdtsc() - i->since;
    i->since = 0;
    if (unlikely(ticks > i->least))
        look_closely(i, ticks, frame);
    else if (unlikely(*bucket_of(i)))
        *bucket_of(i) = 0;
}

void witness_irqs_on(void)
{
    if (!irqs_enabled() && !panicking())
        ended(__builtin_frame_address(0));
}

/* ---- /proc/irqsoff ---- */

static void show_cpu(struct textbuf *out, unsigned cpu)
{
    char off[192], on[192];
    for (unsigned i = 0; i < KEPT; i++) {
        const struct span copy = irqsoff[cpu].kept[i], *k = &copy; /* a moment's picture: the CPU goes on */
        if (!k->ticks)
            continue;
        site_format(off, sizeof off, &k->off);
        site_format(on, sizeof on, &k->on);
        textbuf_printf(out, "CPU%u %8llu us\n    off at %s\n    on at  %s\n", cpu,
                       (unsigned long long)clock_ticks_to_ns(k->ticks) / 1000, off, on);
    }
}

void witness_show_irqsoff(struct textbuf *out)
{
    for_each_cpu (i)
        show_cpu(out, i);
}
