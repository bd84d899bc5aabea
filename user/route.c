/* user/route.c - show and change the routing table (SIOCADDRT, SIOCDELRT; route(8)).
 *
 *     route
 *     route add|del default gw GATEWAY
 *     route add|del -net NETWORK netmask MASK gw GATEWAY|dev NAME */
#include <arpa/inet.h>
#include <errno.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int show(void)
{
    FILE *f = fopen("/proc/net/route", "r");
    char line[256], dev[32];
    unsigned dest, gateway, flags, refs, use, metric, mask;

    if (!f) {
        perror("route: /proc/net/route");
        return 1;
    }
    printf("%-16s%-16s%-16s%-6s%s\n", "Destination", "Gateway", "Genmask", "Flags", "Iface");
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "%31s %x %x %x %u %u %u %x", dev, &dest, &gateway, &flags, &refs, &use, &metric,
                   &mask) == 8) {
            printf("%-16s", inet_ntoa((struct in_addr){ dest }));
            printf("%-16s", inet_ntoa((struct in_addr){ gateway }));
            printf("%-16s%s%s%s%s\n", inet_ntoa((struct in_addr){ mask }), flags & RTF_UP ? "U" : "",
                   flags & RTF_GATEWAY ? "G" : "", flags & RTF_HOST ? "H     " : "      ", dev);
        }
    fclose(f);
    return 0;
}

static void put_address(struct sockaddr *to, in_addr_t a)
{
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = a };

    memcpy(to, &in, sizeof in);
}

static int usage(void)
{
    fprintf(stderr, "usage: route [add|del default|-net NETWORK netmask MASK gw GATEWAY|dev NAME]\n");
    return 2;
}

/* Fill rt from the words after add or del; 0, or -1 for words that say nothing. */
static int parse(struct rtentry *rt, char **w)
{
    struct in_addr a;

    put_address(&rt->rt_dst, 0);
    put_address(&rt->rt_genmask, 0);
    rt->rt_flags = RTF_UP;
    for (; *w; w += 2) {
        if (!strcmp(*w, "default")) {
            w--;
        } else if (!w[1]) {
            return -1;
        } else if (!strcmp(*w, "dev")) {
            rt->rt_dev = w[1];
        } else if (!inet_aton(w[1], &a)) {
            return -1;
        } else if (!strcmp(*w, "-net")) {
            put_address(&rt->rt_dst, a.s_addr);
        } else if (!strcmp(*w, "netmask")) {
            put_address(&rt->rt_genmask, a.s_addr);
        } else if (!strcmp(*w, "gw")) {
            put_address(&rt->rt_gateway, a.s_addr);
            rt->rt_flags |= RTF_GATEWAY;
        } else {
            return -1;
        }
    }
    return rt->rt_dev || rt->rt_flags & RTF_GATEWAY ? 0 : -1;
}

int main(int argc, char **argv)
{
    struct rtentry rt = { 0 };

    if (argc == 1)
        return show();
    int add = !strcmp(argv[1], "add");
    if ((!add && strcmp(argv[1], "del")) || parse(&rt, argv + 2))
        return usage();
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || ioctl(fd, add ? SIOCADDRT : SIOCDELRT, &rt)) {
        fprintf(stderr, "route: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    return 0;
}
