/* user/truss.c - show the system calls of a program: a small strace, on the same ptrace(2).
 *
 *     truss COMMAND [ARGUMENT...]      run it and show its calls, its children's and threads' too
 *     truss -p PID                     show those of a process that runs
 *
 * A line a call, when it is over: the thread, the call's name from the kernel's own table, its arguments and
 * its result. Numbers are shown as they are, but for what the network is about: the addresses in connect,
 * bind, sendto and accept are written out, and so are socket()'s constants and the first bytes of what is
 * read and written.
 *
 * How it works: the child asks to be traced and stops itself; we let it go on from one stop to the next with
 * PTRACE_SYSCALL, which stops it before and after each call. wait() tells which thread stopped and why; what
 * is not a call's stop is a signal, which we pass on, or an event: a new thread or process, which is traced
 * from its start. */
#define _GNU_SOURCE
#include "kern/sys/table.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS_MAX = 256, BYTES_SHOWN = 32, TEXT_SHOWN = 64, CALL_STOP = SIGTRAP | 0x80 };

/* ---- the table of calls ---- */

struct call {
    const char *name;
    unsigned n_args;
};
static const struct call calls[] = {
#define SYSCALL(number, name, n_args, restart) [number] = { #name, n_args },
    SYSCALLS(SYSCALL)
#undef SYSCALL
};

static const struct call *call_of(uint64_t nr)
{
    static const struct call unknown = { NULL, 6 };

    return nr < sizeof calls / sizeof *calls && calls[nr].name ? &calls[nr] : &unknown;
}

/* ---- the tracee's memory ---- */

/* Up to n bytes from the tracee: how many could be read. */
static size_t fetch(pid_t tid, uint64_t address, void *to, size_t n)
{
    struct iovec ours = { to, n }, theirs = { (void *)address, n };
    ssize_t got = process_vm_readv(tid, &ours, 1, &theirs, 1, 0);

    return got > 0 ? (size_t)got : 0;
}

static void show_quoted(const unsigned char *bytes, size_t n)
{
    putchar('"');
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n')
            printf("\\n");
        else if (bytes[i] == '"' || bytes[i] == '\\')
            printf("\\%c", bytes[i]);
        else if (bytes[i] >= ' ' && bytes[i] < 127)
            putchar(bytes[i]);
        else
            printf("\\x%02x", bytes[i]);
    }
    putchar('"');
}

static void show_bytes(pid_t tid, uint64_t address, int64_t n)
{
    unsigned char bytes[BYTES_SHOWN] = { 0 };
    size_t got = n > 0 ? fetch(tid, address, bytes, n < BYTES_SHOWN ? (size_t)n : BYTES_SHOWN) : 0;

    show_quoted(bytes, got);
    if (n > BYTES_SHOWN)
        printf("...");
}

static void show_text(pid_t tid, uint64_t address)
{
    unsigned char bytes[TEXT_SHOWN] = { 0 };
    size_t got = fetch(tid, address, bytes, sizeof bytes);

    if (!got)
        printf("%#llx", (unsigned long long)address);
    else
        show_quoted(bytes, strnlen((char *)bytes, got));
}

static void show_sockaddr(pid_t tid, uint64_t address, uint64_t length)
{
    struct sockaddr_storage a = { .ss_family = AF_UNSPEC };
    const struct sockaddr_in *in = (const struct sockaddr_in *)&a;
    char text[INET_ADDRSTRLEN];

    if (!address || !fetch(tid, address, &a, length < sizeof a ? length : sizeof a))
        printf("%#llx", (unsigned long long)address);
    else if (a.ss_family == AF_INET)
        printf("%s:%u", inet_ntop(AF_INET, &in->sin_addr, text, sizeof text), ntohs(in->sin_port));
    else
        printf("{family %u}", a.ss_family);
}

/* ---- arguments ---- */

enum form { NUMBER, TEXT, DATA_IN, DATA_OUT, ADDRESS, ADDRESS_OUT, FAMILY, TYPE };
/* What the arguments of some calls are; those of all others are numbers. DATA's length is the next argument
 * (DATA_OUT: the result); ADDRESS's too (ADDRESS_OUT: it is where that points). */
