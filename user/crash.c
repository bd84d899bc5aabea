/* user/crash.c - a program that misbehaves as told; the kernel must kill it, or refuse, and go on.
 *
 *     crash null        read through a null pointer                  SIGSEGV
 *     crash kernel      jump to an address of the kernel             SIGSEGV
 *     crash read-kernel read the kernel's text                       SIGSEGV
 *     crash write-text  write to its own program text                SIGSEGV
 *     crash exec-data   jump into its own data                       SIGSEGV
 *     crash privileged  execute HLT                                  SIGSEGV (Linux: general protection)
 *     crash illegal     execute UD2                                  SIGILL
 *     crash divide      divide by zero                               SIGFPE
 *     crash stack       recurse without end                          SIGSEGV
 *     crash memory      take and use memory without end              SIGSEGV (Linux: SIGKILL, or malloc
 * fails) crash forks       processes until there is room for no more    returns 0; all of them are gone again
 *     crash pipes       the same, each with its pipes full           returns 0
 *     crash disk        a file until there is room for no more       returns 0; the file is gone again
 *     crash syscalls    every system call with bad pointers          returns 0; it prints what was not
 * refused */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define KERNEL_TEXT 0xffffffff80100000ul

static void null_read(void)
{
    (void)*(volatile int *)0;
}

static void jump_to(unsigned long address)
{
    ((void (*)(void))address)();
}

static void jump_to_kernel(void)
{
    jump_to(KERNEL_TEXT);
}

static void read_kernel(void)
{
    printf("%d\n", *(volatile int *)KERNEL_TEXT);
}

static void write_text(void)
{
    *(volatile char *)(unsigned long)write_text = 0;
}

static void execute_data(void)
{
    static char code[] = { (char)0xc3 };

    jump_to((unsigned long)code);
}

static void privileged(void)
{
    __asm__ volatile("hlt");
}

static void illegal(void)
{
    __asm__ volatile("ud2");
}

static void divide(void)
{
    volatile int seven = 7, zero = 0;

    printf("%d\n", seven / zero);
}

/* Deep enough to leave any stack behind, though not without end: compilers object to that. */
static int recurse(unsigned long depth)
{
    volatile char frame[4096];

    frame[0] = (char)depth;
    return depth ? recurse(depth - 1) + frame[0] : 0;
}

static void overflow_stack(void)
{
    printf("%d\n", recurse(1ul << 24));
}

static void take_memory(void)
{
    enum { BLOCK = 1 << 20 };

    for (;;) {
        char *block = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED)
            return;
        memset(block, 1, BLOCK);
    }
}

static void fill_pipes(void)
{
    static char bytes[4096];
    int ends[2];

    while (!pipe(ends)) {
        fcntl(ends[1], F_SETFL, O_NONBLOCK);
        while (write(ends[1], bytes, sizeof bytes) > 0)
            ;
    }
}

/* Children that do something and wait for the end of `ends`, until fork fails. */
static void fork_until_full(void (*deed)(void))
{
    int ends[2], n = 0;
    char c;

    if (pipe(ends))
        return;
    for (pid_t pid; (pid = fork()) >= 0; n++)
        if (pid == 0) {
            close(ends[1]);
            if (deed)
                deed();
            _exit((int)read(ends[0], &c, 1));
        }
    printf("%d processes, then %s\n", n, strerror(errno));
    close(ends[1]);
    while (wait(NULL) > 0)
        ;
}

static void fork_bomb(void)
{
    fork_until_full(NULL);
}

static void pipe_bomb(void)
{
    fork_until_full(fill_pipes);
}

static void fill_disk(void)
{
    static char bytes[65536];
    int fd = open("/tmp/full", O_WRONLY | O_CREAT, 0600);
    long n = 0;

    while (write(fd, bytes, sizeof bytes) > 0)
        n++;
    printf("%ld blocks, then %s\n", n, strerror(errno));
    close(fd);
    unlink("/tmp/full");
}

/* Calls that end or stop the process whatever their arguments are: exit, exit_group, pause, rt_sigreturn,
 * rt_sigsuspend, fork-likes, and those that would wait for ever. */
static int skipped(long number)
{
    static const long list[] = { 15,  34,  35,  56,  57,  58,  60,  61,  62, 130,
                                 162, 169, 200, 219, 230, 231, 234, 247, 435 };

    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (list[i] == number)
            return 1;
    return 0;
}

static void bad_pointers(void)
{
    static const unsigned long bad[] = {
        0, 1, KERNEL_TEXT, 0xffff888000000000ul, 0x8000000000000000ul, ~0ul, 0x00007ffffffff000ul
    };

    for (long number = 0; number < 450; number++) {
        if (skipped(number))
            continue;
        for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
            pid_t child = fork();
            if (child == 0) {
                alarm(2);
                syscall(number, bad[i], bad[i], bad[i], bad[i], bad[i], bad[i]);
                syscall(number, 3, bad[i], 4096, bad[i], 0, bad[i]);
                _exit(0);
            }
            waitpid(child, NULL, 0);
        }
    }
    puts("all calls returned");
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*fn)(void);
        int comes_back;
    } ways[] = { { "null", null_read, 0 },          { "kernel", jump_to_kernel, 0 },
                 { "read-kernel", read_kernel, 0 }, { "write-text", write_text, 0 },
                 { "exec-data", execute_data, 0 },  { "privileged", privileged, 0 },
                 { "illegal", illegal, 0 },         { "divide", divide, 0 },
                 { "stack", overflow_stack, 0 },    { "memory", take_memory, 0 },
                 { "forks", fork_bomb, 1 },         { "pipes", pipe_bomb, 1 },
                 { "disk", fill_disk, 1 },          { "syscalls", bad_pointers, 1 } };

    for (size_t i = 0; argc == 2 && i < sizeof ways / sizeof ways[0]; i++)
        if (!strcmp(argv[1], ways[i].name)) {
            ways[i].fn();
            fflush(stdout);
            return ways[i].comes_back ? 0 : 99;
        }
    fprintf(stderr, "usage: crash");
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++)
        fprintf(stderr, "%s%s", i ? "|" : " ", ways[i].name);
    fprintf(stderr, "\n");
    return 2;
}
