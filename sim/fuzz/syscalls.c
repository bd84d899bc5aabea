/* sim/fuzz/syscalls.c - fuzz target: any system calls with any arguments on the sockets of a virtual kernel.
 * Descriptors are mostly small numbers; pointers lie mostly in one buffer, which is all the memory the
 * process has (so that a bad pointer is refused, as the MMU would) and begins as addresses, vectors,
 * messages, a filter and numbers, which the story may overwrite. Calls that wait are left waiting. */
#include "lib/abi/socket.h"
#include "lib/compiler.h"
#include "sim/fuzz/fuzz.h"
#include "sim/fuzz/host.h"
#include "sim/sim.h"
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

enum { STEPS_MOST = 100, WAITING_MOST = 16, CELL = 128, CELLS = 64 };

/* The process's memory, in cells, so that an argument's one byte can name the beginning of each struct. */
static _Alignas(16) uint8_t memory[CELL * CELLS];

struct story {
    struct host host;
    struct input in;
    struct tp_call *waiting[WAITING_MOST];
    unsigned waits;
};

/* ---- what the memory holds at first ---- */

static void *cell(unsigned n)
{
    return memory + (size_t)CELL * n;
}

static void fill_addresses(void)
{
    *(struct sockaddr_in *)cell(0) =
        (struct sockaddr_in){ AF_INET, htons(80), { htonl(INADDR_LOOPBACK) }, { 0 } };
    *(struct sockaddr_in *)cell(1) = (struct sockaddr_in){ AF_INET, htons(7), { htonl(0x0a000009) }, { 0 } };
    *(struct sockaddr_in *)cell(2) = (struct sockaddr_in){ AF_INET, htons(81), { 0 }, { 0 } };
    *(struct sockaddr_un *)cell(3) = (struct sockaddr_un){ AF_UNIX, "/socket" };
    *(struct sockaddr_un *)cell(4) = (struct sockaddr_un){ AF_UNIX, "\0socket" };
    *(struct sockaddr_ll *)cell(5) =
        (struct sockaddr_ll){ .sll_family = AF_PACKET, .sll_protocol = htons(3), .sll_ifindex = 2 };
    *(struct sockaddr *)cell(6) = (struct sockaddr){ .sa_family = AF_UNSPEC };
}

static void fill_messages(void)
{
    static const struct sock_filter filter[] = {
        { 0x28, 0, 0, 12 }, { 0x15, 0, 1, 0x800 }, { 6, 0, 0, 60 }, { 6, 0, 0, 0 }
    };

    for (unsigned i = 0; i < 4; i++) {
        struct iovec *v = cell(8 + i);
        *(struct msghdr *)cell(12 + i) = (struct msghdr){ .msg_name = i & 1 ? cell(i / 2) : NULL,
                                                          .msg_namelen = 16,
                                                          .msg_iov = v,
                                                          .msg_iovlen = i + 1,
                                                          .msg_control = i & 2 ? cell(20) : NULL,
                                                          .msg_controllen = i & 2 ? 64 : 0 };
        for (unsigned j = 0; j < 4; j++)
            v[j] = (struct iovec){ cell(32 + i * 4 + j), 100 * j };
    }
    *(struct cmsghdr *)cell(20) = (struct cmsghdr){ CMSG_LEN(4), SOL_SOCKET, SCM_RIGHTS };
    memcpy(cell(22), filter, sizeof filter);
    *(struct sock_fprog *)cell(21) = (struct sock_fprog){ ARRAY_SIZE(filter), cell(22) };
}

static void fill_memory(void)
{
    memset(memory, 0, sizeof memory);
    fill_addresses();
    fill_messages();
    for (unsigned i = 0; i < 8; i++) {
        *(struct pollfd *)((uint8_t *)cell(16) + i * sizeof(struct pollfd)) =
            (struct pollfd){ (int)i + 3, POLLIN | POLLOUT, 0 };
        *(uint32_t *)cell(24 + i) = i ? 1u << (i * 2) : 0;
        ((uint32_t *)cell(24 + i))[1] = 1000;
    }
    strcpy(cell(23), "eth0"); /* a struct ifreq */
}

/* ---- calls ---- */

