/* user/tests/vdso.c - the code that the kernel lends: it is there, says what the calls say, and is faster. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <elf.h>
#include <sched.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

typedef int (*clock_fn)(clockid_t, struct timespec *);
typedef int (*cpu_fn)(unsigned *, unsigned *, void *);

static const char *base(void)
{
    return (const char *)getauxval(AT_SYSINFO_EHDR);
}

static const void *dynamic(long tag)
{
    const Elf64_Ehdr *e = (const void *)base();
    const Elf64_Phdr *p = (const void *)(base() + e->e_phoff);

    for (int i = 0; i < e->e_phnum; i++)
        if (p[i].p_type == PT_DYNAMIC)
            for (const Elf64_Dyn *d = (const void *)(base() + p[i].p_offset); d->d_tag; d++)
                if (d->d_tag == tag)
                    return base() + d->d_un.d_ptr;
    return NULL;
}

/* By the table of symbols alone; the hash table says how many there are. */
static void *symbol(const char *name)
{
    const Elf64_Sym *symbols = dynamic(DT_SYMTAB);
    const char *names = dynamic(DT_STRTAB);
    const uint32_t *hash = dynamic(DT_HASH);

    for (uint32_t i = 1; hash && i < hash[1]; i++)
        if (!strcmp(names + symbols[i].st_name, name) && symbols[i].st_shndx)
            return (void *)(base() + symbols[i].st_value);
    return NULL;
}

CASE(it_is_there)
{
    printf("an ELF file: %d\n", base() && !memcmp(base(), "\177ELF", 4));
    printf("clock_gettime %d gettimeofday %d time %d getcpu %d other %d\n",
           symbol("__vdso_clock_gettime") != NULL, symbol("__vdso_gettimeofday") != NULL,
           symbol("__vdso_time") != NULL, symbol("__vdso_getcpu") != NULL, symbol("__vdso_nothing") != NULL);
}

CASE(maps_shows_it)
{
    char line[256];
    FILE *f = fopen("/proc/self/maps", "r");

    while (f && fgets(line, sizeof line, f))
        if (strstr(line, "[vdso]"))
            printf("at the right place %d, %.4s\n", strtoull(line, NULL, 16) == (uintptr_t)base(),
                   strchr(line, ' ') + 1);
}

static int64_t ns(struct timespec t)
{
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

CASE(its_clocks_are_the_calls)
{
    static const clockid_t clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW,
                                        CLOCK_BOOTTIME };
    clock_fn read = (clock_fn)symbol("__vdso_clock_gettime");
    struct timespec before, between, behind;

    for (int i = 0; i < 4; i++) {
        int backward = 0;
        for (int n = 0; n < 2000; n++) {
            read(clocks[i], &before);
            syscall(SYS_clock_gettime, clocks[i], &between);
            read(clocks[i], &behind);
            backward += ns(before) > ns(between) || ns(between) > ns(behind);
        }
        printf("%d: %d backward\n", i, backward);
    }
    SHOW(read(CLOCK_PROCESS_CPUTIME_ID, &before));
    SHOW(read(CLOCK_THREAD_CPUTIME_ID, &before));
    printf("%d\n", read(77, &before) != 0);
}

CASE(the_time_of_day)
{
    int (*of_day)(struct timeval *, void *) =
        (int (*)(struct timeval *, void *))symbol("__vdso_gettimeofday");
    time_t (*seconds)(time_t *) = (time_t(*)(time_t *))symbol("__vdso_time");
    struct timeval tv, call;
    time_t t = 0, result;

    SHOW(of_day(&tv, NULL));
    syscall(SYS_gettimeofday, &call, NULL);
    printf("%d\n", call.tv_sec - tv.tv_sec <= 1 && tv.tv_usec >= 0 && tv.tv_usec < 1000000);
    result = seconds(&t);
    printf("%d %d\n", result == t, call.tv_sec - t <= 1);
}

CASE(the_cpu)
{
    cpu_fn read = (cpu_fn)symbol("__vdso_getcpu");
    cpu_set_t all, one;
    int right = 0, n = 0;

    sched_getaffinity(0, sizeof all, &all);
    for (int i = 0; i < CPU_SETSIZE; i++) {
        unsigned cpu = 9999;
        if (!CPU_ISSET(i, &all))
            continue;
        CPU_ZERO(&one);
        CPU_SET(i, &one);
        sched_setaffinity(0, sizeof one, &one);
        read(&cpu, NULL, NULL);
        right += cpu == (unsigned)i;
        n++;
    }
    printf("right on all: %d\n", right == n);
}

CASE(it_is_faster_than_the_call)
{
    clock_fn read = (clock_fn)symbol("__vdso_clock_gettime");
    struct timespec start, middle, end, t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    for (int i = 0; i < 20000; i++)
        read(CLOCK_MONOTONIC, &t);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &middle);
    for (int i = 0; i < 20000; i++)
        syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    printf("%d\n", ns(middle) - ns(start) < ns(end) - ns(middle));
    if (getenv("SHOW_COST"))
        fprintf(stderr, "%lld %lld ns\n", (long long)(ns(middle) - ns(start)) / 20000,
                (long long)(ns(end) - ns(middle)) / 20000);
}

CASE(it_cannot_be_written)
{
    pid_t pid = fork();
    int status;

    if (!pid)
        *(volatile char *)(uintptr_t)base() = 0;
    waitpid(pid, &status, 0);
    printf("killed by %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}
