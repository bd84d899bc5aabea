/* kern/debug/witness.c - spinning locks: where each that is held was taken, and which orders were ever seen.
 *
 * A lock's class is its rank. What is remembered of a lock lies beside the CPU's list of held locks
 * (kern/sched/spinlock.c) and follows its rules: a place is counted before it is filled, so an interrupt in
 * between uses the next one. An order, "inner was taken while outer was held", is written once, by whoever
 * sees it first, and then constant. */
#include "kern/debug/witness.h"
#include "kern/cpu/cpu.h"
#include "kern/debug/debug.h"
#include "kern/time/time.h"
#include "lib/format.h"
#include "net/port.h"

#define CLASS_INDEX(name, rank, what) CLASS_##name,
#define CLASS_OF(name, rank, what)    [rank] = CLASS_##name,
#define CLASS_NAME(name, rank, what)  [CLASS_##name] = #name,
enum { CLASS_NONE, LOCK_RANKS(CLASS_INDEX) CLASSES };
enum { MAX_HELD = ARRAY_SIZE(((struct cpu *)0)->locks_held), RELEASED_KEPT = 64, MAX_RANK = 256 };
static const uint8_t class_of[MAX_RANK] = { LOCK_RANKS(CLASS_OF) };
static const char *const class_names[CLASSES] = { LOCK_RANKS(CLASS_NAME) };

struct witness_cpu { /* its CPU */
    struct site taken_at[MAX_HELD];
    uint64_t acquired[CLASSES], contended[CLASSES], waited[CLASSES]; /* waited: TSC ticks */
};
static struct witness_cpu witnesses[MAX_CPUS];

static struct order {
    uint32_t state; /* atomic: 0, 1: being written, 2: constant */
    struct site outer_at, inner_at;
} orders[CLASSES][CLASSES]; /* [outer][inner] */

/* Where the last locks were let go, by a hash of their address: for whoever lets one go once more. */
static struct released {
    const void *lock;
    struct site at;
} released[RELEASED_KEPT];

/* ---- reports ---- */

static struct report report; /* of the one CPU that panics */

void report_line(struct report *r, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (r->len && (size_t)r->len < sizeof r->text)
        r->text[r->len++] = '\n';
    if ((size_t)r->len < sizeof r->text)
        r->len += kvsnprintf(r->text + r->len, sizeof r->text - r->len, fmt, ap);
    va_end(ap);
}

void report_site(struct report *r, const char *what, const struct site *s)
{
    char where[192];
    site_format(where, sizeof where, s);
    report_line(r, "  %s %s", what, where);
}

/* ---- taking and letting go ---- */

static uint8_t class_at(const struct cpu *c, unsigned n)
{
    return class_of[READ_ONCE(c->locks_held[n].rank) % MAX_RANK];
}

