/* user/fuzz.c - system calls with arguments by chance; the kernel must survive them all.
 *
 *     fuzz CALLS [SEED [WORKERS [FIRST]]]      prints what became of the calls; status 0
 *
 * A supervisor a worker makes one child after the other. Each child makes a batch of calls that depends on
 * SEED and the batch's number alone, in a session of its own and with files of its own, so that whatever it
 * signals, stops, closes or unmaps is its own; a timer ends calls that would wait. The supervisor ends what
 * is left of the session and goes on; now and then it says which batch it is at, and FIRST begins there
 * again.
 *
 * user/fuzz/calls.c says what the arguments of a call are meant to be. Any other number is called too, with
 * arguments of any kind, so a call that is new in the kernel is fuzzed before it is known here. Left out are
 * calls that end the machine or change it for everybody, and names and requests that would take the network
 * or the terminal from everybody. */
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

enum {
    BATCH = 200,
    GRANDCHILD_CALLS = 10,
    BATCH_SECONDS = 1,
    CALL_MICROSECONDS = 3000,
    NUMBERS = 470, /* beyond any call there is */
    REPORT = 20000 /* calls between two lines of a worker */
};

struct batch batch;

/* splitmix64 */
uint64_t chance(void)
{
    uint64_t z = batch.chance_state += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

uint64_t below(uint64_t n)
{
    return chance() % n;
}

/* ---- a batch ---- */

static void wake(int signo)
{
    (void)signo;
}

/* Whatever the calls did to signals: SIGALRM ends the next one soon, and again if it waits once more. */
static void limit_next_call(void)
{
    struct itimerval soon = { { 0, CALL_MICROSECONDS }, { 0, CALL_MICROSECONDS } };
    struct sigaction action = { .sa_handler = wake };
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigaction(SIGALRM, &action, NULL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
}

static int is_left_out(const struct call *call)
{
    int leaves_session = call->number == SYS_setsid || call->number == SYS_setpgid;
    int ends = call->number == SYS_exit || call->number == SYS_exit_group || call->number == SYS_execve ||
               call->number == SYS_rt_sigreturn || call->number == SYS_arch_prctl ||
               call->number == SYS_rt_sigsuspend || call->number == SYS_ptrace || call->number == SYS_chroot;

    return (leaves_session && syscall(SYS_getpid) != batch.leader) || (ends && below(16));
}

/* A number that calls[] does not have, with arguments of any kind. */
static void make_other_call(void)
{
    static const char kinds[] = "fbznixmrVATEd8";
    long number = below(8) ? (long)below(NUMBERS) : (long)nonsense();
    uint64_t a[6];

    if (is_known(number))
        return;
    for (int i = 0; i < 6; i++)
        a[i] = below(6) ? argument(kinds[below(sizeof kinds - 1)]) : nonsense();
    limit_next_call();
    syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void make_call(void)
{
    const struct call *call = some_call();
    uint64_t a[6] = { 0 };

    if (below(10) == 0) {
        make_other_call();
        return;
    }
    if (is_left_out(call))
        return;
    for (int i = 0; call->kinds[i]; i++)
        a[i] = below(16) || must_stay(call, call->kinds[i]) ? argument(call->kinds[i]) : nonsense();
    limit_next_call();
    syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* A set with some of what is open in it. */
static void open_epoll(void)
{
    int set = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };

    for (int fd = 3; fd < set; fd += 2)
        epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

/* Descriptors of every kind, from 3 on. */
static void open_files(void)
{
    int pair[2];

    open("a", O_RDWR | O_CREAT, 0644);
    open(".", O_RDONLY | O_DIRECTORY);
    open("/proc/self/status", O_RDONLY);
    if (pipe(pair) || pipe2(pair, O_NONBLOCK))
        return;
    socket(AF_INET, SOCK_DGRAM, 0);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    listen(listener, 3);
    socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    open("/dev/zero", O_RDWR);
    open("/proc", O_RDONLY | O_DIRECTORY);
    dup(3);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair);
    eventfd(3, 0);
    syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 0);
    syscall(SYS_memfd_create, "memory", 0);
    open("/dev/ptmx", O_RDWR | O_NOCTTY);
    open("fifo", O_RDWR);
    open_epoll();
}

static void prepare_memory(void)
{
    batch.arena = mmap(NULL, ARENA + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    batch.window = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (batch.arena == MAP_FAILED || batch.window == MAP_FAILED)
        _exit(255);
    munmap(batch.arena + ARENA, 4096);
    for (int i = 0; i < ARENA; i += 8)
        *(uint64_t *)(batch.arena + i) = nonsense();
}

/* The number of calls is told byte by byte through the pipe `progress`, which the batch may close by chance.
 */
static void run_batch(uint64_t seed, int progress)
{
    pid_t self;
    int limit = BATCH;

    batch.chance_state = seed;
    setsid();
    batch.leader = self = (pid_t)syscall(SYS_getpid);
    for (int fd = 0; fd < 3; fd++)
        dup2(progress, 60), close(fd), open("/dev/null", O_RDWR);
    close(progress);
    prepare_memory();
    open_files();
    for (batch.made_here = 0; batch.made_here < limit; batch.made_here++) {
        make_call();
        if (syscall(SYS_getpid) != self) {
            self = (pid_t)syscall(SYS_getpid);
            limit = batch.made_here + GRANDCHILD_CALLS;
            batch.chance_state += (uint64_t)self;
        }
        (void)!write(60, "", 1);
    }
    syscall(SYS_exit_group, 0);
}

/* ---- supervising ---- */

struct tally {
    long calls, batches, killed, stopped, overdue;
};

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    if (ftw->level > 0)
        (void)!remove(path);
    return 0;
}

static void clear_directory(void)
{
    nftw(".", remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void fill_directory(void)
{
    clear_directory();
    if (mkdir("dir", 0755) || (mkfifo("fifo", 0600) && errno != ENOSYS))
        perror("fuzz: the directory");
}

/* Until the child has ended; one that is stopped goes on, one that takes too long is killed. */
static void watch(pid_t child, struct tally *t)
{
    int status;

    alarm(BATCH_SECONDS);
    for (;;) {
        pid_t got = waitpid(child, &status, WUNTRACED);
        if (got < 0 && errno == EINTR) {
            t->overdue++;
            kill(-child, SIGKILL);
        } else if (got == child && WIFSTOPPED(status)) {
            t->stopped++;
            kill(-child, SIGCONT);
        } else {
            break;
        }
    }
    alarm(0);
    kill(-child, SIGKILL); /* grandchildren */
    t->killed += WIFSIGNALED(status);
    t->batches++;
}

static long count_bytes(int fd)
{
    char bytes[4096];
    long n = 0;
    ssize_t got;

    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        n += got;
    return n;
}

static void one_batch(uint64_t seed, struct tally *t)
{
    int progress[2];
    pid_t child;

    fill_directory();
    if (pipe2(progress, O_NONBLOCK)) {
        perror("fuzz: pipe");
        exit(1);
    }
    child = fork();
    if (child == 0) {
        close(progress[0]);
        run_batch(seed, progress[1]);
    }
    close(progress[1]);
    if (child < 0)
        perror("fuzz: fork");
    else
        watch(child, t);
    t->calls += count_bytes(progress[0]);
    close(progress[0]);
}

static int supervise(long limit, uint64_t seed, int worker, long first)
{
    struct sigaction action = { .sa_handler = wake };
    struct tally t = { 0 };
    char directory[32];
    long told = REPORT;

    snprintf(directory, sizeof directory, "/tmp/fuzz%d", worker);
    mkdir(directory, 0755);
    if (chdir(directory)) {
        perror(directory);
        return 1;
    }
    sigaction(SIGALRM, &action, NULL);
    for (uint64_t batch = (uint64_t)first; t.calls < limit && t.batches < limit; batch++) {
        if (t.calls >= told) {
            printf("worker %d: at batch %llu\n", worker, (unsigned long long)batch);
            told += REPORT;
        }
        one_batch(seed + (batch << 16 | (uint64_t)worker << 8), &t);
    }
    clear_directory();
    printf("worker %d: %ld calls in %ld batches, %ld killed, %ld stopped, %ld overdue\n", worker, t.calls,
           t.batches, t.killed, t.stopped, t.overdue);
    return t.calls < limit;
}

int main(int argc, char **argv)
{
    long n_calls = argc > 1 ? atol(argv[1]) : 0;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    int workers = argc > 3 ? atoi(argv[3]) : 2, status, failed = 0;
    long first = argc > 4 ? atol(argv[4]) : 0;

    if (n_calls <= 0 || workers <= 0 || workers > 16) {
        fprintf(stderr, "usage: fuzz CALLS [SEED [WORKERS [FIRST]]]\n");
        return 2;
    }
    for (int i = 0; i < workers; i++)
        if (fork() == 0)
            return supervise(n_calls / workers, seed, i, first);
    while (wait(&status) > 0)
        failed |= status;
    return failed != 0;
}
