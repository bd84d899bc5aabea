/* net/core/nlmsg.h - netlink messages (RFC 3549 2.3.2): reading what a program sent, writing what it gets;
 * private to net/.
 *
 * Reading: nl_parse() is the one place that looks at lengths. What it put into its table has the length its
 * rule asks for, so that the accessors cannot fail. Writing: struct nlmsg remembers that the buffer ran full;
 * the writers then do nothing, and nlmsg_end() takes the message back. */
#pragma once
#include "lib/abi/errno.h"
#include "lib/abi/netlink.h"
#include "net/core/skbuff.h"

/* ---- reading ---- */

/* A message as it came, its header checked: it lies whole in memory, is as long as it says, and is aligned to
 * 4 bytes. */
struct nl_input {
    const struct nlmsghdr *message;
    bool strict; /* NETLINK_GET_STRICT_CHK: what is not understood is an error, not ignored */

    /* What is wrong, in words, for the extended acknowledgement; NULL: nothing was said. */
    const char *text;
    uint32_t offset; /* of the attribute that is at fault, from the message's begin; 0: none */
};
/* Say what is wrong (at may be NULL); returns err, so that it can be returned. */
int nl_complain(struct nl_input *in, int err, const char *text, const struct nlattr *at);
/* The message's fixed part of n bytes, or NULL: it is shorter (and that has been complained of: -EINVAL). */
const void *nl_header(struct nl_input *in, size_t n);

enum nl_kind {
    NL_UNKNOWN, /* no such attribute: ignored, or an error if strict */
    NL_ANY,     /* of any length, and not looked into */
    NL_MIN,     /* at least n bytes: numbers */
    NL_EXACT,   /* n bytes */
    NL_STRING,  /* 1 to n bytes, a zero at the end not counted */
    NL_NESTED   /* attributes, or none */
};
struct nl_rule {
    uint8_t kind; /* enum nl_kind */
    uint16_t n;
};
/* Sort the attributes that lie in size bytes at at into attrs[0 .. count - 1] by their types, NULL where
 * there is none; of several the last. rules has count entries. 0, -EINVAL or -ERANGE. */
int nl_parse(struct nl_input *in, const void *at, size_t size, const struct nl_rule *rules, unsigned count,
             const struct nlattr **attrs);
/* The same for what stands behind the message's fixed part of n bytes, and for a nested attribute. */
int nl_parse_message(struct nl_input *in, size_t n, const struct nl_rule *rules, unsigned count,
                     const struct nlattr **attrs);
int nl_parse_nested(struct nl_input *in, const struct nlattr *a, const struct nl_rule *rules, unsigned count,
                    const struct nlattr **attrs);

static inline const void *nl_data(const struct nlattr *a)
{
    return a + 1;
}
static inline size_t nl_size(const struct nlattr *a)
{
    return a->nla_len - sizeof *a;
}
static inline uint8_t nl_u8(const struct nlattr *a)
{
    return *(const uint8_t *)nl_data(a);
}
static inline uint32_t nl_u32(const struct nlattr *a)
{
    return *(const uint32_t *)nl_data(a);
}
static inline be32 nl_be32(const struct nlattr *a)
{
    return (be32){ nl_u32(a) };
}
/* Copy a NL_STRING to buf, cut to size - 1 and with a zero behind it. */
void nl_string(const struct nlattr *a, char *buf, size_t size);

/* ---- writing ---- */

/* To whom: the answers to one request carry its number. */
struct nl_to {
    uint32_t portid, seq;
    uint16_t flags; /* NLM_F_MULTI in a dump */
};
struct nlmsg {
    struct sk_buff *skb;
    uint32_t begin; /* bytes of skb before the message */
    bool full;
};
/* Begin a message in skb with a copy of n bytes, its fixed part. */
struct nlmsg nlmsg_begin(struct sk_buff *skb, const struct nl_to *to, uint16_t type, const void *fixed,
                         size_t n);
void nl_put(struct nlmsg *m, uint16_t type, const void *data, size_t n);
void nl_put_u8(struct nlmsg *m, uint16_t type, uint8_t value);
void nl_put_u32(struct nlmsg *m, uint16_t type, uint32_t value);
void nl_put_string(struct nlmsg *m, uint16_t type, const char *s); /* with its zero */
/* Room for n bytes without an attribute's header, zeroed and padded to 4; NULL when full. */
void *nl_reserve(struct nlmsg *m, size_t n);
/* n bytes as they are, padded to 4. */
void nlmsg_copy(struct nlmsg *m, const void *data, size_t n);
/* What is put between these two lies inside of an attribute. */
uint32_t nl_nest_begin(struct nlmsg *m, uint16_t type);
void nl_nest_end(struct nlmsg *m, uint32_t nest);
/* The message is complete. False: there was no room, and skb is as it was before it. */
bool nlmsg_end(struct nlmsg *m);
