/* user/tests/shared_memory.c - memory that processes share: without a name and of files. */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { PAGE = 4096, RW = PROT_READ | PROT_WRITE };
enum { FUTEX_WAIT = 0, FUTEX_WAKE = 1 };

static sigjmp_buf back;
static volatile sig_atomic_t code;

static void caught(int signo, siginfo_t *info, void *context)
{
    (void)context;
    code = info->si_code;
    siglongjmp(back, signo);
}

/* The signal that touching p brings, 0: none. */
static int touch(volatile char *p, int write_it)
{
    struct sigaction action = { .sa_sigaction = caught, .sa_flags = SA_SIGINFO };
    int signo = sigsetjmp(back, 1);

    if (signo)
        return signo;
    sigaction(SIGBUS, &action, NULL);
    sigaction(SIGSEGV, &action, NULL);
    if (write_it)
        *p = 1;
    else
        (void)*p;
    return 0;
}

static int new_file(off_t size)
{
    char path[] = "shared-XXXXXX";
    int fd = mkstemp(path);

    unlink(path);
    ftruncate(fd, size);
    return fd;
}

static char *map_shared(int fd, size_t size)
{
    return mmap(NULL, size, RW, MAP_SHARED, fd, 0);
}

static void anonymous(void)
{
    int *p = mmap(NULL, 3 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    say("-- anonymous");
    printf("zeroed %d\n", p[0] == 0 && p[3 * PAGE / 4 - 1] == 0);
    p[0] = 1;
    if (!fork()) {
        p[0]++;
        p[2000] = 7; /* a page that the parent has not touched */
        if (!fork())
            _exit(p[0]++);
        wait(NULL);
        _exit(0);
    }
    wait(NULL);
    printf("%d %d\n", p[0], p[2000]);
    SHOW(mprotect(p, PAGE, PROT_READ));
    printf("read-only %d %d\n", touch((char *)p, 0), touch((char *)p, 1));
    SHOW(mprotect(p, PAGE, RW));
    SHOW(munmap((char *)p + PAGE, PAGE));
    printf("%d %d %d\n", touch((char *)p, 1), touch((char *)p + PAGE, 1), touch((char *)p + 2 * PAGE, 1));
    SHOW(madvise(p, PAGE, MADV_DONTNEED));
    printf("still %d\n", p[0]);
    munmap(p, 3 * PAGE);
}

static void file_and_mapping_agree(void)
{
    int fd = new_file(2 * PAGE + 100);
    char *p = map_shared(fd, 3 * PAGE), *q = map_shared(fd, PAGE), word[8] = "";
    char *copy = mmap(NULL, 3 * PAGE, RW, MAP_PRIVATE, fd, 0);

    say("-- a file");
    strcpy(p, "map");
    SHOW(pread(fd, word, 4, 0));
    printf("%s %s\n", word, q);
    SHOW(pwrite(fd, "write", 6, PAGE));
    printf("%s, in a private mapping %s\n", p + PAGE, copy + PAGE);
    strcpy(copy + PAGE, "own");
    SHOW(pwrite(fd, "again", 6, PAGE));
    printf("%s, in a private mapping %s\n", p + PAGE, copy + PAGE);
    printf("behind the end %d\n", p[2 * PAGE + 100]);
    strcpy(p + 2 * PAGE + 100, "tail");
    SHOW(ftruncate(fd, 3 * PAGE));
    printf("not of the file %d\n", p[2 * PAGE + 100]);
    SHOW(msync(p, 3 * PAGE, MS_SYNC));
    SHOW(msync(p, 3 * PAGE, MS_ASYNC));
    SHOW(msync(p, 3 * PAGE, MS_SYNC | MS_ASYNC));
    SHOW(msync(p + 1, PAGE, MS_SYNC));
    SHOW(msync(p, PAGE, 64));
    close(fd);
    p[5] = 'x';
    printf("closed and unlinked %c\n", q[5]);
    munmap(p, 3 * PAGE);
    SHOW(msync(p, PAGE, MS_SYNC));
    munmap(q, PAGE);
    munmap(copy, 3 * PAGE);
}

static void truncated(void)
{
    int fd = new_file(4 * PAGE);
    char *p = map_shared(fd, 4 * PAGE), *copy = mmap(NULL, 4 * PAGE, RW, MAP_PRIVATE, fd, 0);
    char byte;

    say("-- truncated");
    memset(p, 'a', 4 * PAGE);
    copy[2 * PAGE] = copy[0] = 'c';
    SHOW(ftruncate(fd, PAGE + 10));
    printf("%c %c %d\n", p[PAGE + 9], copy[0], p[PAGE + 10]);
    printf("%d %d %d %d\n", touch(p + PAGE, 1), touch(p + 2 * PAGE, 0), touch(p + 3 * PAGE, 1),
           touch(copy + 2 * PAGE, 0));
    printf("BUS_ADRERR %d\n", code == BUS_ADRERR);
    SHOW(write(fd, p + 2 * PAGE, 1));
    SHOW(pread(fd, p + 2 * PAGE, 1, 0));
    SHOW(ftruncate(fd, 4 * PAGE));
    printf("%d %d %d\n", p[PAGE + 10], p[2 * PAGE], copy[2 * PAGE]);
    SHOW(pread(fd, &byte, 1, 3 * PAGE));
    printf("%d\n", byte);
    close(fd);
    munmap(p, 4 * PAGE);
    munmap(copy, 4 * PAGE);
}

static void rights(void)
{
    char path[] = "shared-XXXXXX", *p;
    int fd = mkstemp(path), ro = open(path, O_RDONLY), wo = open(path, O_WRONLY), place = open(path, O_PATH);

    say("-- rights");
    write(fd, "text", 5);
    SHOW(mmap(NULL, PAGE, RW, MAP_SHARED, ro, 0) == MAP_FAILED);
    SHOW_OK(mmap(NULL, PAGE, RW, MAP_SHARED, ro, 0));
    SHOW_OK(mmap(NULL, PAGE, RW, MAP_SHARED, wo, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, wo, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, place, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, 0, fd, 0));
    SHOW_OK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, 99, 0));
    p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, ro, 0);
    printf("%s\n", p);
    SHOW(mprotect(p, PAGE, RW));
    SHOW(mprotect(p, PAGE, PROT_NONE));
    SHOW(mprotect(p, PAGE, PROT_READ));
    pwrite(fd, "tell", 4, 0);
    printf("%s\n", p);
    munmap(p, PAGE);
    p = mmap(NULL, PAGE, RW, MAP_PRIVATE, ro, 0);
    strcpy(p, "mine");
    pread(fd, p + 10, 5, 0);
    printf("%s %s\n", p, p + 10);
    unlink(path);
}

