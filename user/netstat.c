/* user/netstat.c - sockets, and with -s counters, from the files of /proc/net.
 *
 *     netstat        TCP and UDP sockets
 *     netstat -s     packets dropped by cause, and sk_buffs alive */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static const char *const tcp_states[] = { "?",          "ESTABLISHED", "SYN_SENT",  "SYN_RECV",
                                          "FIN_WAIT1",  "FIN_WAIT2",   "TIME_WAIT", "CLOSE",
                                          "CLOSE_WAIT", "LAST_ACK",    "LISTEN",    "CLOSING" };

static void show_address(unsigned ip, unsigned port)
{
    char text[32];

    snprintf(text, sizeof text, "%s:%u", inet_ntoa((struct in_addr){ ip }), port);
    printf(" %-22s", text);
}

static int show_sockets(const char *protocol)
{
    char path[32], line[512];
    unsigned local, lport, peer, pport, state, txq, rxq;

    snprintf(path, sizeof path, "/proc/net/%s", protocol);
    FILE *f = fopen(path, "r");
    if (!f) {
        perror(path);
        return 1;
    }
    while (fgets(line, sizeof line, f)) {
        if (sscanf(line, " %*[^:]: %x:%x %x:%x %x %x:%x", &local, &lport, &peer, &pport, &state, &txq,
                   &rxq) != 7)
            continue;
        printf("%-5s %6u %6u", protocol, rxq, txq);
        show_address(local, lport);
        show_address(peer, pport);
        printf(" %s\n",
               protocol[0] == 't' && state < sizeof tcp_states / sizeof *tcp_states ? tcp_states[state] : "");
    }
    fclose(f);
    return 0;
}

/* Print a file of /proc/net whole, without the lines that count nothing. */
static int show_counters(const char *path)
{
    char line[512], key[128];
    unsigned long long count;
    FILE *f = fopen(path, "r");

    if (!f) {
        perror(path);
        return 1;
    }
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "%127s %llu", key, &count) != 2 || count)
            fputs(line, stdout);
    fclose(f);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "-s"))
        return show_counters("/proc/net/skbuff") | show_counters("/proc/net/drops");
    if (argc != 1) {
        fprintf(stderr, "usage: netstat [-s]\n");
        return 2;
    }
    printf("Proto Recv-Q Send-Q Local address          Peer address           State\n");
    return show_sockets("tcp") | show_sockets("udp");
}
