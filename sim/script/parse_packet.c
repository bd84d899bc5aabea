/* sim/script/parse_packet.c - a packet: [IP header] then TCP's flags, or udp, icmp, arp, protocol; its fields
 * in any order; <options>; "text". */
#include "sim/script/parser.h"
#include <string.h>

static bool word_is(const struct token *t, const char *word)
{
    return t->kind == TOKEN_NAME && t->n == strlen(word) && !memcmp(t->start, word, t->n);
}

static const struct expr *constant(struct parser *p, int64_t number)
{
    struct expr *e = arena_alloc(p->arena, sizeof *e);

    e->place = parser_place(p);
    e->number = number;
    return e;
}

static struct match is(struct parser *p, int64_t number)
{
    return (struct match){ .kind = MATCH_IS, .a = constant(p, number) };
}

/* ---- [the IP header] ---- */

/* What is no field with a number. False: it is none of these. */
static bool ip_extra(struct parser *p, struct packet_spec *s)
{
    if (parser_take_word(p, "badsum")) {
        s->bad_ip_sum = true;
    } else if (parser_take_word(p, "options")) {
        s->has_ip_options = true;
        s->ip_options = parser_need_bytes(p);
        if (s->ip_options.n > 40 || s->ip_options.n % 4)
            parser_fail(p, s->place, "IP options are whole words, at most 40 bytes");
    } else if (parser_take_word(p, "part")) {
        s->has_part = true;
        s->part_from = parse_primary(p);
        parser_need_mark(p, MARK_RANGE);
        if (parser_at_value(p) && !parser_at_mark(p, ','))
            s->part_to = parse_primary(p);
    } else {
        return false;
    }
    return true;
}

static void ip_field(struct parser *p, struct packet_spec *s)
{
    bool absent = parser_take_mark(p, '!');
    enum field f;

    if (!absent && ip_extra(p, s))
        return;
    f = p->token.kind == TOKEN_NAME ? field_find(LAYER_IP, p->token.start, p->token.n) : FIELD_COUNT;
    if (f == FIELD_COUNT || (absent && field_names[f].style != FLAG))
        parser_expected(p, absent ? "df or more"
                                  : "a field of the IP header: ver ihl tos total id df more offset "
                                    "ttl protocol src dst options part mac pad cut badsum");
    parser_advance(p);
    s->fields[f] = field_names[f].style == FLAG ? is(p, !absent) : parse_match(p);
}

static void ip_header(struct parser *p, struct packet_spec *s)
{
    if (!parser_take_mark(p, '['))
        return;
    while (!parser_take_mark(p, ']')) {
        ip_field(p, s);
        (void)parser_take_mark(p, ',');
    }
}

/* ---- <options> ---- */

static const struct {
    const char *name;
    int kind;
} option_names[] = { { "mss", OPT_MSS },   { "wscale", OPT_WSCALE }, { "sackOK", OPT_SACKOK },
                     { "sack", OPT_SACK }, { "ts", OPT_TS },         { "nop", OPT_NOP },
                     { "eol", OPT_END },   { "kind", OPT_OTHER },    { "raw", OPT_RAW } };

static void sack_blocks(struct parser *p, struct option_spec *o)
{
    do {
        if (o->blocks == 4)
            parser_expected(p, "no fifth block");
        o->left[o->blocks] = parse_match(p);
        parser_need_mark(p, ':');
        o->right[o->blocks++] = parse_match(p);
    } while (parser_at_value(p));
}

/* What belongs to the option besides its name. */
static void option_values(struct parser *p, struct option_spec *o)
{
    switch (o->kind) {
    case OPT_MSS:
    case OPT_WSCALE:
        o->a = parse_match(p);
        break;
    case OPT_SACK:
        sack_blocks(p, o);
        break;
    case OPT_TS:
        o->a = parse_match(p);
        if (parser_take_word(p, "ecr"))
            o->b = parse_match(p);
        break;
    case OPT_OTHER:
        o->a = parse_match(p);
        if (p->token.kind == TOKEN_BYTES)
            o->bytes = parser_need_bytes(p);
        break;
    case OPT_RAW:
        o->bytes = parser_need_bytes(p);
        break;
    case OPT_END:
    case OPT_NOP:
    case OPT_SACKOK:
        break;
    }
    if (o->bytes.n > 38)
        parser_fail(p, parser_place(p), "TCP has room for 40 bytes of options");
}

static struct option_spec *option(struct parser *p)
{
    struct option_spec *o = arena_alloc(p->arena, sizeof *o);

    o->absent = parser_take_mark(p, '!');
    for (size_t i = 0; i < sizeof option_names / sizeof *option_names; i++)
        if (parser_take_word(p, option_names[i].name)) {
            o->kind = option_names[i].kind;
            if (!o->absent)
                option_values(p, o);
            else if (o->kind == OPT_OTHER)
                o->a = parse_match(p);
            return o;
        }
    parser_expected(p, "an option: mss wscale sackOK sack ts nop eol kind raw, or ...");
}

