/* user/fuzz.c - system calls with arguments by chance; the kernel must survive them all.
 *
 *     fuzz CALLS [SEED [WORKERS [FIRST]]]      prints what became of the calls; status 0
 *
 * A supervisor a worker makes one child after the other. Each child makes a batch of calls that depends on
 * SEED and the batch's number alone, in a session of its own and with files of its own, so that whatever it
 * signals, stops, closes or unmaps is its own; a timer ends calls that would wait. The supervisor ends what
 * is left of the session and goes on; now and then it says which batch it is at, and FIRST begins there
 * again.
 *
 * calls[] says what the arguments of a call are meant to be. Any other number is called too, with arguments
 * of any kind, so a call that is new in the kernel is fuzzed before it is known here. Left out are calls that
 * end the machine or change it for everybody, and names and requests that would take the network or the
 * terminal from everybody. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 200,
    GRANDCHILD_CALLS = 10,
    BATCH_SECONDS = 1,
    CALL_MICROSECONDS = 3000,
    ARENA = 65536,
    NUMBERS = 470,   /* beyond any call there is */
    REPORT = 20000,  /* calls between two lines of a worker */
    DESCRIPTORS = 36 /* open_files makes about so many */
};

/* What an argument is meant to be; any may be replaced by nonsense. */
static const struct call {
    short number;
    const char *kinds;
} calls[] = {
    { SYS_read, "fbz" },
    { SYS_write, "fbz" },
    { SYS_open, "Non" },
    { SYS_close, "c" },
    { SYS_stat, "Nb" },
    { SYS_fstat, "fb" },
    { SYS_lstat, "Nb" },
    { SYS_poll, "Enn" },
    { SYS_lseek, "fin" },
    { SYS_mmap, "mzrMfP" },
    { SYS_mprotect, "mzr" },
    { SYS_munmap, "mz" },
    { SYS_brk, "i" },
    { SYS_rt_sigaction, "Sbb8" },
    { SYS_rt_sigprocmask, "nbb8" },
    { SYS_rt_sigreturn, "" },
    { SYS_ioctl, "fRb" },
    { SYS_pread64, "fbzi" },
    { SYS_pwrite64, "fbzx" },
    { SYS_readv, "fVn" },
    { SYS_writev, "fVn" },
    { SYS_access, "Nn" },
    { SYS_pipe, "b" },
    { SYS_select, "nbbbT" },
    { SYS_sched_yield, "" },
    { SYS_madvise, "mzn" },
    { SYS_dup, "f" },
    { SYS_dup2, "fc" },
    { SYS_pause, "" },
    { SYS_nanosleep, "Tb" },
    { SYS_getitimer, "nb" },
    { SYS_alarm, "n" },
    { SYS_setitimer, "nbb" },
    { SYS_getpid, "" },
    { SYS_sendfile, "ffbz" },
    { SYS_socket, "nnn" },
    { SYS_connect, "fAn" },
    { SYS_accept, "fbL" },
    { SYS_sendto, "fbznAn" },
    { SYS_recvfrom, "fbznbL" },
    { SYS_sendmsg, "fHn" },
    { SYS_recvmsg, "fHn" },
    { SYS_shutdown, "fn" },
    { SYS_bind, "fAn" },
    { SYS_listen, "fn" },
    { SYS_getsockname, "fbL" },
    { SYS_getpeername, "fbL" },
    { SYS_socketpair, "nnnb" },
    { SYS_setsockopt, "flnbn" },
    { SYS_getsockopt, "flnbL" },
    { SYS_clone, "Cbbbi" },
    { SYS_fork, "" },
    { SYS_vfork, "" },
    { SYS_execve, "Nvv" },
    { SYS_wait4, "pbnb" },
    { SYS_kill, "pS" },
    { SYS_uname, "b" },
    { SYS_fcntl, "fni" },
    { SYS_flock, "fn" },
    { SYS_fsync, "f" },
    { SYS_truncate, "nx" },
    { SYS_ftruncate, "fx" },
    { SYS_getcwd, "bz" },
    { SYS_chdir, "d" },
    { SYS_fchdir, "f" },
    { SYS_rename, "dd" },
    { SYS_mkdir, "dn" },
    { SYS_rmdir, "d" },
    { SYS_creat, "dn" },
    { SYS_link, "Nd" },
    { SYS_unlink, "d" },
    { SYS_symlink, "Nd" },
    { SYS_readlink, "Nbz" },
    { SYS_chmod, "dn" },
    { SYS_fchmod, "fn" },
    { SYS_chown, "dnn" },
    { SYS_umask, "n" },
    { SYS_gettimeofday, "bb" },
    { SYS_getrlimit, "nb" },
    { SYS_getrusage, "nb" },
    { SYS_sysinfo, "b" },
    { SYS_times, "b" },
    { SYS_syslog, "Gbz" },
    { SYS_setpgid, "pp" },
    { SYS_setsid, "" },
    { SYS_getgroups, "nb" },
    { SYS_getpgid, "p" },
    { SYS_getsid, "p" },
    { SYS_rt_sigpending, "b8" },
    { SYS_rt_sigtimedwait, "bbT8" },
    { SYS_rt_sigsuspend, "b8" },
    { SYS_sigaltstack, "bb" },
    { SYS_statfs, "Nb" },
    { SYS_fstatfs, "fb" },
    { SYS_prctl, "nbi" },
    { SYS_arch_prctl, "Xb" },
    { SYS_setrlimit, "nb" },
    { SYS_gettid, "" },
    { SYS_tkill, "pS" },
    { SYS_time, "b" },
    { SYS_futex, "bnnTbn" },
    { SYS_sched_getaffinity, "pzb" },
    { SYS_getdents64, "fbz" },
    { SYS_set_tid_address, "b" },
    { SYS_fadvise64, "fiin" },
    { SYS_clock_gettime, "nb" },
    { SYS_clock_getres, "nb" },
    { SYS_clock_nanosleep, "nnTb" },
    { SYS_tgkill, "ppS" },
    { SYS_waitid, "npbnb" },
    { SYS_openat, "fNon" },
    { SYS_mkdirat, "fdn" },
    { SYS_fchownat, "fdnnn" },
    { SYS_newfstatat, "fNbn" },
    { SYS_unlinkat, "fdn" },
    { SYS_renameat, "fdfd" },
    { SYS_linkat, "fNfdn" },
    { SYS_symlinkat, "Nfd" },
    { SYS_readlinkat, "fNbz" },
    { SYS_fchmodat, "fdn" },
    { SYS_faccessat, "fNn" },
    { SYS_pselect6, "nbbbTb" },
    { SYS_ppoll, "EnTb8" },
    { SYS_utimensat, "fdbn" },
    { SYS_accept4, "fbLn" },
    { SYS_dup3, "fcn" },
    { SYS_pipe2, "bo" },
    { SYS_preadv, "fVni" },
    { SYS_pwritev, "fVnx" },
    { SYS_prlimit64, "pnbb" },
    { SYS_sendmmsg, "fHnn" },
    { SYS_getcpu, "bbb" },
    { SYS_renameat2, "fdfdn" },
    { SYS_getrandom, "bzn" },
    { SYS_close_range, "ccn" },
    { SYS_faccessat2, "fNnn" },
    { SYS_exit, "n" },
    { SYS_exit_group, "n" },
    { SYS_clone3, "Kz" },
    { SYS_mremap, "mzznm" },
    { SYS_msync, "mzn" },
    { SYS_mincore, "mzb" },
    { SYS_mlock, "mz" },
    { SYS_mlock2, "mzn" },
    { SYS_munlock, "mz" },
    { SYS_mlockall, "n" },
    { SYS_munlockall, "" },
    { SYS_memfd_create, "Nn" },
    { SYS_fdatasync, "f" },
    { SYS_fallocate, "fnxx" },
    { SYS_fchown, "fnn" },
    { SYS_lchown, "dnn" },
    { SYS_mknod, "dnn" },
    { SYS_mknodat, "fdnn" },
    { SYS_getuid, "" },
    { SYS_getgid, "" },
    { SYS_geteuid, "" },
    { SYS_getegid, "" },
    { SYS_getppid, "" },
    { SYS_getpgrp, "" },
    { SYS_setuid, "n" },
    { SYS_setgid, "n" },
    { SYS_setreuid, "nn" },
    { SYS_setregid, "nn" },
    { SYS_setresuid, "nnn" },
    { SYS_setresgid, "nnn" },
    { SYS_getresuid, "bbb" },
    { SYS_getresgid, "bbb" },
    { SYS_setgroups, "nb" },
    { SYS_capget, "bb" },
    { SYS_capset, "bb" },
    { SYS_getxattr, "Ndbz" },
    { SYS_lgetxattr, "Ndbz" },
    { SYS_fgetxattr, "fdbz" },
    { SYS_listxattr, "Nbz" },
    { SYS_llistxattr, "Nbz" },
    { SYS_flistxattr, "fbz" },
    { SYS_epoll_create, "n" },
    { SYS_epoll_create1, "n" },
    { SYS_epoll_ctl, "fnfb" },
    { SYS_epoll_wait, "fbnn" },
    { SYS_epoll_pwait, "fbnnb8" },
    { SYS_epoll_pwait2, "fbnTb8" },
    { SYS_eventfd, "n" },
    { SYS_eventfd2, "nn" },
    { SYS_signalfd, "fb8" },
    { SYS_signalfd4, "fb8n" },
    { SYS_timerfd_create, "nn" },
    { SYS_timerfd_settime, "fnbb" },
    { SYS_timerfd_gettime, "fb" },
    { SYS_recvmmsg, "fHnnT" },
    { SYS_splice, "fbfbzn" },
    { SYS_tee, "ffzn" },
    { SYS_vmsplice, "fVnn" },
    { SYS_copy_file_range, "fbfbzn" },
    { SYS_statx, "fNnnb" },
    { SYS_set_robust_list, "bz" },
    { SYS_get_robust_list, "pbb" },
    { SYS_rt_sigqueueinfo, "pSb" },
    { SYS_rt_tgsigqueueinfo, "ppSb" },
    { SYS_pidfd_open, "pn" },
    { SYS_ptrace, "npbb" },
    { SYS_process_vm_readv, "pVnVnn" },
    { SYS_process_vm_writev, "pVnVnn" },
    { SYS_sched_setaffinity, "pzb" },
    { SYS_sched_setscheduler, "pnb" },
    { SYS_sched_getscheduler, "p" },
    { SYS_sched_setparam, "pb" },
    { SYS_sched_getparam, "pb" },
    { SYS_sched_rr_get_interval, "pb" },
    { SYS_getpriority, "np" },
    { SYS_setpriority, "npn" },
    { SYS_chroot, "d" },
    { SYS_sync, "" },
};

