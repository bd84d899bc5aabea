/* user/tests/title.c - a program writes a title over its arguments, as nginx and sshd do; ps reads it in
 * /proc. */
#define _GNU_SOURCE
#include "user/tests/cases.h"

extern char **environ;

/* Write a title of so many letters behind the arguments' end (negative: before it), and say what /proc makes
 * of it. */
static int show_title(char **argv, int beyond)
{
    size_t length = (size_t)(environ[0] - argv[0] + beyond);
    char seen[256];

    memset(argv[0], 't', length);
    argv[0][length] = 0;
    int fd = open("/proc/self/cmdline", O_RDONLY);
    ssize_t n = read(fd, seen, sizeof seen);
    printf("%d letters beyond the arguments: %zd bytes, a title of %zu: %d\n", beyond, n, length,
           n > (ssize_t)length && !memcmp(seen, argv[0], length + 1));
    return 0;
}

HELPER(title)
{
    (void)argc;
    return show_title(argv, atoi(argv[2]));
}

static void run_with(const char *beyond)
{
    char *argv[] = { "a-program", "title", (char *)beyond, NULL };
    char *env[] = { "LONG=a text that is long enough to be written over", "OTHER=1", NULL };

    if (!fork()) {
        execve(this_program, argv, env);
        _exit(1);
    }
    wait(NULL);
}

CASE(a_title_in_the_place_of_the_arguments)
{
    run_with("-5");
    run_with("-1");
}

CASE(a_title_that_goes_on_into_the_environment)
{
    run_with("0");
    run_with("1");
    run_with("20");
    run_with("52");
}
