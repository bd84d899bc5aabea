/* user/fuzzelf.c - programs that are damaged by chance: each is refused, killed, or runs; the kernel goes on.
 *
 *     fuzzelf COUNT [SEED]      prints what became of them; status 0
 *
 * What is damaged is the least program there is: two headers, a program header to load itself, one for an
 * interpreter, which is unused until it is damaged, and exit(0). */
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define BASE 0x400000ul
#define PATH "/tmp/damaged"

struct program {
    Elf64_Ehdr header;
    Elf64_Phdr segments[3];
    unsigned char code[12];
    char interpreter[16];
};

enum { FIELDS_END = offsetof(struct program, code), NOT_RUN = 99 };

static uint64_t chance_state;

/* xorshift64* */
static uint64_t chance(void)
{
    chance_state ^= chance_state >> 12;
    chance_state ^= chance_state << 25;
    chance_state ^= chance_state >> 27;
    return chance_state * 0x2545f4914f6cdd1dull;
}

static struct program sound_program(void)
{
    struct program p = { .header = { .e_type = ET_EXEC,
                                     .e_machine = EM_X86_64,
                                     .e_version = EV_CURRENT,
                                     .e_entry = BASE + offsetof(struct program, code),
                                     .e_phoff = offsetof(struct program, segments),
                                     .e_ehsize = sizeof(Elf64_Ehdr),
                                     .e_phentsize = sizeof(Elf64_Phdr),
                                     .e_phnum = 3 },
                         .code = { 0xb8, 60, 0, 0, 0, 0x31, 0xff, 0x0f, 0x05 }, /* exit(0) */
                         .interpreter = "/bin/sh" };

    memcpy(p.header.e_ident, "\177ELF\2\1\1", 7);
    p.segments[0] = (Elf64_Phdr){ PT_LOAD, PF_R | PF_X, 0, BASE, BASE, sizeof p, sizeof p + 5000, 4096 };
    p.segments[1] = (Elf64_Phdr){ PT_NULL, PF_R, offsetof(struct program, interpreter), 0, 0, 8, 8, 1 };
    p.segments[2] = (Elf64_Phdr){ PT_NULL, PF_R | PF_W, 0, BASE + 0x10000, 0, 64, 20000, 4096 };
    return p;
}

static uint64_t odd_number(void)
{
    static const uint64_t odd[] = { 0,
                                    1,
                                    2,
                                    3,
                                    6,
                                    7,
                                    64,
                                    0xfff,
                                    0x1000,
                                    0x1001,
                                    0x7fffffff,
                                    0xffffffff,
                                    BASE,
                                    BASE + 8,
                                    0x7ffffffff000,
                                    0x7fffffffe000,
                                    0x7fffffffefff,
                                    0x800000000000,
                                    0xffff888000000000,
                                    0xffffffff80100000,
                                    0x7fffffffffffffff,
                                    0x8000000000000000,
                                    0xfffffffffffff000,
                                    0xffffffffffffffff };

    return chance() % 4 ? odd[chance() % (sizeof odd / sizeof odd[0])] : chance() >> chance() % 64;
}

/* One field, of 2, 4 or 8 bytes, becomes another number; seldom a single byte of the program. */
static void damage(struct program *p)
{
    uint8_t *bytes = (uint8_t *)p;
    uint64_t number = odd_number();
    size_t width = 2ul << chance() % 3;

    if (chance() % 8 == 0)
        bytes[chance() % sizeof *p] = (uint8_t)number;
    else
        memcpy(bytes + 16 + chance() % ((FIELDS_END - 16 - width) / 2) * 2, &number, width);
}

static int write_program(const struct program *p, size_t n)
{
    int fd = open(PATH, O_WRONLY | O_CREAT | O_TRUNC, 0755);
    int failed = fd < 0 || write(fd, p, n) != (ssize_t)n;

    if (failed)
        perror(PATH);
    close(fd);
    return failed;
}

/* How it ended, as wait tells it. */
static int run_program(void)
{
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        alarm(1);
        execl(PATH, PATH, "argument", (char *)NULL);
        _exit(NOT_RUN);
    }
    waitpid(pid, &status, 0);
    return status;
}

int main(int argc, char **argv)
{
    long count = argc > 1 ? atol(argv[1]) : 0, refused = 0, killed = 0, ran = 0;

    chance_state = argc > 2 ? strtoull(argv[2], NULL, 0) * 2 + 1 : 1;
    if (count <= 0) {
        fprintf(stderr, "usage: fuzzelf COUNT [SEED]\n");
        return 2;
    }
    for (long i = 0; i < count; i++) {
        struct program p = sound_program();
        p.segments[1].p_type = chance() % 8 ? PT_NULL : PT_INTERP;
        p.segments[2].p_type = chance() % 2 ? PT_NULL : PT_LOAD;
        for (long n = i ? 1 + (long)(chance() % 3) : 0; n; n--) /* the first one is sound */
            damage(&p);
        if (write_program(&p, chance() % 16 || !i ? sizeof p : chance() % sizeof p))
            return 1;
        int status = run_program();
        refused += WIFEXITED(status) && WEXITSTATUS(status) == NOT_RUN;
        killed += WIFSIGNALED(status);
        ran += WIFEXITED(status) && WEXITSTATUS(status) != NOT_RUN;
    }
    unlink(PATH);
    printf("%ld refused, %ld killed, %ld ran\n", refused, killed, ran);
    return ran == 0;
}