static int futex(int *at, int op, int value)
{
    return (int)syscall(SYS_futex, at, op, value, NULL, NULL, 0);
}

/* Two processes pass a word to and fro; each has the page at an address of its own. */
static void futexes(int *a, int *b, const char *what)
{
    enum { ROUNDS = 200 };

    if (!fork()) {
        for (int i = 0; i < ROUNDS; i++) {
            while (__atomic_load_n(&b[0], __ATOMIC_SEQ_CST) != 2 * i + 1)
                futex(b, FUTEX_WAIT, 2 * i);
            __atomic_store_n(&b[0], 2 * i + 2, __ATOMIC_SEQ_CST);
            futex(b, FUTEX_WAKE, 1);
        }
        _exit(0);
    }
    for (int i = 0; i < ROUNDS; i++) {
        __atomic_store_n(&a[0], 2 * i + 1, __ATOMIC_SEQ_CST);
        futex(a, FUTEX_WAKE, 1);
        while (__atomic_load_n(&a[0], __ATOMIC_SEQ_CST) != 2 * i + 2)
            futex(a, FUTEX_WAIT, 2 * i + 1);
    }
    wait(NULL);
    printf("futex, %s: %d\n", what, a[0]);
}

static void shared_futexes(void)
{
    int fd = new_file(PAGE);
    int *p = mmap(NULL, PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    say("-- futexes");
    futexes(p, p, "anonymous");
    futexes((int *)map_shared(fd, PAGE), (int *)map_shared(fd, PAGE), "a file at two addresses");
    SHOW(futex((int *)map_shared(fd, PAGE), FUTEX_WAKE, 1));
    close(fd);
}

/* Writers in several processes, one end of the file moving: what is in the file is what was written. */
static void many(void)
{
    enum { WORKERS = 4, ROUNDS = 500 };
    int fd = new_file(WORKERS * PAGE), wrong = 0, status;

    say("-- many");
    for (int w = 0; w < WORKERS; w++) {
        if (fork())
            continue;
        int *p = (int *)(map_shared(fd, WORKERS * PAGE) + w * PAGE), seen = 0;
        for (int i = 1; i <= ROUNDS; i++) {
            p[i % 1000] = i;
            pread(fd, &seen, sizeof seen, w * PAGE + i % 1000 * 4);
            wrong += seen != i;
            pwrite(fd, &(int){ -i }, sizeof(int), w * PAGE + i % 1000 * 4);
            wrong += p[i % 1000] != -i;
        }
        _exit(wrong != 0);
    }
    for (int w = 0; w < WORKERS; w++) {
        wait(&status);
        wrong += status != 0;
    }
    printf("wrong %d\n", wrong);
    close(fd);
}

int main(void)
{
    anonymous();
    file_and_mapping_agree();
    truncated();
    rights();
    shared_futexes();
    many();
    return 0;
}