static const struct forms {
    const char *name;
    enum form of[6];
} forms[] = {
    { "open", { TEXT } },
    { "openat", { NUMBER, TEXT } },
    { "execve", { TEXT } },
    { "access", { TEXT } },
    { "stat", { TEXT } },
    { "lstat", { TEXT } },
    { "newfstatat", { NUMBER, TEXT } },
    { "readlink", { TEXT } },
    { "chdir", { TEXT } },
    { "mkdir", { TEXT } },
    { "unlink", { TEXT } },
    { "write", { NUMBER, DATA_IN } },
    { "read", { NUMBER, DATA_OUT } },
    { "sendto", { NUMBER, DATA_IN, NUMBER, NUMBER, ADDRESS } },
    { "recvfrom", { NUMBER, DATA_OUT, NUMBER, NUMBER, ADDRESS_OUT } },
    { "socket", { FAMILY, TYPE } },
    { "connect", { NUMBER, ADDRESS } },
    { "bind", { NUMBER, ADDRESS } },
    { "accept", { NUMBER, ADDRESS_OUT } },
    { "accept4", { NUMBER, ADDRESS_OUT } },
    { "getsockname", { NUMBER, ADDRESS_OUT } },
    { "getpeername", { NUMBER, ADDRESS_OUT } },
};

static enum form form_of(const struct call *call, unsigned i)
{
    for (size_t n = 0; call->name && n < sizeof forms / sizeof *forms; n++)
        if (!strcmp(forms[n].name, call->name))
            return forms[n].of[i];
    return NUMBER;
}

static void show_number(uint64_t n)
{
    if ((int64_t)n > -4096 && (int64_t)n < 65536)
        printf("%lld", (long long)n);
    else if ((uint32_t)n == n && (int32_t)n > -4096 && (int32_t)n < 0)
        printf("%d", (int32_t)n);
    else
        printf("%#llx", (unsigned long long)n);
}

static void show_family(uint64_t n)
{
    static const struct {
        uint64_t n;
        const char *name;
    } names[] = { { AF_UNIX, "AF_UNIX" },
                  { AF_INET, "AF_INET" },
                  { AF_INET6, "AF_INET6" },
                  { AF_NETLINK, "AF_NETLINK" },
                  { AF_PACKET, "AF_PACKET" } };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].n == n) {
            printf("%s", names[i].name);
            return;
        }
    show_number(n);
}

static void show_type(uint64_t n)
{
    uint64_t kind = n & ~(uint64_t)(SOCK_NONBLOCK | SOCK_CLOEXEC);
    static const char *const kinds[] = { "0", "SOCK_STREAM", "SOCK_DGRAM", "SOCK_RAW" };

    if (kind < sizeof kinds / sizeof *kinds)
        printf("%s", kinds[kind]);
    else
        show_number(kind);
    printf("%s%s", n & SOCK_NONBLOCK ? "|SOCK_NONBLOCK" : "", n & SOCK_CLOEXEC ? "|SOCK_CLOEXEC" : "");
}

static void show_address_out(pid_t tid, uint64_t address, uint64_t length_at)
{
    uint32_t length = 0;

    if (address)
        fetch(tid, length_at, &length, sizeof length);
    show_sockaddr(tid, address, length);
}

static void show_argument(pid_t tid, const struct call *call, const uint64_t *args, unsigned i,
                          int64_t result)
{
    switch (form_of(call, i)) {
    case TEXT:
        return show_text(tid, args[i]);
    case DATA_IN:
        return show_bytes(tid, args[i], (int64_t)args[i + 1]);
    case DATA_OUT:
        return show_bytes(tid, args[i], result);
    case ADDRESS:
        return show_sockaddr(tid, args[i], args[i + 1]);
    case ADDRESS_OUT:
        return result < 0 ? show_number(args[i]) : show_address_out(tid, args[i], args[i + 1]);
    case FAMILY:
        return show_family(args[i]);
    case TYPE:
        return show_type(args[i]);
    default:
        return show_number(args[i]);
    }
}

/* ---- tracees ---- */

struct tracee {
    pid_t tid;  /* 0: none */
    int inside; /* between the two stops of a call */
    uint64_t nr, args[6];
    char path[TEXT_SHOWN]; /* execve's: gone when it is over */
};
static struct tracee tracees[THREADS_MAX];

static struct tracee *tracee_of(pid_t tid)
{
    struct tracee *free_one = NULL;

    for (int i = 0; i < THREADS_MAX; i++) {
        if (tracees[i].tid == tid)
            return &tracees[i];
        if (!tracees[i].tid && !free_one)
            free_one = &tracees[i];
    }
    if (!free_one) {
        fprintf(stderr, "truss: more than %d threads\n", THREADS_MAX);
        exit(1);
    }
    *free_one = (struct tracee){ .tid = tid };
    return free_one;
}

