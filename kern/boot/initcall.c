/* kern/boot/initcall.c - making the calls of the start-up table, and remembering what each took. */
#include "kern/boot/initcall.h"
#include "kern/boot/boot.h"
#include "kern/cpu/cpu.h"
#include "kern/time/time.h"
#include "lib/format.h"
#include "net/port.h"

enum { MAX_RECORDS = 96, NAME_ROOM = 32 };

static const char *const level_names[INIT_LEVELS] = {
    "early", "core", "irq", "sched", "smp", "net", "drivers", "fs", "late",
};

/* The boot CPU alone writes these, before the first program runs. */
static struct record {
    enum init_level level;
    char name[NAME_ROOM];
    uint64_t ticks; /* of the TSC: most run before its rate is known */
} records[MAX_RECORDS];
static unsigned n_records;
static const struct record *running;
static bool debug;

void initcall_debug_init(void)
{
    char value[8];
    debug = cmdline_get("initcall_debug", value, sizeof value);
}

const char *initcall_running(void)
{
    return running ? running->name : NULL;
}

/* "name", or "name/part". */
static struct record *begin(const struct initcall *c, const char *part)
{
    if (n_records == MAX_RECORDS)
        panic("init: more than %d calls", MAX_RECORDS);
    struct record *r = &records[n_records++];
    r->level = c->level;
    ksnprintf(r->name, sizeof r->name, "%s%s%s", c->name, part ? "/" : "", part ? part : "");
    running = r;
    if (debug)
        klog(LOG_INFO, "initcall: %s: %s ...", level_names[r->level], r->name);
    r->ticks = rdtsc();
    return r;
}

static void end(struct record *r, int err)
{
    r->ticks = rdtsc() - r->ticks;
    if (err)
        panic("init: %s (level %s) failed: error %d", r->name, level_names[r->level], -err);
    running = NULL;
    if (!debug)
        return;
    uint64_t ns = clock_ticks_to_ns(r->ticks);
    if (ns)
        klog(LOG_INFO, "initcall: %s: %s took %llu us", level_names[r->level], r->name,
             (unsigned long long)ns / 1000);
    else /* the clock's rate is not known yet */
        klog(LOG_INFO, "initcall: %s: %s took %llu ticks", level_names[r->level], r->name,
             (unsigned long long)r->ticks);
}

static void run_parts(const struct initcall *c)
{
    const char *part;
    for (unsigned i = 0; (part = c->part(i)); i++) {
        struct record *r = begin(c, part);
        end(r, c->call_part(i));
    }
}

static void run_one(const struct initcall *c)
{
    struct record *r = begin(c, NULL);
    int err = 0;
    if (c->run)
        c->run();
    else
        err = c->call();
    end(r, err);
}

void initcalls_run(const struct initcall *table)
{
    enum init_level level = INIT_EARLY;
    for (const struct initcall *c = table; c->name; c++) {
        if (c->level < level)
            panic("init: %s: level %s stands behind level %s", c->name, level_names[c->level],
                  level_names[level]);
        level = c->level;
        if (c->part)
            run_parts(c);
        else
            run_one(c);
    }
}

void initcalls_show(struct textbuf *out)
{
    for (const struct record *r = records; r < records + n_records; r++)
        textbuf_printf(out, "%-8s %-24s %8llu\n", level_names[r->level], r->name,
                       (unsigned long long)clock_ticks_to_ns(r->ticks) / 1000);
}
