/* user/tests/mremap.c - mappings that grow, move and shrink, and what is said and asked about them. */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

enum { PAGE = 4096, RW = PROT_READ | PROT_WRITE, ANON = MAP_PRIVATE | MAP_ANONYMOUS };

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

static char *anon(size_t pages)
{
    return mmap(NULL, pages * PAGE, RW, ANON, -1, 0);
}

/* Room in which places are known to be free or not. */
static char *room(size_t pages)
{
    char *p = mmap(NULL, pages * PAGE, PROT_NONE, ANON, -1, 0);

    munmap(p, pages * PAGE);
    return p;
}

static char *at(char *p, size_t pages)
{
    return mmap(p, pages * PAGE, RW, ANON | MAP_FIXED, -1, 0);
}

static void fill(char *p, size_t pages)
{
    for (size_t i = 0; i < pages; i++)
        p[i * PAGE] = (char)('a' + i);
}

static void grow_and_shrink(void)
{
    char *base = room(32), *p = at(base, 4), *q;

    say("-- grow and shrink");
    fill(p, 4);
    printf("in place %d\n", mremap(p, 4 * PAGE, 8 * PAGE, 0) == p);
    p[7 * PAGE] = 'h';
    printf("%c %c %d\n", p[0], p[3 * PAGE], p[5 * PAGE]);
    printf("shorter %d\n", mremap(p, 8 * PAGE, 2 * PAGE, 0) == p);
    printf("%d %d\n", touch_status(p + PAGE, 0), touch_status(p + 2 * PAGE, 0));
    at(base + 2 * PAGE, 1)[0] = 'x';
    mprotect(base + 2 * PAGE, PAGE, PROT_READ);
    SHOW(mremap(p, 2 * PAGE, 3 * PAGE, 0) == MAP_FAILED);
    SHOW_OK(mremap(p, 2 * PAGE, 3 * PAGE, 0));
    q = mremap(p, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
    printf("moved %d: %c %c %d\n", q != p && q != MAP_FAILED, q[0], q[PAGE], q[2 * PAGE]);
    printf("left %d %d\n", touch_status(p, 0), touch_status(base + 2 * PAGE, 0));
    munmap(q, 3 * PAGE);
    munmap(base, 32 * PAGE);
}

static void fixed(void)
{
    char *base = room(32), *p = at(base, 4), *q = at(base + 16 * PAGE, 2);

    say("-- to a place");
    fill(p, 4);
    q[PAGE] = 'q';
    printf("%d\n", mremap(p + PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q) == q);
    printf("%c %c\n", q[0], q[PAGE]);
    printf("%d %d %d\n", touch_status(p, 1), touch_status(p + PAGE, 1), touch_status(p + 3 * PAGE, 1));
    SHOW_OK(mremap(q, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q + PAGE));
    SHOW_OK(mremap(q, 2 * PAGE, 2 * PAGE, MREMAP_FIXED, base + 20 * PAGE));
    SHOW_OK(mremap(q, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, base + 20 * PAGE + 1));
    SHOW_OK(mremap(q, 2 * PAGE, 0, MREMAP_MAYMOVE));
    SHOW_OK(mremap(q + 1, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE));
    SHOW_OK(mremap(q, 2 * PAGE, 2 * PAGE, 64));
    SHOW_OK(mremap(base + 24 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE));
    SHOW_OK(mremap(q, 3 * PAGE, 8 * PAGE, MREMAP_MAYMOVE));
    SHOW_OK(mremap(q, 0, PAGE, MREMAP_MAYMOVE));
    SHOW_OK(mremap(q, PAGE, 1ul << 48, MREMAP_MAYMOVE));
    p = mremap(q, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP);
    printf("kept %d: %c %d\n", p != q && p != MAP_FAILED, p[0], q[0]);
    munmap(p, 2 * PAGE);
    munmap(base, 32 * PAGE);
}

static void shared(void)
{
    char *p = mmap(NULL, 2 * PAGE, RW, MAP_SHARED | MAP_ANONYMOUS, -1, 0), *q;

    say("-- shared");
    p[0] = 'a';
    q = mremap(p, 0, PAGE, MREMAP_MAYMOVE);
    q[1] = 'b';
    printf("twice %d: %.2s\n", q != p && q != MAP_FAILED, p);
    q = mremap(q, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
    q[PAGE] = 'c';
    printf("%c\n", p[PAGE]);
    q = mremap(q, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE);
    printf("%c, behind the end %d\n", q[0], touch_status(q + 2 * PAGE, 0));
    munmap(p, 2 * PAGE);
    munmap(q, 3 * PAGE);
}

static void many_pages(void)
{
    enum { N = 1500 };
    char *p = anon(N);
    int wrong = 0;

    say("-- many pages");
    for (int i = 0; i < N; i += 3)
        p[(size_t)i * PAGE] = (char)i;
    for (size_t n = N; n < 4 * N; n += N) {
        p = mremap(p, n * PAGE, (n + N) * PAGE, MREMAP_MAYMOVE);
        for (int i = 0; i < N; i++)
            wrong += p[(size_t)i * PAGE] != (i % 3 ? 0 : (char)i);
    }
    printf("wrong %d\n", wrong);
    munmap(p, 4 * N * PAGE);
}

static void advice(void)
{
    char *p = anon(8);
    int fd = (int)syscall(SYS_memfd_create, "x", 0);
    char *s = (ftruncate(fd, 4 * PAGE), mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0));

    say("-- advice");
    fill(p, 8);
    SHOW(madvise(p, 2 * PAGE, MADV_DONTNEED));
    printf("%d %c\n", p[0], p[2 * PAGE]);
    SHOW(madvise(p, PAGE, 77));
    SHOW(madvise(p + 1, PAGE, MADV_NORMAL));
    SHOW(madvise(p, 8 * PAGE, MADV_SEQUENTIAL));
    SHOW(madvise(p, 8 * PAGE, MADV_WILLNEED));
    SHOW(madvise(p, 8 * PAGE, MADV_DONTDUMP));
    munmap(p + 4 * PAGE, PAGE);
    SHOW(madvise(p + 3 * PAGE, 3 * PAGE, MADV_DONTNEED));
    printf("%d %d %c\n", p[3 * PAGE], p[5 * PAGE], p[6 * PAGE]);
    SHOW(madvise(s, PAGE, MADV_FREE));
    SHOW(madvise(s, PAGE, MADV_WIPEONFORK));
    SHOW(madvise(p, PAGE, MADV_REMOVE));
    memset(s, 's', 4 * PAGE);
    SHOW(madvise(s + PAGE, PAGE, MADV_REMOVE));
    printf("%c %d %c\n", s[0], s[PAGE], s[2 * PAGE]);
    p[0] = p[PAGE] = p[2 * PAGE] = 'p';
    SHOW(madvise(p, PAGE, MADV_WIPEONFORK));
    SHOW(madvise(p + PAGE, PAGE, MADV_DONTFORK));
    printf("the child's: %d\n", touch_status(p + PAGE, 0));
    if (!fork()) {
        printf("%d %c\n", p[0], p[2 * PAGE]);
        _exit(0);
    }
    wait(NULL);
    printf("%c %c\n", p[0], p[PAGE]);
    SHOW(madvise(p, 2 * PAGE, MADV_DOFORK));
    printf("the child's: %d\n", touch_status(p + PAGE, 0));
    munmap(p, 8 * PAGE);
    munmap(s, 4 * PAGE);
    close(fd);
}

static void residency(void)
{
    char *p = anon(6);
    unsigned char v[6] = { 0 };

    say("-- mincore, mlock");
    p[PAGE] = 1;
    SHOW(mincore(p, 6 * PAGE, v));
    printf("%d%d%d%d%d%d\n", v[0] & 1, v[1] & 1, v[2] & 1, v[3] & 1, v[4] & 1, v[5] & 1);
    SHOW(mlock(p + 2 * PAGE + 5, PAGE));
    SHOW(mincore(p, 6 * PAGE, v));
    printf("%d%d%d%d%d%d\n", v[0] & 1, v[1] & 1, v[2] & 1, v[3] & 1, v[4] & 1, v[5] & 1);
    SHOW(munlock(p, 6 * PAGE));
    SHOW(mincore(p + 1, PAGE, v));
    SHOW(mincore(p, PAGE, (void *)8));
    munmap(p + PAGE, PAGE);
    SHOW(mincore(p, 3 * PAGE, v));
    SHOW(mlock(p, 3 * PAGE));
    SHOW(mlockall(0));
    SHOW(mlockall(64));
    SHOW(munlockall());
    munmap(p, 6 * PAGE);
    p = mmap(NULL, 4 * PAGE, RW, ANON | MAP_POPULATE, -1, 0);
    SHOW(mincore(p, 4 * PAGE, v));
    printf("%d%d%d%d\n", v[0] & 1, v[1] & 1, v[2] & 1, v[3] & 1);
    munmap(p, 4 * PAGE);
}

static void places(void)
{
    char *p = anon(2), *big;

    say("-- places");
    SHOW_OK(mmap(p, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0));
    p[0] = 'p';
    munmap(p + PAGE, PAGE);
    printf("%d\n", mmap(p + PAGE, PAGE, RW, ANON | MAP_FIXED_NOREPLACE, -1, 0) == p + PAGE);
    SHOW_OK(mmap(NULL, PAGE, RW, ANON | MAP_STACK, -1, 0));
    SHOW_OK(mmap(NULL, PAGE, RW, ANON | MAP_GROWSDOWN, -1, 0));
    SHOW_OK(mmap(NULL, PAGE, RW, ANON | MAP_NORESERVE, -1, 0));
    big = mmap(NULL, 1ul << 40, PROT_NONE, ANON | MAP_NORESERVE, -1, 0);
    printf("reserved %d\n", big != MAP_FAILED);
    SHOW(mprotect(big + (1ul << 39), PAGE, RW));
    big[1ul << 39] = 1;
    printf("%d %d\n", touch_status(big, 0), touch_status(big + (1ul << 39), 1));
    SHOW(munmap(big, 1ul << 40));
    munmap(p, 2 * PAGE);
}

static void allocate(void)
{
    int fd = (int)syscall(SYS_memfd_create, "x", 0), ends[2];
    struct stat st;
    char *p;

    say("-- fallocate");
    SHOW(fallocate(fd, 0, 100, 2 * PAGE));
    fstat(fd, &st);
    printf("%ld bytes, blocks %d\n", (long)st.st_size, st.st_blocks > 0);
    SHOW(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 10 * PAGE));
    fstat(fd, &st);
    printf("%ld bytes\n", (long)st.st_size);
    ftruncate(fd, 4 * PAGE);
    p = mmap(NULL, 4 * PAGE, RW, MAP_SHARED, fd, 0);
    memset(p, 'a', 4 * PAGE);
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE - 10, PAGE + 20));
    printf("%d %d %d %d\n", p[PAGE - 11], p[PAGE - 10], p[2 * PAGE + 9], p[2 * PAGE + 10]);
    SHOW(fallocate(fd, FALLOC_FL_PUNCH_HOLE, 0, PAGE));
    SHOW(fallocate(fd, 0, -1, PAGE));
    SHOW(fallocate(fd, 0, 0, 0));
    SHOW(fallocate(99, 0, 0, 1));
    pipe(ends);
    SHOW(fallocate(ends[1], 0, 0, 1));
    SHOW(fallocate(ends[0], 0, 0, 1));
    munmap(p, 4 * PAGE);
    close(fd);
}

