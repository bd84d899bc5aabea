/* user/greedy.c - takes more than there is, of one thing: for tests in a guest, never to be run elsewhere.
 *
 *     greedy memory        touches memory until it is ended
 *     greedy children      the same in eight children at once
 *     greedy stack         calls itself for ever
 *     greedy forks [N]     processes that make processes, for a user who may have N, or root; counted, and
 * ended greedy threads N     makes threads for a user who may have N until there are no more */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 1 << 20, PAGE = 4096, CHILDREN = 8, NOBODY = 65534, FORK_SECONDS = 3 };

static void take_memory(void)
{
    for (;;) {
        char *more = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (unsigned i = 0; more != MAP_FAILED && i < CHUNK; i += PAGE)
            more[i] = 1;
    }
}

static int take_memory_in_children(void)
{
    int status, killed = 0;

    for (int i = 0; i < CHILDREN; i++)
        if (!fork())
            take_memory();
    while (wait(&status) > 0)
        killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    printf("%d of %d were killed\n", killed, CHILDREN);
    return killed != CHILDREN;
}

static __attribute__((noinline)) unsigned deeper(volatile unsigned *above)
{
    volatile unsigned here[256];

    here[0] = *above + 1;
    return here[0] ? deeper(here) + here[0] : 0; /* the stack ends sooner than the numbers */
}

/* From here on a user who may have so many processes and threads. */
static int become_user(const char *limit)
{
    const struct rlimit processes = { strtoul(limit, NULL, 0), RLIM_INFINITY };

    return setrlimit(RLIMIT_NPROC, &processes) || setgid(NOBODY) || setuid(NOBODY);
}

static int count_processes(void)
{
    DIR *proc = opendir("/proc");
    int n = 0;

    for (struct dirent *entry; proc && (entry = readdir(proc));)
        n += isdigit(entry->d_name[0]) != 0;
    if (proc)
        closedir(proc);
    return n;
}

/* All in one group, so that one kill ends them all. */
static int fork_for_a_while(const char *limit)
{
    const int before = count_processes();
    pid_t pid = fork();

    if (!pid) {
        setpgid(0, 0);
        if (limit && become_user(limit))
            _exit(1);
        for (;;)
            fork();
    }
    sleep(FORK_SECONDS);
    printf("%d processes more\n", count_processes() - before);
    kill(-pid, SIGKILL);
    return waitpid(pid, NULL, 0) != pid;
}

static void *wait_for_ever(void *arg)
{
    pause();
    return arg;
}

static int take_threads(const char *limit)
{
    pthread_attr_t small;
    pthread_t thread;
    int n = 0, err;

    if (become_user(limit))
        return 1;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 16384);
    while (!(err = pthread_create(&thread, &small, wait_for_ever, NULL)))
        n++;
    printf("%d threads, then: %s\n", n, strerror(err));
    return err != EAGAIN;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    unsigned start = 0;

    if (!strcmp(what, "memory"))
        take_memory();
    if (!strcmp(what, "children"))
        return take_memory_in_children();
    if (!strcmp(what, "stack"))
        return (int)deeper(&start);
    if (!strcmp(what, "forks"))
        return fork_for_a_while(argv[2]);
    if (!strcmp(what, "threads") && argc > 2)
        return take_threads(argv[2]);
    fprintf(stderr, "usage: greedy memory|children|stack|forks [N]|threads N\n");
    return 2;
}
