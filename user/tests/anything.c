/* user/tests/anything.c - system calls by chance: any number, any arguments. Whatever comes back, the kernel
 * must go on and the next process must work as before.
 *
 *     anything [rounds [seed]]
 *
 * Not for a machine with files worth keeping: run in the guest only. */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { CALLS_A_CHILD = 200, PATIENCE_MS = 3000 };

static uint64_t state;
static char area[65536];

static uint64_t chance(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * 0x2545f4914f6cdd1dull;
}

static uint64_t some_argument(void)
{
    static const uint64_t edges[] = { 0,          1,          2,          7,          8,       4095,
                                      4096,       65536,      0x7fffffff, 0x80000000, ~0ull,   ~0ull - 4095,
                                      1ull << 31, 1ull << 47, 1ull << 63, 0x101000,   0x80000, 02000000 };

    switch (chance() % 5) {
    case 0:
        return edges[chance() % (sizeof edges / sizeof *edges)];
    case 1:
        return (uintptr_t)area + chance() % sizeof area;
    case 2:
        return chance() % 16;
    case 3:
        return chance() >> chance() % 64;
    default:
        return 0xffffffff80000000 + chance() % 0x1000000;
    }
}

/* Calls that end the machine, or would leave nobody to tell of it; and most times those that end the child.
 */
static int forbidden(long number)
{
    if (number == SYS_rt_sigreturn || number == SYS_exit || number == SYS_exit_group || number == SYS_pause)
        return chance() % 50;
    return number == SYS_reboot || number == SYS_kill || number == SYS_tgkill || number == SYS_tkill ||
           number == SYS_fork || number == SYS_vfork || number == SYS_clone || number == SYS_clone3;
}

static void fill_area(void)
{
    static const char *const paths[] = { "/tmp/anything", "/proc/self/stat", "/dev/zero", "/", "/tmp", "." };

    for (size_t i = 0; i < sizeof area; i++)
        area[i] = (char)(chance() >> 32);
    for (int i = 0; i < 200; i++)
        strcpy(area + chance() % (sizeof area - 64), paths[chance() % (sizeof paths / sizeof *paths)]);
}

/* Descriptors up to 13, so that small numbers are something. */
static void open_files(void)
{
    int p[2], null = open("/dev/null", O_RDWR);

    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
    open("/tmp/anything", O_RDWR | O_CREAT, 0600);
    open("/tmp", O_RDONLY);
    open("/dev/zero", O_RDWR);
    open("/proc/self/status", O_RDONLY);
    pipe2(p, O_NONBLOCK);
    for (int type = SOCK_STREAM; type <= SOCK_RAW; type++)
        socket(AF_INET, type | SOCK_NONBLOCK, type == SOCK_RAW);
    open("/dev/ttyS1", O_RDWR | O_NONBLOCK);
}

static void child(void)
{
    open_files();
    fill_area();
    for (int i = 0; i < CALLS_A_CHILD; i++) {
        long number = (long)(chance() % 340);
        if (!forbidden(number))
            syscall(number, some_argument(), some_argument(), some_argument(), some_argument(),
                    some_argument(), some_argument());
    }
    _exit(0);
}

/* A child that sleeps in a call is killed in the end. */
static void wait_for(pid_t pid)
{
    struct timespec t = { 0, 10000000 };

    for (int waited = 0; waitpid(pid, NULL, WNOHANG) == 0; waited += 10) {
        if (waited == PATIENCE_MS)
            kill(pid, SIGKILL);
        nanosleep(&t, NULL);
    }
}

int main(int argc, char **argv)
{
    int rounds = argc > 1 ? atoi(argv[1]) : 100;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;

    for (int i = 0; i < rounds; i++) {
        state = (seed + (uint64_t)i) * 0x9e3779b97f4a7c15ull | 1;
        pid_t pid = fork();
        if (!pid) {
            setsid();
            child();
        }
        if (pid > 0)
            wait_for(pid);
    }
    printf("%d children made %d calls each\n", rounds, CALLS_A_CHILD);
    return 0;
}
