/* lib/abi/abi_test.c - the numbers that the kernel is compiled with against the host's own.
 * The freestanding branch of errno.h and socket.h is read as text: in one compilation a name has one meaning.
 */
#include "lib/abi/epoll.h"
#include "lib/abi/errno.h"
#include "lib/abi/event.h"
#include "lib/abi/ptrace.h"
#include "lib/abi/socket.h"
#include "sim/test.h"
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct constant {
    const char *name;
    long value;
} host[] = {
    { "EPERM", EPERM },
    { "ENOENT", ENOENT },
    { "ESRCH", ESRCH },
    { "EINTR", EINTR },
    { "EIO", EIO },
    { "ENXIO", ENXIO },
    { "E2BIG", E2BIG },
    { "ENOEXEC", ENOEXEC },
    { "EBADF", EBADF },
    { "ECHILD", ECHILD },
    { "EAGAIN", EAGAIN },
    { "ENOMEM", ENOMEM },
    { "EACCES", EACCES },
    { "EFAULT", EFAULT },
    { "EBUSY", EBUSY },
    { "EEXIST", EEXIST },
    { "EXDEV", EXDEV },
    { "ENODEV", ENODEV },
    { "ENOTDIR", ENOTDIR },
    { "EISDIR", EISDIR },
    { "EINVAL", EINVAL },
    { "ENFILE", ENFILE },
    { "EMFILE", EMFILE },
    { "ENOTTY", ENOTTY },
    { "ETXTBSY", ETXTBSY },
    { "EFBIG", EFBIG },
    { "ENOSPC", ENOSPC },
    { "ESPIPE", ESPIPE },
    { "EROFS", EROFS },
    { "EMLINK", EMLINK },
    { "EPIPE", EPIPE },
    { "EDOM", EDOM },
    { "ERANGE", ERANGE },
    { "EDEADLK", EDEADLK },
    { "ENAMETOOLONG", ENAMETOOLONG },
    { "ENOLCK", ENOLCK },
    { "ENOSYS", ENOSYS },
    { "ENOTEMPTY", ENOTEMPTY },
    { "ELOOP", ELOOP },
    { "ENONET", ENONET },
    { "EPROTO", EPROTO },
    { "EOVERFLOW", EOVERFLOW },
    { "ENOTSOCK", ENOTSOCK },
    { "EDESTADDRREQ", EDESTADDRREQ },
    { "EMSGSIZE", EMSGSIZE },
    { "EPROTOTYPE", EPROTOTYPE },
    { "ENOPROTOOPT", ENOPROTOOPT },
    { "EPROTONOSUPPORT", EPROTONOSUPPORT },
    { "ESOCKTNOSUPPORT", ESOCKTNOSUPPORT },
    { "EOPNOTSUPP", EOPNOTSUPP },
    { "EAFNOSUPPORT", EAFNOSUPPORT },
    { "EADDRINUSE", EADDRINUSE },
    { "EADDRNOTAVAIL", EADDRNOTAVAIL },
    { "ENETDOWN", ENETDOWN },
    { "ENETUNREACH", ENETUNREACH },
    { "ECONNABORTED", ECONNABORTED },
    { "ECONNRESET", ECONNRESET },
    { "ENOBUFS", ENOBUFS },
    { "EISCONN", EISCONN },
    { "ENOTCONN", ENOTCONN },
    { "ETIMEDOUT", ETIMEDOUT },
    { "ECONNREFUSED", ECONNREFUSED },
    { "EHOSTDOWN", EHOSTDOWN },
    { "EHOSTUNREACH", EHOSTUNREACH },
    { "EALREADY", EALREADY },
    { "EINPROGRESS", EINPROGRESS },
    { "AF_UNSPEC", AF_UNSPEC },
    { "AF_UNIX", AF_UNIX },
    { "AF_INET", AF_INET },
    { "AF_INET6", AF_INET6 },
    { "AF_NETLINK", AF_NETLINK },
    { "AF_PACKET", AF_PACKET },
    { "SOCK_STREAM", SOCK_STREAM },
    { "SOCK_DGRAM", SOCK_DGRAM },
    { "SOCK_RAW", SOCK_RAW },
    { "SOCK_NONBLOCK", SOCK_NONBLOCK },
    { "SOCK_CLOEXEC", SOCK_CLOEXEC },
    { "IPPROTO_IP", IPPROTO_IP },
    { "IPPROTO_ICMP", IPPROTO_ICMP },
    { "IPPROTO_IGMP", IPPROTO_IGMP },
    { "IPPROTO_TCP", IPPROTO_TCP },
    { "IPPROTO_UDP", IPPROTO_UDP },
    { "IPPROTO_RAW", IPPROTO_RAW },
    { "IP_MULTICAST_IF", IP_MULTICAST_IF },
    { "IP_MULTICAST_TTL", IP_MULTICAST_TTL },
    { "IP_MULTICAST_LOOP", IP_MULTICAST_LOOP },
    { "IP_ADD_MEMBERSHIP", IP_ADD_MEMBERSHIP },
    { "IP_DROP_MEMBERSHIP", IP_DROP_MEMBERSHIP },
    { "IP_UNBLOCK_SOURCE", IP_UNBLOCK_SOURCE },
    { "IP_BLOCK_SOURCE", IP_BLOCK_SOURCE },
    { "IP_ADD_SOURCE_MEMBERSHIP", IP_ADD_SOURCE_MEMBERSHIP },
    { "IP_DROP_SOURCE_MEMBERSHIP", IP_DROP_SOURCE_MEMBERSHIP },
    { "IP_MSFILTER", IP_MSFILTER },
    { "MCAST_JOIN_GROUP", MCAST_JOIN_GROUP },
    { "MCAST_BLOCK_SOURCE", MCAST_BLOCK_SOURCE },
    { "MCAST_UNBLOCK_SOURCE", MCAST_UNBLOCK_SOURCE },
    { "MCAST_LEAVE_GROUP", MCAST_LEAVE_GROUP },
    { "MCAST_JOIN_SOURCE_GROUP", MCAST_JOIN_SOURCE_GROUP },
    { "MCAST_LEAVE_SOURCE_GROUP", MCAST_LEAVE_SOURCE_GROUP },
    { "MCAST_MSFILTER", MCAST_MSFILTER },
    { "IP_MULTICAST_ALL", IP_MULTICAST_ALL },
    { "MCAST_EXCLUDE", MCAST_EXCLUDE },
    { "MCAST_INCLUDE", MCAST_INCLUDE },
    { "SO_NO_CHECK", SO_NO_CHECK },
    { "SO_RXQ_OVFL", SO_RXQ_OVFL },
    { "MSG_OOB", MSG_OOB },
    { "MSG_PEEK", MSG_PEEK },
    { "MSG_DONTROUTE", MSG_DONTROUTE },
    { "MSG_CTRUNC", MSG_CTRUNC },
    { "MSG_TRUNC", MSG_TRUNC },
    { "MSG_DONTWAIT", MSG_DONTWAIT },
    { "MSG_EOR", MSG_EOR },
    { "MSG_WAITALL", MSG_WAITALL },
    { "MSG_ERRQUEUE", MSG_ERRQUEUE },
    { "MSG_NOSIGNAL", MSG_NOSIGNAL },
    { "MSG_MORE", MSG_MORE },
    { "MSG_WAITFORONE", MSG_WAITFORONE },
    { "MSG_CMSG_CLOEXEC", MSG_CMSG_CLOEXEC },
    { "SOL_IP", SOL_IP },
    { "SOL_SOCKET", SOL_SOCKET },
    { "SOL_RAW", SOL_RAW },
    { "SO_DEBUG", SO_DEBUG },
    { "SO_REUSEADDR", SO_REUSEADDR },
    { "SO_TYPE", SO_TYPE },
    { "SO_ERROR", SO_ERROR },
    { "SO_DONTROUTE", SO_DONTROUTE },
    { "SO_BROADCAST", SO_BROADCAST },
    { "SO_SNDBUF", SO_SNDBUF },
    { "SO_RCVBUF", SO_RCVBUF },
    { "SO_KEEPALIVE", SO_KEEPALIVE },
    { "SO_OOBINLINE", SO_OOBINLINE },
    { "SO_PRIORITY", SO_PRIORITY },
    { "SO_LINGER", SO_LINGER },
    { "SO_REUSEPORT", SO_REUSEPORT },
    { "SO_ATTACH_FILTER", SO_ATTACH_FILTER },
    { "SO_DETACH_FILTER", SO_DETACH_FILTER },
    { "SO_TIMESTAMPNS", SO_TIMESTAMPNS },
    { "SO_MARK", SO_MARK },
    { "SO_PEEK_OFF", SO_PEEK_OFF },
    { "SO_INCOMING_CPU", SO_INCOMING_CPU },
    { "IP_RECVTOS", IP_RECVTOS },
    { "IP_FREEBIND", IP_FREEBIND },
    { "IP_BIND_ADDRESS_NO_PORT", IP_BIND_ADDRESS_NO_PORT },
    { "IP_PMTUDISC_PROBE", IP_PMTUDISC_PROBE },
    { "SO_EE_ORIGIN_NONE", SO_EE_ORIGIN_NONE },
    { "SO_EE_ORIGIN_LOCAL", SO_EE_ORIGIN_LOCAL },
    { "SO_EE_ORIGIN_ICMP", SO_EE_ORIGIN_ICMP },
    { "ICMP_FILTER", ICMP_FILTER },
    { "SOCK_SEQPACKET", SOCK_SEQPACKET },
    { "SCM_RIGHTS", SCM_RIGHTS },
    { "SCM_CREDENTIALS", SCM_CREDENTIALS },
    { "SO_PASSCRED", SO_PASSCRED },
    { "SO_PEERCRED", SO_PEERCRED },
    { "TIOCOUTQ", TIOCOUTQ },
    { "SIOCOUTQNSD", SIOCOUTQNSD },
    { "ETOOMANYREFS", ETOOMANYREFS },
    { "SO_RCVLOWAT", SO_RCVLOWAT },
    { "SO_SNDLOWAT", SO_SNDLOWAT },
    { "SO_RCVTIMEO", SO_RCVTIMEO },
    { "SO_SNDTIMEO", SO_SNDTIMEO },
    { "SO_BINDTODEVICE", SO_BINDTODEVICE },
    { "SO_TIMESTAMP", SO_TIMESTAMP },
    { "SO_ACCEPTCONN", SO_ACCEPTCONN },
    { "SO_SNDBUFFORCE", SO_SNDBUFFORCE },
    { "SO_RCVBUFFORCE", SO_RCVBUFFORCE },
    { "SO_PROTOCOL", SO_PROTOCOL },
    { "SO_DOMAIN", SO_DOMAIN },
    { "IP_TOS", IP_TOS },
    { "IP_TTL", IP_TTL },
    { "IP_HDRINCL", IP_HDRINCL },
    { "IP_PKTINFO", IP_PKTINFO },
    { "IP_MTU_DISCOVER", IP_MTU_DISCOVER },
    { "IP_RECVERR", IP_RECVERR },
    { "IP_RECVTTL", IP_RECVTTL },
    { "IP_MTU", IP_MTU },
    { "IP_PMTUDISC_DONT", IP_PMTUDISC_DONT },
    { "IP_PMTUDISC_WANT", IP_PMTUDISC_WANT },
    { "IP_PMTUDISC_DO", IP_PMTUDISC_DO },
    { "POLLIN", POLLIN },
    { "POLLPRI", POLLPRI },
    { "POLLOUT", POLLOUT },
    { "POLLERR", POLLERR },
    { "POLLHUP", POLLHUP },
    { "POLLNVAL", POLLNVAL },
    { "POLLRDNORM", POLLRDNORM },
    { "POLLRDBAND", POLLRDBAND },
    { "POLLWRNORM", POLLWRNORM },
    { "POLLWRBAND", POLLWRBAND },
    { "POLLRDHUP", POLLRDHUP },
    { "FIONREAD", FIONREAD },
    { "FIONBIO", FIONBIO },
    { "SIOCADDRT", SIOCADDRT },
    { "SIOCDELRT", SIOCDELRT },
    { "SIOCGIFNAME", SIOCGIFNAME },
    { "SIOCGIFCONF", SIOCGIFCONF },
    { "SIOCGIFFLAGS", SIOCGIFFLAGS },
    { "SIOCSIFFLAGS", SIOCSIFFLAGS },
    { "SIOCGIFADDR", SIOCGIFADDR },
    { "SIOCSIFADDR", SIOCSIFADDR },
    { "SIOCGIFDSTADDR", SIOCGIFDSTADDR },
    { "SIOCGIFBRDADDR", SIOCGIFBRDADDR },
    { "SIOCSIFBRDADDR", SIOCSIFBRDADDR },
    { "SIOCGIFNETMASK", SIOCGIFNETMASK },
    { "SIOCSIFNETMASK", SIOCSIFNETMASK },
    { "SIOCGIFMETRIC", SIOCGIFMETRIC },
    { "SIOCGIFMTU", SIOCGIFMTU },
    { "SIOCSIFMTU", SIOCSIFMTU },
    { "SIOCGIFHWADDR", SIOCGIFHWADDR },
    { "SIOCGIFINDEX", SIOCGIFINDEX },
    { "SIOCGIFTXQLEN", SIOCGIFTXQLEN },
    { "SIOCDARP", SIOCDARP },
    { "SIOCGARP", SIOCGARP },
    { "SIOCSARP", SIOCSARP },
    { "SIOCETHTOOL", SIOCETHTOOL },
    { "SIOCGIFMAP", SIOCGIFMAP },
    { "IFF_UP", IFF_UP },
    { "IFF_BROADCAST", IFF_BROADCAST },
    { "IFF_LOOPBACK", IFF_LOOPBACK },
    { "IFF_RUNNING", IFF_RUNNING },
    { "IFF_NOARP", IFF_NOARP },
    { "IFF_PROMISC", IFF_PROMISC },
    { "IFF_MULTICAST", IFF_MULTICAST },
    { "RTF_UP", RTF_UP },
    { "RTF_GATEWAY", RTF_GATEWAY },
    { "RTF_HOST", RTF_HOST },
    { "RTF_REJECT", RTF_REJECT },
    { "ARPHRD_ETHER", ARPHRD_ETHER },
    { "ARPHRD_LOOPBACK", ARPHRD_LOOPBACK },
    { "ATF_COM", ATF_COM },
    { "ATF_PERM", ATF_PERM },
    { "EFD_SEMAPHORE", EFD_SEMAPHORE },
    { "EFD_NONBLOCK", EFD_NONBLOCK },
    { "EFD_CLOEXEC", EFD_CLOEXEC },
    { "SFD_NONBLOCK", SFD_NONBLOCK },
    { "SFD_CLOEXEC", SFD_CLOEXEC },
    { "TFD_NONBLOCK", TFD_NONBLOCK },
    { "TFD_CLOEXEC", TFD_CLOEXEC },
    { "TFD_TIMER_ABSTIME", TFD_TIMER_ABSTIME },
    { "TFD_TIMER_CANCEL_ON_SET", TFD_TIMER_CANCEL_ON_SET },
    { "EPOLL_CTL_ADD", EPOLL_CTL_ADD },
    { "EPOLL_CTL_DEL", EPOLL_CTL_DEL },
    { "EPOLL_CTL_MOD", EPOLL_CTL_MOD },
    { "EPOLL_CLOEXEC", EPOLL_CLOEXEC },
    { "EPOLLIN", EPOLLIN },
    { "EPOLLPRI", EPOLLPRI },
    { "EPOLLOUT", EPOLLOUT },
    { "EPOLLERR", EPOLLERR },
    { "EPOLLHUP", EPOLLHUP },
    { "EPOLLRDNORM", EPOLLRDNORM },
    { "EPOLLRDBAND", EPOLLRDBAND },
    { "EPOLLWRNORM", EPOLLWRNORM },
    { "EPOLLWRBAND", EPOLLWRBAND },
    { "EPOLLMSG", EPOLLMSG },
    { "EPOLLRDHUP", EPOLLRDHUP },
    { "EPOLLEXCLUSIVE", EPOLLEXCLUSIVE },
    { "EPOLLWAKEUP", EPOLLWAKEUP },
    { "EPOLLONESHOT", EPOLLONESHOT },
    { "EPOLLET", (uint32_t)EPOLLET },
    { "PTRACE_TRACEME", PTRACE_TRACEME },
    { "PTRACE_PEEKTEXT", PTRACE_PEEKTEXT },
    { "PTRACE_PEEKDATA", PTRACE_PEEKDATA },
    { "PTRACE_PEEKUSR", PTRACE_PEEKUSR },
    { "PTRACE_POKETEXT", PTRACE_POKETEXT },
    { "PTRACE_POKEDATA", PTRACE_POKEDATA },
    { "PTRACE_POKEUSR", PTRACE_POKEUSR },
    { "PTRACE_CONT", PTRACE_CONT },
    { "PTRACE_KILL", PTRACE_KILL },
    { "PTRACE_SINGLESTEP", PTRACE_SINGLESTEP },
    { "PTRACE_GETREGS", PTRACE_GETREGS },
    { "PTRACE_SETREGS", PTRACE_SETREGS },
    { "PTRACE_GETFPREGS", PTRACE_GETFPREGS },
    { "PTRACE_SETFPREGS", PTRACE_SETFPREGS },
    { "PTRACE_ATTACH", PTRACE_ATTACH },
    { "PTRACE_DETACH", PTRACE_DETACH },
    { "PTRACE_SYSCALL", PTRACE_SYSCALL },
    { "PTRACE_SETOPTIONS", PTRACE_SETOPTIONS },
    { "PTRACE_GETEVENTMSG", PTRACE_GETEVENTMSG },
    { "PTRACE_GETSIGINFO", PTRACE_GETSIGINFO },
    { "PTRACE_SETSIGINFO", PTRACE_SETSIGINFO },
    { "PTRACE_GETREGSET", PTRACE_GETREGSET },
    { "PTRACE_SETREGSET", PTRACE_SETREGSET },
    { "PTRACE_SEIZE", PTRACE_SEIZE },
    { "PTRACE_INTERRUPT", PTRACE_INTERRUPT },
    { "PTRACE_LISTEN", PTRACE_LISTEN },
    { "PTRACE_GETSIGMASK", PTRACE_GETSIGMASK },
    { "PTRACE_SETSIGMASK", PTRACE_SETSIGMASK },
    { "PTRACE_GET_SYSCALL_INFO", PTRACE_GET_SYSCALL_INFO },
    { "PTRACE_O_TRACESYSGOOD", PTRACE_O_TRACESYSGOOD },
    { "PTRACE_O_TRACEFORK", PTRACE_O_TRACEFORK },
    { "PTRACE_O_TRACEVFORK", PTRACE_O_TRACEVFORK },
    { "PTRACE_O_TRACECLONE", PTRACE_O_TRACECLONE },
    { "PTRACE_O_TRACEEXEC", PTRACE_O_TRACEEXEC },
    { "PTRACE_O_TRACEVFORKDONE", PTRACE_O_TRACEVFORKDONE },
    { "PTRACE_O_TRACEEXIT", PTRACE_O_TRACEEXIT },
    { "PTRACE_O_EXITKILL", PTRACE_O_EXITKILL },
    { "PTRACE_EVENT_FORK", PTRACE_EVENT_FORK },
    { "PTRACE_EVENT_VFORK", PTRACE_EVENT_VFORK },
    { "PTRACE_EVENT_CLONE", PTRACE_EVENT_CLONE },
    { "PTRACE_EVENT_EXEC", PTRACE_EVENT_EXEC },
    { "PTRACE_EVENT_VFORK_DONE", PTRACE_EVENT_VFORK_DONE },
    { "PTRACE_EVENT_EXIT", PTRACE_EVENT_EXIT },
    { "PTRACE_EVENT_STOP", PTRACE_EVENT_STOP },
    { "PTRACE_SYSCALL_INFO_NONE", PTRACE_SYSCALL_INFO_NONE },
    { "PTRACE_SYSCALL_INFO_ENTRY", PTRACE_SYSCALL_INFO_ENTRY },
    { "PTRACE_SYSCALL_INFO_EXIT", PTRACE_SYSCALL_INFO_EXIT },
    { "NT_PRSTATUS", NT_PRSTATUS },
    { "NT_PRFPREG", NT_PRFPREG },
    { "NT_X86_XSTATE", NT_X86_XSTATE },
};

