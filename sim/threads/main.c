/* sim/threads/main.c - run kinds of work, one after the other, each in a machine and a world of its own.
 *
 * usage: threads [--seconds N] [--seed N] [--cpus N] [--speed N] [--fail-allocs PER_MILLION] [--list]
 * [WORK...] ThreadSanitizer reports on stderr and makes the exit status 66; a panic ends the run with 99. */
#include "sim/threads/quiet.h"
#include "sim/threads/work.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct work works[] = {
    { "tcp", "bulk and request-response, on loopback and wires", start_tcp, end_tcp, false },
    { "churn", "connections made, accepted and broken off; listeners come and go", start_churn, NULL, false },
    { "udp", "storms of datagrams, fragments, errors of closed ports", start_udp, NULL, false },
    { "shared", "many processes on the same sockets of every kind", start_shared, end_shared, false },
    { "config", "devices, addresses, routes, neighbours, knobs change; /proc/net is read", start_config,
      end_tcp, false },
    { "netlink", "links and addresses asked for, changed and listened to by netlink", start_netlink, NULL,
      false },
    { "groups", "groups joined, heard and left, while all changes", start_groups, NULL, false },
    { "taps", "packet sockets, filters and rings come and go", start_taps, NULL, false },
    { "local", "local sockets, names, descriptors in flight", start_local, NULL, false },
    { "pings", "echoes, raw sockets, unreachable hosts", start_pings, NULL, false },
    { "planted-cpus", "a race of two CPUs' softirqs, on purpose", start_planted_cpus, NULL, true },
    { "planted-process", "a race of a process and a softirq of one CPU", start_planted_process, NULL, true },
    { "planted-timer", "a timer that is cancelled, not waited for, and freed", start_planted_timer, NULL,
      true },
    { 0 }
};

static struct {
    unsigned seconds;
    uint32_t fail_allocs;
    struct threads_options machine;
} options = { 4, 0, { 4, 10, 1, false } };

/* ---- the work's processes ---- */

enum { PROCESSES_MAX = 4096, COUNTS_MAX = 64 };
static struct {
    uint32_t guard, over;
    unsigned n;
    struct process *processes[PROCESSES_MAX];
    struct {
        const char *what;
        uint64_t times;
    } counts[COUNTS_MAX];
} running;

void work_process(const char *name, void (*fn)(void *arg), void *arg)
{
    struct process *p = process_start(name, fn, arg);

    quiet_lock(&running.guard);
    if (running.n == PROCESSES_MAX)
        panic("more than %d processes", PROCESSES_MAX);
    running.processes[running.n++] = p;
    if (running.over)
        process_interrupt(p);
    quiet_unlock(&running.guard);
}

bool work_goes_on(void)
{
    return !process_interrupted();
}

void work_count(const char *what)
{
    unsigned i = 0;

    quiet_lock(&running.guard);
    while (i < COUNTS_MAX - 1 && running.counts[i].what && strcmp(running.counts[i].what, what))
        i++;
    running.counts[i].what = what;
    running.counts[i].times++;
    quiet_unlock(&running.guard);
}

static struct process *interrupt_all(void)
{
    struct process *one = NULL;

    quiet_lock(&running.guard);
    running.over = true;
    for (unsigned i = 0; i < running.n; i++)
        process_interrupt(running.processes[i]);
    if (running.n)
        one = running.processes[--running.n];
    quiet_unlock(&running.guard);
    return one;
}

static void join_all(void)
{
    struct process *p;

    while ((p = interrupt_all()))
        process_join(p);
}

static void report(const struct work *w)
{
    printf("%s:", w->name);
    for (unsigned i = 0; i < COUNTS_MAX && running.counts[i].what; i++)
        printf("%s %llu %s", i ? "," : "", (unsigned long long)running.counts[i].times,
               running.counts[i].what);
    printf("\n");
    fflush(stdout);
}

static void run(const struct work *w)
{
    memset(&running, 0, sizeof running);
    threads_start(&options.machine);
    world_make();
    w->start();
    threads_fail_allocs(options.fail_allocs);
    sleep(options.seconds);
    join_all();
    threads_fail_allocs(0);
    if (w->end)
        w->end();
    world_unmake();
    threads_stop();
    report(w);
}

/* ---- arguments ---- */

static const struct work *work_called(const char *name)
{
    for (const struct work *w = works; w->name; w++)
        if (!strcmp(w->name, name))
            return w;
    fprintf(stderr, "no work is called %s; --list names all\n", name);
    exit(2);
}

static _Noreturn void list_works(void)
{
    for (const struct work *w = works; w->name; w++)
        printf("%-16s %s\n", w->name, w->what);
    exit(0);
}

static const struct option long_options[] = { { "seconds", required_argument, NULL, 's' },
                                              { "seed", required_argument, NULL, 'r' },
                                              { "cpus", required_argument, NULL, 'c' },
                                              { "speed", required_argument, NULL, 'x' },
                                              { "fail-allocs", required_argument, NULL, 'f' },
                                              { "verbose", no_argument, NULL, 'v' },
                                              { "list", no_argument, NULL, 'l' },
                                              { 0 } };

static void set_option(int option)
{
    unsigned long n = optarg ? strtoul(optarg, NULL, 0) : 0;

    switch (option) {
    case 's':
        options.seconds = (unsigned)n;
        break;
    case 'r':
        options.machine.seed = n;
        break;
    case 'c':
        options.machine.cpus = (unsigned)CLAMP(n, 1ul, (unsigned long)THREADS_CPUS_MAX);
        break;
    case 'x':
        options.machine.speed = (unsigned)MAX(n, 1ul);
        break;
    case 'f':
        options.fail_allocs = (uint32_t)n;
        break;
    case 'v':
        options.machine.verbose = true;
        break;
    case 'l':
        list_works();
    default:
        exit(2);
    }
}

int main(int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        set_option(option);
    if (optind == argc)
        for (const struct work *w = works; w->name; w++)
            if (!w->planted)
                run(w);
    for (; optind < argc; optind++)
        run(work_called(argv[optind]));
    return 0;
}
