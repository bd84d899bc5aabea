/* sim/script/parser.c - a script's steps, one a line. */
#include "sim/script/parser.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors ---- */

_Noreturn static void leave(struct parser *p, struct place place)
{
    p->error->line = place.line;
    p->error->column = place.column;
    snprintf(p->error->file, sizeof p->error->file, "%s", place.file);
    longjmp(p->out, 1);
}

void parser_fail(struct parser *p, struct place place, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(p->error->text, sizeof p->error->text, fmt, ap);
    va_end(ap);
    leave(p, place);
}

void parser_expected(struct parser *p, const char *what)
{
    const struct token *t = &p->token;
    int n = t->n > 40 ? 40 : (int)t->n;

    if (t->kind == TOKEN_BAD)
        what = t->bad;
    if (t->kind == TOKEN_END || t->kind == TOKEN_NEWLINE)
        parser_fail(p, parser_place(p), "expected %s, and the %s ends here", what,
                    t->kind == TOKEN_END ? "script" : "line");
    parser_fail(p, parser_place(p), "expected %s, found '%.*s'", what, n, t->start);
}

struct place parser_place(const struct parser *p)
{
    return (struct place){ p->file, p->token.line, p->token.column };
}

/* ---- tokens ---- */

void parser_advance(struct parser *p)
{
    p->token = lexer_next(&p->lexer);
    if (p->token.kind == TOKEN_BAD)
        parser_expected(p, p->token.bad);
}

bool parser_at_mark(const struct parser *p, int mark)
{
    return p->token.kind == TOKEN_MARK && p->token.number == mark;
}

bool parser_at_word(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_NAME && p->token.n == strlen(word) &&
           !memcmp(p->token.start, word, p->token.n);
}

bool parser_take_mark(struct parser *p, int mark)
{
    bool here = parser_at_mark(p, mark);

    if (here)
        parser_advance(p);
    return here;
}

bool parser_take_word(struct parser *p, const char *word)
{
    bool here = parser_at_word(p, word);

    if (here)
        parser_advance(p);
    return here;
}

void parser_need_mark(struct parser *p, int mark)
{
    const char text[] = { '\'', (char)mark, '\'', '\0' };

    if (!parser_take_mark(p, mark))
        parser_expected(p, mark == MARK_RANGE ? "'..'" : text);
}

const char *parser_need_name(struct parser *p, const char *what)
{
    const char *name;

    if (p->token.kind != TOKEN_NAME)
        parser_expected(p, what);
    name = arena_copy(p->arena, p->token.start, p->token.n);
    parser_advance(p);
    return name;
}

struct bytes parser_need_bytes(struct parser *p)
{
    struct bytes b = p->token.bytes;

    if (p->token.kind != TOKEN_BYTES)
        parser_expected(p, "\"text\" or x\"01 02\"");
    parser_advance(p);
    return b;
}

void parser_deeper(struct parser *p)
{
    if (++p->nesting > NESTING_MOST)
        parser_expected(p, "fewer brackets");
}

void parser_shallower(struct parser *p)
{
    p->nesting--;
}

/* ---- steps ---- */

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

static void line_end(struct parser *p, bool packet)
{
    if (p->token.kind != TOKEN_END && p->token.kind != TOKEN_NEWLINE)
        parser_expected(p, packet ? "a field of the packet, or the end of the line" : "the end of the line");
}

static void step(struct parser *p)
{
    struct step *s = arena_alloc(p->arena, sizeof *s);

    if (++p->steps > STEPS_MOST)
        parser_expected(p, "fewer steps");
    s->place = parser_place(p);
    s->text = line_of(p, p->token.start);
    when(p, s);
    what(p, s);
    check_when(p, s);
    line_end(p, s->packet != NULL);
    *p->last = s;
    p->last = &s->next;
}

static void parse_text(struct parser *p, const char *file, const char *text, size_t n);
static void lines(struct parser *p, struct place repeated);

