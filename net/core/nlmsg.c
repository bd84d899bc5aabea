/* net/core/nlmsg.c - netlink messages read and written.
 * A message is a header, a fixed part that its type decides, and attributes: length, type, bytes, padded to
 * 4. The lengths are the sender's claims: nl_parse() believes none before it has compared it with what is
 * there. */
#include "net/core/nlmsg.h"
#include "lib/compiler.h"
#include "lib/string.h"

/* ---- reading ---- */

int nl_complain(struct nl_input *in, int err, const char *text, const struct nlattr *at)
{
    in->text = text;
    in->offset = at ? (uint32_t)((const uint8_t *)at - (const uint8_t *)in->message) : 0;
    return err;
}

const void *nl_header(struct nl_input *in, size_t n)
{
    if (in->message->nlmsg_len < NLMSG_HDRLEN + n) {
        nl_complain(in, -EINVAL, "Invalid header length", NULL);
        return NULL;
    }
    return in->message + 1;
}

static bool length_is_wrong(const struct nlattr *a, const struct nl_rule *rule)
{
    const char *text = nl_data(a);
    size_t n = nl_size(a);

    switch (rule->kind) {
    case NL_MIN:
        return n < rule->n;
    case NL_EXACT:
        return n != rule->n;
    case NL_STRING:
        return !n || n - !text[n - 1] > rule->n;
    default:
        return false;
    }
}

/* a lies whole within what is left. */
static int sort_in(struct nl_input *in, const struct nlattr *a, const struct nl_rule *rules, unsigned count,
                   const struct nlattr **attrs)
{
    unsigned type = a->nla_type & (unsigned)NLA_TYPE_MASK;
    bool known = type < count && rules[type].kind != NL_UNKNOWN;

    if (!known)
        return in->strict ? nl_complain(in, -EINVAL, "Unknown attribute type", a) : 0;
    if (length_is_wrong(a, &rules[type]))
        return nl_complain(in, -ERANGE, "Attribute failed policy validation", a);
    attrs[type] = a;
    return 0;
}

int nl_parse(struct nl_input *in, const void *at, size_t size, const struct nl_rule *rules, unsigned count,
             const struct nlattr **attrs)
{
    const uint8_t *p = at, *end = p + size;
    int err = 0;

    memset(attrs, 0, count * sizeof *attrs);
    while (!err && (size_t)(end - p) >= sizeof(struct nlattr)) {
        const struct nlattr *a = (const struct nlattr *)(const void *)p;
        if (a->nla_len < sizeof *a || a->nla_len > (size_t)(end - p))
            break;
        err = sort_in(in, a, rules, count, attrs);
        p += MIN((size_t)NLA_ALIGN(a->nla_len), (size_t)(end - p));
    }
    if (!err && p != end && in->strict)
        return nl_complain(in, -EINVAL, "bytes leftover after parsing attributes", NULL);
    return err;
}

int nl_parse_message(struct nl_input *in, size_t n, const struct nl_rule *rules, unsigned count,
                     const struct nlattr **attrs)
{
    const uint8_t *fixed = nl_header(in, n);
    size_t before = NLMSG_HDRLEN + NLMSG_ALIGN(n), len = in->message->nlmsg_len;

    if (!fixed)
        return -EINVAL;
    return nl_parse(in, fixed + NLMSG_ALIGN(n), len > before ? len - before : 0, rules, count, attrs);
}

int nl_parse_nested(struct nl_input *in, const struct nlattr *a, const struct nl_rule *rules, unsigned count,
                    const struct nlattr **attrs)
{
    return nl_parse(in, nl_data(a), nl_size(a), rules, count, attrs);
}

void nl_string(const struct nlattr *a, char *buf, size_t size)
{
    size_t n = MIN(nl_size(a), size - 1);

    memcpy(buf, nl_data(a), n);
    buf[n] = '\0';
}

/* ---- writing ---- */

static struct nlmsghdr *header_of(const struct nlmsg *m)
{
    return (struct nlmsghdr *)(void *)(m->skb->data + m->begin);
}

void *nl_reserve(struct nlmsg *m, size_t n)
{
    uint32_t padded = NLMSG_ALIGN((uint32_t)n);

    if (m->full || n > skb_tailroom(m->skb) || padded > skb_tailroom(m->skb)) {
        m->full = true;
        return NULL;
    }
    return memset(skb_put(m->skb, padded), 0, padded);
}

struct nlmsg nlmsg_begin(struct sk_buff *skb, const struct nl_to *to, uint16_t type, const void *fixed,
                         size_t n)
{
    struct nlmsg m = { .skb = skb, .begin = skb->len };
    struct nlmsghdr *h = nl_reserve(&m, sizeof *h + n);

    if (h) {
        h->nlmsg_type = type;
        h->nlmsg_flags = to->flags;
        h->nlmsg_seq = to->seq;
        h->nlmsg_pid = to->portid;
        memcpy(h + 1, fixed, n);
    }
    return m;
}

void nlmsg_copy(struct nlmsg *m, const void *data, size_t n)
{
    void *to = nl_reserve(m, n);

    if (to)
        memcpy(to, data, n);
}

void nl_put(struct nlmsg *m, uint16_t type, const void *data, size_t n)
{
    struct nlattr *a = nl_reserve(m, sizeof *a + n);

    if (!a)
        return;
    *a = (struct nlattr){ .nla_len = (uint16_t)(sizeof *a + n), .nla_type = type };
    if (n)
        memcpy(a + 1, data, n);
}

void nl_put_u8(struct nlmsg *m, uint16_t type, uint8_t value)
{
    nl_put(m, type, &value, sizeof value);
}

void nl_put_u32(struct nlmsg *m, uint16_t type, uint32_t value)
{
    nl_put(m, type, &value, sizeof value);
}

void nl_put_string(struct nlmsg *m, uint16_t type, const char *s)
{
    nl_put(m, type, s, strlen(s) + 1);
}

uint32_t nl_nest_begin(struct nlmsg *m, uint16_t type)
{
    uint32_t nest = m->skb->len;

    nl_put(m, type, NULL, 0);
    return nest;
}

void nl_nest_end(struct nlmsg *m, uint32_t nest)
{
    struct nlattr *a = (struct nlattr *)(void *)(m->skb->data + nest);

    if (!m->full)
        a->nla_len = (uint16_t)(m->skb->len - nest);
}

bool nlmsg_end(struct nlmsg *m)
{
    if (m->full)
        skb_trim(m->skb, m->begin);
    else
        header_of(m)->nlmsg_len = m->skb->len - m->begin;
    return !m->full;
}
