/* lib/abi/signal.h - Linux's signals and what a handler finds on its stack (x86-64). */
#pragma once
#if __STDC_HOSTED__
#include <signal.h>
#else
#include <stddef.h>
#include <stdint.h>

enum {
    SIGHUP = 1,
    SIGINT = 2,
    SIGQUIT = 3,
    SIGILL = 4,
    SIGTRAP = 5,
    SIGABRT = 6,
    SIGBUS = 7,
    SIGFPE = 8,
    SIGKILL = 9,
    SIGUSR1 = 10,
    SIGSEGV = 11,
    SIGUSR2 = 12,
    SIGPIPE = 13,
    SIGALRM = 14,
    SIGTERM = 15,
    SIGCHLD = 17,
    SIGCONT = 18,
    SIGSTOP = 19,
    SIGTSTP = 20,
    SIGTTIN = 21,
    SIGTTOU = 22,
    SIGURG = 23,
    SIGXCPU = 24,
    SIGXFSZ = 25,
    SIGVTALRM = 26,
    SIGPROF = 27,
    SIGWINCH = 28,
    SIGRTMIN_KERNEL = 32, /* the first of those that queue */
    NSIG = 64             /* the last one */
};
#define SIG_DFL       ((uintptr_t)0)
#define SIG_IGN       ((uintptr_t)1)

enum {
    SA_NOCLDSTOP = 0x1,
    SA_NOCLDWAIT = 0x2,
    SA_SIGINFO = 0x4,
    SA_RESTORER = 0x04000000,
    SA_ONSTACK = 0x08000000,
    SA_RESTART = 0x10000000,
    SA_NODEFER = 0x40000000
};
#define SA_RESETHAND  0x80000000u
enum { SIG_BLOCK = 0, SIG_UNBLOCK = 1, SIG_SETMASK = 2 };
enum { SS_ONSTACK = 1, SS_DISABLE = 2, MINSIGSTKSZ = 2048 };
#define SS_AUTODISARM (1u << 31)

/* si_code: who sent it. */
enum { SI_USER = 0, SI_KERNEL = 0x80, SI_QUEUE = -1, SI_TIMER = -2, SI_TKILL = -6 };
enum { TRAP_BRKPT = 1, TRAP_TRACE = 2 };
enum { ILL_ILLOPN = 2, FPE_INTDIV = 1, SEGV_MAPERR = 1, SEGV_ACCERR = 2, BUS_ADRERR = 2 };
enum { CLD_EXITED = 1, CLD_KILLED = 2, CLD_TRAPPED = 4, CLD_STOPPED = 5, CLD_CONTINUED = 6 };

/* rt_sigaction's struct, which is not the C library's. */
struct kernel_sigaction {
    uintptr_t handler;
    uint64_t flags;
    uintptr_t restorer;
    uint64_t mask;
};
_Static_assert(sizeof(struct kernel_sigaction) == 32, "the ABI's size");

typedef struct {
    uintptr_t ss_sp;
    int32_t ss_flags, ss_pad;
    uint64_t ss_size;
} stack_t;

enum { SIGEV_SIGNAL = 0, SIGEV_NONE = 1, SIGEV_THREAD_ID = 4 };
struct kernel_sigevent { /* the part of the C library's that the kernel reads */
    uint64_t sigev_value;
    int32_t sigev_signo, sigev_notify, sigev_tid, sigev_pad[11];
};
_Static_assert(sizeof(struct kernel_sigevent) == 64, "the ABI's size");

typedef struct siginfo {
    int32_t si_signo, si_errno, si_code, si_pad0;
    union {
        struct { /* SIGCHLD */
            int32_t si_pid;
            uint32_t si_uid;
            int32_t si_status, si_pad1;
            int64_t si_utime, si_stime;
        };
        struct { /* sigqueue */
            int32_t si_pid2;
            uint32_t si_uid2;
            uint64_t si_value;
        };
        struct { /* a timer: its value stands where sigqueue's does */
            int32_t si_timerid, si_overrun;
        };
        uint64_t si_addr;
        uint8_t si_pad[112];
    };
} siginfo_t;
_Static_assert(sizeof(struct siginfo) == 128, "the ABI's size");

/* The selectors of Linux's 64-bit user segments: debuggers tell 64-bit programs by them, whatever ours are.
 */
enum { LINUX_USER_CS = 0x33, LINUX_USER_SS = 0x2b };

struct sigcontext {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15, rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2;
    uintptr_t fpstate; /* 512 bytes as FXSAVE writes them */
    uint64_t reserved[8];
};
_Static_assert(sizeof(struct sigcontext) == 256, "the ABI's size");

struct ucontext {
    uint64_t uc_flags;
    uintptr_t uc_link;
    stack_t uc_stack;
    struct sigcontext uc_mcontext;
    uint64_t uc_sigmask;
};

/* On the handler's stack, the return address first. */
struct rt_sigframe {
    uintptr_t pretcode;
    struct ucontext uc;
    siginfo_t info;
};
#endif