/* use snippet; include "file" */
static void include(struct parser *p, bool snippet)
{
    struct place place = parser_place(p);
    const char *name;
    char *text, path[512];
    size_t n = 0;

    if (snippet) {
        name = parser_need_name(p, "the name of a snippet");
    } else {
        struct bytes b = parser_need_bytes(p);
        name = arena_copy(p->arena, b.at, b.n);
    }
    line_end(p, false);
    if (p->includes == INCLUDES_MOST)
        parser_fail(p, place, "files include each other more than %d deep", INCLUDES_MOST);
    text = p->reader ? p->reader->read(p->reader->arg, p->file, name, snippet, &n, path) : NULL;
    if (!text)
        parser_fail(p, place, snippet ? "there is no setup/%s.script here or above" : "cannot read %s", name);
    name = arena_copy(p->arena, text, n);
    free(text);
    p->includes++;
    parse_text(p, arena_copy(p->arena, path, strlen(path)), name, n);
    p->includes--;
}

/* repeat N ... again: the lines between are read N times over, as if they stood there so often. */
static void repeat(struct parser *p)
{
    struct place place = parser_place(p);
    struct lexer body;
    int64_t n;

    if (p->token.kind != TOKEN_NUMBER)
        parser_expected(p, "how often, as a number");
    n = p->token.number;
    parser_advance(p);
    line_end(p, false);
    body = p->lexer;
    parser_deeper(p);
    for (; n > 0; n--) {
        p->lexer = body;
        parser_advance(p);
        lines(p, place);
        if (++p->steps > STEPS_MOST) /* an empty body is work, too */
            parser_fail(p, place, "the script has more than %d steps", STEPS_MOST);
    }
    parser_shallower(p);
    if (p->lexer.at == body.at)
        parser_fail(p, place, "'repeat 0' repeats nothing");
    (void)parser_take_word(p, "again");
    line_end(p, false);
}

/* Up to the end of the text, or of what is repeated since a place. */
static void lines(struct parser *p, struct place repeated)
{
    while (p->token.kind != TOKEN_END) {
        if (p->token.kind == TOKEN_NEWLINE)
            parser_advance(p);
        else if (parser_at_word(p, "again") && repeated.file)
            return;
        else if (parser_take_word(p, "repeat"))
            repeat(p);
        else if (parser_take_word(p, "use"))
            include(p, true);
        else if (parser_take_word(p, "include"))
            include(p, false);
        else
            step(p);
    }
    if (repeated.file)
        parser_fail(p, repeated, "what is repeated has no end: 'again'");
}

static void parse_text(struct parser *p, const char *file, const char *text, size_t n)
{
    struct lexer outer = p->lexer;
    struct token outer_token = p->token;
    const char *outer_file = p->file;

    p->file = file;
    lexer_init(&p->lexer, p->arena, text, n);
    parser_advance(p);
    lines(p, (struct place){ 0 });
    p->lexer = outer;
    p->token = outer_token;
    p->file = outer_file;
}

static bool parse_all(struct parser *p, const char *file, const char *text, size_t n)
{
    if (setjmp(p->out))
        return false;
    parse_text(p, file, text, n);
    return true;
}

struct script *script_parse(const char *file, const char *text, size_t n, const struct script_reader *reader,
                            struct script_error *error)
{
    struct script *s = calloc(1, sizeof *s);
    struct parser *p;

    if (!s)
        abort();
    p = arena_alloc(&s->arena, sizeof *p);
    *p = (struct parser){ .arena = &s->arena, .reader = reader, .error = error, .last = &s->steps };
    s->file = arena_copy(&s->arena, file, strlen(file));
    if (parse_all(p, s->file, text, n))
        return s;
    script_free(s);
    return NULL;
}

void script_free(struct script *s)
{
    arena_free(&s->arena);
    free(s);
}
