/* sim/script/parser.c - a script's lines, and what brings in others: repeat, use, include. Errors leave by
 * longjmp. */
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

/* ---- lines ---- */

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
    parser_line_end(p, false);
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
    parser_line_end(p, false);
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
    parser_line_end(p, false);
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
            parse_step(p);
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
