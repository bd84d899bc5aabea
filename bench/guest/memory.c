/* bench/guest/memory.c - page faults, mappings made and undone. The counts are pages where a page is the
 * operation. Areas are smaller than a huge page, so that each page is a fault of its own. */
#define _GNU_SOURCE
#include "bench/guest/op.h"
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096, AREA = 256 }; /* pages */
#define FILE_NAME "/tmp/kbench-pages"

static char *map(unsigned pages, int fd)
{
    char *area = mmap(NULL, (size_t)pages * PAGE, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | (fd < 0 ? MAP_ANONYMOUS : 0), fd, 0);
    must(area != MAP_FAILED, "mmap");
    return area;
}

static void write_each(volatile char *area, unsigned pages)
{
    for (unsigned i = 0; i < pages; i++)
        area[(size_t)i * PAGE] = 1;
}

static void read_each(const volatile char *area, unsigned pages)
{
    for (unsigned i = 0; i < pages; i++)
        (void)area[(size_t)i * PAGE];
}

static void fault_anonymous(unsigned n)
{
    for (; n; n -= AREA) {
        char *area = map(AREA, -1);
        region_begin();
        write_each(area, AREA);
        region_end();
        munmap(area, AREA * PAGE);
    }
}

/* A child writes what its parent still has. */
static void copy_on_write_area(char *area)
{
    pid_t pid = fork();
    if (!pid) {
        region_begin();
        write_each(area, AREA);
        region_end();
        _exit(0);
    }
    must(pid > 0 && waitpid(pid, NULL, 0) == pid, "child");
}

static void fault_copy_on_write(unsigned n)
{
    char *area = map(AREA, -1);
    write_each(area, AREA);
    for (; n; n -= AREA)
        copy_on_write_area(area);
}

static int make_file(unsigned pages)
{
    static char bytes[PAGE];
    int fd = open(FILE_NAME, O_RDWR | O_CREAT | O_TRUNC, 0644);
    must(fd >= 0, FILE_NAME);
    while (pages--)
        must(write(fd, bytes, PAGE) == PAGE, "write");
    return fd;
}

/* Mapped, each page read, unmapped: kernels differ in which of these steps brings the pages. */
static void file_private_read(unsigned n)
{
    int fd = make_file(AREA);
    for (; n; n -= AREA) {
        region_begin();
        char *area = map(AREA, fd);
        read_each(area, AREA);
        munmap(area, AREA * PAGE);
        region_end();
    }
    unlink(FILE_NAME);
}

static void file_private_write(unsigned n)
{
    int fd = make_file(AREA);
    for (; n; n -= AREA) {
        region_begin();
        char *area = map(AREA, fd);
        write_each(area, AREA);
        munmap(area, AREA * PAGE);
        region_end();
    }
    unlink(FILE_NAME);
}

static void map_unmap(unsigned n, unsigned pages, int touch)
{
    region_begin();
    while (n--) {
        char *area = map(pages, -1);
        if (touch)
            write_each(area, pages);
        munmap(area, (size_t)pages * PAGE);
    }
    region_end();
}

static void map_one(unsigned n)
{
    map_unmap(n, 1, 0);
}

static void map_one_touched(unsigned n)
{
    map_unmap(n, 1, 1);
}

static void map_many_touched(unsigned n)
{
    map_unmap(n, AREA, 1);
}

/* With many mappings beside it, none of which touches another. */
static void map_among_many(unsigned n)
{
    enum { MANY = 1000 };
    char *const all = mmap(NULL, (size_t)2 * MANY * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(all != MAP_FAILED, "mmap");
    for (unsigned i = 0; i < MANY; i++)
        must(!mprotect(all + (size_t)2 * i * PAGE, PAGE, PROT_READ | PROT_WRITE), "mprotect");
    map_unmap(n, 1, 1);
}

static void protect(unsigned n)
{
    char *area = map(16, -1);
    write_each(area, 16);
    region_begin();
    while (n--) {
        mprotect(area, 16 * PAGE, PROT_READ);
        mprotect(area, 16 * PAGE, PROT_READ | PROT_WRITE);
    }
    region_end();
}

const struct op memory_ops[] = {
    { "fault_anon", 4096, fault_anonymous },
    { "fault_cow", 4096, fault_copy_on_write },
    { "file_read", 4096, file_private_read },
    { "file_write", 4096, file_private_write },
    { "mmap_1", 2000, map_one },
    { "mmap_1_touch", 2000, map_one_touched },
    { "mmap_256_touch", 20, map_many_touched },
    { "mmap_among_1000", 1000, map_among_many },
    { "mprotect", 500, protect },
    { 0 },
};
