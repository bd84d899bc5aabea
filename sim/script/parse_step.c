/* sim/script/parse_step.c - one line of a script: when, and what. */
#include "sim/script/parser.h"
#include <string.h>

/* The line that the token at `start` stands on, without a comment behind it. */
static const char *line_of(struct parser *p, const char *start)
{
    const char *end = start;
    bool quoted = false;

    for (; end < p->lexer.end && *end != '\n' && (quoted || *end != '#'); end++)
        quoted ^= *end == '"';
    while (end > start && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
        end--;
    return arena_copy(p->arena, start, (size_t)(end - start));
}

static void when(struct parser *p, struct step *s)
{
    if (parser_take_mark(p, '+'))
        s->when = WHEN_AFTER;
    else if (parser_take_word(p, "at"))
        s->when = WHEN_AT;
    else if (parser_take_word(p, "within"))
        s->when = WHEN_WITHIN;
    else
        return;
    s->time = parse_time(p);
    if (parser_take_mark(p, '~'))
        s->tolerance = parse_time(p);
}

/* peer [flow]: [N x] packet */
static void speech(struct parser *p, struct step *s, int kind)
{
    s->kind = kind;
    s->name = parser_at_mark(p, ':') ? "" : parser_need_name(p, "the name of a flow, or ':'");
    parser_need_mark(p, ':');
    if (p->token.kind == TOKEN_NUMBER || parser_at_mark(p, '(')) {
        s->times = parse_primary(p);
        if (!parser_take_word(p, "x"))
            parser_expected(p, "'x' behind how often the packet is meant");
    }
    s->packet = parse_packet(p);
}

static void step_set(struct parser *p, struct step *s)
{
    struct token t;

    s->kind = STEP_SET;
    s->name = parser_need_name(p, "a knob such as net.ipv4.tcp_timestamps");
    parser_need_mark(p, '=');
    t = p->token;
    if (t.kind == TOKEN_BYTES)
        s->setting = arena_copy(p->arena, t.bytes.at, t.bytes.n);
    else if (t.kind == TOKEN_NUMBER || t.kind == TOKEN_NAME)
        s->setting = arena_copy(p->arena, t.start, t.n);
    else
        parser_expected(p, "a number, a name or \"text\"");
    parser_advance(p);
}

static void step_let(struct parser *p, struct step *s, int kind)
{
    int64_t value;

    s->kind = kind;
    s->place = parser_place(p);
    s->name = parser_need_name(p, "a name");
    if (name_constant(s->name, strlen(s->name), &value))
        parser_fail(p, s->place, "%s is the name of a constant", s->name);
    parser_need_mark(p, '=');
    s->value = parse_expr(p);
}

static void step_check(struct parser *p, struct step *s)
{
    s->kind = STEP_CHECK;
    s->value = parse_expr(p);
    if (!parser_at_mark(p, MARK_EQUAL) && !parser_at_mark(p, MARK_NOT_EQUAL) &&
        !parser_at_mark(p, MARK_LEAST) && !parser_at_mark(p, MARK_MOST))
        parser_expected(p, "==, !=, >= or <=");
    s->match = parse_match(p);
}

/* info(fd): state ESTABLISHED, snd_cwnd >= 10 */
static void step_info(struct parser *p, struct step *s)
{
    const struct info_spec **last = &s->info;

    s->kind = STEP_INFO;
    parser_need_mark(p, '(');
    s->value = parse_expr(p);
    parser_need_mark(p, ')');
    parser_need_mark(p, ':');
    do {
        struct info_spec *i = arena_alloc(p->arena, sizeof *i);

        i->name = p->token.kind == TOKEN_NAME ? info_find(p->token.start, p->token.n) : NULL;
        if (!i->name)
            parser_expected(p, "a member of TCP_INFO: state, rto, snd_cwnd, retransmits, ...");
        parser_advance(p);
        i->value = parse_match(p);
        *last = i;
        last = &i->next;
    } while (parser_take_mark(p, ','));
}

/* network ADDRESS/PREFIX [mtu N] */
static void step_network(struct parser *p, struct step *s)
{
    s->kind = STEP_NETWORK;
    s->value = parse_primary(p);
    parser_need_mark(p, '/');
    if (p->token.kind != TOKEN_NUMBER || p->token.number > 32)
        parser_expected(p, "a prefix, 0 to 32");
    s->prefix = (unsigned)p->token.number;
    parser_advance(p);
    if (parser_take_word(p, "mtu"))
        s->network_mtu = parse_primary(p);
}

static void step_end(struct parser *p, struct step *s)
{
    s->kind = STEP_END;
    s->call.place = parser_place(p);
    if (p->token.kind != TOKEN_NAME)
        parser_expected(p, "the name of a call that was begun");
    s->name = parser_need_name(p, "");
    if (parser_take_mark(p, '='))
        s->call.result = parse_result(p);
    if (parser_take_word(p, "as"))
        s->call.names = parser_need_name(p, "the name of the connection");
}

static void step_begin(struct parser *p, struct step *s)
{
    s->kind = STEP_BEGIN;
    s->name = parser_need_name(p, "a name for the call");
    parser_need_mark(p, ':');
    s->call = parse_call(p);
}

/* call(), or name = call() */
static void step_call(struct parser *p, struct step *s)
{
    struct lexer saved = p->lexer;
    struct token next = p->token.kind == TOKEN_NAME ? lexer_next(&p->lexer) : p->token;
    const char *names = NULL;

    p->lexer = saved;
    s->kind = STEP_CALL;
    if (next.kind == TOKEN_MARK && next.number == '=') {
        names = parser_need_name(p, "a name");
        parser_need_mark(p, '=');
    }
    s->call = parse_call(p);
    s->call.names = names;
}

static void step_time(struct parser *p, struct step *s, int kind)
{
    s->kind = kind;
    s->value = parse_time(p);
}

static void what(struct parser *p, struct step *s)
{
    if (parser_take_word(p, "peer"))
        speech(p, s, STEP_PEER);
    else if (parser_take_word(p, "host"))
        speech(p, s, STEP_HOST);
    else if (parser_take_word(p, "begin"))
        step_begin(p, s);
    else if (parser_take_word(p, "end"))
        step_end(p, s);
    else if (parser_take_word(p, "set"))
        step_set(p, s);
    else if (parser_take_word(p, "let"))
        step_let(p, s, STEP_LET);
    else if (parser_take_word(p, "default"))
        step_let(p, s, STEP_DEFAULT);
    else if (parser_take_word(p, "silence"))
        step_time(p, s, STEP_SILENCE);
    else if (parser_take_word(p, "wait"))
        step_time(p, s, STEP_WAIT);
    else if (parser_take_word(p, "ignore"))
        step_time(p, s, STEP_IGNORE);
    else if (parser_take_word(p, "tolerance"))
        step_time(p, s, STEP_TOLERANCE);
    else if (parser_take_word(p, "check"))
        step_check(p, s);
    else if (parser_take_word(p, "info"))
        step_info(p, s);
    else if (parser_take_word(p, "network"))
        step_network(p, s);
    else if (parser_take_word(p, "noarp"))
        s->kind = STEP_ARP;
    else
        step_call(p, s);
}

/* WITHIN is for what is awaited. */
static void check_when(struct parser *p, const struct step *s)
{
    bool awaited = s->kind == STEP_HOST || s->kind == STEP_END;

    if (s->when == WHEN_WITHIN && !awaited)
        parser_fail(p, s->place, "'within' is for what is awaited: host or end");
    if (s->tolerance && !awaited)
        parser_fail(p, s->place, "a tolerance is for what is awaited: host or end");
}

void parser_line_end(struct parser *p, bool packet)
{
    if (p->token.kind != TOKEN_END && p->token.kind != TOKEN_NEWLINE)
        parser_expected(p, packet ? "a field of the packet, or the end of the line" : "the end of the line");
}

void parse_step(struct parser *p)
{
    struct step *s = arena_alloc(p->arena, sizeof *s);

    if (++p->steps > STEPS_MOST)
        parser_expected(p, "fewer steps");
    s->place = parser_place(p);
    s->text = line_of(p, p->token.start);
    when(p, s);
    what(p, s);
    check_when(p, s);
    parser_line_end(p, s->packet != NULL);
    *p->last = s;
    p->last = &s->next;
}
