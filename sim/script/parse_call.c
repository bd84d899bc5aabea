/* sim/script/parse_call.c - a socket call with its arguments, and what it must return. */
#include "sim/script/parser.h"

static struct argument argument(struct parser *p)
{
    struct argument a = { .place = parser_place(p) };

    if (p->token.kind == TOKEN_BYTES) {
        a.kind = ARG_BYTES;
        a.bytes = parser_need_bytes(p);
    } else if (parser_take_mark(p, '{')) {
        a.kind = ARG_PAIR;
        a.a = parse_expr(p);
        parser_need_mark(p, ',');
        a.b = parse_expr(p);
        parser_need_mark(p, '}');
    } else if (parser_at_address(p)) {
        a.kind = ARG_ADDRESS;
        a.address = parse_address(p);
    } else {
        a.kind = ARG_VALUE;
        a.a = parse_expr(p);
    }
    return a;
}

static void arguments(struct parser *p, struct call_spec *c)
{
    struct place end;

    parser_need_mark(p, '(');
    if (!parser_at_mark(p, ')'))
        do {
            if (c->n == ARGUMENTS_MOST)
                parser_expected(p, "no more arguments");
            c->arguments[c->n++] = argument(p);
        } while (parser_take_mark(p, ','));
    end = parser_place(p);
    parser_need_mark(p, ')');
    if (c->n < c->name->least || c->n > c->name->most)
        parser_fail(p, end, "%s() takes %u to %u arguments here, not %u", c->name->name, c->name->least,
                    c->name->most, c->n);
}

struct result_spec parse_result(struct parser *p)
{
    struct result_spec r = { 0 };

    if (p->token.kind == TOKEN_BYTES) {
        r.has_text = true;
        r.text = parser_need_bytes(p);
    } else if (parser_at_address(p)) {
        r.has_address = true;
        r.address = parse_address(p);
    } else {
        r.value = parse_match(p);
    }
    if (parser_take_word(p, "from")) {
        r.has_address = true;
        r.address = parse_address(p);
    }
    return r;
}

struct call_spec parse_call(struct parser *p)
{
    struct call_spec c = { .place = parser_place(p) };

    c.name = p->token.kind == TOKEN_NAME ? call_find(p->token.start, p->token.n) : NULL;
    if (!c.name)
        parser_expected(
            p, "a step: peer, host, a call such as read(), begin, end, set, let, silence, check, ...");
    parser_advance(p);
    arguments(p, &c);
    if (parser_take_mark(p, '='))
        c.result = parse_result(p);
    else if (parser_take_word(p, "from")) {
        c.result.has_address = true;
        c.result.address = parse_address(p);
    }
    return c;
}
