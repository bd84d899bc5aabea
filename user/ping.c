/* user/ping.c - send ICMP echo requests and wait for the replies (RFC 792), over a raw socket.
 *
 *     ping [-c COUNT] [-s SIZE] [-i SECONDS] [-W SECONDS] ADDRESS
 *
 * Status 0 if at least one reply came. Every reply's data is compared with what was sent. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int count = 4, size = 56;
static double interval = 1, patience = 1;
static struct sockaddr_in target = { .sin_family = AF_INET };
static unsigned char request[65536], reply[65536];

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static uint16_t checksum(const unsigned char *p, size_t n) /* RFC 1071 */
{
    uint32_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += (uint32_t)p[i] << (i & 1 ? 0 : 8);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return htons((uint16_t)~sum);
}

static int send_request(int fd, uint16_t id, uint16_t seq)
{
    struct icmphdr head = { .type = ICMP_ECHO };

    head.un.echo.id = htons(id);
    head.un.echo.sequence = htons(seq);
    memcpy(request, &head, sizeof head);
    for (int i = 0; i < size; i++)
        request[8 + i] = (unsigned char)(i + seq);
    head.checksum = checksum(request, 8 + (size_t)size);
    memcpy(request, &head, sizeof head);
    return sendto(fd, request, 8 + (size_t)size, 0, (struct sockaddr *)&target, sizeof target) < 0 ? -1 : 0;
}

/* Is what was received (IP header in front) the answer to the request just sent? Its TTL, or -1. */
static int matches(ssize_t n)
{
    size_t ihl = (reply[0] & 15u) * 4u;
    const unsigned char *icmp = reply + ihl;

    if (n < (ssize_t)(ihl + 8) || icmp[0] != ICMP_ECHOREPLY || memcmp(icmp + 4, request + 4, 4))
        return -1;
    if (n != (ssize_t)ihl + 8 + size || memcmp(icmp + 8, request + 8, (size_t)size)) {
        printf("reply with other data: %zd bytes\n", n);
        return -1;
    }
    return reply[8];
}

/* Wait for the answer; true if it came. */
static int await_reply(int fd, int seq, double sent)
{
    for (double left = patience; left > 0; left = sent + patience - seconds()) {
        struct pollfd p = { .fd = fd, .events = POLLIN };
        if (poll(&p, 1, (int)(left * 1000) + 1) <= 0)
            continue;
        ssize_t n = recv(fd, reply, sizeof reply, 0);
        if (n < 0) {
            printf("seq %d: %s\n", seq, strerror(errno));
            return 0;
        }
        int ttl = matches(n);
        if (ttl < 0)
            continue;
        printf("%d bytes from %s: seq=%d ttl=%d time=%.3f ms\n", size + 8, inet_ntoa(target.sin_addr), seq,
               ttl, (seconds() - sent) * 1000);
        return 1;
    }
    printf("seq %d: no reply\n", seq);
    return 0;
}

static int parse_options(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "c:s:i:W:")) != -1) {
        if (option == 'c')
            count = atoi(optarg);
        else if (option == 's')
            size = atoi(optarg);
        else if (option == 'i')
            interval = atof(optarg);
        else if (option == 'W')
            patience = atof(optarg);
        else
            return -1;
    }
    if (optind != argc - 1 || size < 0 || size > 65507 || count < 1)
        return -1;
    return inet_aton(argv[optind], &target.sin_addr) ? 0 : -1;
}

int main(int argc, char **argv)
{
    int received = 0;

    if (parse_options(argc, argv)) {
        fprintf(stderr, "usage: ping [-c COUNT] [-s SIZE] [-i SECONDS] [-W SECONDS] ADDRESS\n");
        return 2;
    }
    int fd = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
    if (fd < 0) {
        perror("ping: socket");
        return 2;
    }
    for (int seq = 1; seq <= count; seq++) {
        double sent = seconds();
        if (send_request(fd, (uint16_t)getpid(), (uint16_t)seq))
            printf("seq %d: %s\n", seq, strerror(errno));
        else
            received += await_reply(fd, seq, sent);
        double rest = sent + interval - seconds();
        if (seq < count && rest > 0)
            usleep((useconds_t)(rest * 1e6));
    }
    printf("%d sent, %d received\n", count, received);
    return received == 0;
}
