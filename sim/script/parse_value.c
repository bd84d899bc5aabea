/* sim/script/parse_value.c - expressions, and what a value must be. */
#include "sim/script/parser.h"
#include <string.h>

static struct expr *make(struct parser *p, int kind)
{
    struct expr *e = arena_alloc(p->arena, sizeof *e);

    e->kind = kind;
    e->place = parser_place(p);
    return e;
}

/* isn(flow), counter("Tcp.RetransSegs"), now(), packets() */
static const struct expr *function(struct parser *p, struct expr *e)
{
    static const char *const known[] = { "isn", "counter", "now", "packets" };
    bool found = false;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        found = found || !strcmp(e->name, known[i]);
    if (!found)
        parser_fail(p, e->place, "there is no function %s(): isn(), counter(), now() or packets()", e->name);
    e->kind = EXPR_FUNCTION;
    parser_need_mark(p, '(');
    if (p->token.kind == TOKEN_BYTES) {
        struct bytes b = parser_need_bytes(p);
        e->argument = arena_copy(p->arena, b.at, b.n);
    } else if (p->token.kind == TOKEN_NAME) {
        e->argument = parser_need_name(p, "a name");
    }
    parser_need_mark(p, ')');
    return e;
}

const struct expr *parse_primary(struct parser *p)
{
    struct expr *e;
    const struct expr *inner;

    if (parser_take_mark(p, '(')) {
        parser_deeper(p);
        inner = parse_expr(p);
        parser_shallower(p);
        parser_need_mark(p, ')');
        return inner;
    }
    if (parser_at_mark(p, '-')) {
        e = make(p, EXPR_NEGATE);
        parser_advance(p);
        parser_deeper(p);
        e->a = parse_primary(p);
        parser_shallower(p);
        return e;
    }
    if (p->token.kind == TOKEN_NUMBER || p->token.kind == TOKEN_TIME) {
        e = make(p, EXPR_NUMBER);
        e->number = p->token.number;
        parser_advance(p);
        return e;
    }
    if (p->token.kind != TOKEN_NAME)
        parser_expected(p, "a value");
    e = make(p, EXPR_NAME);
    e->name = parser_need_name(p, "a value");
    return parser_at_mark(p, '(') ? function(p, e) : e;
}

/* Operators of one level, from the left. */
static const struct expr *binary(struct parser *p, const char *operators,
                                 const struct expr *(*operand)(struct parser *p))
{
    const struct expr *left = operand(p);

    while (p->token.kind == TOKEN_MARK && p->token.number < 128 && strchr(operators, (int)p->token.number)) {
        struct expr *e = make(p, EXPR_BINARY);
        e->number = p->token.number;
        parser_advance(p);
        e->a = left;
        e->b = operand(p);
        left = e;
    }
    return left;
}

static const struct expr *product(struct parser *p)
{
    return binary(p, "*/", parse_primary);
}

static const struct expr *sum(struct parser *p)
{
    return binary(p, "+-", product);
}

const struct expr *parse_expr(struct parser *p)
{
    return binary(p, "|", sum);
}

const struct expr *parse_time(struct parser *p)
{
    if (p->token.kind == TOKEN_NUMBER && p->token.number != 0)
        parser_expected(p, "a time with its unit, such as 200ms or 3s");
    return parse_primary(p);
}

bool parser_at_value(const struct parser *p)
{
    return p->token.kind == TOKEN_NUMBER || p->token.kind == TOKEN_TIME || p->token.kind == TOKEN_NAME ||
           parser_at_mark(p, '(') || parser_at_mark(p, '-') || parser_at_mark(p, MARK_LEAST) ||
           parser_at_mark(p, MARK_MOST) || parser_at_mark(p, MARK_EQUAL) || parser_at_mark(p, MARK_NOT_EQUAL);
}

struct match parse_match(struct parser *p)
{
    struct match m = { .kind = MATCH_IS };

    if (parser_take_word(p, "any"))
        return (struct match){ .kind = MATCH_ANY };
    if (parser_take_mark(p, MARK_LEAST))
        m.kind = MATCH_LEAST;
    else if (parser_take_mark(p, MARK_MOST))
        m.kind = MATCH_MOST;
    else if (parser_take_mark(p, MARK_NOT_EQUAL))
        m.kind = MATCH_NOT;
    else
        (void)parser_take_mark(p, MARK_EQUAL);
    m.a = parse_expr(p);
    if (m.kind == MATCH_IS && parser_take_mark(p, MARK_RANGE)) {
        m.kind = MATCH_RANGE;
        m.b = parse_expr(p);
    }
    return m;
}

bool parser_at_address(struct parser *p)
{
    struct lexer saved = p->lexer;
    struct token next;

    if (parser_at_mark(p, ':'))
        return true;
    if (p->token.kind != TOKEN_NAME && p->token.kind != TOKEN_NUMBER)
        return false;
    next = lexer_next(&p->lexer);
    p->lexer = saved;
    return next.kind == TOKEN_MARK && next.number == ':';
}

struct address_spec parse_address(struct parser *p)
{
    struct address_spec a = { 0 };

    if (!parser_at_mark(p, ':') && !parser_take_word(p, "any"))
        a.ip = parse_primary(p);
    parser_need_mark(p, ':');
    if (!parser_take_word(p, "any"))
        a.port = parse_expr(p);
    return a;
}
