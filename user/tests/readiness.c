/* user/tests/readiness.c - poll, select, ppoll and pselect6: what each kind of file says, time left, masks.
 */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { ALL = POLLIN | POLLPRI | POLLOUT | POLLRDNORM | POLLRDBAND | POLLWRNORM | POLLWRBAND | POLLRDHUP };

static void settle(void)
{
    struct timespec t = { 0, 20000000 };

    nanosleep(&t, NULL);
}

static void tell(const char *what, int fd)
{
    struct pollfd p = { .fd = fd, .events = ALL };
    int n = poll(&p, 1, 0);

    printf("%s: %d %x\n", what, n, p.revents);
}

static void files(void)
{
    int plain = open("/tmp", O_TMPFILE | O_RDWR, 0600), dir = open("/", O_RDONLY);
    int null = open("/dev/null", O_RDWR), zero = open("/dev/zero", O_RDONLY);
    struct pollfd nothing = { .fd = dir, .events = 0 }, closed = { .fd = 77, .events = 0 };

    tell("directory", dir);
    tell("/dev/null", null);
    tell("/dev/zero", zero);
    SHOW(poll(&nothing, 1, 0));
    SHOW(poll(&closed, 1, 0));
    printf("%x\n", closed.revents);
    close(plain), close(dir), close(null), close(zero);
}

static void pipes(void)
{
    int p[2];
    char c[8];

    pipe(p);
    tell("empty pipe, reader", p[0]);
    tell("empty pipe, writer", p[1]);
    write(p[1], "x", 1);
    tell("a byte, reader", p[0]);
    close(p[1]);
    tell("a byte, no writer", p[0]);
    read(p[0], c, 1);
    tell("no writer", p[0]);
    close(p[0]);
    pipe2(p, O_NONBLOCK);
    while (write(p[1], c, 8) > 0)
        ;
    tell("full, writer", p[1]);
    close(p[0]);
    tell("full, no reader", p[1]);
    close(p[1]);
}

static int listener(struct sockaddr_in *addr)
{
    socklen_t len = sizeof *addr;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    *addr = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    bind(fd, (struct sockaddr *)addr, sizeof *addr);
    listen(fd, 5);
    getsockname(fd, (struct sockaddr *)addr, &len);
    return fd;
}

static void streams(void)
{
    struct sockaddr_in addr;
    int l = listener(&addr), a = socket(AF_INET, SOCK_STREAM, 0), b, refused;
    char c;

    tell("fresh socket", a);
    tell("listener", l);
    connect(a, (struct sockaddr *)&addr, sizeof addr);
    settle();
    tell("listener, a caller", l);
    b = accept(l, NULL, NULL);
    tell("connected", a);
    write(a, "x", 1);
    settle();
    tell("a byte", b);
    shutdown(a, SHUT_WR);
    settle();
    tell("a byte, and the end", b);
    tell("half closed here", a);
    read(b, &c, 1);
    tell("the end", b);
    shutdown(b, SHUT_WR);
    settle();
    tell("both closed", b);
    tell("both closed", a);
    close(a), close(b), close(l);
    refused = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    SHOW(connect(refused, (struct sockaddr *)&addr, sizeof addr));
    settle();
    tell("refused", refused);
    SHOW(connect(refused, (struct sockaddr *)&addr, sizeof addr));
    close(refused);
}

static void resets(void)
{
    struct sockaddr_in addr;
    struct linger at_once = { 1, 0 };
    int l = listener(&addr), a = socket(AF_INET, SOCK_STREAM, 0), b;
    char c;

    connect(a, (struct sockaddr *)&addr, sizeof addr);
    b = accept(l, NULL, NULL);
    setsockopt(a, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(a);
    settle();
    tell("reset", b);
    SHOW(read(b, &c, 1));
    tell("reset, and told", b);
    close(b), close(l);
}

static void datagrams(void)
{
    struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof addr;
    int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0);

    tell("udp", a);
    bind(b, (struct sockaddr *)&addr, sizeof addr);
    getsockname(b, (struct sockaddr *)&addr, &len);
    connect(a, (struct sockaddr *)&addr, sizeof addr);
    send(a, "x", 1, 0);
    tell("a datagram", b);
    close(b);
    send(a, "x", 1, 0);
    settle();
    tell("port unreachable", a);
    shutdown(a, SHUT_RD);
    tell("closed to read", a);
    close(a);
}

static void local(void)
{
    int s[2];
    char c;

    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    tell("pair", s[0]);
    write(s[1], "x", 1);
    tell("a byte", s[0]);
    shutdown(s[1], SHUT_WR);
    tell("a byte, and the end", s[0]);
    read(s[0], &c, 1);
    close(s[1]);
    tell("closed", s[0]);
    close(s[0]);
}

