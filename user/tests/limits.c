/* user/tests/limits.c - resource limits: set, told, inherited, and what happens at them. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

enum { NOBODY = 65534 };

static void set_limit(int resource, rlim_t soft)
{
    struct rlimit now;

    getrlimit(resource, &now);
    now.rlim_cur = soft;
    SHOW(setrlimit(resource, &now));
}

static void show_limit(int resource)
{
    struct rlimit now = { 0, 0 };

    SHOW(getrlimit(resource, &now));
    printf("soft %lld\n", (long long)now.rlim_cur);
}

CASE(a_limit_is_told_as_it_was_set)
{
    set_limit(RLIMIT_NOFILE, 100);
    show_limit(RLIMIT_NOFILE);
    show_limit(RLIMIT_CORE);
    set_limit(RLIMIT_NOFILE, 200);
    show_limit(RLIMIT_NOFILE);
}

CASE(a_soft_limit_is_not_above_the_hard_one)
{
    struct rlimit odd = { 200, 100 };

    SHOW(setrlimit(RLIMIT_NOFILE, &odd));
    SHOW(setrlimit(16, &odd));
    SHOW(getrlimit(-1, &odd));
}

CASE(a_hard_limit_is_lowered_for_ever)
{
    struct rlimit low = { 50, 50 }, high = { 50, 60 };

    SHOW(setgid(NOBODY));
    SHOW(setuid(NOBODY));
    SHOW(setrlimit(RLIMIT_NOFILE, &low));
    SHOW(setrlimit(RLIMIT_NOFILE, &high));
}

CASE(prlimit_reads_and_sets_in_one_step)
{
    struct rlimit new = { 64, 128 }, old = { 0, 0 };

    SHOW(prlimit(0, RLIMIT_NOFILE, &new, NULL));
    new.rlim_cur = 32;
    SHOW(prlimit(getpid(), RLIMIT_NOFILE, &new, &old));
    SHOW(old.rlim_cur);
    SHOW(old.rlim_max);
    SHOW(prlimit(0x7ffffff, RLIMIT_NOFILE, NULL, &old));
}

CASE(prlimit_reaches_a_child)
{
    struct rlimit new = { 40, 40 }, old;
    pid_t child = fork();

    if (!child) {
        pause();
        _exit(0);
    }
    SHOW(prlimit(child, RLIMIT_NOFILE, &new, NULL));
    SHOW(prlimit(child, RLIMIT_NOFILE, NULL, &old));
    SHOW(old.rlim_cur);
    show_limit(RLIMIT_NOFILE);
    kill(child, SIGKILL);
    wait(NULL);
}

CASE(prlimit_of_another_users_process_is_refused)
{
    struct rlimit old;
    pid_t parent = getpid(), child = fork();

    if (!child) {
        SHOW(setgid(NOBODY));
        SHOW(setuid(NOBODY));
        SHOW(prlimit(parent, RLIMIT_NOFILE, NULL, &old));
        exit(0);
    }
    wait(NULL);
}

CASE(a_child_inherits_limits)
{
    pid_t child;

    set_limit(RLIMIT_NOFILE, 77);
    child = fork();
    if (!child) {
        show_limit(RLIMIT_NOFILE);
        exit(0);
    }
    wait(NULL);
}

CASE(no_descriptor_beyond_the_limit)
{
    struct rlimit low = { 8, 8 };
    int ends[2];

    SHOW(dup2(0, 20));
    SHOW(setrlimit(RLIMIT_NOFILE, &low));
    while (dup(0) >= 0)
        ;
    SHOW(dup(0));
    SHOW(open("/dev/null", O_RDONLY));
    SHOW(pipe(ends));
    SHOW(dup2(0, 8));
    SHOW(dup2(0, 7));
    SHOW(fcntl(0, F_DUPFD, 8));
    SHOW(fcntl(20, F_GETFD));
    SHOW(dup2(20, 7));
    SHOW(close(20));
}

static void on_signal(int signo)
{
    printf("signal %d\n", signo);
}

CASE(a_file_ends_at_its_limit)
{
    static char bytes[3000];
    int fd = open("file", O_RDWR | O_CREAT, 0600);

    signal(SIGXFSZ, on_signal);
    set_limit(RLIMIT_FSIZE, 5000);
    SHOW(write(fd, bytes, sizeof bytes));
    SHOW(write(fd, bytes, sizeof bytes));
    SHOW(write(fd, bytes, sizeof bytes));
    SHOW(write(fd, bytes, 0));
    SHOW(pwrite(fd, bytes, 10, 4990));
    SHOW(pwrite(fd, bytes, 10, 4995));
    SHOW(pwrite(fd, bytes, 10, 6000));
    SHOW(ftruncate(fd, 5000));
    SHOW(ftruncate(fd, 5001));
    SHOW(truncate("file", 5001));
    SHOW(lseek(fd, 0, SEEK_END));
}

CASE(too_large_a_file_kills)
{
    int fd = open("file", O_RDWR | O_CREAT, 0600);

    set_limit(RLIMIT_FSIZE, 1);
    SHOW(write(fd, "ab", 2));
    fflush(stdout);
    SHOW(write(fd, "ab", 2));
}

CASE(the_size_of_files_is_no_limit_for_pipes)
{
    int ends[2];

    set_limit(RLIMIT_FSIZE, 0);
    SHOW(pipe(ends));
    SHOW(write(ends[1], "ab", 2));
}

static void *nothing(void *arg)
{
    return arg;
}

CASE(a_user_has_no_more_processes_than_his_limit)
{
    pthread_t thread;

    SHOW(setgid(NOBODY));
    SHOW(setuid(NOBODY));
    set_limit(RLIMIT_NPROC, 0);
    SHOW(fork());
    SHOW(vfork());
    SHOW(pthread_create(&thread, NULL, nothing, NULL));
}

CASE(poll_takes_no_more_entries_than_descriptors)
{
    struct rlimit low = { 8, 8 };
    static char entries[9 * 8];

    memset(entries, 0xff, sizeof entries);
    SHOW(setrlimit(RLIMIT_NOFILE, &low));
    SHOW(syscall(SYS_poll, entries, 8, 0));
    SHOW(syscall(SYS_poll, entries, 9, 0));
}

CASE(time_on_the_cpu_runs_out)
{
    struct rlimit seconds = { 1, 2 };
    struct sigaction action = { .sa_handler = on_signal };

    sigaction(SIGXCPU, &action, NULL);
    SHOW(setrlimit(RLIMIT_CPU, &seconds));
    fflush(stdout);
    for (;;)
        fflush(stdout);
}

CASE(no_more_memory_than_the_limit)
{
    const size_t size = 64 << 20;
    void *some = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    SHOW(some != MAP_FAILED);
    set_limit(RLIMIT_AS, 100 << 20);
    SHOW(mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    SHOW(mremap(some, size, 2 * size, MREMAP_MAYMOVE) == MAP_FAILED);
    SHOW(munmap(some, size));
    SHOW(mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    SHOW((intptr_t)sbrk(size) == -1);
}

CASE(no_more_data_than_the_limit)
{
    const size_t size = 64 << 20;

    set_limit(RLIMIT_DATA, 32 << 20);
    SHOW(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    SHOW(mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    SHOW(mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

static void use_stack(size_t bytes)
{
    volatile char here[4096];

    here[0] = 1;
    if (bytes > sizeof here)
        use_stack(bytes - sizeof here);
    here[1] = 2;
}

CASE(a_stack_grows_to_its_limit)
{
    set_limit(RLIMIT_STACK, 2 << 20);
    use_stack(1 << 20);
    printf("1 MiB\n");
    fflush(stdout);
    use_stack(4 << 20);
    printf("not here\n");
}

CASE(a_stack_grows_when_it_is_touched)
{
    if (setrlimit(RLIMIT_STACK, &(struct rlimit){ 6 << 20, 8 << 20 }))
        perror("setrlimit");
    use_stack(5 << 20);
    printf("5 MiB\n");
}
