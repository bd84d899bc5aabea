/* net/netlink/netlink_test.h - for the tests of what netlink offers: a request built byte by byte, so that it
 * may be wrong, and what came of it. */
#pragma once
#include "lib/abi/netlink.h"
#include "net/ipv4/host_test.h"

struct nl_ask {
    _Alignas(8) uint8_t bytes[1024];
    uint32_t n;
};

/* Put n bytes, padded to 4. */
static inline void ask_put(struct nl_ask *q, const void *data, size_t n)
{
    memcpy(q->bytes + q->n, data, n);
    q->n += NLMSG_ALIGN((uint32_t)n);
    ((struct nlmsghdr *)(void *)q->bytes)->nlmsg_len = q->n;
}

/* A request of type with a fixed part. */
static inline struct nl_ask ask(uint16_t type, uint16_t flags, const void *fixed, size_t n)
{
    const struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST, .nlmsg_seq = 77 };
    struct nl_ask q = { .n = 0 };

    ask_put(&q, &h, sizeof h);
    ask_put(&q, fixed, n);
    return q;
}

static inline void ask_attr(struct nl_ask *q, uint16_t type, const void *data, size_t n)
{
    const struct nlattr a = { .nla_len = (uint16_t)(sizeof a + n), .nla_type = type };

    ask_put(q, &a, sizeof a);
    ask_put(q, data, n);
}

static inline void ask_u32(struct nl_ask *q, uint16_t type, uint32_t value)
{
    ask_attr(q, type, &value, sizeof value);
}

static inline void ask_ip(struct nl_ask *q, uint16_t type, const char *ip)
{
    const be32 addr = cpu_to_be32(vk_parse_ip(ip, NULL));

    ask_attr(q, type, &addr, sizeof addr);
}

static inline struct sock *nl_socket(struct vkernel *vk)
{
    struct credentials admin = { .pid = 1 };
    struct sock *sk;

    sim_set_credentials(&admin);
    CHECK_EQ(sock_create(vk->net, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, &sk), 0);
    return sk;
}

/* What lies there, into a buffer of its own: bytes, or -errno. It does not wait. */
static inline ssize_t nl_read(struct sock *sk, struct nl_ask *got)
{
    ssize_t n = vk_recv(sk, got->bytes, sizeof got->bytes, MSG_DONTWAIT);

    got->n = n > 0 ? (uint32_t)n : 0;
    return n;
}

static inline const struct nlmsghdr *nl_first(const struct nl_ask *got)
{
    return (const struct nlmsghdr *)(const void *)got->bytes;
}

/* Send q and read one answer. */
static inline const struct nlmsghdr *nl_answer(struct sock *sk, const struct nl_ask *q, struct nl_ask *got)
{
    CHECK_EQ(vk_send(sk, q->bytes, q->n, 0), q->n);
    CHECK(nl_read(sk, got) >= (ssize_t)sizeof(struct nlmsghdr));
    return nl_first(got);
}

/* Send q, which asks for an acknowledgement or is wrong: the error that came back. */
static inline int nl_error(struct sock *sk, const struct nl_ask *q)
{
    struct nl_ask got;
    const struct nlmsghdr *h = nl_answer(sk, q, &got);

    CHECK_EQ(h->nlmsg_type, NLMSG_ERROR);
    return ((const struct nlmsgerr *)(h + 1))->error;
}

/* The attribute of type behind a fixed part of n bytes, or NULL. */
static inline const struct nlattr *nl_attr(const struct nlmsghdr *h, size_t n, uint16_t type)
{
    const uint8_t *p = (const uint8_t *)(h + 1) + NLMSG_ALIGN(n), *end = (const uint8_t *)h + h->nlmsg_len;

    while (p + sizeof(struct nlattr) <= end) {
        const struct nlattr *a = (const struct nlattr *)(const void *)p;
        if (a->nla_type == type)
            return a;
        p += NLA_ALIGN(a->nla_len);
    }
    return NULL;
}

static inline uint32_t nl_attr_u32(const struct nlmsghdr *h, size_t n, uint16_t type)
{
    const struct nlattr *a = nl_attr(h, n, type);

    CHECK(a);
    return *(const uint32_t *)(const void *)(a + 1);
}
