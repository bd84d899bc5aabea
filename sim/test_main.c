/* sim/test_main.c - runs the unit tests: all, or those whose `file:name` contains an argument.
 *
 *     unit-tests [-v] [--trace] [--seed N] [--timeout SECONDS] [--capture DIRECTORY] [--no-fork] [--list]
 *                [part of a name]...
 *
 * Each test runs in a child process; what it has to say when it fails lies in memory that both share, so that
 * it survives a crash. --no-fork runs the tests in this process, for a debugger, and stops at the first
 * failure. */
#include "sim/fiber.h"
#include "sim/sim.h"
#include "sim/state.h"
#include "sim/test.h"
#include "sim/wire.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOG_SIZE = 64 * 1024, EXIT_TEST_SKIPPED = 97, EXIT_TEST_FAILED = 98 };

/* What a child leaves behind. */
struct report {
    bool failed;
    char where[256], message[2048];
    size_t log_len;
    char log[LOG_SIZE]; /* the newest lines */
};

static struct options {
    bool verbose, trace, no_fork, list;
    uint64_t seed;
    unsigned timeout;    /* seconds of the host's time, a test */
    const char *capture; /* directory for what was on the wires, or NULL */
} options = { .seed = 1, .timeout = 60 };

static struct test_case *tests;
static struct report *report;
static const char *expected_panic; /* in the copy of the process that EXPECT_PANIC made */

void test_register(struct test_case *t)
{
    t->next = tests;
    tests = t;
}

/* ---- in the child ---- */

/* The counters of `make coverage`: written where the process ends by exit(), which a test does not. */
extern void __gcov_dump(void) __attribute__((weak));

static _Noreturn void leave(int status)
{
    if (__gcov_dump)
        __gcov_dump();
    _exit(status);
}

void host_log_line(const char *line)
{
    size_t n = strlen(line);

    if (n + 2 > LOG_SIZE / 2)
        return;
    if (report->log_len + n + 2 > LOG_SIZE) { /* make room: forget the older half */
        report->log_len -= LOG_SIZE / 2;
        memmove(report->log, report->log + LOG_SIZE / 2, report->log_len);
    }
    memcpy(report->log + report->log_len, line, n);
    memcpy(report->log + report->log_len + n, "\n", 2);
    report->log_len += n + 1;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
    va_list ap;

    report->failed = true;
    if (file)
        snprintf(report->where, sizeof report->where, "%s:%d: ", file, line);
    va_start(ap, fmt);
    vsnprintf(report->message, sizeof report->message, fmt, ap);
    va_end(ap);
    if (options.no_fork) {
        fprintf(stderr, "%s%s\n%s", report->where, report->message, report->log);
        abort();
    }
    fflush(stdout);
    leave(EXIT_TEST_FAILED);
}

void host_panic(const char *text)
{
    if (expected_panic && strstr(text, expected_panic))
        leave(TEST_PANICKED);
    fiber_print_stack();
    test_fail(NULL, 0, "%s", text);
}

/* LeakSanitizer knows where what nobody points to was allocated; it prints that to stderr. */
void host_show_leaks(void)
{
    if (!expected_panic)
        fiber_print_leaks();
}

void test_skip(const char *why)
{
    printf("skipped: %s\n", why);
    fflush(stdout);
    leave(EXIT_TEST_SKIPPED);
}

static void run_here(const struct test_case *t)
{
    char prefix[512];

    if (options.capture) {
        snprintf(prefix, sizeof prefix, "%s/%s-", options.capture, t->name);
        wire_capture_all(prefix);
    }
    sim_verbose(options.verbose, options.trace);
    sim_init(options.seed);
    t->fn();
    sim_fini();
}

/* ---- EXPECT_PANIC ---- */

pid_t test_fork_for_panic(const char *text)
{
    pid_t child;

    fflush(NULL);
    child = fork();
    if (child == 0) {
        expected_panic = text;
        sim_verbose(false, false);
    }
    return child;
}

void test_did_not_panic(void)
{
    leave(EXIT_SUCCESS);
}

bool test_wait_for_panic(pid_t child)
{
    int status;

    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == TEST_PANICKED;
}

/* ---- in the parent ---- */

