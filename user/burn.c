/* user/burn.c - keep CPUs busy and tell who ran where.
 *
 *     burn SECONDS WHERE...      WHERE: a CPU's number, or "any"; with "@N" behind it: with nice value N
 *
 * starts a thread for each WHERE, which counts until SECONDS have passed, and prints a line a thread: the
 * share of the time that it had a CPU, in percent, and the CPUs that it found itself on. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 16, CPUS_MAX = 16 };

struct burner {
    pthread_t thread;
    const char *where;
    uint64_t end, used; /* ns */
    unsigned long laps[CPUS_MAX];
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int pin(const char *cpu)
{
    cpu_set_t one;

    CPU_ZERO(&one);
    CPU_SET(atoi(cpu), &one);
    return sched_setaffinity(0, sizeof one, &one);
}

static void *burn(void *arg)
{
    struct burner *b = arg;

    const char *nice = strchr(b->where, '@');

    if (strncmp(b->where, "any", 3) && pin(b->where))
        return "cannot run there";
    if (nice && setpriority(PRIO_PROCESS, (id_t)gettid(), atoi(nice + 1)))
        return "cannot have that nice value";
    while (clock_ns(CLOCK_MONOTONIC) < b->end)
        for (int i = 0; i < 1000; i++)
            b->laps[sched_getcpu() % CPUS_MAX]++;
    b->used = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    return NULL;
}

static void report(const struct burner *b, uint64_t whole)
{
    printf("%s: %u%% on", b->where, (unsigned)(b->used * 100 / whole));
    for (int i = 0; i < CPUS_MAX; i++)
        if (b->laps[i])
            printf(" %d", i);
    printf("\n");
}

int main(int argc, char **argv)
{
    static struct burner burners[THREADS_MAX];
    int n = argc - 2, failed = 0;
    uint64_t whole = argc > 1 ? (uint64_t)(atof(argv[1]) * 1e9) : 0;

    if (n < 1 || n > THREADS_MAX || !whole) {
        fprintf(stderr, "usage: burn SECONDS CPU|any...\n");
        return 2;
    }
    for (int i = 0; i < n; i++) {
        burners[i] = (struct burner){ .where = argv[i + 2], .end = clock_ns(CLOCK_MONOTONIC) + whole };
        failed |= pthread_create(&burners[i].thread, NULL, burn, &burners[i]);
    }
    for (int i = 0; i < n && !failed; i++) {
        void *error;
        pthread_join(burners[i].thread, &error);
        if (error)
            fprintf(stderr, "burn: %s: %s\n", burners[i].where, (char *)error);
        failed |= error != NULL;
        report(&burners[i], whole);
    }
    return failed;
}
