/* kern/debug/witness_mutex.c - mutexes: in what order a thread takes them.
 *
 * Mutexes have no ranks; their class is their name. When one is taken while another is held, the order of the
 * two classes is remembered, with both places. An order whose reverse can be reached through the orders seen
 * so far could make threads wait for each other in a circle: that is reported the first time it is tried,
 * whether or not anybody was in the way. A class is not taken twice by one thread, unless its mutexes
 * were marked by mutex_may_nest(). */
#include "kern/debug/witness.h"
#include "lib/format.h"
#include "lib/string.h"
#include "net/port.h"

enum { MAX_CLASSES = 32, NAME_ROOM = 24, UNCLASSED = 0 };

static uint32_t guard; /* of what is added below; those who only read need none */
static uint32_t n_classes = 1;
static char names[MAX_CLASSES][NAME_ROOM];
static uint32_t followers[MAX_CLASSES]; /* bit n: class n was taken while this one was held */
static struct order {
    struct site outer_at, inner_at;
} orders[MAX_CLASSES][MAX_CLASSES];
static uint64_t acquired[MAX_CLASSES], contended[MAX_CLASSES]; /* atomic */
static struct report report;

static uint64_t guard_lock(void)
{
    uint64_t flags = irq_save();
    while (__atomic_exchange_n(&guard, 1, __ATOMIC_ACQUIRE))
        cpu_relax();
    return flags;
}

static void guard_unlock(uint64_t flags)
{
    __atomic_store_n(&guard, 0, __ATOMIC_RELEASE);
    irq_restore(flags);
}

static uint32_t find_class(const char *name)
{
    for (uint32_t i = 1; i < n_classes; i++)
        if (!strcmp(names[i], name))
            return i;
    return UNCLASSED;
}

void witness_mutex_init(struct mutex *m, const char *name)
{
    char cut[NAME_ROOM];
    ksnprintf(cut, sizeof cut, "%s", name);
    *m->record = (struct mutex_record){ 0 };
    uint64_t flags = guard_lock();
    m->record->class = find_class(cut);
    if (!m->record->class && n_classes < MAX_CLASSES) {
        memcpy(names[n_classes], cut, sizeof cut);
        m->record->class = n_classes++;
    }
    guard_unlock(flags);
}

/* ---- order ---- */

/* The classes that were ever taken, directly or not, while class was held. */
static uint32_t reachable(uint32_t class)
{
    uint32_t reached = followers[class], looked = 0;
    while (reached & ~looked) {
        uint32_t next = __builtin_ctz(reached & ~looked);
        looked |= 1u << next;
        reached |= READ_ONCE(followers[next]);
    }
    return reached;
}

/* The first step on the way from class to target. */
static uint32_t first_step(uint32_t class, uint32_t target)
{
    for (uint32_t next = 1; next < n_classes; next++)
        if (followers[class] & 1u << next && (next == target || reachable(next) & 1u << target))
            return next;
    return target;
}

static _Noreturn void bad_order(const struct mutex *m, const struct mutex *held, const struct site *here)
{
    uint32_t class = m->record->class, step = first_step(class, held->record->class);
    const struct order *o = &orders[class][step];
    report_line(&report, "lock order: taking mutex '%s' while holding mutex '%s'", m->guard.name,
                held->guard.name);
    report_site(&report, "being taken at", here);
    report_site(&report, "the held one was taken at", &held->record->taken_at);
    if (class != held->record->class) {
        report_line(&report, "  '%s' was held before while taking '%s'%s", names[class], names[step],
                    step == held->record->class ? "" : ", and so on to the one held now");
        report_site(&report, "the outer one taken at", &o->outer_at);
        report_site(&report, "the inner one taken at", &o->inner_at);
    }
    panic("%s", report.text);
}

