/* user/tests/memory.c - mapping memory, its rights, copy on write, running out of it. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { PAGE = 4096 };

/* Does touching p kill? Tried in a child. */
static int touch_status(volatile char *p, int write_it)
{
    int status;

    if (!fork()) {
        if (write_it)
            *p = 1;
        else
            (void)*p;
        _exit(0);
    }
    wait(&status);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

CASE(anonymous)
{
    char *p = mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    printf("zeroed %d\n", p[0] == 0 && p[10 * PAGE - 1] == 0);
    memset(p, 'a', 10 * PAGE);
    SHOW(munmap(p + 3 * PAGE, PAGE));
    printf("%d %d %d\n", touch_status(p + 2 * PAGE, 1), touch_status(p + 3 * PAGE, 0),
           touch_status(p + 4 * PAGE, 1));
    SHOW(mprotect(p, PAGE, PROT_READ));
    printf("%d %d\n", touch_status(p, 0), touch_status(p, 1));
    SHOW(mprotect(p, PAGE, PROT_NONE));
    printf("%d\n", touch_status(p, 0));
    SHOW(mprotect(p, PAGE, PROT_READ | PROT_WRITE));
    printf("%c\n", *p);
    SHOW(mprotect(p + 3 * PAGE, PAGE, PROT_READ));
    SHOW(mprotect(p + 1, PAGE, PROT_READ));
    SHOW(munmap(p + 1, PAGE));
    SHOW(munmap(p, 0));
    SHOW(madvise(p, PAGE, MADV_DONTNEED));
    printf("%d\n", *p);
    SHOW(mmap(p, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
    SHOW(mmap(p + 1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
    SHOW(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    SHOW(munmap(p, 10 * PAGE));
}

CASE(executable)
{
    static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 }; /* mov $42, %eax; ret */
    unsigned char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int status;

    memcpy(p, code, sizeof code);
    if (!fork())
        _exit(((int (*)(void))(uintptr_t)p)());
    wait(&status);
    printf("without PROT_EXEC: signal %d\n", WTERMSIG(status));
    SHOW(mprotect(p, PAGE, PROT_READ | PROT_EXEC));
    printf("%d\n", ((int (*)(void))(uintptr_t)p)());
}

CASE(files)
{
    char path[] = "memory-XXXXXX", *p;
    int fd = mkstemp(path);

    for (int i = 0; i < 3000; i++)
        write(fd, "01234567", 8);
    p = mmap(NULL, 24000, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    printf("%.8s %.8s %d\n", p, p + 23992, p[24001]);
    memcpy(p + 8, "changed!", 8);
    memcpy(p + 20000, "changed!", 8);
    printf("%.24s\n", p);
    munmap(p, 24000);
    p = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 4 * PAGE);
    printf("%.8s\n", p + (20000 - 4 * PAGE) / 8 * 8);
    SHOW(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 5) == MAP_FAILED);
    SHOW(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 77, 0) == MAP_FAILED);
    close(fd);
    unlink(path);
    printf("%.8s\n", p);
    fd = open("/dev/null", O_WRONLY);
    SHOW(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED);
    close(fd);
}

CASE(copy_on_write)
{
    static char big[100 * PAGE];
    int status;

    memset(big, 1, sizeof big);
    for (int round = 0; round < 3; round++) {
        if (!fork()) {
            int sum = 0;
            for (size_t i = 0; i < sizeof big; i += PAGE)
                sum += big[i]++;
            _exit(sum == 100 ? 0 : 1);
        }
        wait(&status);
        printf("the child saw its parent's memory: %d\n", status == 0);
    }
    printf("and left it alone: %d\n", big[0] == 1 && big[50 * PAGE] == 1);
}

CASE(heap)
{
    char *start = sbrk(0);

    SHOW(sbrk(3 * PAGE) == (void *)-1);
    long now = syscall(SYS_brk, 0), more = syscall(SYS_brk, now + 100000);
    printf("brk moved by %ld\n", more - now);
    memset((char *)now, 1, 100000);
    printf("back to %d\n", syscall(SYS_brk, now) == now);
    printf("not into the program: %d\n", syscall(SYS_brk, 4096) == now);
    printf("not over everything: %d\n", syscall(SYS_brk, 0x7fffffffffff) == now);
    (void)start;
}

CASE(too_much)
{
    SHOW(mmap(NULL, 1ul << 47, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    SHOW(mmap(NULL, ~0ul - 5000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    SHOW(munmap(NULL, ~0ul));
    SHOW(munmap((void *)0xffff800000000000, PAGE));
    SHOW(mmap((void *)0xffff800000000000, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
         MAP_FAILED);
    SHOW(mprotect((void *)0xffff800000000000, PAGE, PROT_READ));
}
