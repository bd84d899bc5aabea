/* user/ifconfig.c - show and configure network interfaces, by the classic ioctls (netdevice(7)).
 *
 *     ifconfig [-q] [NAME [ADDRESS] [netmask MASK] [mtu N] [up|down]]
 *
 * -q prints nothing: the exit status says whether NAME exists. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int fd;

static struct ifreq request_for(const char *name)
{
    struct ifreq r = { 0 };

    snprintf(r.ifr_name, sizeof r.ifr_name, "%s", name);
    return r;
}

static int complain(const char *name, const char *what)
{
    fprintf(stderr, "ifconfig: %s: %s: %s\n", name, what, strerror(errno));
    return 1;
}

static void show_address(const char *name, const char *label, unsigned long request)
{
    struct ifreq r = request_for(name);
    struct in_addr a;

    if (ioctl(fd, request, &r))
        return;
    memcpy(&a, &((struct sockaddr_in *)(void *)&r.ifr_addr)->sin_addr, sizeof a);
    printf("  %s %s", label, inet_ntoa(a));
}

static int show(const char *name)
{
    struct ifreq flags = request_for(name), mtu = flags, hw = flags;

    if (ioctl(fd, SIOCGIFFLAGS, &flags) || ioctl(fd, SIOCGIFMTU, &mtu))
        return complain(name, "flags");
    printf("%s: flags=%x<%s%s%s%s%s>  mtu %d\n", name, (unsigned)flags.ifr_flags & 0xffff,
           flags.ifr_flags & IFF_UP ? "UP" : "DOWN", flags.ifr_flags & IFF_RUNNING ? ",RUNNING" : "",
           flags.ifr_flags & IFF_LOOPBACK ? ",LOOPBACK" : "",
           flags.ifr_flags & IFF_BROADCAST ? ",BROADCAST" : "",
           flags.ifr_flags & IFF_PROMISC ? ",PROMISC" : "", mtu.ifr_mtu);
    printf("     ");
    show_address(name, "inet", SIOCGIFADDR);
    show_address(name, "netmask", SIOCGIFNETMASK);
    show_address(name, "broadcast", SIOCGIFBRDADDR);
    if (!ioctl(fd, SIOCGIFHWADDR, &hw) && hw.ifr_hwaddr.sa_family == 1) {
        const unsigned char *m = (const unsigned char *)hw.ifr_hwaddr.sa_data;
        printf("  ether %02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
    }
    putchar('\n');
    return 0;
}

/* The counters of one interface: its line of /proc/net/dev. */
static void show_counters(const char *name)
{
    FILE *f = fopen("/proc/net/dev", "r");
    char line[512], found[64];
    unsigned long long rx[8], tx[8];

    while (f && fgets(line, sizeof line, f)) {
        char *colon = strchr(line, ':');
        if (!colon)
            continue;
        *colon = ' ';
        if (sscanf(line, "%63s %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu %llu", found, &rx[0],
                   &rx[1], &rx[2], &rx[3], &rx[4], &rx[5], &rx[6], &rx[7], &tx[0], &tx[1], &tx[2],
                   &tx[3]) == 13 &&
            !strcmp(found, name))
            printf("        RX %llu packets %llu bytes %llu errors %llu dropped\n"
                   "        TX %llu packets %llu bytes %llu errors %llu dropped\n",
                   rx[1], rx[0], rx[2], rx[3], tx[1], tx[0], tx[2], tx[3]);
    }
    if (f)
        fclose(f);
}

static int show_all(void)
{
    struct ifreq reqs[32];
    struct ifconf conf = { .ifc_len = sizeof reqs };
    int status = 0;

    conf.ifc_req = reqs;
    if (ioctl(fd, SIOCGIFCONF, &conf))
        return complain("all", "list");
    for (size_t i = 0; i < (size_t)conf.ifc_len / sizeof reqs[0]; i++) {
        status |= show(reqs[i].ifr_name);
        show_counters(reqs[i].ifr_name);
    }
    return status;
}

static int set_address(const char *name, unsigned long request, const char *text, const char *what)
{
    struct ifreq r = request_for(name);
    struct sockaddr_in a = { .sin_family = AF_INET };

    if (!inet_aton(text, &a.sin_addr)) {
        fprintf(stderr, "ifconfig: '%s' is not an IPv4 address\n", text);
        return 1;
    }
    memcpy(&r.ifr_addr, &a, sizeof a);
    return ioctl(fd, request, &r) ? complain(name, what) : 0;
}

static int set_flags(const char *name, int set, int clear)
{
    struct ifreq r = request_for(name);

    if (ioctl(fd, SIOCGIFFLAGS, &r))
        return complain(name, "flags");
    r.ifr_flags = (short)((r.ifr_flags | set) & ~clear);
    return ioctl(fd, SIOCSIFFLAGS, &r) ? complain(name, set ? "up" : "down") : 0;
}

static int set_mtu(const char *name, const char *text)
{
    struct ifreq r = request_for(name);

    r.ifr_mtu = atoi(text);
    return ioctl(fd, SIOCSIFMTU, &r) ? complain(name, "mtu") : 0;
}

/* Do what one word (and perhaps the next) asks; how many words it took, or -1. */
static int configure(const char *name, char **words)
{
    int failed, takes = 1;

    if (!strcmp(words[0], "up")) {
        failed = set_flags(name, IFF_UP, 0);
    } else if (!strcmp(words[0], "down")) {
        failed = set_flags(name, 0, IFF_UP);
    } else if (!strcmp(words[0], "netmask") && words[1]) {
        failed = set_address(name, SIOCSIFNETMASK, words[1], "netmask");
        takes = 2;
    } else if (!strcmp(words[0], "mtu") && words[1]) {
        failed = set_mtu(name, words[1]);
        takes = 2;
    } else {
        failed = set_address(name, SIOCSIFADDR, words[0], "address");
    }
    return failed ? -1 : takes;
}

int main(int argc, char **argv)
{
    fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0) {
        perror("ifconfig: socket");
        return 1;
    }
    if (argc == 3 && !strcmp(argv[1], "-q")) {
        struct ifreq r = request_for(argv[2]);
        return ioctl(fd, SIOCGIFFLAGS, &r) != 0;
    }
    if (argc == 1)
        return show_all();
    if (argc == 2) {
        int status = show(argv[1]);
        show_counters(argv[1]);
        return status;
    }
    for (int i = 2, took; i < argc; i += took)
        if ((took = configure(argv[1], argv + i)) < 0)
            return 1;
    return 0;
}
