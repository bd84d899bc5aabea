/* user/webd.c - a small web server: GET and HEAD for files below a folder (and below /proc), HTTP/1.1 with
 * keep-alive, in one process around poll().
 *
 * A client is in one of two states: we read its request into `in`, or we send `head` and then the body. A
 * body is read whole when it is a file of /proc (its size is not known before) and piece by piece when it is
 * a real one. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MAX_CLIENTS = 128, REQUEST_MAX = 4096, PIECE = 65536, IDLE_SECONDS = 30 };

struct client {
    char in[REQUEST_MAX + 1];
    size_t in_len;
    int sending;     /* state: 0 reads a request, 1 sends an answer */
    int keep;        /* keep the connection afterwards */
    int file;        /* the body, -1: none (or all of it is in out already) */
    long left;       /* bytes of it not yet read */
    char out[PIECE]; /* bytes [from, to) go out next */
    size_t from, to;
    time_t last;
};
/* Slot 0 is the listener. */
static struct pollfd fds[1 + MAX_CLIENTS];
static struct client *clients[1 + MAX_CLIENTS];
static int slots = 1; /* those behind are free */
static const char *root;

static void drop_client(int slot)
{
    if (clients[slot]->file >= 0)
        close(clients[slot]->file);
    close(fds[slot].fd);
    fds[slot].fd = -1;
    free(clients[slot]);
    clients[slot] = NULL;
    while (slots > 1 && fds[slots - 1].fd < 0)
        slots--;
}

static const char *content_type(const char *path)
{
    static const char *const types[][2] = { { ".html", "text/html; charset=utf-8" },
                                            { ".txt", "text/plain" },
                                            { ".css", "text/css" },
                                            { ".svg", "image/svg+xml" },
                                            { ".png", "image/png" } };
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < sizeof types / sizeof types[0]; i++)
        if (!strcmp(dot, types[i][0]))
            return types[i][1];
    return strncmp(path, "/proc/", 6) ? "application/octet-stream" : "text/plain";
}

static void write_head(struct client *c, int status, const char *reason, const char *type, long length)
{
    c->from = 0;
    c->to =
        (size_t)snprintf(c->out, sizeof c->out,
                         "HTTP/1.1 %d %s\r\nServer: towpath\r\nContent-Type: %s\r\nContent-Length: %ld\r\n"
                         "Connection: %s\r\n\r\n",
                         status, reason, type, length, c->keep ? "keep-alive" : "close");
    c->sending = 1;
}

static void answer_error(struct client *c, int status, const char *reason)
{
    char body[128];
    int n = snprintf(body, sizeof body, "%d %s\n", status, reason);

    write_head(c, status, reason, "text/plain", n);
    memcpy(c->out + c->to, body, (size_t)n);
    c->to += (size_t)n;
}

/* A file of /proc: read it all, then say how long it was. What is beyond half the buffer is cut. */
static void answer_generated(struct client *c, int fd, const char *path, int head_only)
{
    static char text[PIECE / 2];
    size_t n = 0;
    ssize_t got;

    while (n < sizeof text && (got = read(fd, text + n, sizeof text - n)) > 0)
        n += (size_t)got;
    close(fd);
    write_head(c, 200, "OK", content_type(path), (long)n);
    if (head_only)
        return;
    memcpy(c->out + c->to, text, n);
    c->to += n;
}

/* As much of the file as fits behind what is in `out`. False: there is nothing more. */
static int read_piece(struct client *c)
{
    size_t room = sizeof c->out - c->to;
    ssize_t n = read(c->file, c->out + c->to, c->left < (long)room ? (size_t)c->left : room);

    if (n <= 0)
        return 0;
    c->left -= n;
    c->to += (size_t)n;
    return 1;
}

static void answer_path(struct client *c, const char *path, int head_only)
{
    char full[1024];
    struct stat st;
    int generated = !strncmp(path, "/proc/", 6);

    if (path[0] != '/' || strstr(path, "/..") || strlen(path) > 512)
        return answer_error(c, 400, "Bad Request");
    snprintf(full, sizeof full, "%s%s%s", generated ? "" : root, path,
             path[strlen(path) - 1] == '/' ? "index.html" : "");
    int fd = open(full, O_RDONLY);
    if (fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode)) {
        if (fd >= 0)
            close(fd);
        return answer_error(c, 404, "Not Found");
    }
    if (generated)
        return answer_generated(c, fd, full, head_only);
    write_head(c, 200, "OK", content_type(full), (long)st.st_size);
    c->file = head_only ? -1 : fd;
    c->left = head_only ? 0 : (long)st.st_size;
    if (head_only)
        close(fd);
    else
        read_piece(c); /* head and body leave together: a small page is one segment */
}

