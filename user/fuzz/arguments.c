/* user/fuzz/arguments.c - an argument of a kind, by chance. Processes and names are our own, however odd. */
#define _GNU_SOURCE
#include "user/fuzz/fuzz.h"
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t nonsense(void)
{
    static const uint64_t odd[] = { 0,
                                    1,
                                    ~0ull,
                                    INT32_MAX,
                                    (uint64_t)INT32_MIN,
                                    UINT32_MAX,
                                    INT64_MAX,
                                    (uint64_t)INT64_MIN,
                                    4095,
                                    4096,
                                    0x7ffffffff000,
                                    0x7fffffffefff,
                                    0x800000000000,
                                    0xffff888000000000,
                                    0xffffc90000000000,
                                    0xffffffff80100000,
                                    0xffffffffff600000 };

    return below(3) ? PICK(odd) : chance() >> below(64);
}

/* In the arena; one in eight so near its end that what is there is cut off. */
static uint64_t buffer(void)
{
    return (uint64_t)batch.arena + (below(8) ? below(ARENA - 8192) & ~7ull : ARENA - below(64));
}

static uint64_t size(void)
{
    static const uint64_t sizes[] = { 0, 1, 7, 8, 16, 100, 128, 511, 4095, 4096, 4097, 8192, 30000, ARENA };

    return PICK(sizes);
}

static uint64_t small_number(void)
{
    return below(4) ? below(18) : 1ull << below(32);
}

static uint64_t text(const char *s)
{
    return (uint64_t)strcpy((char *)batch.arena + below(ARENA / 2), s);
}

static uint64_t own_name(void)
{
    static const char *const names[] = { "a",    "b",        "dir", "dir/c", "dir/../dir",
                                         "link", "dir/link", ".",   "..x",   "" };

    return text(PICK(names));
}

static uint64_t any_name(void)
{
    static const char *const names[] = {
        "/proc/self/maps", "/proc/self/fd/5", "/proc/meminfo", "/proc/net/tcp", "/dev/zero",
        "/dev/null",       "/dev/urandom",    "/dev/tty",      "/proc/self",    "/",
        "/proc/1/stat",    "/proc/self/exe",  "/tmp",          "/proc/net/dev", "/proc"
    };

    return below(2) ? own_name() : text(PICK(names));
}

static uint64_t local_address(void)
{
    struct sockaddr_un *a = (struct sockaddr_un *)buffer();
    static const char *const names[] = { "a", "sock", "dir/sock", "" };

    if ((uint8_t *)(a + 1) > batch.arena + ARENA)
        return (uint64_t)a;
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    strcpy(a->sun_path + (below(2) ? 0 : 1), PICK(names)); /* a name, or an abstract one */
    return (uint64_t)a;
}

static uint64_t socket_address(void)
{
    if (below(3) == 0)
        return local_address();

    struct sockaddr_in *a = (struct sockaddr_in *)buffer();
    static const uint16_t ports[] = { 0, 9, 4000, 4001, 4002 };

    if ((uint8_t *)(a + 1) <= batch.arena + ARENA)
        *a = (struct sockaddr_in){ .sin_family = below(8) ? AF_INET : below(40),
                                   .sin_port = htons(PICK(ports)),
                                   .sin_addr.s_addr = htonl(below(4)   ? INADDR_LOOPBACK
                                                            : below(2) ? 0
                                                                       : chance()) };
    return (uint64_t)a;
}

static uint64_t vector(void)
{
    struct iovec *v = (struct iovec *)(batch.arena + (below(ARENA / 2) & ~7ull));

    for (int i = 0; i < 17; i++)
        v[i] = (struct iovec){ (void *)(below(8) ? buffer() : nonsense()), below(16) ? size() : nonsense() };
    return (uint64_t)v;
}

static uint64_t message(void)
{
    struct msghdr *m = (struct msghdr *)(batch.arena + (below(ARENA / 2) & ~7ull));
    struct msghdr made = { .msg_name = (void *)(below(2) ? socket_address() : 0),
                           .msg_namelen = 16,
                           .msg_iov = (void *)vector(),
                           .msg_iovlen = below(17),
                           .msg_control = (void *)(below(2) ? buffer() : 0),
                           .msg_controllen = below(100) };

    *m = made;
    return (uint64_t)m;
}

static uint64_t waiting_time(void)
{
    struct timespec *t = (struct timespec *)(batch.arena + (below(ARENA / 2) & ~7ull));

    *t = (struct timespec){ below(2) ? 0 : (long)below(3) - 1,
                            (long)(below(4) ? below(1000000) : nonsense()) };
    return below(4) ? (uint64_t)t : 0;
}

