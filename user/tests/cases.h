/* user/tests/cases.h - a program of named cases, whose output on Linux and on Towpath must be the same.
 *
 *     CASE(a_pipe_is_full)                  the name is one of make test's results
 *     {
 *         SHOW(write(p[1], buf, 100000));
 *     }
 *
 * That is the whole program: main() is here. It runs the cases in their order, or those that are named, each
 * in a child of its own: a session, a fresh directory as the working directory, /dev/null as standard input,
 * no other descriptor, default signals, umask 022, the same limits everywhere. So no case sees another.
 * Before a case its name is printed behind "== ", behind it how it ended unless that was exit(0). A case that
 * takes longer than its limit is cut, and with it what is left of its process group.
 *
 *     program [--limit SECONDS] [CASE...]   status 1 when a case was cut
 *     HELPER(name) { ... }                  what the program does as `program name ...`: for cases that exec
 *
 * grade/test_programs.py finds the cases by their line in the source, which therefore begins with CASE. */
#pragma once
#include "user/tests/show.h"
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

enum { CASE_SECONDS = 10 };

struct test_case {
    const char *name;
    void (*run)(void);
    struct test_case *next;
};
struct test_helper {
    const char *name;
    int (*run)(int argc, char **argv);
    struct test_helper *next;
};
static struct test_case *first_case, **last_case = &first_case;
static struct test_helper *helpers;
static char this_program[PATH_MAX]; /* to exec */

#define CASE(title)                                                                                          \
    static void case_##title(void);                                                                          \
    __attribute__((constructor)) static void register_##title(void)                                          \
    {                                                                                                        \
        static struct test_case self = { #title, case_##title, NULL };                                       \
        *last_case = &self;                                                                                  \
        last_case = &self.next;                                                                              \
    }                                                                                                        \
    static void case_##title(void)

#define HELPER(title)                                                                                        \
    static int helper_##title(int argc, char **argv);                                                        \
    __attribute__((constructor)) static void register_helper_##title(void)                                   \
    {                                                                                                        \
        static struct test_helper self = { #title, helper_##title, NULL };                                   \
        self.next = helpers;                                                                                 \
        helpers = &self;                                                                                     \
    }                                                                                                        \
    static int helper_##title(int argc, char **argv)

static inline void limit_resource(int resource, rlim_t limit)
{
    struct rlimit now;

    if (!getrlimit(resource, &now) && now.rlim_max > limit)
        setrlimit(resource, &(struct rlimit){ limit, limit });
}

/* All that a case could have inherited and that could differ between two machines. */
static inline void make_surroundings(void)
{
    sigset_t none;

    setsid();
    for (int fd = 3; fd < 64; fd++)
        close(fd);
    dup2(open("/dev/null", O_RDWR), 0);
    close(3);
    for (int signo = 1; signo < 32; signo++)
        signal(signo, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(022);
    limit_resource(RLIMIT_CORE, 0);
    limit_resource(RLIMIT_NOFILE, 1024);
    limit_resource(RLIMIT_STACK, 8 << 20);
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* The status of child, or -1 when it did not end within so many seconds. SIGCHLD is blocked. */
static inline int status_within(pid_t child, int seconds)
{
    struct timespec now, end;
    sigset_t chld;
    int status;

    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += seconds;
    for (;;) {
        struct timespec tick = { 1, 0 };
        if (waitpid(child, &status, WNOHANG) == child)
            return status;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (now.tv_sec > end.tv_sec || (now.tv_sec == end.tv_sec && now.tv_nsec >= end.tv_nsec))
            return -1;
        sigtimedwait(&chld, NULL, &tick);
    }
}

static inline void say_how_it_ended(int status)
{
    if (WIFSIGNALED(status))
        printf("-- killed by signal %d\n", WTERMSIG(status));
    else if (WEXITSTATUS(status))
        printf("-- exited with %d\n", WEXITSTATUS(status));
}

/* 1 when it was cut. */
static inline int run_case(const struct test_case *c, int seconds)
{
    char directory[] = "/tmp/case-XXXXXX";
    int status;
    pid_t child;

    printf("== %s\n", c->name);
    if (!mkdtemp(directory)) {
        printf("-- no directory: %s\n", errno_name(errno));
        return 1;
    }
    child = fork();
    if (child == 0) {
        make_surroundings();
        if (chdir(directory))
            _exit(255);
        c->run();
        exit(0);
    }
    status = status_within(child, seconds);
    kill(-child, SIGKILL);
    kill(child, SIGKILL);
    if (status != -1)
        say_how_it_ended(status);
    else
        printf("-- cut after %d seconds%s\n", seconds,
               status_within(child, seconds) == -1 ? ", and not even SIGKILL ends it" : "");
    nftw(directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return status == -1;
}

static inline int is_wanted(const char *name, int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        if (!strcmp(argv[i], name))
            return 1;
    return argc == 0;
}

/* The helper that a first argument names; a script's line puts several words into one. */
static inline const struct test_helper *find_helper(const char *argument)
{
    for (const struct test_helper *h = helpers; h; h = h->next)
        if (!strncmp(argument, h->name, strlen(h->name)) && strchr(" ", argument[strlen(h->name)]))
            return h;
    return NULL;
}

int main(int argc, char **argv)
{
    const struct test_helper *helper = argc > 1 ? find_helper(argv[1]) : NULL;
    int seconds = CASE_SECONDS, first = 1, cut = 0;
    sigset_t chld;

    if (helper)
        return helper->run(argc, argv);
    if (argc > 2 && !strcmp(argv[1], "--limit")) {
        seconds = atoi(argv[2]);
        first = 3;
    }
    if (!realpath(argv[0], this_program))
        return 2;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    signal(SIGCHLD, SIG_DFL);
    sigprocmask(SIG_BLOCK, &chld, NULL);
    for (const struct test_case *c = first_case; c; c = c->next)
        if (is_wanted(c->name, argc - first, argv + first))
            cut |= run_case(c, seconds);
    return cut;
}
