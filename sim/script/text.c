/* sim/script/text.c - a packet that was seen, as a script would write it, and marks below what differs. */
#include "sim/frame.h"
#include "sim/script/differ.h"
#include "sim/script/names.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct line {
    char *text, *under;
    size_t n, size;
    const struct differences *d;
    const char *prefix; /* of what differs in a packet that is quoted */
};

static bool differs(const struct line *l, const char *what)
{
    size_t n = strlen(l->prefix);

    for (unsigned i = 0; l->d && i < l->d->n; i++)
        if (!strncmp(l->d->at[i].what, l->prefix, n) && !strcmp(l->d->at[i].what + n, what))
            return true;
    return false;
}

/* Add text that shows `what`, behind a space. */
__attribute__((format(printf, 3, 4))) static void add(struct line *l, const char *what, const char *fmt, ...)
{
    size_t before = l->n, i;
    va_list ap;
    int n;

    if (l->n + 2 >= l->size)
        return;
    if (l->n)
        l->text[l->n++] = ' ';
    va_start(ap, fmt);
    n = vsnprintf(l->text + l->n, l->size - l->n, fmt, ap);
    va_end(ap);
    l->n += n < 0 ? 0 : (size_t)n;
    if (l->n >= l->size)
        l->n = l->size - 1;
    for (i = before; l->under && i < l->n; i++)
        l->under[i] = *what && differs(l, what) && (i > before || !before) ? '^' : ' ';
    if (l->under)
        l->under[l->n] = '\0';
}

static void add_field(struct line *l, const struct seen *s, enum field f)
{
    char value[40];

    if (!s->has[f])
        return;
    value_text(s->v[f], field_names[f].style, value, sizeof value);
    add(l, field_names[f].name, "%s %s", field_names[f].name, value);
}

/* Of the IP header what is unusual, or differs. */
static void add_ip(struct line *l, const struct seen *s)
{
    bool unusual[FIELD_FROM] = { [FIELD_TOS] = s->v[FIELD_TOS] != 0,
                                 [FIELD_TTL] = s->v[FIELD_TTL] != 64,
                                 [FIELD_OFFSET] = s->fragment,
                                 [FIELD_MORE] = s->fragment };

    for (int f = 0; f < FIELD_FROM; f++)
        if (unusual[f] || differs(l, field_names[f].name))
            add_field(l, s, (enum field)f);
    if (s->bad_ip_sum)
        add(l, "checksum", "(wrong IP checksum)");
}

static void add_options(struct line *l, const struct seen *s)
{
    char one[96], all[400] = "";
    size_t n = 0;

    for (unsigned i = 0; i < s->n_options && n < sizeof all - 100; i++) {
        seen_option_text(&s->options[i], one, sizeof one);
        n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", one);
    }
    if (s->n_options)
        add(l, "options", "<%s>", all);
}

static void add_tcp(struct line *l, const struct seen *s)
{
    char flags[48] = "noflags";
    size_t n = 0;

    for (unsigned i = 0; i < 8; i++)
        if (s->flags >> i & 1)
            n += (size_t)snprintf(flags + n, sizeof flags - n, "%s%s", n ? " " : "", tcp_flag_names[i]);
    if (!s->has[FIELD_DOFF]) /* quoted, and cut behind the sequence number */
        snprintf(flags, sizeof flags, "tcp");
    add(l, "flags", "%s", flags);
    if (!s->flow || differs(l, "from") || differs(l, "to")) {
        add_field(l, s, FIELD_FROM);
        add_field(l, s, FIELD_TO);
    }
    add_field(l, s, s->has[FIELD_SEQ] && !differs(l, "rawseq") ? FIELD_SEQ : FIELD_RAWSEQ);
    if (s->flags & ACK)
        add_field(l, s, s->has[FIELD_ACK] && !differs(l, "rawack") ? FIELD_ACK : FIELD_RAWACK);
    if (s->v[FIELD_LEN] || differs(l, "len"))
        add_field(l, s, FIELD_LEN);
    add_field(l, s, s->has[FIELD_WIN] && !differs(l, "rawwin") ? FIELD_WIN : FIELD_RAWWIN);
    if (s->flags & URG || differs(l, "urg"))
        add_field(l, s, FIELD_URG);
    add_options(l, s);
}

static void add_fields(struct line *l, const struct seen *s, enum field first, enum field last)
{
    for (int f = first; f <= (int)last; f++)
        add_field(l, s, (enum field)f);
}

static void add_icmp(struct line *l, const struct seen *s)
{
    add(l, differs(l, "type") ? "type" : "code", "icmp %lld/%lld", (long long)s->v[FIELD_TYPE],
        (long long)s->v[FIELD_CODE]);
    add_fields(l, s, FIELD_ICMPID, FIELD_NUM);
    if (s->v[FIELD_MTU] || differs(l, "mtu"))
        add_field(l, s, FIELD_MTU);
    if (!s->about)
        add_field(l, s, FIELD_LEN);
}

static void add_body(struct line *l, const struct seen *s)
{
    switch (s->kind) {
    case KIND_TCP:
        add_tcp(l, s);
        break;
    case KIND_UDP:
        add(l, "packet", "udp");
        add_fields(l, s, FIELD_FROM, FIELD_TO);
        add_field(l, s, FIELD_LEN);
        break;
    case KIND_ICMP:
        add_icmp(l, s);
        break;
    case KIND_ARP:
        add(l, "packet", "arp");
        add_fields(l, s, FIELD_OP, FIELD_TMAC);
        break;
    case KIND_OTHER:
        add(l, "packet", "protocol %lld", (long long)s->v[FIELD_PROTO]);
        add_field(l, s, FIELD_LEN);
        break;
    case KIND_ANY:
        add(l, "packet", "a frame of another kind");
    }
    if (s->bad_sum)
        add(l, "checksum", "(wrong checksum)");
    if (s->malformed)
        add(l, "packet", "(malformed)");
    if (differs(l, "text"))
        add(l, "text", "(other text)");
}

static void write_text(const struct seen *s, const struct differences *d, const char *prefix, char *text,
                       char *under, size_t size)
{
    struct line l = { text, under, 0, size, d, prefix };

    text[0] = '\0';
    if (under)
        under[0] = '\0';
    if (s->kind != KIND_ARP && s->kind != KIND_ANY)
        add_ip(&l, s);
    if (l.n) { /* in brackets, as in a script */
        struct line whole = { text, under, 0, size, d, prefix };
        char ip[256], ip_under[256];
        snprintf(ip, sizeof ip, "%s", text);
        snprintf(ip_under, sizeof ip_under, "%s", under ? under : "");
        add(&whole, "", "[%s]", ip);
        if (under)
            memcpy(under + 1, ip_under, strlen(ip_under));
        l.n = whole.n;
    }
    add_body(&l, s);
    if (s->about && l.n + 8 < size) {
        add(&l, "about", "about {");
        write_text(s->about, d, "quoted ", text + l.n + 1, under ? under + l.n + 1 : NULL, size - l.n - 1);
        text[l.n] = ' ';
        if (under)
            under[l.n] = ' ';
        l.n += 1 + strlen(text + l.n + 1);
        add(&l, "", "}");
    }
}

void seen_text(const struct seen *s, const struct differences *d, char *text, char *under, size_t size)
{
    write_text(s, d, "", text, under, size);
}
