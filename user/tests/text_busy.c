/* user/tests/text_busy.c - a file is either written or run as a program. */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void copy_program(const char *program, const char *path)
{
    char buf[4096];
    int from = open(program, O_RDONLY), to = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0755);
    ssize_t n;

    while ((n = read(from, buf, sizeof buf)) > 0)
        write(to, buf, (size_t)n);
    close(from);
    close(to);
}

static int run(char *path)
{
    int pid = fork(), status;

    if (!pid) {
        execl(path, path, "child", (char *)0);
        _exit(errno == ETXTBSY ? 26 : 1);
    }
    waitpid(pid, &status, 0);
    return WEXITSTATUS(status);
}

static int start_sleeper(char *path)
{
    int ready[2], pid;
    char c;

    pipe2(ready, O_CLOEXEC);
    pid = fork();
    if (!pid) {
        execl(path, path, "sleep", (char *)0);
        _exit(1);
    }
    close(ready[1]);
    read(ready[0], &c, 1); /* its end closes when the program has begun */
    close(ready[0]);
    return pid;
}

int main(int argc, char **argv)
{
    char directory[] = "busy-XXXXXX", path[64];
    int fd, pid;

    if (argc > 1 && !strcmp(argv[1], "sleep"))
        pause();
    if (argc > 1)
        return 42;
    mkdtemp(directory);
    snprintf(path, sizeof path, "%s/program", directory);
    copy_program(argv[0], path);
    printf("runs: %d\n", run(path));
    fd = open(path, O_WRONLY);
    printf("while it is written: %d\n", run(path));
    close(fd);
    fd = open(path, O_RDONLY);
    printf("while it is read: %d\n", run(path));
    close(fd);
    pid = start_sleeper(path);
    printf("open to write: %s\n", open(path, O_WRONLY) == -1 && errno == ETXTBSY ? "ETXTBSY" : "?");
    printf("open to empty: %s\n", open(path, O_RDWR | O_TRUNC) == -1 && errno == ETXTBSY ? "ETXTBSY" : "?");
    printf("truncate: %s\n", truncate(path, 0) == -1 && errno == ETXTBSY ? "ETXTBSY" : "?");
    fd = open(path, O_RDONLY);
    printf("open to read %d\n", fd >= 0);
    close(fd);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    fd = open(path, O_WRONLY);
    printf("afterwards %d\n", fd >= 0);
    close(fd);
    unlink(path);
    rmdir(directory);
    return 0;
}
