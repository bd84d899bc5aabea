/* user/puppet.c - makes the system calls that whoever is at the other end of a line asks for: so can a test
 * in Python hold sockets of the guest (grade/conformance/guest.py).
 *
 * usage: puppet [/dev/ttyS1]. There is one piece of memory, at ARENA; the other end says what lies where in
 * it and makes its own pointers. A request is a line, all numbers in hexadecimal:
 *
 *     w ADDRESS BYTES        write there                                   no answer
 *     x ADDRESS COUNT BYTES  write there as often as makes COUNT bytes     no answer
 *     r ADDRESS COUNT        read from there                               = BYTES
 *     c NUMBER A B C D E F   make that system call with these arguments    = RESULT, negative for an error
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <termios.h>
#include <unistd.h>

enum { ARENA_SIZE = 1 << 18, LINE_MOST = 2 * ARENA_SIZE + 64 };
static char *const ARENA = (char *)0x100000000000;
static char line[LINE_MOST];

/* count bytes at address, or the end of this program: the other end is mistaken, and must notice. */
static unsigned char *in_arena(uint64_t address, uint64_t count)
{
    uint64_t at = address - (uint64_t)ARENA;

    if (at <= ARENA_SIZE && count <= ARENA_SIZE - at)
        return (unsigned char *)ARENA + at;
    fprintf(stderr, "puppet: %llx bytes at %llx\n", (unsigned long long)count, (unsigned long long)address);
    exit(1);
}

static void write_bytes(char *words, int repeated)
{
    uint64_t address = strtoull(words, &words, 16), count = repeated ? strtoull(words, &words, 16) : 0;
    const char *hex = words + strspn(words, " ");
    size_t n = strlen(hex) / 2;
    unsigned char *to = in_arena(address, MAX(n, count));

    for (size_t i = 0; i < n; i++)
        to[i] = (unsigned char)strtoul((const char[]){ hex[2 * i], hex[2 * i + 1], 0 }, NULL, 16);
    for (size_t i = n; i < count; i++)
        to[i] = to[i - n];
}

static void read_bytes(char *words, FILE *out)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t address = strtoull(words, &words, 16), n = strtoull(words, &words, 16);
    const unsigned char *from = in_arena(address, n);

    fputs("= ", out);
    for (uint64_t i = 0; i < n; i++) {
        putc(digits[from[i] >> 4], out);
        putc(digits[from[i] & 15], out);
    }
    putc('\n', out);
}

static void call(char *words, FILE *out)
{
    long number = (long)strtoull(words, &words, 16), a[6], result;

    for (int i = 0; i < 6; i++)
        a[i] = (long)strtoull(words, &words, 16);
    result = syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
    fprintf(out, "= %ld\n", result == -1 ? -(long)errno : result);
}

static int open_line(const char *path)
{
    int fd = open(path, O_RDWR | O_NOCTTY);
    struct termios t;

    if (fd < 0 || tcgetattr(fd, &t))
        return -1;
    cfmakeraw(&t);
    return tcsetattr(fd, TCSANOW, &t) ? -1 : fd;
}

int main(int argc, char **argv)
{
    const char *path = argc > 1 ? argv[1] : "/dev/ttyS1";
    void *arena =
        mmap(ARENA, ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    int fd = open_line(path);
    FILE *in = fd < 0 ? NULL : fdopen(fd, "r"), *out = fd < 0 ? NULL : fdopen(dup(fd), "w");

    if (arena != ARENA || !in || !out) {
        perror(path);
        return 1;
    }
    fputs("= ready\n", out);
    fflush(out);
    while (fgets(line, sizeof line, in)) {
        line[strcspn(line, "\n")] = 0;
        if (line[0] == 'w' || line[0] == 'x')
            write_bytes(line + 1, line[0] == 'x');
        else if (line[0] == 'r')
            read_bytes(line + 1, out);
        else if (line[0] == 'c')
            call(line + 1, out);
        fflush(out);
    }
    return 0;
}
