/* user/tests/socketfuzz.c - socket calls by chance; what each returns is printed, and must be the same on
 * both kernels.
 *
 *     socketfuzz [CASE...]                       the cases below, each some rounds
 *     socketfuzz seed FIRST ROUNDS [CALLS]       other seeds: rounds FIRST, FIRST + 1, ...
 *
 * A round is a few sockets of some kinds and then CALLS calls on them, all chosen by the round's number alone
 * (socketfuzz_chance.h); rounds share nothing, so that a difference in one is not carried into the next.
 * Nothing ever waits: every socket is non-blocking. Behind each call a moment passes in which the loopback
 * delivers. What depends on the machine is not printed: port numbers, sizes of buffers that nobody set,
 * times. Only addresses of the loopback are used, on Linux in a network namespace of our own where we may
 * make one.
 *
 * A round whose calls took longer than the shortest of the kernels' timers (ROUND_TIME) says nothing about
 * either: it is made again, and its lines are printed when it was quick enough. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include "user/tests/socketfuzz/fuzz.h"
#include <net/if.h>
#include <sched.h>

enum { CALLS = 24, CASE_ROUNDS = 40, TRIES = 4 };
#define ROUND_TIME 190 /* ms: TCP_CORK lets go after 200 */

struct round now;

/* ---- chance: splitmix64 ---- */

uint64_t chance(void)
{
    uint64_t z = now.chance_state += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

uint64_t below(uint64_t n)
{
    return chance() % n;
}

/* ---- what is printed ---- */

void tell(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (now.used < sizeof now.text - 200)
        now.used += (size_t)vsnprintf(now.text + now.used, 200, format, args);
    va_end(args);
}

void tell_result(long result)
{
    if (result < 0)
        tell(" %s", errno_name(errno));
    else
        tell(" %ld", result);
}

/* ---- sockets ---- */

int some_slot(void)
{
    return (int)below(now.n);
}

int add_slot(int fd, int family, int type)
{
    if (fd < 0)
        return -1;
    if (now.n == SLOTS) {
        close(fd);
        return -1;
    }
    now.slots[now.n] = (struct slot){ .fd = fd, .family = family, .type = type };
    return now.n++;
}

static int add_socket(int family, int type)
{
    return add_slot(socket(family, type | SOCK_NONBLOCK, 0), family, type);
}

static void bind_to_loopback(int slot)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    bind(now.slots[slot].fd, (struct sockaddr *)&in, sizeof in);
}

static void connect_to(int from, int to)
{
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;

    getsockname(now.slots[to].fd, (struct sockaddr *)&addr, &len);
    connect(now.slots[from].fd, (struct sockaddr *)&addr, len);
}

static void tcp_connection(void)
{
    int listener = add_socket(AF_INET, SOCK_STREAM), client = add_socket(AF_INET, SOCK_STREAM);

    bind_to_loopback(listener);
    listen(now.slots[listener].fd, 4);
    connect_to(client, listener);
    settle();
    add_slot(accept4(now.slots[listener].fd, NULL, NULL, SOCK_NONBLOCK), AF_INET, SOCK_STREAM);
}

static void udp_pair(void)
{
    int a = add_socket(AF_INET, SOCK_DGRAM), b = add_socket(AF_INET, SOCK_DGRAM);

    bind_to_loopback(a);
    bind_to_loopback(b);
    connect_to(a, b);
    if (below(2))
        connect_to(b, a);
}

static void unix_pair(int type)
{
    int pair[2];

    if (socketpair(AF_UNIX, type | SOCK_NONBLOCK, 0, pair))
        return;
    add_slot(pair[0], AF_UNIX, type);
    add_slot(pair[1], AF_UNIX, type);
}

/* The kinds of a round, which its name says. */
static void open_some(void)
{
    static const char *const names[] = {
        "tcp",        "tcp sockets",    "udp",         "udp sockets", "unix stream",
        "unix dgram", "unix seqpacket", "unix sockets"
    };
    unsigned kind = (unsigned)below(10);

    kind = kind >= 8 ? 0 : kind; /* more of TCP */
    tell("-- round %llu: %s\n", (unsigned long long)now.number, names[kind]);
    switch (kind) {
    case 0:
        tcp_connection();
        break;
    case 1:
        add_socket(AF_INET, SOCK_STREAM);
        add_socket(AF_INET, SOCK_STREAM);
        add_socket(AF_INET, SOCK_STREAM);
        break;
    case 2:
        udp_pair();
        break;
    case 3:
        add_socket(AF_INET, SOCK_DGRAM);
        add_socket(AF_INET, SOCK_DGRAM);
        break;
    case 4:
        unix_pair(SOCK_STREAM);
        break;
    case 5:
        unix_pair(SOCK_DGRAM);
        break;
    case 6:
        unix_pair(SOCK_SEQPACKET);
        break;
    default:
        add_socket(AF_UNIX, SOCK_STREAM);
        add_socket(AF_UNIX, SOCK_STREAM);
        add_socket(AF_UNIX, SOCK_DGRAM);
        add_socket(AF_UNIX, SOCK_SEQPACKET);
    }
    now.epoll = epoll_create1(0);
}

static void close_all(void)
{
    const struct linger at_once = { 1, 0 };

    for (int i = 0; i < now.n; i++) {
        setsockopt(now.slots[i].fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(now.slots[i].fd);
    }
    close(now.epoll);
    unlink("name");
    unlink("other");
}

/* ---- rounds ---- */

void settle(void)
{
    struct timespec t = { 0, 400000 };

    nanosleep(&t, NULL);
}

static long milliseconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static long make_round(uint64_t number, int calls)
{
    long begin = milliseconds();

    now = (struct round){ .number = number, .chance_state = number * 0x2545f4914f6cdd1dull };
    open_some();
    for (int i = 0; i < calls; i++) {
        tell("%2d ", i);
        make_call();
        tell("\n");
        settle();
    }
    long took = milliseconds() - begin;
    close_all();
    return took;
}

/* On Linux: a network in which there is nobody else. It may be that we may not, or that there is one already.
 */
static void own_network(void)
{
    struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };

    if (unshare(CLONE_NEWNET))
        return;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    ioctl(fd, SIOCSIFFLAGS, &lo);
    close(fd);
}

static void rounds(uint64_t first, long n, int calls)
{
    signal(SIGPIPE, SIG_IGN);
    own_network();
    for (long i = 0; i < n; i++) {
        int tries = 0;
        while (make_round(first + (uint64_t)i, calls) > ROUND_TIME && ++tries < TRIES)
            ;
        fputs(now.text, stdout);
    }
}

#define SEED(name, first)                                                                                    \
    CASE(name)                                                                                               \
    {                                                                                                        \
        rounds(first, CASE_ROUNDS, CALLS);                                                                   \
    }

SEED(rounds_0_to_39, 0)
SEED(rounds_40_to_79, 40)
SEED(rounds_80_to_119, 80)

HELPER(seed)
{
    if (argc < 4)
        return 2;
    char directory[] = "/tmp/case-XXXXXX";
    if (!mkdtemp(directory) || chdir(directory))
        return 1;
    rounds(strtoull(argv[2], NULL, 0), atol(argv[3]), argc > 4 ? atoi(argv[4]) : CALLS);
    return rmdir(directory);
}
