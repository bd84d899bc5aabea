/* user/init.c - process 1: sets the network up, starts the servers, keeps a shell on the console.
 *
 * /etc/rc is run first, by /bin/sh (busybox ash): it configures the interfaces and starts the servers. Then
 * either the command in /etc/run is run (the word `run` on the kernel's command line; `make run`), with its
 * output on the second serial port, and the machine ends with its status; or a shell on the console is
 * started, and started again when it ends. Whatever happens, process 1 goes on collecting orphans, and ends
 * the machine when busybox's poweroff, halt or reboot asks it to. Why not busybox's init: doc/decisions. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <unistd.h>

/* Is word one of the blank-separated words of the kernel's command line? */
static int on_command_line(const char *word)
{
    char line[2048];
    int fd = open("/proc/cmdline", O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, line, sizeof line - 1);

    if (fd >= 0)
        close(fd);
    if (n < 0)
        return 0;
    line[n] = 0;
    for (char *w = strtok(line, " \n"); w; w = strtok(NULL, " \n"))
        if (!strcmp(w, word))
            return 1;
    return 0;
}

/* Make path this process's standard input (fd 0) or its output and errors (fds 1 and 2). Not its controlling
 * terminal: process 1 would keep the console from the shell, which needs it for Ctrl-C. */
static void redirect(const char *path, int input)
{
    int fd = open(path, O_RDWR | O_NOCTTY);

    if (fd < 0)
        return;
    if (input) {
        dup2(fd, 0);
    } else {
        dup2(fd, 1);
        dup2(fd, 2);
    }
    if (fd > 2)
        close(fd);
}

/* Start argv[0] in a session of its own, with these files as its input and output. Its pid. */
static pid_t start(char *const argv[], const char *input, const char *output)
{
    pid_t pid = fork();

    if (pid < 0)
        fprintf(stderr, "init: fork: %s\n", strerror(errno));
    if (pid)
        return pid;
    setsid();
    redirect(input, 1);
    redirect(output, 0);
    ioctl(0, TIOCSCTTY, 0); /* where it is a terminal */
    execv(argv[0], argv);
    fprintf(stderr, "init: %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

/* Collect children until pid has ended; 128 + signal for one that was killed, as a shell says it. */
static int wait_for(pid_t pid)
{
    for (;;) {
        int status;
        pid_t ended = wait(&status);
        if (ended < 0 && errno != EINTR) {
            sleep(1); /* no children at all: fork failed above */
            return 1;
        }
        if (ended == pid)
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
}

/* End the machine: QEMU's exit status follows from what is written here. */
static void end_machine(int status)
{
    int fd = open("/dev/debugexit", O_WRONLY);
    char text[16];
    int n = snprintf(text, sizeof text, "%d\n", status);

    if (fd < 0 || write(fd, text, (size_t)n) < 0)
        fprintf(stderr, "init: /dev/debugexit: %s\n", strerror(errno));
}

/* busybox's words to process 1: SIGTERM for reboot, SIGUSR1 for halt, SIGUSR2 for poweroff. There is no disk
 * to bring into order first. */
static void shut_down(int signo)
{
    reboot(signo == SIGTERM ? RB_AUTOBOOT : RB_POWER_OFF);
}

int main(void)
{
    char *rc[] = { "/bin/sh", "/etc/rc", NULL };
    char *command[] = { "/bin/sh", "/etc/run", NULL };
    char *shell[] = { "/bin/sh", "-i", NULL };

    redirect("/dev/console", 1);
    redirect("/dev/console", 0);
    setenv("PATH", "/bin:/sbin:/usr/bin:/usr/sbin", 1);
    setenv("HOME", "/root", 1);
    setenv("TERM", "vt100", 1);
    signal(SIGTERM, shut_down);
    signal(SIGUSR1, shut_down);
    signal(SIGUSR2, shut_down);
    chdir("/root");
    wait_for(start(rc, "/dev/null", "/dev/console"));
    if (on_command_line("run"))
        end_machine(wait_for(start(command, "/dev/null", "/dev/ttyS1")));
    for (;;)
        wait_for(start(shell, "/dev/console", "/dev/console"));
}
