/* user/tests/socketfuzz/fuzz.h - what the parts of user/tests/socketfuzz.c share.
 *
 *     calls.c      one call by chance, and what it returned
 *     messages.c   those that send and receive
 *     options.c    setsockopt and getsockopt: which there are, and what of them may be printed */
#pragma once
#include "user/tests/show.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

enum { SLOTS = 10 };

struct slot {
    int fd; /* -1: closed */
    int family, type;
};

/* A round: its sockets, and what it printed so far. All that it does depends on chance_state. */
struct round {
    uint64_t number, chance_state;
    struct slot slots[SLOTS];
    int n, epoll;
    size_t used;
    char text[1 << 16];
};
extern struct round now;

uint64_t chance(void);
uint64_t below(uint64_t n);
#define PICK(array) (array)[below(sizeof(array) / sizeof(array)[0])]

/* Print; a result as a number or the name of errno. */
__attribute__((format(printf, 1, 2))) void tell(const char *format, ...);
void tell_result(long result);

int some_slot(void);
/* A descriptor becomes one of the round's; its slot, or -1: there was none, or no room. */
int add_slot(int fd, int family, int type);
/* Let the loopback deliver. */
void settle(void);

/* ---- calls.c ---- */

void make_call(void);
/* An address by chance; its length. Told as a word. */
socklen_t some_address(struct sockaddr_storage *addr);
/* An address that a call gave: what of it does not differ from run to run. */
void tell_address(const struct sockaddr_storage *addr, socklen_t len);

/* ---- messages.c, options.c ---- */

void call_send(struct slot *s);
void call_sendmsg(struct slot *s);
void call_sendmmsg(struct slot *s);
void call_recv(struct slot *s);
void call_recvmsg(struct slot *s);
void call_recvmmsg(struct slot *s);
void call_setsockopt(struct slot *s);
void call_getsockopt(struct slot *s);