/* Take one request, which ends at end, out of `in` and prepare the answer. */
static void answer_request(struct client *c, char *end)
{
    char method[8] = "", path[600] = "", version[16] = "";

    *end = 0;
    int fields = sscanf(c->in, "%7s %599s %15s", method, path, version);
    if (!strcmp(version, "HTTP/1.0")) /* RFC 9112 C.2.2 */
        c->keep = strcasestr(c->in, "\nConnection: keep-alive") != NULL;
    else
        c->keep = !strcasestr(c->in, "\nConnection: close");
    char *query = strchr(path, '?');
    if (query)
        *query = 0;
    if (fields != 3 || strncmp(version, "HTTP/1.", 7))
        answer_error(c, 400, "Bad Request");
    else if (strcmp(method, "GET") && strcmp(method, "HEAD"))
        answer_error(c, 405, "Method Not Allowed");
    else
        answer_path(c, path, method[0] == 'H');
    size_t used = (size_t)(end - c->in) + 4;
    memmove(c->in, c->in + used, c->in_len - used);
    c->in_len -= used;
    c->in[c->in_len] = 0;
}

static int would_block(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Read on; true when a whole request is there and an answer prepared. -1: drop the client. */
static int read_request(struct client *c, int fd)
{
    char *end = strstr(c->in, "\r\n\r\n");

    if (!end) {
        ssize_t n = read(fd, c->in + c->in_len, REQUEST_MAX - c->in_len);
        if (would_block(n))
            return 0;
        if (n <= 0)
            return -1;
        c->in_len += (size_t)n;
        c->in[c->in_len] = 0;
        end = strstr(c->in, "\r\n\r\n");
    }
    if (end)
        answer_request(c, end);
    else if (c->in_len == REQUEST_MAX) {
        c->keep = 0;
        c->in_len = 0;
        answer_error(c, 431, "Request Header Fields Too Large");
    }
    return c->sending;
}

/* `out` has something to send; if not, from the file. False at the body's end. -1: the file got shorter. */
static int next_piece(struct client *c)
{
    if (c->from < c->to)
        return 1;
    if (c->file < 0 || !c->left)
        return 0;
    c->from = c->to = 0;
    return read_piece(c) ? 1 : -1;
}

/* Send on; 1 when the answer is out, 0 when the client must take some first, -1 on an error. */
static int send_answer(struct client *c, int fd)
{
    int more;

    while ((more = next_piece(c)) > 0) {
        ssize_t n = send(fd, c->out + c->from, c->to - c->from, MSG_NOSIGNAL);
        if (would_block(n))
            return 0;
        if (n < 0)
            return -1;
        c->from += (size_t)n;
    }
    if (more < 0)
        return -1;
    if (c->file >= 0)
        close(c->file);
    c->file = -1;
    c->sending = 0;
    return 1;
}

static void serve_client(int slot)
{
    struct client *c = clients[slot];
    int fd = fds[slot].fd;

    c->last = time(NULL);
    for (;;) {
        if (!c->sending) {
            int ready = read_request(c, fd);
            if (ready < 0)
                return drop_client(slot);
            if (!ready)
                break;
        }
        int sent = send_answer(c, fd);
        if (sent < 0 || (sent && !c->keep))
            return drop_client(slot);
        if (!sent)
            break;
    }
    fds[slot].events = c->sending ? POLLOUT : POLLIN;
}

static void accept_clients(void)
{
    int fd;

    while ((fd = accept4(fds[0].fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        int slot = 1;
        while (slot <= MAX_CLIENTS && fds[slot].fd >= 0)
            slot++;
        if (slot > MAX_CLIENTS || !(clients[slot] = calloc(1, sizeof *clients[slot]))) {
            close(fd);
            continue;
        }
        clients[slot]->file = -1;
        clients[slot]->last = time(NULL);
        fds[slot] = (struct pollfd){ .fd = fd, .events = POLLIN };
        if (slot == slots)
            slots++;
    }
}

static void drop_idle_clients(void)
{
    time_t now = time(NULL);

    for (int i = 1; i < slots; i++)
        if (fds[i].fd >= 0 && now - clients[i]->last > IDLE_SECONDS)
            drop_client(i);
}

static void open_listener(int port)
{
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ||
        bind(fd, (struct sockaddr *)&any, sizeof any) || listen(fd, 128)) {
        fprintf(stderr, "webd: port %d: %s\n", port, strerror(errno));
        exit(1);
    }
    fds[0] = (struct pollfd){ .fd = fd, .events = POLLIN };
}

int main(int argc, char **argv)
{
    int port = 80, option;

    while ((option = getopt(argc, argv, "p:")) == 'p')
        port = atoi(optarg);
    if (option != -1 || optind != argc - 1 || port < 1 || port > 65535) {
        fprintf(stderr, "usage: webd [-p port] folder\n");
        return 2;
    }
    root = argv[optind];
    signal(SIGPIPE, SIG_IGN);
    for (int i = 1; i <= MAX_CLIENTS; i++)
        fds[i].fd = -1;
    open_listener(port);
    for (;;) {
        if (poll(fds, (nfds_t)slots, 1000 * IDLE_SECONDS) < 0 && errno != EINTR) {
            perror("webd: poll");
            return 1;
        }
        for (int i = 1; i < slots; i++)
            if (fds[i].fd >= 0 && fds[i].revents)
                serve_client(i);
        if (fds[0].revents)
            accept_clients();
        drop_idle_clients();
    }
}