static void options(struct parser *p, struct packet_spec *s)
{
    const struct option_spec **last = &s->options;

    if (s->options_given)
        parser_expected(p, "no second list of options");
    s->options_given = true;
    parser_need_mark(p, '<');
    while (!parser_take_mark(p, '>')) {
        if (parser_take_mark(p, MARK_MORE)) {
            s->options_open = true;
        } else {
            struct option_spec *o = option(p);
            *last = o;
            last = &o->next;
        }
        (void)parser_take_mark(p, ',');
    }
}

/* ---- what follows ---- */

static void about(struct parser *p, struct packet_spec *s)
{
    parser_need_mark(p, '{');
    parser_deeper(p);
    s->about = parse_packet(p);
    parser_shallower(p);
    parser_need_mark(p, '}');
    if (s->about->kind == KIND_ANY || s->about->kind == KIND_ARP)
        parser_fail(p, s->about->place, "only an IP packet of a known kind can be quoted");
}

static bool text(struct parser *p, struct packet_spec *s)
{
    if (p->token.kind != TOKEN_BYTES || s->kind == KIND_ARP || s->kind == KIND_ANY)
        return false;
    s->has_text = true;
    s->text = parser_need_bytes(p);
    if (s->fields[FIELD_LEN].kind == MATCH_UNSET)
        s->fields[FIELD_LEN] = is(p, (int64_t)s->text.n);
    return true;
}

/* One more field; false: the packet ends here. */
static bool field(struct parser *p, struct packet_spec *s)
{
    enum field f;

    if (text(p, s))
        return true;
    if (s->kind == KIND_TCP && parser_at_mark(p, '<')) {
        options(p, s);
        return true;
    }
    if (s->kind == KIND_ICMP && parser_take_word(p, "about")) {
        about(p, s);
        return true;
    }
    if (s->kind != KIND_ARP && parser_take_word(p, "badsum"))
        return s->bad_sum = true;
    if (s->kind == KIND_UDP && parser_take_word(p, "nosum"))
        return s->no_sum = true;
    if (p->token.kind != TOKEN_NAME || s->kind == KIND_ANY)
        return false;
    f = field_find(field_layer_of(s->kind), p->token.start, p->token.n);
    if (f == FIELD_COUNT)
        return false;
    parser_advance(p);
    s->fields[f] = parse_match(p);
    return true;
}

static bool flag(struct parser *p, struct packet_spec *s)
{
    uint8_t bit = p->token.kind == TOKEN_NAME ? name_tcp_flag(p->token.start, p->token.n) : 0;

    if (!bit)
        return false;
    parser_advance(p);
    if (parser_take_mark(p, '?'))
        s->flags_free |= bit;
    else
        s->flags |= bit;
    return true;
}

static void icmp_type(struct parser *p, struct packet_spec *s)
{
    static const struct {
        const char *name;
        int type;
    } names[] = { { "echo", 8 }, { "reply", 0 } };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (parser_take_word(p, names[i].name)) {
            s->fields[FIELD_TYPE] = is(p, names[i].type);
            s->fields[FIELD_CODE] = is(p, 0);
            return;
        }
    s->fields[FIELD_TYPE] = (struct match){ .kind = MATCH_IS, .a = parse_primary(p) };
    parser_need_mark(p, '/');
    s->fields[FIELD_CODE] = (struct match){ .kind = MATCH_IS, .a = parse_primary(p) };
}

static void arp_op(struct parser *p, struct packet_spec *s)
{
    if (parser_take_word(p, "request"))
        s->fields[FIELD_OP] = is(p, 1);
    else if (parser_take_word(p, "reply"))
        s->fields[FIELD_OP] = is(p, 2);
    else if (p->token.kind == TOKEN_NUMBER)
        s->fields[FIELD_OP] = parse_match(p);
    else
        parser_expected(p, "request, reply or a number");
}

/* Which kind of packet, and what only that kind begins with. */
static void head(struct parser *p, struct packet_spec *s)
{
    if (parser_take_word(p, "any")) {
        s->kind = KIND_ANY;
    } else if (parser_take_word(p, "udp")) {
        s->kind = KIND_UDP;
    } else if (parser_take_word(p, "icmp")) {
        s->kind = KIND_ICMP;
        icmp_type(p, s);
    } else if (parser_take_word(p, "arp")) {
        s->kind = KIND_ARP;
        arp_op(p, s);
    } else if (parser_take_word(p, "protocol")) {
        s->kind = KIND_OTHER;
        s->fields[FIELD_PROTO] = parse_match(p);
    } else if (parser_take_word(p, "tcp")) {
        s->kind = KIND_TCP;
        s->any_flags = true;
    } else if (parser_take_word(p, "noflags")) {
        s->kind = KIND_TCP;
    } else if (flag(p, s)) {
        s->kind = KIND_TCP;
        while (flag(p, s))
            ;
    } else {
        parser_expected(p, "a packet: TCP's flags, noflags, tcp, udp, icmp, protocol, arp or any");
    }
}

const struct packet_spec *parse_packet(struct parser *p)
{
    struct packet_spec *s = arena_alloc(p->arena, sizeof *s);

    s->place = parser_place(p);
    ip_header(p, s);
    if (word_is(&p->token, "arp") && s->fields[FIELD_SRC].kind != MATCH_UNSET)
        parser_expected(p, "a packet with an IP header");
    head(p, s);
    while (field(p, s))
        ;
    return s;
}
