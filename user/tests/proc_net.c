/* user/tests/proc_net.c - what /proc/net tells of our own sockets, found there by the number that fstat()
 * gives. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

static char line[1000];

static void header(const char *path)
{
    FILE *f = fopen(path, "r");

    printf("%s: %s\n", path, f && fgets(line, sizeof line, f) ? line : f ? "empty" : errno_name(errno));
    if (f)
        fclose(f);
}

static unsigned long ino_of(int s)
{
    struct stat st;

    fstat(s, &st);
    return st.st_ino;
}

/* The line of path whose field-th word is the inode of s. False: none. */
static int find(const char *path, int s, int field)
{
    FILE *f = fopen(path, "r");
    char copy[sizeof line], *word;
    int found = 0;

    while (f && !found && fgets(line, sizeof line, f)) {
        strcpy(copy, line);
        word = strtok(copy, " \n");
        for (int i = 0; word && i < field; i++)
            word = strtok(NULL, " \n");
        found = word && strtoul(word, NULL, 10) == ino_of(s);
    }
    if (f)
        fclose(f);
    return found;
}

static unsigned port_of(int s)
{
    struct sockaddr_in a;
    socklen_t len = sizeof a;

    getsockname(s, (void *)&a, &len);
    return ntohs(a.sin_port);
}

static void show_inet(const char *path, int s)
{
    unsigned local = 0, port = 0, state = 0, tx = 9, rx = 9;

    if (!find(path, s, 9)) {
        printf("%s: not there\n", path);
        return;
    }
    sscanf(line, "%*d: %X:%X %*X:%*X %X %X:%X", &local, &port, &state, &tx, &rx);
    printf("%s: address %08X, the port %d, state %02X, queues %X %X\n", path, local, port == port_of(s),
           state, tx, rx);
}

CASE(headers)
{
    header("/proc/net/tcp");
    header("/proc/net/udp");
    header("/proc/net/raw");
    header("/proc/net/tcp6");
    header("/proc/net/udp6");
    header("/proc/net/unix");
    header("/proc/net/packet");
    header("/proc/net/arp");
    printf("%d\n", access("/proc/net/if_inet6", R_OK));
    printf("%d\n", access("/proc/net/netstat", R_OK));
}

CASE(sockets_are_found_by_their_number)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0),
        u = socket(AF_INET, SOCK_DGRAM, 0);
    socklen_t len = sizeof a;
    char name[100], target[100], wanted[100];
    struct stat st;

    bind(l, (void *)&a, sizeof a);
    listen(l, 5);
    bind(u, (void *)&a, sizeof a);
    show_inet("/proc/net/tcp", l);
    show_inet("/proc/net/udp", u);
    getsockname(l, (void *)&a, &len);
    connect(c, (void *)&a, sizeof a);
    show_inet("/proc/net/tcp", c);
    a.sin_port = htons((uint16_t)port_of(u));
    sendto(u, "x", 1, 0, (void *)&a, sizeof a);
    fstat(l, &st);
    printf("mode %o\n", st.st_mode);
    snprintf(name, sizeof name, "/proc/self/fd/%d", l);
    snprintf(wanted, sizeof wanted, "socket:[%lu]", ino_of(l));
    ssize_t n = readlink(name, target, sizeof target - 1);
    target[n < 0 ? 0 : n] = 0;
    printf("the link: %d\n", !strcmp(target, wanted));
    printf("different: %d\n", ino_of(l) != ino_of(c) && ino_of(c) != ino_of(u));
}

CASE(local_sockets_are_there_with_their_names)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    socklen_t len =
        offsetof(struct sockaddr_un, sun_path) + 1 + sprintf(a.sun_path + 1, "proc-net-%d", (int)getpid());
    int l = socket(AF_UNIX, SOCK_STREAM, 0), p[2];
    unsigned flags = 0, type = 0, state = 0;

    bind(l, (void *)&a, len);
    listen(l, 5);
    socketpair(AF_UNIX, SOCK_DGRAM, 0, p);
    printf("%d\n", find("/proc/net/unix", l, 6));
    sscanf(line, "%*s %*X %*X %X %X %X", &flags, &type, &state);
    printf("flags %X, type %X, state %X, its name %d\n", flags, type, state,
           strstr(line, a.sun_path + 1) && strstr(line, a.sun_path + 1)[-1] == '@');
    printf("%d\n", find("/proc/net/unix", p[0], 6));
    sscanf(line, "%*s %*X %*X %X %X %X", &flags, &type, &state);
    printf("flags %X, type %X, state %X\n", flags, type, state);
}