static const long numbers[] = {
    SYS_socket,     SYS_socket,     SYS_socket,      SYS_bind,        SYS_connect, SYS_listen,
    SYS_accept,     SYS_accept4,    SYS_sendto,      SYS_recvfrom,    SYS_sendmsg, SYS_recvmsg,
    SYS_sendmmsg,   SYS_recvmmsg,   SYS_read,        SYS_write,       SYS_readv,   SYS_writev,
    SYS_setsockopt, SYS_getsockopt, SYS_getsockname, SYS_getpeername, SYS_ioctl,   SYS_poll,
    SYS_shutdown,   SYS_close,      SYS_dup,         SYS_dup2,        SYS_dup3,    SYS_fcntl,
    SYS_connect,    SYS_setsockopt,
};

static int64_t argument(struct input *in)
{
    uint8_t kind = input_u8(in), v = input_u8(in);

    switch (kind % 8) {
    case 0:
    case 1:
        return v; /* a descriptor, a flag, a length */
    case 2:
    case 3:
    case 4:
        return (intptr_t)cell(v % CELLS);
    case 5:
        return (intptr_t)memory + (v << 8 | input_u8(in)) % (int)sizeof memory;
    case 6:
        return input_u16(in);
    default:
        return (int64_t)((uint64_t)input_u32(in) << (v % 33)) * (v & 64 ? -1 : 1);
    }
}

/* Wait for nobody longer than the table holds: the oldest is interrupted. */
static void leave_waiting(struct story *s, struct tp_call *call)
{
    struct tp_call **place = &s->waiting[s->waits++ % WAITING_MOST];

    if (*place) {
        tp_call_interrupt(*place);
        FUZZ_CHECK(tp_call_done(*place, NULL));
        tp_call_end(*place);
    }
    *place = call;
}

static void any_call(struct story *s)
{
    uint8_t which = input_u8(&s->in);
    long number = which == 255 ? input_u16(&s->in) : numbers[which % ARRAY_SIZE(numbers)];
    int64_t arguments[6];
    struct tp_call *call;

    for (int i = 0; i < 6; i++)
        arguments[i] = argument(&s->in);
    call = tp_call_begin(s->host.process, number, arguments);
    FUZZ_CHECK(call);
    if (tp_call_done(call, NULL))
        tp_call_end(call);
    else
        leave_waiting(s, call);
}

/* A call that is likely to be right, so that the others find sockets in every state. */
static void likely_call(struct story *s)
{
    static const int families[] = { AF_INET, AF_INET, AF_UNIX, AF_PACKET };
    uint8_t what = input_u8(&s->in), v = input_u8(&s->in);
    int64_t fd = 3 + v % 8;

    switch (what % 6) {
    case 0:
        host_call(&s->host, SYS_socket, families[v % 4], (1 + v / 4 % 3) | SOCK_NONBLOCK, v / 16 % 4, 0, 0);
        break;
    case 1:
        host_call(&s->host, SYS_bind, fd, (intptr_t)cell(v / 8 % 8), v & 128 ? 16 : 20, 0, 0);
        break;
    case 2:
        host_call(&s->host, SYS_listen, fd, v / 8, 0, 0, 0);
        break;
    case 3:
        host_call(&s->host, SYS_connect, fd, (intptr_t)cell(v / 8 % 8), v & 128 ? 16 : 20, 0, 0);
        break;
    case 4:
        host_call(&s->host, SYS_accept4, fd, 0, 0, SOCK_NONBLOCK, 0);
        break;
    default:
        host_call(&s->host, v & 128 ? SYS_write : SYS_read, fd, (intptr_t)cell(32), v * 16, 0, 0);
    }
}

static void poke(struct story *s)
{
    size_t at = input_u16(&s->in) % sizeof memory, n = input_u8(&s->in) % 32;
    const uint8_t *bytes = input_bytes(&s->in, &n);

    memcpy(memory + at, bytes, MIN(n, sizeof memory - at));
}

static void step(struct story *s)
{
    uint8_t what = input_u8(&s->in);

    if (what < 112)
        any_call(s);
    else if (what < 192)
        likely_call(s);
    else if (what < 232)
        poke(s);
    else
        tp_run_for(1000ull << what % 16 * 2); /* 1 us to 1,100 s */
}

static void end_calls(struct story *s)
{
    for (unsigned i = 0; i < WAITING_MOST; i++)
        if (s->waiting[i]) {
            tp_call_interrupt(s->waiting[i]);
            FUZZ_CHECK(tp_call_done(s->waiting[i], NULL));
            tp_call_end(s->waiting[i]);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct story s = { .in = { data, data + size } };

    host_start(&s.host);
    fill_memory();
    sim_only_user_range((uintptr_t)memory, sizeof memory);
    for (int i = 0; i < STEPS_MOST && input_left(&s.in); i++)
        step(&s);
    end_calls(&s);
    host_end(&s.host);
    return 0;
}
