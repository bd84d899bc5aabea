/* sim/fuzz/netlink.c - fuzz target: netlink messages. The bytes are messages by an administrator to a kernel
 * with a card: each gets a length that leads to the next, all else is as it comes. What comes back must be
 * messages whose lengths fit; and the world must end without anything left over. */
#include "lib/abi/netlink.h"
#include "lib/abi/errno.h"
#include "sim/fuzz/fuzz.h"
#include "sim/fuzz/host.h"
#include <string.h>
#include <sys/syscall.h>

enum { MESSAGE_MOST = 300, SERVED_MOST = 12, ANSWERS_MOST = 40 };

static int64_t setsockopt_int(struct host *h, int64_t s, int option, int value)
{
    return host_call(h, SYS_setsockopt, s, SOL_NETLINK, option, (int64_t)(uintptr_t)&value, sizeof value);
}

/* Whole messages, one behind the other. */
static void check_answer(const uint8_t *p, size_t n)
{
    while (n) {
        struct nlmsghdr m;
        FUZZ_CHECK(n >= sizeof m);
        memcpy(&m, p, sizeof m);
        FUZZ_CHECK(m.nlmsg_len >= sizeof m && NLMSG_ALIGN(m.nlmsg_len) <= n);
        p += NLMSG_ALIGN(m.nlmsg_len);
        n -= NLMSG_ALIGN(m.nlmsg_len);
    }
}

static void read_answers(struct host *h, int64_t s)
{
    uint8_t answer[8192];

    for (int i = 0; i < ANSWERS_MOST; i++) {
        int64_t n = host_call(h, SYS_recvfrom, s, (int64_t)(uintptr_t)answer, sizeof answer, MSG_DONTWAIT, 0);
        if (n == -EAGAIN)
            return;
        FUZZ_CHECK(n > 0 || n == -ENOBUFS);
        if (n > 0)
            check_answer(answer, (size_t)n);
    }
}

/* The next of the story: a length, a type near those that are known, and bytes. */
static void send_one(struct host *h, int64_t s, struct input *in)
{
    _Alignas(8) uint8_t bytes[MESSAGE_MOST] = { 0 };
    size_t n = input_u8(in) % 240;
    const uint8_t lie = input_u8(in);
    struct nlmsghdr m = { .nlmsg_type = (uint16_t)(RTM_NEWLINK + input_u8(in) % 24),
                          .nlmsg_flags = (uint16_t)(input_u16(in) | NLM_F_REQUEST),
                          .nlmsg_seq = 1 };
    const uint8_t *body = input_bytes(in, &n);

    m.nlmsg_len = (uint32_t)(sizeof m + n);
    if (lie > 250)
        m.nlmsg_len = lie == 255 ? UINT32_MAX : lie;
    memcpy(bytes, &m, sizeof m);
    memcpy(bytes + sizeof m, body, n);
    host_call(h, SYS_sendto, s, (int64_t)(uintptr_t)bytes, (int64_t)(sizeof m + n), MSG_DONTWAIT, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct input in = { data, data + n };
    struct host h;

    host_start(&h);
    int64_t s = host_call(&h, SYS_socket, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, 0, 0);
    FUZZ_CHECK(s >= 0);
    uint8_t options = input_u8(&in);
    setsockopt_int(&h, s, NETLINK_EXT_ACK, options & 1);
    setsockopt_int(&h, s, NETLINK_GET_STRICT_CHK, options >> 1 & 1);
    setsockopt_int(&h, s, NETLINK_CAP_ACK, options >> 2 & 1);
    for (int group = 1; options & 8 && group < 8; group++)
        setsockopt_int(&h, s, NETLINK_ADD_MEMBERSHIP, group);
    for (int i = 0; i < SERVED_MOST && input_left(&in); i++) {
        send_one(&h, s, &in);
        if (!(options & 16))
            read_answers(&h, s);
    }
    read_answers(&h, s);
    host_call(&h, SYS_close, s, 0, 0, 0, 0);
    host_end(&h);
    return 0;
}
