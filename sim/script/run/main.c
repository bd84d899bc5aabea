/* sim/script/run/main.c - towpath-script: run scripts, say which passed, and of one that failed the story.
 *
 *     towpath-script [-v] [--seed N] [--isn N] [--port N] [--peer-port N] [--capture FILE] [--no-fork]
 *                    [--wire FD,FD --slack MS] FILE-OR-FOLDER...
 *
 * Each script is run in a process of its own, on a fresh virtual kernel. The exit status is 0 when all have
 * passed. A folder stands for all scripts below it but those in a folder called setup. */
#include "sim/script/run/reader.h"
#include "sim/script/run/runner.h"
#include "sim/script/run/wire.h"
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TIMEOUT_SECONDS = 60 };

static struct {
    bool verbose, no_fork;
    uint64_t seed;
    struct runner_config runner;
    const char *capture;
    struct wire_config wire;
    bool on_wire;
} options = {
    .seed = 1,
    .runner = { .isn = 0xffffff00u,
                .port = HOST_PORT,
                .peer_port = PEER_PORT }, /* so that every script runs across the wrap */
    .wire = { .address = 0x0a00020f, .peer = 0x0a000202, .mac = 0x525400123456, .peer_mac = 0x52550a000202 }
};

static struct runner runner; /* the script that runs; a panic needs it */
static const char *running;

static void report_failure(void)
{
    printf("FAILED %s:%d: %s\n", runner.failed_at.file ? runner.failed_at.file : running,
           runner.failed_at.line, runner.why);
    if (runner.failed_at.file && strcmp(runner.failed_at.file, running))
        printf("  (used by %s)\n", running);
    story_print(&runner.story, stdout);
    fflush(stdout);
}

static void on_panic(const char *text)
{
    runner_fail(&runner, "the kernel panicked: %s", text);
    snprintf(runner.why, sizeof runner.why, "the kernel panicked: %s", text);
    report_failure();
    _exit(EXIT_FAILURE);
}

/* `network` comes before everything else: the card is made with it. */
static void configure(const struct script *s, struct virtual_config *config)
{
    struct arena arena = { 0 };
    struct values values = { .arena = &arena };

    for (const struct step *step = s->steps; step; step = step->next)
        if (step->kind == STEP_NETWORK) {
            config->address = (uint32_t)values_of(&values, step->value);
            config->prefix = step->prefix;
            config->mtu = step->network_mtu ? (uint32_t)values_of(&values, step->network_mtu) : 0;
        }
    arena_free(&arena);
}

static double milliseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct host *on_wire(void)
{
    options.wire.peer_port = options.runner.peer_port;
    return wire_start(&options.wire);
}

static bool run_script(const struct script *s)
{
    struct virtual_config config = { .seed = options.seed, .capture = options.capture, .panic = on_panic };
    double begin = milliseconds();
    bool passed;

    configure(s, &config);
    passed = runner_run(&runner, s, options.on_wire ? on_wire() : virtual_start(&config), &options.runner);
    if (passed)
        printf("ok %s  %.2f ms for %.3f s\n", s->file, milliseconds() - begin, (double)runner.took / 1e9);
    else
        report_failure();
    if (passed && options.verbose)
        story_print(&runner.story, stdout);
    return passed;
}

static bool run_file(const char *file)
{
    const struct script_reader reader = { reader_find, NULL };
    struct script_error error;
    struct script *s;
    size_t n;
    char *text = reader_read(file, &n);
    bool passed;

    running = file;
    if (!text) {
        printf("FAILED %s:0: cannot be read\n", file);
        return false;
    }
    s = script_parse(file, text, n, &reader, &error);
    free(text);
    if (!s) {
        printf("FAILED %s:%d:%d: %s\n", error.file, error.line, error.column, error.text);
        return false;
    }
    passed = run_script(s);
    if (passed) /* a failed world is left as it is */
        runner_free(&runner);
    script_free(s);
    return passed;
}

static bool run_in_child(const char *file)
{
    int status;
    pid_t child;

    fflush(stdout);
    child = fork();
    if (child == 0) {
        alarm(TIMEOUT_SECONDS);
        bool passed = run_file(file);
        fflush(stdout);
        _exit(passed ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("towpath-script: fork");
        exit(2);
    }
    if (WIFSIGNALED(status))
        printf("FAILED %s:0: killed by signal %d (%s)\n", file, WTERMSIG(status),
               strsignal(WTERMSIG(status)));
    else if (WEXITSTATUS(status) > EXIT_FAILURE)
        printf("FAILED %s:0: ended with status %d\n", file, WEXITSTATUS(status));
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

static void parse_options(int argc, char **argv)
{
    static const struct option known[] = { { "seed", required_argument, NULL, 's' },
                                           { "isn", required_argument, NULL, 'i' },
                                           { "capture", required_argument, NULL, 'c' },
                                           { "port", required_argument, NULL, 'p' },
                                           { "peer-port", required_argument, NULL, 'P' },
                                           { "slack", required_argument, NULL, 'S' },
                                           { "wire", required_argument, NULL, 'w' },
                                           { "no-fork", no_argument, NULL, 'n' },
                                           { 0 } };
    int c;

    while ((c = getopt_long(argc, argv, "v", known, NULL)) != -1)
        switch (c) {
        case 'v':
            options.verbose = true;
            break;
        case 's':
            options.seed = strtoull(optarg, NULL, 0);
            break;
        case 'i':
            options.runner.isn = (uint32_t)strtoul(optarg, NULL, 0);
            break;
        case 'c':
            options.capture = optarg;
            break;
        case 'p':
            options.runner.port = (uint16_t)strtoul(optarg, NULL, 0);
            break;
        case 'P':
            options.runner.peer_port = (uint16_t)strtoul(optarg, NULL, 0);
            break;
        case 'S':
            options.wire.slack = strtoull(optarg, NULL, 0) * 1000000;
            break;
        case 'w':
            options.on_wire = sscanf(optarg, "%d,%d", &options.wire.wire, &options.wire.line) == 2;
            break;
        case 'n':
            options.no_fork = true;
            break;
        default:
            exit(2);
        }
}

int main(int argc, char **argv)
{
    struct file_list files = { 0 };
    double begin = milliseconds();
    size_t passed = 0;

    parse_options(argc, argv);
    for (int i = optind; i < argc; i++)
        file_list_add(&files, argv[i]);
    for (size_t i = 0; i < files.n; i++)
        passed += options.no_fork ? run_file(files.at[i]) : run_in_child(files.at[i]);
    printf("%zu passed, %zu failed\n", passed, files.n - passed);
    fprintf(stderr, "%zu scripts in %.0f ms\n", files.n, milliseconds() - begin);
    file_list_free(&files);
    return files.n && passed == files.n ? EXIT_SUCCESS : EXIT_FAILURE;
}