static void remember(const struct mutex *outer, const struct mutex *inner, const struct site *here)
{
    uint32_t from = outer->record->class, to = inner->record->class;
    uint64_t flags = guard_lock();
    if (!(followers[from] & 1u << to)) {
        orders[from][to] = (struct order){ outer->record->taken_at, *here };
        WRITE_ONCE(followers[from], followers[from] | 1u << to);
    }
    guard_unlock(flags);
}

void witness_mutex_wait(struct mutex *m, const void *frame)
{
    const struct mutex *held = current_thread()->mutexes;
    struct site here;
    witness_may_sleep(frame);
    if (!held || !m->record->class)
        return;
    site_take(&here, frame);
    for (; held; held = held->record->outer) {
        uint32_t class = held->record->class;
        if (!class || (class == m->record->class && m->record->nests))
            continue;
        if (class == m->record->class || reachable(m->record->class) & 1u << class)
            bad_order(m, held, &here);
        if (!(READ_ONCE(followers[class]) & 1u << m->record->class))
            remember(held, m, &here);
    }
}

void witness_mutex_taken(struct mutex *m, bool waited, const void *frame)
{
    struct thread *t = current_thread();
    site_take(&m->record->taken_at, frame);
    m->record->outer = t->mutexes;
    t->mutexes = m;
    __atomic_fetch_add(&acquired[m->record->class], 1, __ATOMIC_RELAXED);
    if (waited)
        __atomic_fetch_add(&contended[m->record->class], 1, __ATOMIC_RELAXED);
}

/* ---- letting go ---- */

static _Noreturn void not_owner(const struct mutex *m, const struct site *here)
{
    const struct thread *owner = m->owner;
    if (owner)
        report_line(&report, "unlock by another owner: mutex '%s' is released by thread %d '%s'",
                    m->guard.name, current_thread()->tid, current_thread()->name);
    else
        report_line(&report, "releasing mutex '%s', which nobody holds", m->guard.name);
    report_site(&report, "being released at", here);
    if (owner) {
        report_line(&report, "  thread %d '%s' holds it", owner->tid, owner->name);
        report_site(&report, "taken at", &m->record->taken_at);
    } else {
        report_site(&report, "last released at", &m->record->released_at);
    }
    panic("%s", report.text);
}

void witness_mutex_release(struct mutex *m, const void *frame)
{
    struct mutex **p = &current_thread()->mutexes;
    struct site here;
    site_take(&here, frame);
    if (m->owner != current_thread())
        not_owner(m, &here);
    while (*p && *p != m)
        p = &(*p)->record->outer;
    if (*p)
        *p = m->record->outer;
    m->record->released_at = here;
}

void witness_thread_leaves(const char *where)
{
    const struct mutex *m = current_thread()->mutexes;
    if (likely(!m))
        return;
    report_line(&report, "thread %d '%s' %s with mutex '%s' held", current_thread()->tid,
                current_thread()->name, where, m->guard.name);
    report_site(&report, "taken at", &m->record->taken_at);
    panic("%s", report.text);
}

/* ---- /proc ---- */

void mutexes_show(struct textbuf *out)
{
    for (uint32_t i = 1; i < READ_ONCE(n_classes); i++)
        textbuf_printf(out, "%-16s %14llu %12llu\n", names[i], (unsigned long long)READ_ONCE(acquired[i]),
                       (unsigned long long)READ_ONCE(contended[i]));
}

void mutexes_show_orders(struct textbuf *out)
{
    char outer_at[192], inner_at[192];
    for (uint32_t i = 1; i < n_classes; i++) {
        for (uint32_t next = 1; next < n_classes; next++) {
            if (!(READ_ONCE(followers[i]) & 1u << next))
                continue;
            site_format(outer_at, sizeof outer_at, &orders[i][next].outer_at);
            site_format(inner_at, sizeof inner_at, &orders[i][next].inner_at);
            textbuf_printf(out, "mutex %s -> mutex %s\n    %s\n    %s\n", names[i], names[next], outer_at,
                           inner_at);
        }
    }
}
