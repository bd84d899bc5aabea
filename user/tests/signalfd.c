/* user/tests/signalfd.c - signalfd: signals read from a file. */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static sigset_t set_of(int a, int b)
{
    sigset_t set;

    sigemptyset(&set);
    if (a)
        sigaddset(&set, a);
    if (b)
        sigaddset(&set, b);
    return set;
}

static void show_read(const char *what, int fd, size_t room)
{
    struct signalfd_siginfo si[4];
    ssize_t n = read(fd, si, room * sizeof *si);

    printf("%s:", what);
    if (n < 0)
        printf(" %s", errno_name(errno));
    for (ssize_t i = 0; i < n / (ssize_t)sizeof *si; i++)
        printf(" signal %u code %d from me %d status %d", si[i].ssi_signo, si[i].ssi_code,
               si[i].ssi_pid == (unsigned)getpid(), si[i].ssi_status);
    printf("\n");
}

static void on_signal(int signo)
{
    printf("handler: %d\n", signo);
}

static void errors(void)
{
    sigset_t usr1 = set_of(SIGUSR1, 0);
    int fd = signalfd(-1, &usr1, SFD_NONBLOCK | SFD_CLOEXEC), null = open("/dev/null", O_RDONLY);
    char buf[200];

    SHOW(signalfd(-1, &usr1, 1));
    SHOW(signalfd(99, &usr1, 0));
    SHOW(signalfd(null, &usr1, 0));
    SHOW(syscall(SYS_signalfd4, -1, &usr1, 4, 0));
    SHOW(syscall(SYS_signalfd4, -1, NULL, 8, 0));
    SHOW(signalfd(fd, &usr1, 0) == fd);
    SHOW(read(fd, buf, 127));
    SHOW(read(fd, buf, 128));
    SHOW(write(fd, buf, 128));
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(fcntl(fd, F_GETFD));
    raise(0);
    close(null);
    close(fd);
}

static void reading(void)
{
    sigset_t both = set_of(SIGUSR1, SIGUSR2), usr2 = set_of(SIGUSR2, 0), left;
    int fd = signalfd(-1, &both, SFD_NONBLOCK);
    struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

    SHOW(poll(&p, 1, 0));
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    SHOW(poll(&p, 1, 0));
    printf("%x\n", p.revents);
    show_read("one at a time", fd, 1);
    show_read("then the other", fd, 4);
    show_read("none", fd, 4);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR2);
    show_read("both at once", fd, 4);
    SHOW(signalfd(fd, &usr2, 0) == fd);
    kill(getpid(), SIGUSR1);
    show_read("not of the mask", fd, 4);
    SHOW(poll(&p, 1, 0));
    sigpending(&left);
    printf("still pending: %d\n", sigismember(&left, SIGUSR1));
    SHOW(signalfd(fd, &both, 0) == fd);
    SHOW(poll(&p, 1, 0));
    show_read("of the new mask", fd, 4);
    close(fd);
}

static void children(void)
{
    sigset_t chld = set_of(SIGCHLD, 0);
    int fd = signalfd(-1, &chld, 0), ep = epoll_create1(0), status;
    struct epoll_event e = { .events = EPOLLIN };

    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
    SHOW(epoll_wait(ep, &e, 1, 0));
    if (!fork()) {
        struct timespec t = { 0, 30000000 };
        nanosleep(&t, NULL);
        _exit(7);
    }
    SHOW(epoll_wait(ep, &e, 1, 10000));
    show_read("a child", fd, 1);
    SHOW(epoll_wait(ep, &e, 1, 0));
    wait(&status);
    if (!fork())
        _exit(9);
    show_read("another, waited for", fd, 1);
    wait(&status);
    close(fd);
    close(ep);
}

/* A handler's signal ends the wait, if it is not one of the mask. */
static void interrupted(void)
{
    sigset_t usr1 = set_of(SIGUSR1, 0);
    int fd = signalfd(-1, &usr1, 0);
    struct sigaction sa = { .sa_handler = on_signal };

    sigaction(SIGALRM, &sa, NULL);
    alarm(1);
    show_read("interrupted", fd, 1);
    close(fd);
}

int main(void)
{
    sigset_t blocked = set_of(SIGUSR1, SIGUSR2);

    sigaddset(&blocked, SIGCHLD);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    errors();
    reading();
    children();
    interrupted();
    return 0;
}