static const struct constant *host_find(const char *name)
{
    for (unsigned i = 0; i < sizeof host / sizeof *host; i++)
        if (!strcmp(host[i].name, name))
            return &host[i];
    return NULL;
}

/* Our own enumerators that no header of the host's is asked for: TCP's options, and AF_PACKET's, whose
 * structs we declare ourselves in both branches. */
static bool is_exempt(const char *name)
{
    return !strncmp(name, "TCP_", 4) || !strncmp(name, "PACKET_", 7) || !strncmp(name, "TPACKET_", 8) ||
           !strncmp(name, "TP_STATUS_", 10) || !strcmp(name, "SOL_PACKET");
}

/* Compare each 'NAME = number' in the file; how many there were. */
static unsigned compare(const char *path)
{
    FILE *f = fopen(path, "r");
    char line[256], name[64];
    unsigned n = 0;
    int used;

    CHECK(f);
    while (fgets(line, sizeof line, f)) {
        for (char *at = line; (at = strpbrk(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")); at += used) {
            used = 1;
            if (sscanf(at, "%63[A-Z0-9_]%n = ", name, &used) != 1 || strncmp(at + used, " = ", 3))
                continue;
            char *number = at + used + 3, *end;
            long value = strtol(number, &end, 0);
            if (end == number || is_exempt(name))
                continue;
            const struct constant *c = host_find(name);
            if (!c || c->value != value)
                test_fail(path, 0, "%s is %ld, the host's %ld", name, value, c ? c->value : -1);
            n++;
        }
    }
    fclose(f);
    return n;
}

TEST(the_kernel_s_error_numbers_are_linux_s)
{
    CHECK(compare("lib/abi/errno.h") > 60);
}

TEST(the_kernel_s_socket_constants_are_linux_s)
{
    CHECK(compare("lib/abi/socket.h") > 100);
}

TEST(the_kernel_s_epoll_constants_are_linux_s)
{
    CHECK(compare("lib/abi/epoll.h") > 15);
    CHECK(sizeof(struct epoll_event) == 12);
}

TEST(the_kernel_s_event_constants_are_linux_s)
{
    CHECK(compare("lib/abi/event.h") == 9);
    CHECK(sizeof(struct signalfd_siginfo) == 128 && sizeof(struct itimerspec) == 32);
}

TEST(the_kernel_s_ptrace_constants_are_linux_s)
{
    CHECK(compare("lib/abi/ptrace.h") > 40);
}