static void show_call(const struct tracee *t, int64_t result)
{
    const struct call *call = call_of(t->nr);

    printf("[%d] ", t->tid);
    if (call->name)
        printf("%s(", call->name);
    else
        printf("call %llu(", (unsigned long long)t->nr);
    for (unsigned i = 0; i < call->n_args; i++) {
        printf("%s", i ? ", " : "");
        if (*t->path && i == 0)
            show_quoted((const unsigned char *)t->path, strnlen(t->path, sizeof t->path));
        else
            show_argument(t->tid, call, t->args, i, result);
    }
    if (result <= -512 && result >= -516) /* the kernel's own word for it, which no program sees */
        printf(") = ? (a signal came)\n");
    else if (result < 0 && result > -4096)
        printf(") = -1 %s\n", strerror((int)-result));
    else {
        printf(") = ");
        show_number((uint64_t)result);
        putchar('\n');
    }
}

static void call_begins(struct tracee *t, const struct user_regs_struct *r)
{
    const struct call *call = call_of(r->orig_rax);

    t->nr = r->orig_rax;
    t->args[0] = r->rdi, t->args[1] = r->rsi, t->args[2] = r->rdx;
    t->args[3] = r->r10, t->args[4] = r->r8, t->args[5] = r->r9;
    t->path[0] = 0;
    if (call->name && !strcmp(call->name, "execve"))
        fetch(t->tid, t->args[0], t->path, sizeof t->path - 1);
    if (call->name && !strncmp(call->name, "exit", 4))
        printf("[%d] %s(%d)\n", t->tid, call->name, (int)t->args[0]);
}

static void call_stop(struct tracee *t)
{
    struct user_regs_struct r;

    if (ptrace(PTRACE_GETREGS, t->tid, NULL, &r))
        return; /* it was killed meanwhile */
    t->inside = !t->inside;
    if (t->inside)
        call_begins(t, &r);
    else
        show_call(t, (int64_t)r.rax);
}

static void show_end(struct tracee *t, int status)
{
    if (WIFEXITED(status))
        printf("[%d] ended with status %d\n", t->tid, WEXITSTATUS(status));
    else
        printf("[%d] was killed by signal %d\n", t->tid, WTERMSIG(status));
    t->tid = 0;
}

/* The signal that t shall get when it goes on. */
static int handle_stop(struct tracee *t, int status)
{
    int signo = WSTOPSIG(status), event = status >> 16;
    siginfo_t si;

    if (signo == CALL_STOP) {
        call_stop(t);
        return 0;
    }
    if (event || (signo == SIGSTOP && !t->nr))
        return 0; /* news of a child, or a new one's first stop */
    if (ptrace(PTRACE_GETSIGINFO, t->tid, NULL, &si))
        return 0; /* stopped with its process */
    printf("[%d] signal %d\n", t->tid, signo);
    return signo;
}

/* Until nobody is left; the status of the one that matters. */
static int trace(pid_t first)
{
    int status, last = 0;
    pid_t tid;

    while ((tid = waitpid(-1, &status, __WALL)) > 0 || errno == EINTR) {
        struct tracee *t = tid > 0 ? tracee_of(tid) : NULL;
        if (!t)
            continue;
        if (!WIFSTOPPED(status)) {
            show_end(t, status);
            last = tid == first ? status : last;
            continue;
        }
        int signo = handle_stop(t, status);
        ptrace(PTRACE_SYSCALL, tid, NULL, (void *)(long)signo);
    }
    return WIFEXITED(last) ? WEXITSTATUS(last) : 128 + WTERMSIG(last);
}

/* ---- starting ---- */

static pid_t start(char **argv)
{
    pid_t child = fork();

    if (child)
        return child;
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
    raise(SIGSTOP); /* so that its tracer can say what it wants to see */
    execvp(argv[0], argv);
    fprintf(stderr, "truss: %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

int main(int argc, char **argv)
{
    const long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                         PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;
    int attach = argc == 3 && !strcmp(argv[1], "-p"), status;
    pid_t pid;

    if (argc < 2) {
        fprintf(stderr, "usage: truss COMMAND [ARGUMENT...]\n       truss -p PID\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    pid = attach ? atoi(argv[2]) : start(argv + 1);
    if ((attach && ptrace(PTRACE_ATTACH, pid, NULL, NULL)) || waitpid(pid, &status, __WALL) != pid ||
        ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)options)) {
        fprintf(stderr, "truss: %d: %s\n", (int)pid, strerror(errno));
        return 1;
    }
    tracee_of(pid);
    ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
    return trace(pid);
}
