/* user/tests/eventfd.c - eventfd: counters, semaphores, the largest number, readiness. */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

static int add(int fd, uint64_t n)
{
    return (int)write(fd, &n, sizeof n);
}

static void take(const char *what, int fd)
{
    uint64_t n = 0;
    ssize_t got = read(fd, &n, sizeof n);

    printf("%s: %s %llu\n", what, got == sizeof n ? "got" : errno_name(errno), (unsigned long long)n);
}

static void ready(const char *what, int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT | POLLRDNORM | POLLWRNORM };
    int n = poll(&p, 1, 0);

    printf("%s: %d %x\n", what, n, p.revents);
}

static void errors(void)
{
    char buf[16] = "";
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct stat st;

    SHOW(eventfd(0, 4));
    SHOW(fcntl(fd, F_GETFD));
    SHOW(fcntl(fd, F_GETFL) & (O_ACCMODE | O_NONBLOCK));
    SHOW(fstat(fd, &st));
    printf("mode %o\n", st.st_mode);
    SHOW(read(fd, buf, 4));
    SHOW(write(fd, buf, 4));
    SHOW(write(fd, buf, 16));
    SHOW(write(fd, NULL, 8));
    SHOW(add(fd, UINT64_MAX));
    SHOW(read(fd, buf, 8));
    SHOW(lseek(fd, 3, SEEK_SET));
    SHOW(pread(fd, buf, 8, 0));
    SHOW(ftruncate(fd, 0));
    add(fd, 5);
    SHOW(read(fd, NULL, 8));
    take("what a bad pointer leaves", fd);
    add(fd, 6);
    SHOW(read(fd, buf, 16));
    close(fd);
}

static void counting(void)
{
    int fd = eventfd(3, EFD_NONBLOCK);

    ready("three", fd);
    SHOW(add(fd, 4));
    take("all of it", fd);
    take("nothing", fd);
    ready("nothing", fd);
    SHOW(add(fd, 0));
    take("nothing still", fd);
    SHOW(add(fd, UINT64_MAX - 1));
    ready("full", fd);
    SHOW(add(fd, 1));
    SHOW(add(fd, 0));
    take("full", fd);
    close(fd);
}

static void semaphore(void)
{
    int fd = eventfd(2, EFD_SEMAPHORE | EFD_NONBLOCK);

    take("one", fd);
    take("one", fd);
    take("none", fd);
    SHOW(add(fd, 2));
    take("one", fd);
    ready("one left", fd);
    close(fd);
}

static void *give(void *arg)
{
    struct timespec t = { 0, 30000000 };

    nanosleep(&t, NULL);
    add(*(int *)arg, 9);
    return NULL;
}

static void *drain(void *arg)
{
    struct timespec t = { 0, 30000000 };
    uint64_t n;

    nanosleep(&t, NULL);
    read(*(int *)arg, &n, sizeof n);
    return NULL;
}

static void waiting(void)
{
    int fd = eventfd(0, 0), ep = epoll_create1(0);
    struct epoll_event e = { .events = EPOLLIN | EPOLLET };
    pthread_t t;

    pthread_create(&t, NULL, give, &fd);
    take("waited", fd);
    pthread_join(t, NULL);
    add(fd, UINT64_MAX - 1);
    pthread_create(&t, NULL, drain, &fd);
    SHOW(add(fd, 7));
    pthread_join(t, NULL);
    take("after the drain", fd);
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
    pthread_create(&t, NULL, give, &fd);
    SHOW(epoll_wait(ep, &e, 1, 10000));
    SHOW(epoll_wait(ep, &e, 1, 0));
    pthread_join(t, NULL);
    add(fd, 1);
    SHOW(epoll_wait(ep, &e, 1, 0));
    take("both", fd);
    if (!fork()) {
        add(fd, 11);
        _exit(0);
    }
    take("of a child", fd);
    wait(NULL);
    close(ep);
    close(fd);
}

int main(void)
{
    errors();
    counting();
    semaphore();
    waiting();
    return 0;
}