static void memfd(void)
{
    int fd = (int)syscall(SYS_memfd_create, "a name", MFD_ALLOW_SEALING | MFD_CLOEXEC), plain;
    char text[8] = "", *p;

    say("-- memfd");
    printf("cloexec %d, ", fcntl(fd, F_GETFD));
    printf("access %d\n", fcntl(fd, F_GETFL) & O_ACCMODE);
    SHOW(write(fd, "sealed", 6));
    SHOW(pread(fd, text, 6, 0));
    SHOW(fcntl(fd, F_GET_SEALS));
    p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
    munmap(p, PAGE);
    SHOW(fcntl(fd, F_ADD_SEALS, 1024));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    SHOW(ftruncate(fd, 3));
    SHOW(ftruncate(fd, 8));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_WRITE));
    SHOW(ftruncate(fd, 80));
    SHOW(pwrite(fd, "x", 1, 0));
    SHOW_OK(mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0));
    p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    printf("%s\n", p);
    SHOW(mprotect(p, PAGE, RW));
    p = mmap(NULL, PAGE, RW, MAP_PRIVATE, fd, 0);
    p[0] = 'p';
    printf("%s\n", p);
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    SHOW(fcntl(fd, F_GET_SEALS));
    plain = (int)syscall(SYS_memfd_create, "", 0);
    SHOW(fcntl(plain, F_GET_SEALS));
    SHOW(fcntl(plain, F_ADD_SEALS, F_SEAL_SHRINK));
    SHOW((int)syscall(SYS_memfd_create, "x", 0x4000));
    SHOW((int)syscall(SYS_memfd_create, (char *)8, 0));
    close(plain);
    close(fd);
}

int main(void)
{
    grow_and_shrink();
    fixed();
    shared();
    many_pages();
    advice();
    residency();
    places();
    allocate();
    memfd();
    return 0;
}
