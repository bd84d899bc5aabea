/* user/tests/errors_memory.c - call by call, the errors that its page documents: memory. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { PAGE = 4096 };

static int file, readonly, writeonly, p[2];

static void open_files(void)
{
    file = open("f", O_RDWR | O_CREAT, 0600);
    ftruncate(file, 3 * PAGE);
    readonly = open("f", O_RDONLY);
    writeonly = open("f", O_WRONLY);
    pipe(p);
}

/* -1 with errno, or 0 where it worked: the address differs. */
static int map(size_t size, int prot, int flags, int fd, off_t offset)
{
    return (void *)syscall(SYS_mmap, NULL, size, prot, flags, fd, offset) == MAP_FAILED ? -1 : 0;
}

CASE(mmap_errors)
{
    open_files();
    SHOW(map(0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    SHOW(map(PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0));
    SHOW(map(PAGE, PROT_READ, MAP_PRIVATE, -1, 0));
    SHOW(map(PAGE, PROT_READ, MAP_PRIVATE, 999, 0));
    SHOW(map(PAGE, PROT_READ, MAP_PRIVATE, file, 5));
    SHOW(map(PAGE, PROT_READ, MAP_PRIVATE, file, -PAGE));
    SHOW(map(PAGE, PROT_READ, MAP_PRIVATE, writeonly, 0));
    SHOW(map(PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, readonly, 0));
    SHOW(map(PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, readonly, 0));
    SHOW(map(PAGE, PROT_READ, MAP_SHARED, readonly, 0));
    SHOW(map(PAGE, PROT_READ, MAP_PRIVATE, p[0], 0));
    SHOW(map(PAGE, PROT_READ, MAP_PRIVATE, open(".", O_RDONLY), 0));
    SHOW(map(PAGE, PROT_READ, MAP_PRIVATE, open("f", O_PATH), 0));
    SHOW(map(SIZE_MAX - PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    SHOW(map(1ul << 47, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    SHOW(map(PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, 999, 0));
}

CASE(mmap_fixed)
{
    char *at = mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    SHOW(mmap(at, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED
             ? -1
             : 0);
    SHOW(munmap(at, PAGE));
    SHOW(mmap(at, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == at);
    SHOW(mmap(at, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
    SHOW(mmap(at + 5, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED ? -1
                                                                                                     : 0);
    SHOW(mmap(at + 5, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
    SHOW(mmap((void *)(1ul << 47), PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
                 MAP_FAILED
             ? -1
             : 0);
}

CASE(munmap_errors)
{
    char *at = mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    SHOW(munmap(at + 1, PAGE));
    SHOW(munmap(at, 0));
    SHOW(munmap(at, SIZE_MAX));
    SHOW(munmap((void *)(1ul << 47), PAGE));
    SHOW(munmap(at, 1));
    SHOW(munmap(at, 4 * PAGE));
    SHOW(munmap(at, 4 * PAGE)); /* there is nothing, which is no error */
}

CASE(mprotect_errors)
{
    char *at = mmap(NULL, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *shared;

    open_files();
    shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, readonly, 0);
    munmap(at + PAGE, PAGE);
    SHOW(mprotect(at + 1, PAGE, PROT_READ));
    SHOW(mprotect(at, PAGE, 0x1000));
    SHOW(mprotect(at, 3 * PAGE, PROT_READ));
    SHOW(mprotect(at + PAGE, PAGE, PROT_READ));
    SHOW(mprotect(at, 0, PROT_READ));
    SHOW(mprotect(at + PAGE, 0, PROT_READ));
    SHOW(mprotect(shared, PAGE, PROT_READ | PROT_WRITE));
    SHOW(mprotect(at, SIZE_MAX, PROT_READ));
    SHOW(mprotect(at, PAGE, PROT_READ | PROT_WRITE));
}

CASE(madvise_errors)
{
    char *at = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    SHOW(madvise(at + 1, PAGE, MADV_NORMAL));
    SHOW(madvise(at, PAGE, 9999));
    SHOW(madvise(at, 0, MADV_DONTNEED));
    SHOW(madvise(at, SIZE_MAX, MADV_NORMAL));
    munmap(at + PAGE, PAGE);
    SHOW(madvise(at, 3 * PAGE, MADV_DONTNEED));
    SHOW(madvise(at + PAGE, PAGE, MADV_NORMAL));
    SHOW(madvise(at, PAGE, MADV_WILLNEED));
}

CASE(brk_beyond)
{
    long now = syscall(SYS_brk, 0);

    SHOW(syscall(SYS_brk, -1L) == now);
    SHOW(syscall(SYS_brk, now + 1) == now + 1);
    SHOW(syscall(SYS_brk, now) == now);
    SHOW(syscall(SYS_brk, now - (1L << 40)) == now);
}