/* ---- time left, masks ---- */

static void on_signal(int signo)
{
    (void)signo;
}

static long ms_of(const struct timespec *t)
{
    return t->tv_sec * 1000 + t->tv_nsec / 1000000;
}

static void times(void)
{
    struct timespec t = { 5, 0 }, bad = { 0, -1 };
    struct timeval tv = { 5, 0 }, bad_tv = { 0, -1 };
    struct {
        const sigset_t *set;
        size_t size;
    } with = { NULL, 8 };
    struct pollfd p;
    int fds[2];
    fd_set set;

    pipe(fds);
    write(fds[1], "x", 1);
    p = (struct pollfd){ .fd = fds[0], .events = POLLIN };
    FD_ZERO(&set);
    FD_SET(fds[0], &set);
    SHOW(syscall(SYS_ppoll, &p, 1, &t, NULL, 8));
    printf("nearly all is left: %d\n", ms_of(&t) > 3000 && ms_of(&t) <= 5000);
    SHOW(syscall(SYS_select, fds[0] + 1, &set, NULL, NULL, &tv));
    printf("nearly all is left: %d\n", tv.tv_sec >= 3 && tv.tv_sec <= 5);
    t = (struct timespec){ 5, 0 };
    SHOW(syscall(SYS_pselect6, fds[0] + 1, &set, NULL, NULL, &t, &with));
    printf("nearly all is left: %d\n", ms_of(&t) > 3000 && ms_of(&t) <= 5000);
    t = (struct timespec){ 0, 10000000 };
    SHOW(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &t, NULL));
    printf("nothing is left: %ld\n", ms_of(&t));
    t = (struct timespec){ 0, 10000000 };
    SHOW(syscall(SYS_ppoll, NULL, 0, &t, NULL, 8));
    printf("nothing is left: %ld\n", ms_of(&t));
    SHOW(syscall(SYS_ppoll, &p, 1, &bad, NULL, 8));
    SHOW(syscall(SYS_pselect6, 0, NULL, NULL, NULL, &bad, NULL));
    SHOW(syscall(SYS_select, 0, NULL, NULL, NULL, &bad_tv));
    SHOW(syscall(SYS_ppoll, &p, 1, (void *)1, NULL, 8));
    SHOW(syscall(SYS_ppoll, &p, 1, NULL, (void *)1, 8));
    SHOW(syscall(SYS_ppoll, &p, 1, NULL, &set, 7));
    struct timespec *frozen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *frozen = (struct timespec){ 1, 0 };
    mprotect(frozen, 4096, PROT_READ);
    SHOW(syscall(SYS_ppoll, &p, 1, frozen, NULL, 8));
    munmap(frozen, 4096);
    close(fds[0]), close(fds[1]);
}

static void masks(void)
{
    sigset_t usr1, none;
    struct timespec t = { 5, 0 };
    int p[2];

    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    signal(SIGUSR1, on_signal);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    raise(SIGUSR1);
    SHOW(poll(NULL, 0, 10));
    SHOW(ppoll(NULL, 0, &t, &none));
    raise(SIGUSR1);
    SHOW(pselect(0, NULL, NULL, NULL, &t, &none));
    raise(SIGUSR1);
    pipe(p);
    write(p[1], "x", 1);
    struct pollfd ready = { .fd = p[0], .events = POLLIN };
    SHOW(ppoll(&ready, 1, &t, &none));
    sigprocmask(SIG_UNBLOCK, &usr1, NULL);
    sigprocmask(SIG_SETMASK, NULL, &none);
    printf("blocked: %d\n", sigismember(&none, SIGUSR1));
    close(p[0]), close(p[1]);
}

static void high_descriptors(void)
{
    fd_set set[2];
    int p[2], high;

    pipe(p);
    high = fcntl(p[0], F_DUPFD, 1000);
    SHOW(high);
    FD_ZERO(&set[0]);
    FD_SET(high, &set[0]);
    write(p[1], "x", 1);
    SHOW(select(high + 1, &set[0], NULL, NULL, NULL));
    SHOW(!!FD_ISSET(high, &set[0]));
    FD_ZERO(&set[0]);
    FD_SET(p[0], &set[0]);
    FD_SET(77, &set[0]);
    SHOW(select(100, &set[0], NULL, NULL, NULL));
    close(high), close(p[0]), close(p[1]);
}

int main(void)
{
    files();
    pipes();
    streams();
    resets();
    datagrams();
    local();
    times();
    masks();
    high_descriptors();
    return 0;
}