static void describe_end(int status)
{
    if (report->failed)
        printf("%s%s\n", report->where, report->message);
    else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        printf("not done after %u seconds\n", options.timeout);
    else if (WIFSIGNALED(status))
        printf("killed by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        printf("ended with status %d, see above\n", WEXITSTATUS(status));
}

static int run_in_child(const struct test_case *t)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        alarm(options.timeout);
        run_here(t);
        fflush(stdout);
        leave(EXIT_SUCCESS);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("unit-tests: fork");
        exit(EXIT_FAILURE);
    }
    return status;
}

enum outcome { PASSED, FAILED, SKIPPED, OUTCOMES };

static enum outcome run(const struct test_case *t)
{
    int status = 0;

    memset(report, 0, offsetof(struct report, log) + 1);
    if (options.verbose) {
        printf("RUN  %s:%s\n", t->file, t->name);
        fflush(stdout);
    }
    if (options.no_fork)
        run_here(t);
    else
        status = run_in_child(t);
    if (status == 0)
        return PASSED;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_TEST_SKIPPED) {
        printf("SKIP %s:%s\n", t->file, t->name);
        return SKIPPED;
    }
    printf("FAIL %s:%s\n     ", t->file, t->name);
    describe_end(status);
    if (!options.verbose)
        fputs(report->log, stdout);
    fflush(stdout);
    return FAILED;
}

static bool chosen(const struct test_case *t, char **parts)
{
    char full[512];

    if (!*parts)
        return true;
    snprintf(full, sizeof full, "%s:%s", t->file, t->name);
    for (; *parts; parts++)
        if (strstr(full, *parts))
            return true;
    return false;
}

static int by_name(const void *a, const void *b)
{
    const struct test_case *x = *(const struct test_case *const *)a, *y = *(const struct test_case *const *)b;
    int order = strcmp(x->file, y->file);

    return order ? order : strcmp(x->name, y->name);
}

/* The chosen tests in order; the caller frees the array. */
static struct test_case **choose(char **parts, size_t *n)
{
    struct test_case **list, *t;
    size_t all = 0;

    for (t = tests; t; t = t->next)
        all++;
    list = calloc(all + 1, sizeof(struct test_case *));
    if (!list)
        abort();
    *n = 0;
    for (t = tests; t; t = t->next)
        if (chosen(t, parts))
            list[(*n)++] = t;
    qsort(list, *n, sizeof(struct test_case *), by_name);
    return list;
}

static void parse_options(int argc, char **argv)
{
    static const struct option known[] = { { "seed", required_argument, NULL, 's' },
                                           { "timeout", required_argument, NULL, 't' },
                                           { "capture", required_argument, NULL, 'c' },
                                           { "trace", no_argument, NULL, 'T' },
                                           { "no-fork", no_argument, NULL, 'n' },
                                           { "list", no_argument, NULL, 'l' },
                                           { 0 } };
    int c;

    while ((c = getopt_long(argc, argv, "v", known, NULL)) != -1) {
        switch (c) {
        case 'v':
            options.verbose = true;
            break;
        case 'c':
            options.capture = optarg;
            break;
        case 'T':
            options.trace = true;
            break;
        case 'n':
            options.no_fork = true;
            break;
        case 'l':
            options.list = true;
            break;
        case 's':
            options.seed = strtoull(optarg, NULL, 0);
            break;
        case 't':
            options.timeout = (unsigned)strtoul(optarg, NULL, 0);
            break;
        default:
            exit(2);
        }
    }
}

int main(int argc, char **argv)
{
    struct test_case **list;
    size_t n, count[OUTCOMES] = { 0 };

    parse_options(argc, argv);
    report = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (report == MAP_FAILED)
        abort();
    list = choose(argv + optind, &n);
    for (size_t i = 0; i < n; i++) {
        if (options.list)
            printf("%s:%s\n", list[i]->file, list[i]->name);
        else
            count[run(list[i])]++;
    }
    free(list);
    if (options.list)
        return EXIT_SUCCESS;
    printf("%zu passed, %zu failed", count[PASSED], count[FAILED]);
    if (count[SKIPPED])
        printf(", %zu skipped", count[SKIPPED]);
    printf("\n");
    return n > 0 && !count[FAILED] ? EXIT_SUCCESS : EXIT_FAILURE;
}