/* Never called: they end the machine, or change it for everybody; or what they make outlives its maker. */
static const short left_out[] = { SYS_reboot,
                                  SYS_kexec_load,
                                  SYS_mount,
                                  SYS_umount2,
                                  SYS_pivot_root,
                                  SYS_swapon,
                                  SYS_swapoff,
                                  SYS_acct,
                                  SYS_sethostname,
                                  SYS_setdomainname,
                                  SYS_settimeofday,
                                  SYS_clock_settime,
                                  SYS_clock_adjtime,
                                  SYS_adjtimex,
                                  SYS_vhangup,
                                  SYS_init_module,
                                  SYS_finit_module,
                                  SYS_delete_module,
                                  SYS_pidfd_send_signal,
                                  SYS_shmget,
                                  SYS_semget,
                                  SYS_msgget,
                                  SYS_iopl,
                                  SYS_ioperm };

static uint64_t chance_state;
static uint8_t *arena;  /* ARENA bytes, then a page that is not there */
static uint8_t *window; /* where mappings come and go */
static pid_t leader;    /* of this batch's session */
static int made_here;   /* calls this process has made */

/* splitmix64 */
static uint64_t chance(void)
{
    uint64_t z = chance_state += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static uint64_t below(uint64_t n)
{
    return chance() % n;
}

#define PICK(array) (array)[below(sizeof(array) / sizeof(array)[0])]

/* ---- arguments ---- */

static uint64_t nonsense(void)
{
    static const uint64_t odd[] = { 0,
                                    1,
                                    ~0ull,
                                    INT32_MAX,
                                    (uint64_t)INT32_MIN,
                                    UINT32_MAX,
                                    INT64_MAX,
                                    (uint64_t)INT64_MIN,
                                    4095,
                                    4096,
                                    0x7ffffffff000,
                                    0x7fffffffefff,
                                    0x800000000000,
                                    0xffff888000000000,
                                    0xffffc90000000000,
                                    0xffffffff80100000,
                                    0xffffffffff600000 };

    return below(3) ? PICK(odd) : chance() >> below(64);
}

/* In the arena; one in eight so near its end that what is there is cut off. */
static uint64_t buffer(void)
{
    return (uint64_t)arena + (below(8) ? below(ARENA - 8192) & ~7ull : ARENA - below(64));
}

static uint64_t size(void)
{
    static const uint64_t sizes[] = { 0, 1, 7, 8, 16, 100, 128, 511, 4095, 4096, 4097, 8192, 30000, ARENA };

    return PICK(sizes);
}

static uint64_t small_number(void)
{
    return below(4) ? below(18) : 1ull << below(32);
}

static uint64_t text(const char *s)
{
    return (uint64_t)strcpy((char *)arena + below(ARENA / 2), s);
}

static uint64_t own_name(void)
{
    static const char *const names[] = { "a",    "b",        "dir", "dir/c", "dir/../dir",
                                         "link", "dir/link", ".",   "..x",   "" };

    return text(PICK(names));
}

static uint64_t any_name(void)
{
    static const char *const names[] = {
        "/proc/self/maps", "/proc/self/fd/5", "/proc/meminfo", "/proc/net/tcp", "/dev/zero",
        "/dev/null",       "/dev/urandom",    "/dev/tty",      "/proc/self",    "/",
        "/proc/1/stat",    "/proc/self/exe",  "/tmp",          "/proc/net/dev", "/proc"
    };

    return below(2) ? own_name() : text(PICK(names));
}

static uint64_t local_address(void)
{
    struct sockaddr_un *a = (struct sockaddr_un *)buffer();
    static const char *const names[] = { "a", "sock", "dir/sock", "" };

    if ((uint8_t *)(a + 1) > arena + ARENA)
        return (uint64_t)a;
    *a = (struct sockaddr_un){ .sun_family = AF_UNIX };
    strcpy(a->sun_path + (below(2) ? 0 : 1), PICK(names)); /* a name, or an abstract one */
    return (uint64_t)a;
}

static uint64_t socket_address(void)
{
    if (below(3) == 0)
        return local_address();

    struct sockaddr_in *a = (struct sockaddr_in *)buffer();
    static const uint16_t ports[] = { 0, 9, 4000, 4001, 4002 };

    if ((uint8_t *)(a + 1) <= arena + ARENA)
        *a = (struct sockaddr_in){ .sin_family = below(8) ? AF_INET : below(40),
                                   .sin_port = htons(PICK(ports)),
                                   .sin_addr.s_addr = htonl(below(4)   ? INADDR_LOOPBACK
                                                            : below(2) ? 0
                                                                       : chance()) };
    return (uint64_t)a;
}

static uint64_t vector(void)
{
    struct iovec *v = (struct iovec *)(arena + (below(ARENA / 2) & ~7ull));

    for (int i = 0; i < 17; i++)
        v[i] = (struct iovec){ (void *)(below(8) ? buffer() : nonsense()), below(16) ? size() : nonsense() };
    return (uint64_t)v;
}

static uint64_t message(void)
{
    struct msghdr *m = (struct msghdr *)(arena + (below(ARENA / 2) & ~7ull));
    struct msghdr made = { .msg_name = (void *)(below(2) ? socket_address() : 0),
                           .msg_namelen = 16,
                           .msg_iov = (void *)vector(),
                           .msg_iovlen = below(17),
                           .msg_control = (void *)(below(2) ? buffer() : 0),
                           .msg_controllen = below(100) };

    *m = made;
    return (uint64_t)m;
}

static uint64_t waiting_time(void)
{
    struct timespec *t = (struct timespec *)(arena + (below(ARENA / 2) & ~7ull));

    *t = (struct timespec){ below(2) ? 0 : (long)below(3) - 1,
                            (long)(below(4) ? below(1000000) : nonsense()) };
    return below(4) ? (uint64_t)t : 0;
}

static uint64_t poll_set(void)
{
    struct pollfd *p = (struct pollfd *)(arena + (below(ARENA / 2) & ~7ull));

    for (int i = 0; i < 20; i++)
        p[i] = (struct pollfd){ .fd = (int)below(24) - 2, .events = (short)chance() };
    return (uint64_t)p;
}

static uint64_t words(void)
{
    uint64_t *w = (uint64_t *)(arena + (below(ARENA / 2) & ~7ull));
    int n = (int)below(6);

    for (int i = 0; i < n; i++)
        w[i] = below(10) ? own_name() : nonsense();
    w[n] = 0;
    return (uint64_t)w;
}

static uint64_t request(void)
{
    static const unsigned requests[] = { TCGETS,     FIONREAD,     FIONBIO,       TIOCGWINSZ,
                                         TIOCGPGRP,  SIOCGIFCONF,  SIOCGIFADDR,   SIOCGIFFLAGS,
                                         SIOCGIFMTU, SIOCGIFINDEX, SIOCGIFHWADDR, SIOCGIFNAME };

    return PICK(requests);
}

static uint64_t own_process(void)
{
    switch (below(4)) {
    case 0:
        return 0;
    case 1:
        return (uint64_t) - (int64_t)leader;
    default:
        return (uint64_t)syscall(SYS_getpid);
    }
}

/* Mostly one that does not end the batch. */
static uint64_t signal_number(void)
{
    static const int mild[] = { 0, SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGALRM };

    return below(8) ? (uint64_t)PICK(mild) : below(34);
}

static uint64_t clone_flags(void)
{
    static const uint64_t flags[] = {
        SIGCHLD, 0, 0x100, 0x4100, 0x50f00, 0x3d0f00, 0x1000000 | SIGCHLD, 0x1200000 | SIGCHLD
    };

    return below(4) ? PICK(flags) : chance() & 0xffffff;
}

/* struct clone_args, of which the kernel believes all that its flags ask for. */
static uint64_t clone_arguments(void)
{
    uint64_t *a = (uint64_t *)(arena + (below(ARENA / 2) & ~7ull));

    for (int i = 1; i < 11; i++)
        a[i] = below(4) ? 0 : below(2) ? buffer() : nonsense();
    a[0] = clone_flags() & ~0xffull;
    a[4] = below(4) ? SIGCHLD : below(70);
    return (uint64_t)a;
}

static uint64_t option_level(void)
{
    static const int levels[] = { SOL_SOCKET,  IPPROTO_IP,  IPPROTO_TCP,
                                  IPPROTO_UDP, IPPROTO_RAW, 263 /* SOL_PACKET */ };

    return (uint64_t)PICK(levels);
}

static uint64_t argument(char kind)
{
    switch (kind) {
    case 'f':
        return below(DESCRIPTORS);
    case 'G': /* of syslog: what does not turn the console off */
        return 2 + below(3);
    case 'K':
        return clone_arguments();
    case 'l':
        return option_level();
    case 'c': /* to close or replace: seldom one of those that all need */
        return 6 + below(40);
    case 'b':
        return buffer();
    case 'z':
        return size();
    case 'n':
        return small_number();
    case 'x': /* how large a file gets */
        return below(1 << 20);
    case 'N':
        return any_name();
    case 'd':
        return own_name();
    case 'o':
        return chance() &
               (O_ACCMODE | O_CREAT | O_EXCL | O_TRUNC | O_APPEND | O_NONBLOCK | O_DIRECTORY | O_CLOEXEC);
    case 'm':
        return (uint64_t)window + (below(256) << 12);
    case 'r':
        return below(8);
    case 'M':
        return (below(2) ? MAP_PRIVATE : MAP_SHARED) | (below(2) ? MAP_ANONYMOUS : 0) |
               (below(2) ? MAP_FIXED : 0);
    case 'P':
        return below(4) << 12;
    case 'A':
        return socket_address();
    case 'L':
        *(uint32_t *)arena = (uint32_t)below(40);
        return (uint64_t)arena;
    case 'V':
        return vector();
    case 'v':
        return words();
    case 'H':
        return message();
    case 'T':
        return waiting_time();
    case 'E':
        return poll_set();
    case 'R':
        return request();
    case 'p':
        return own_process();
    case 'S':
        return signal_number();
    case 'C':
        return clone_flags();
    case 'X':
        return 0x1001 + below(4);
    case '8':
        return 8;
    default:
        return nonsense();
    }
}

/* Never a process that is not ours, however odd: those arguments stay as they are meant. */
static int must_stay(const struct call *call, char kind)
{
    return kind == 'p' || kind == 'G' || (call->number == SYS_ioctl && kind == 'R') || kind == 'x' ||
           kind == 'd';
}

/* ---- a batch ---- */

static void wake(int signo)
{
    (void)signo;
}

/* Whatever the calls did to signals: SIGALRM ends the next one soon, and again if it waits once more. */
static void limit_next_call(void)
{
    struct itimerval soon = { { 0, CALL_MICROSECONDS }, { 0, CALL_MICROSECONDS } };
    struct sigaction action = { .sa_handler = wake };
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigaction(SIGALRM, &action, NULL);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    setitimer(ITIMER_REAL, &soon, NULL);
}

static int is_left_out(const struct call *call)
{
    int leaves_session = call->number == SYS_setsid || call->number == SYS_setpgid;
    int ends = call->number == SYS_exit || call->number == SYS_exit_group || call->number == SYS_execve ||
               call->number == SYS_rt_sigreturn || call->number == SYS_arch_prctl ||
               call->number == SYS_rt_sigsuspend || call->number == SYS_ptrace || call->number == SYS_chroot;

    return (leaves_session && syscall(SYS_getpid) != leader) || (ends && below(16));
}

static int is_known(long number)
{
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        if (calls[i].number == number)
            return 1;
    for (size_t i = 0; i < sizeof left_out / sizeof *left_out; i++)
        if (left_out[i] == number)
            return 1;
    return 0;
}

/* A number that calls[] does not have, with arguments of any kind. */
static void make_other_call(void)
{
    static const char kinds[] = "fbznixmrVATEd8";
    long number = below(8) ? (long)below(NUMBERS) : (long)nonsense();
    uint64_t a[6];

    if (is_known(number))
        return;
    for (int i = 0; i < 6; i++)
        a[i] = below(6) ? argument(kinds[below(sizeof kinds - 1)]) : nonsense();
    limit_next_call();
    syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void make_call(void)
{
    const struct call *call = &PICK(calls);
    uint64_t a[6] = { 0 };

    if (below(10) == 0) {
        make_other_call();
        return;
    }
    if (is_left_out(call))
        return;
    for (int i = 0; call->kinds[i]; i++)
        a[i] = below(16) || must_stay(call, call->kinds[i]) ? argument(call->kinds[i]) : nonsense();
    limit_next_call();
    syscall(call->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

/* A set with some of what is open in it. */
static void open_epoll(void)
{
    int set = epoll_create1(0);
    struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };

    for (int fd = 3; fd < set; fd += 2)
        epoll_ctl(set, EPOLL_CTL_ADD, fd, &event);
}

/* Descriptors of every kind, from 3 on. */
static void open_files(void)
{
    int pair[2];

    open("a", O_RDWR | O_CREAT, 0644);
    open(".", O_RDONLY | O_DIRECTORY);
    open("/proc/self/status", O_RDONLY);
    if (pipe(pair) || pipe2(pair, O_NONBLOCK))
        return;
    socket(AF_INET, SOCK_DGRAM, 0);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    listen(listener, 3);
    socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    open("/dev/zero", O_RDWR);
    open("/proc", O_RDONLY | O_DIRECTORY);
    dup(3);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair);
    eventfd(3, 0);
    syscall(SYS_timerfd_create, CLOCK_MONOTONIC, 0);
    syscall(SYS_memfd_create, "memory", 0);
    open("/dev/ptmx", O_RDWR | O_NOCTTY);
    open("fifo", O_RDWR);
    open_epoll();
}

static void prepare_memory(void)
{
    arena = mmap(NULL, ARENA + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    window = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (arena == MAP_FAILED || window == MAP_FAILED)
        _exit(255);
    munmap(arena + ARENA, 4096);
    for (int i = 0; i < ARENA; i += 8)
        *(uint64_t *)(arena + i) = nonsense();
}

/* The number of calls is told byte by byte through the pipe `progress`, which the batch may close by chance.
 */
static void run_batch(uint64_t seed, int progress)
{
    pid_t self;
    int limit = BATCH;

    chance_state = seed;
    setsid();
    leader = self = (pid_t)syscall(SYS_getpid);
    for (int fd = 0; fd < 3; fd++)
        dup2(progress, 60), close(fd), open("/dev/null", O_RDWR);
    close(progress);
    prepare_memory();
    open_files();
    for (made_here = 0; made_here < limit; made_here++) {
        make_call();
        if (syscall(SYS_getpid) != self) {
            self = (pid_t)syscall(SYS_getpid);
            limit = made_here + GRANDCHILD_CALLS;
            chance_state += (uint64_t)self;
        }
        (void)!write(60, "", 1);
    }
    syscall(SYS_exit_group, 0);
}

/* ---- supervising ---- */

struct tally {
    long calls, batches, killed, stopped, overdue;
};

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    if (ftw->level > 0)
        (void)!remove(path);
    return 0;
}

static void clear_directory(void)
{
    nftw(".", remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static void fill_directory(void)
{
    clear_directory();
    if (mkdir("dir", 0755) || (mkfifo("fifo", 0600) && errno != ENOSYS))
        perror("fuzz: the directory");
}

/* Until the child has ended; one that is stopped goes on, one that takes too long is killed. */
static void watch(pid_t child, struct tally *t)
{
    int status;

    alarm(BATCH_SECONDS);
    for (;;) {
        pid_t got = waitpid(child, &status, WUNTRACED);
        if (got < 0 && errno == EINTR) {
            t->overdue++;
            kill(-child, SIGKILL);
        } else if (got == child && WIFSTOPPED(status)) {
            t->stopped++;
            kill(-child, SIGCONT);
        } else {
            break;
        }
    }
    alarm(0);
    kill(-child, SIGKILL); /* grandchildren */
    t->killed += WIFSIGNALED(status);
    t->batches++;
}

static long count_bytes(int fd)
{
    char bytes[4096];
    long n = 0;
    ssize_t got;

    while ((got = read(fd, bytes, sizeof bytes)) > 0)
        n += got;
    return n;
}

static void one_batch(uint64_t seed, struct tally *t)
{
    int progress[2];
    pid_t child;

    fill_directory();
    if (pipe2(progress, O_NONBLOCK)) {
        perror("fuzz: pipe");
        exit(1);
    }
    child = fork();
    if (child == 0) {
        close(progress[0]);
        run_batch(seed, progress[1]);
    }
    close(progress[1]);
    if (child < 0)
        perror("fuzz: fork");
    else
        watch(child, t);
    t->calls += count_bytes(progress[0]);
    close(progress[0]);
}

static int supervise(long limit, uint64_t seed, int worker, long first)
{
    struct sigaction action = { .sa_handler = wake };
    struct tally t = { 0 };
    char directory[32];
    long told = REPORT;

    snprintf(directory, sizeof directory, "/tmp/fuzz%d", worker);
    mkdir(directory, 0755);
    if (chdir(directory)) {
        perror(directory);
        return 1;
    }
    sigaction(SIGALRM, &action, NULL);
    for (uint64_t batch = (uint64_t)first; t.calls < limit && t.batches < limit; batch++) {
        if (t.calls >= told) {
            printf("worker %d: at batch %llu\n", worker, (unsigned long long)batch);
            told += REPORT;
        }
        one_batch(seed + (batch << 16 | (uint64_t)worker << 8), &t);
    }
    clear_directory();
    printf("worker %d: %ld calls in %ld batches, %ld killed, %ld stopped, %ld overdue\n", worker, t.calls,
           t.batches, t.killed, t.stopped, t.overdue);
    return t.calls < limit;
}

int main(int argc, char **argv)
{
    long n_calls = argc > 1 ? atol(argv[1]) : 0;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    int workers = argc > 3 ? atoi(argv[3]) : 2, status, failed = 0;
    long first = argc > 4 ? atol(argv[4]) : 0;

    if (n_calls <= 0 || workers <= 0 || workers > 16) {
        fprintf(stderr, "usage: fuzz CALLS [SEED [WORKERS [FIRST]]]\n");
        return 2;
    }
    for (int i = 0; i < workers; i++)
        if (fork() == 0)
            return supervise(n_calls / workers, seed, i, first);
    while (wait(&status) > 0)
        failed |= status;
    return failed != 0;
}