static uint64_t poll_set(void)
{
    struct pollfd *p = (struct pollfd *)(batch.arena + (below(ARENA / 2) & ~7ull));

    for (int i = 0; i < 20; i++)
        p[i] = (struct pollfd){ .fd = (int)below(24) - 2, .events = (short)chance() };
    return (uint64_t)p;
}

static uint64_t words(void)
{
    uint64_t *w = (uint64_t *)(batch.arena + (below(ARENA / 2) & ~7ull));
    int n = (int)below(6);

    for (int i = 0; i < n; i++)
        w[i] = below(10) ? own_name() : nonsense();
    w[n] = 0;
    return (uint64_t)w;
}

static uint64_t request(void)
{
    static const unsigned requests[] = { TCGETS,     FIONREAD,     FIONBIO,       TIOCGWINSZ,
                                         TIOCGPGRP,  SIOCGIFCONF,  SIOCGIFADDR,   SIOCGIFFLAGS,
                                         SIOCGIFMTU, SIOCGIFINDEX, SIOCGIFHWADDR, SIOCGIFNAME };

    return PICK(requests);
}

static uint64_t own_process(void)
{
    switch (below(4)) {
    case 0:
        return 0;
    case 1:
        return (uint64_t) - (int64_t)batch.leader;
    default:
        return (uint64_t)syscall(SYS_getpid);
    }
}

/* Mostly one that does not end the batch. */
static uint64_t signal_number(void)
{
    static const int mild[] = { 0, SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGALRM };

    return below(8) ? (uint64_t)PICK(mild) : below(34);
}

static uint64_t clone_flags(void)
{
    static const uint64_t flags[] = {
        SIGCHLD, 0, 0x100, 0x4100, 0x50f00, 0x3d0f00, 0x1000000 | SIGCHLD, 0x1200000 | SIGCHLD
    };

    return below(4) ? PICK(flags) : chance() & 0xffffff;
}

/* struct clone_args, of which the kernel believes all that its flags ask for. */
static uint64_t clone_arguments(void)
{
    uint64_t *a = (uint64_t *)(batch.arena + (below(ARENA / 2) & ~7ull));

    for (int i = 1; i < 11; i++)
        a[i] = below(4) ? 0 : below(2) ? buffer() : nonsense();
    a[0] = clone_flags() & ~0xffull;
    a[4] = below(4) ? SIGCHLD : below(70);
    return (uint64_t)a;
}

static uint64_t option_level(void)
{
    static const int levels[] = { SOL_SOCKET,  IPPROTO_IP,  IPPROTO_TCP,
                                  IPPROTO_UDP, IPPROTO_RAW, 263 /* SOL_PACKET */ };

    return (uint64_t)PICK(levels);
}

uint64_t argument(char kind)
{
    switch (kind) {
    case 'f':
        return below(DESCRIPTORS);
    case 'G': /* of syslog: what does not turn the console off */
        return 2 + below(3);
    case 'K':
        return clone_arguments();
    case 'l':
        return option_level();
    case 'c': /* to close or replace: seldom one of those that all need */
        return 6 + below(40);
    case 'b':
        return buffer();
    case 'z':
        return size();
    case 'n':
        return small_number();
    case 'x': /* how large a file gets */
        return below(1 << 20);
    case 'N':
        return any_name();
    case 'd':
        return own_name();
    case 'o':
        return chance() &
               (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC);
    case 'm':
        return (uint64_t)batch.window + (below(256) << 12);
    case 'r':
        return below(8);
    case 'M':
        return (below(2) ? MAP_PRIVATE : MAP_SHARED) | (below(2) ? MAP_ANONYMOUS : 0) |
               (below(2) ? MAP_FIXED : 0);
    case 'P':
        return below(4) << 12;
    case 'A':
        return socket_address();
    case 'L':
        *(uint32_t *)batch.arena = (uint32_t)below(40);
        return (uint64_t)batch.arena;
    case 'V':
        return vector();
    case 'v':
        return words();
    case 'H':
        return message();
    case 'T':
        return waiting_time();
    case 'E':
        return poll_set();
    case 'R':
        return request();
    case 'p':
        return own_process();
    case 'S':
        return signal_number();
    case 'C':
        return clone_flags();
    case 'X':
        return 0x1001 + below(4);
    case '8':
        return 8;
    default:
        return nonsense();
    }
}

/* Never a process that is not ours, however odd: those arguments stay as they are meant. */
int must_stay(const struct call *call, char kind)
{
    return kind == 'p' || kind == 'G' || (call->number == SYS_ioctl && kind == 'R') || kind == 'x' ||
           kind == 'd';
}