static void first_time(struct order *o, const struct site *outer_at, const struct site *inner_at)
{
    uint32_t unseen = 0;
    if (!__atomic_compare_exchange_n(&o->state, &unseen, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        return;
    o->outer_at = *outer_at;
    o->inner_at = *inner_at;
    __atomic_store_n(&o->state, 2, __ATOMIC_RELEASE);
}

void witness_acquire(unsigned n, const char *name, uint32_t rank, const void *frame)
{
    struct cpu *c = this_cpu();
    struct witness_cpu *w = &witnesses[c->id];
    uint8_t class = class_of[rank % MAX_RANK];
    (void)name;
    site_take(&w->taken_at[n], frame);
    w->acquired[class]++;
    if (!n)
        return;
    struct order *o = &orders[class_at(c, n - 1)][class];
    if (unlikely(!READ_ONCE(o->state)))
        first_time(o, &w->taken_at[n - 1], &w->taken_at[n]);
}

static struct released *released_slot(const void *lock)
{
    uint64_t a = (uint64_t)lock;
    return &released[(a >> 4 ^ a >> 12) % RELEASED_KEPT];
}

void witness_release(unsigned n, const void *lock, const void *frame)
{
    struct cpu *c = this_cpu();
    struct witness_cpu *w = &witnesses[c->id];
    struct released *r = released_slot(lock);
    r->lock = lock;
    site_take(&r->at, frame);
    for (unsigned i = n + 1; i < c->n_locks_held; i++)
        w->taken_at[i - 1] = w->taken_at[i];
}

void witness_contended(uint32_t rank, uint64_t ticks)
{
    struct witness_cpu *w = &witnesses[this_cpu()->id];
    uint8_t class = class_of[rank % MAX_RANK];
    w->contended[class]++;
    w->waited[class] += ticks;
}

/* ---- what went wrong ---- */

void witness_bad_order(const char *name, uint32_t rank, const void *frame)
{
    struct cpu *c = this_cpu();
    unsigned top = c->n_locks_held - 1;
    const struct held_lock *held = &c->locks_held[top];
    const struct order *o = &orders[class_of[rank % MAX_RANK]][class_at(c, top)];
    struct site here;
    site_take(&here, frame);
    report_line(&report, "lock order: taking '%s' (rank %u) while holding '%s' (rank %u)", name, rank,
                held->name, held->rank);
    report_site(&report, "being taken at", &here);
    report_site(&report, "the held one was taken at", &witnesses[c->id].taken_at[top]);
    if (o->state == 2) {
        report_site(&report, "the other order was first seen with the outer one taken at", &o->outer_at);
        report_site(&report, "and the inner one taken at", &o->inner_at);
    } else {
        report_line(&report, "  the other order has not been seen; lib/lockrank.h asks for it");
    }
    panic("%s", report.text);
}

/* The CPU that holds lock, and as its how manieth; NULL if none does. */
static const struct cpu *holder_of(const void *lock, unsigned *n)
{
    for_each_cpu (i)
        for (*n = 0; *n < READ_ONCE(cpus[i].n_locks_held); ++*n)
            if (cpus[i].locks_held[*n].lock == lock)
                return &cpus[i];
    return NULL;
}

void witness_not_held(const void *lock, const char *name, const void *frame)
{
    unsigned n;
    const struct cpu *holder = holder_of(lock, &n);
    const struct released *r = released_slot(lock);
    struct site here;
    site_take(&here, frame);
    if (holder)
        report_line(&report, "unlock by another owner: releasing '%s', which this CPU does not hold", name);
    else
        report_line(&report, "releasing '%s', which this CPU does not hold, nor does any other", name);
    report_site(&report, "being released at", &here);
    if (holder) {
        report_line(&report, "  CPU %u holds it, thread %d '%s'", holder->id,
                    holder->current ? holder->current->tid : 0, holder->current ? holder->current->name : "");
        report_site(&report, "taken at", &witnesses[holder->id].taken_at[n]);
    } else if (r->lock == lock) {
        report_site(&report, "last released at", &r->at);
    }
    panic("%s", report.text);
}

/* ---- sleeping ---- */

static struct atomic_cpu { /* its CPU: where the outermost of each kind began */
    struct site preempt_off, softirqs_off;
} atomic_sections[MAX_CPUS];

void witness_preempt_off(void)
{
    site_take(&atomic_sections[this_cpu()->id].preempt_off, __builtin_frame_address(0));
}

void witness_softirqs_off(void)
{
    site_take(&atomic_sections[this_cpu()->id].softirqs_off, __builtin_frame_address(0));
}

static void report_why_atomic(struct report *r)
{
    const struct cpu *c = this_cpu();
    const struct atomic_cpu *a = &atomic_sections[c->id];
    char what[64];
    for (unsigned i = 0; i < c->n_locks_held; i++) {
        ksnprintf(what, sizeof what, "'%s' is held, taken at", c->locks_held[i].name);
        report_site(r, what, &witnesses[c->id].taken_at[i]);
    }
    if (in_hardirq())
        report_site(r, "in a hard interrupt, entered at", irqs_off_site());
    else if (in_softirq())
        report_site(r, "in a softirq, entered at", &a->softirqs_off);
    else if (!c->n_locks_held && preempt_count() & SOFTIRQ_MASK)
        report_site(r, "softirqs were disabled at", &a->softirqs_off);
    else if (!c->n_locks_held && preempt_count())
        report_site(r, "preemption was disabled at", &a->preempt_off);
    else if (!c->n_locks_held)
        report_site(r, "interrupts were disabled at", irqs_off_site());
}

void witness_may_sleep(const void *frame)
{
    struct site here;
    if (likely(preempt_count() == 0 && irqs_enabled()))
        return;
    if (panicking())
        return;
    site_take(&here, frame);
    report_line(&report, "sleeping in atomic context: preempt_count %x, interrupts %s", preempt_count(),
                irqs_enabled() ? "on" : "off");
    report_site(&report, "sleeps at", &here);
    report_why_atomic(&report);
    panic("%s", report.text);
}

/* ---- /proc ---- */

void witness_show_locks(struct textbuf *out)
{
    textbuf_printf(out, "%-16s %14s %12s %12s\n", "class", "acquisitions", "contentions", "waited us");
    for (unsigned class = 1; class < CLASSES; class ++) {
        uint64_t acquired = 0, contended = 0, waited = 0;
        for_each_cpu (i) {
            acquired += READ_ONCE(witnesses[i].acquired[class]);
            contended += READ_ONCE(witnesses[i].contended[class]);
            waited += READ_ONCE(witnesses[i].waited[class]);
        }
        textbuf_printf(out, "%-16s %14llu %12llu %12llu\n", class_names[class], (unsigned long long)acquired,
                       (unsigned long long)contended, (unsigned long long)clock_ticks_to_ns(waited) / 1000);
    }
    mutexes_show(out);
}

static void show_order(struct textbuf *out, unsigned outer, unsigned inner)
{
    const struct order *o = &orders[outer][inner];
    char outer_at[192], inner_at[192];
    if (__atomic_load_n(&o->state, __ATOMIC_ACQUIRE) != 2)
        return;
    site_format(outer_at, sizeof outer_at, &o->outer_at);
    site_format(inner_at, sizeof inner_at, &o->inner_at);
    textbuf_printf(out, "%s -> %s\n    %s\n    %s\n", class_names[outer], class_names[inner], outer_at,
                   inner_at);
}

void witness_show_orders(struct textbuf *out)
{
    for (unsigned outer = 1; outer < CLASSES; outer++)
        for (unsigned inner = 1; inner < CLASSES; inner++)
            show_order(out, outer, inner);
    mutexes_show_orders(out);
}
