/* sim/script/lexer.c - tokens: names, numbers (with a unit: times; addresses and MACs too), bytes, marks. */
#include "sim/script/lexer.h"
#include <ctype.h>
#include <string.h>

void lexer_init(struct lexer *lx, struct arena *a, const char *text, size_t n)
{
    *lx = (struct lexer){ .at = text, .end = text + n, .line_start = text, .line = 1, .arena = a };
}

static int ahead(const struct lexer *lx, size_t i)
{
    return (size_t)(lx->end - lx->at) > i ? (unsigned char)lx->at[i] : 0;
}

static bool is_word(int c)
{
    return isalnum(c) || c == '_';
}

static void next_line(struct lexer *lx)
{
    lx->at++;
    lx->line++;
    lx->line_start = lx->at;
}

/* Spaces, comments, and the ends of lines that do not end a step. */
static void skip_blank(struct lexer *lx)
{
    while (lx->at < lx->end) {
        int c = ahead(lx, 0);

        if (c == '\\' && ahead(lx, 1) == '\n') {
            lx->at++;
            next_line(lx);
        } else if (c == '\n' && lx->depth > 0) {
            next_line(lx);
        } else if (c == '#') {
            while (lx->at < lx->end && *lx->at != '\n')
                lx->at++;
        } else if (c == ' ' || c == '\t' || c == '\r') {
            lx->at++;
        } else {
            return;
        }
    }
}

static struct token finish(struct lexer *lx, struct token t, size_t n)
{
    t.n = n;
    lx->at = t.start + n;
    return t;
}

static struct token bad(struct lexer *lx, struct token t, const char *why)
{
    t.kind = TOKEN_BAD;
    t.bad = why;
    return finish(lx, t, 1);
}

/* ---- numbers ---- */

static int64_t unit_of(const char *name, size_t n)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = { { "ns", 1 },
                  { "us", 1000 },
                  { "ms", 1000000 },
                  { "s", 1000000000 },
                  { "min", 60000000000 },
                  { "h", 3600000000000 },
                  { "d", 86400000000000 } };

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == n && !memcmp(units[i].name, name, n))
            return units[i].ns;
    return 0;
}

/* Digits in a base; false: there are none, or the number is too large. */
static bool digits(const struct lexer *lx, size_t *i, int base, int64_t *value)
{
    size_t begin = *i;
    int64_t v = 0;

    for (; isxdigit(ahead(lx, *i)); (*i)++) {
        int c = tolower(ahead(lx, *i)), digit = isdigit(c) ? c - '0' : c - 'a' + 10;
        if (digit >= base)
            break;
        if (v > (INT64_MAX - digit) / base)
            return false;
        v = v * base + digit;
    }
    *value = v;
    return *i > begin;
}

/* Six pairs with colons. */
static bool mac_here(const struct lexer *lx, int64_t *value)
{
    int64_t v = 0;

    for (size_t i = 0; i < 6; i++) {
        size_t at = i * 3;
        int64_t byte;
        size_t end = at;

        if (!isxdigit(ahead(lx, at)) || !isxdigit(ahead(lx, at + 1)) || isxdigit(ahead(lx, at + 2)))
            return false;
        if (i < 5 && ahead(lx, at + 2) != ':')
            return false;
        digits(lx, &end, 16, &byte);
        v = v << 8 | byte;
    }
    *value = v;
    return !is_word(ahead(lx, 17));
}

/* Four numbers with dots; *n: how long. */
static bool address_here(const struct lexer *lx, size_t *n, int64_t *value)
{
    int64_t v = 0;
    size_t i = 0;

    for (int part = 0; part < 4; part++) {
        int64_t byte;

        if (part && ahead(lx, i++) != '.')
            return false;
        if (!digits(lx, &i, 10, &byte) || byte > 255)
            return false;
        v = v << 8 | byte;
    }
    *value = v;
    *n = i;
    return !is_word(ahead(lx, i));
}

/* What stands behind the point of "1.5s", in units of ns. */
static int64_t fraction(const struct lexer *lx, size_t *i, int64_t unit)
{
    int64_t v = 0;

    for (; isdigit(ahead(lx, *i)); (*i)++) {
        unit /= 10;
        v += (ahead(lx, *i) - '0') * unit;
    }
    return v;
}

static struct token number(struct lexer *lx, struct token t)
{
    size_t i = 0, n, point;
    int64_t unit;
    bool has_point;

    t.kind = TOKEN_NUMBER;
    if (mac_here(lx, &t.number))
        return finish(lx, t, 17);
    if (address_here(lx, &n, &t.number))
        return finish(lx, t, n);
    if (ahead(lx, 0) == '0' && (ahead(lx, 1) | 32) == 'x') {
        i = 2;
        return digits(lx, &i, 16, &t.number) ? finish(lx, t, i) : bad(lx, t, "a hexadecimal number");
    }
    if (!digits(lx, &i, 10, &t.number))
        return bad(lx, t, "a number that is not so large");
    point = i;
    has_point = ahead(lx, i) == '.' && isdigit(ahead(lx, i + 1));
    for (i += has_point; has_point && isdigit(ahead(lx, i)); i++)
        ;
    for (n = 0; isalpha(ahead(lx, i + n)); n++)
        ;
    unit = unit_of(lx->at + i, n);
    if (!unit)
        return has_point ? bad(lx, t, "a unit behind the fraction: ns, us, ms, s, min, h, d")
                         : finish(lx, t, point);
    if (__builtin_mul_overflow(t.number, unit, &t.number))
        return bad(lx, t, "a time that is not so long");
    t.kind = TOKEN_TIME;
    if (has_point && __builtin_add_overflow(t.number, fraction(lx, &(size_t){ point + 1 }, unit), &t.number))
        return bad(lx, t, "a time that is not so long");
    return finish(lx, t, i + n);
}

/* ---- bytes ---- */

static int hex_pair(const char *at, const char *end)
{
    int v = 0;

    for (int i = 0; i < 2; i++) {
        int c = at + i < end ? tolower((unsigned char)at[i]) : 0;
        if (!isxdigit(c))
            return -1;
        v = v * 16 + (isdigit(c) ? c - '0' : c - 'a' + 10);
    }
    return v;
}

/* The character behind a backslash at *at; -1: there is no such escape. */
static int escape(const char **at, const char *end)
{
    static const char names[] = "nrt0\\\"", means[] = "\n\r\t\0\\\"";
    int c = *at < end ? *(*at)++ : 0;
    const char *found = c ? strchr(names, c) : NULL;
    int v;

    if (found)
        return means[found - names];
    if (c != 'x')
        return -1;
    v = hex_pair(*at, end);
    *at += 2;
    return v;
}

/* "text", or x"00 ff" with hexadecimal pairs. */
static struct token quoted(struct lexer *lx, struct token t, bool hex)
{
    const char *at = lx->at + 1 + hex, *close = at;
    uint8_t *out;
    size_t n = 0;

    while (close < lx->end && *close != '"' && *close != '\n')
        close += *close == '\\' && !hex && close + 1 < lx->end ? 2 : 1;
    if (close >= lx->end || *close != '"')
        return bad(lx, t, "a closing \" on the same line");
    out = (uint8_t *)arena_alloc(lx->arena, (size_t)(close - at) + 1);
    while (at < close) {
        int c = (unsigned char)*at;

        if (hex && c == ' ') {
            at++;
            continue;
        }
        if (hex) {
            c = hex_pair(at, close);
            at += 2;
        } else {
            at++;
            if (c == '\\')
                c = escape(&at, close);
        }
        if (c < 0)
            return bad(lx, t, hex ? "pairs of hexadecimal digits" : "one of \\n \\r \\t \\0 \\\\ \\\" \\xNN");
        out[n++] = (uint8_t)c;
    }
    t.kind = TOKEN_BYTES;
    t.bytes = (struct bytes){ out, n };
    return finish(lx, t, (size_t)(close + 1 - t.start));
}

/* ---- the others ---- */

/* A dot belongs to a name when a letter follows: net.ipv4.tcp_sack. */
static struct token name(struct lexer *lx, struct token t)
{
    size_t n = 0;

    while (is_word(ahead(lx, n)) || (ahead(lx, n) == '.' && isalpha(ahead(lx, n + 1))))
        n++;
    t.kind = TOKEN_NAME;
    return finish(lx, t, n);
}

static struct token mark(struct lexer *lx, struct token t)
{
    static const struct {
        const char *text;
        int mark;
    } marks[] = { { "...", MARK_MORE },     { "..", MARK_RANGE }, { "==", MARK_EQUAL },
                  { "!=", MARK_NOT_EQUAL }, { ">=", MARK_LEAST }, { "<=", MARK_MOST } };
    int c = ahead(lx, 0);

    t.kind = TOKEN_MARK;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        size_t n = strlen(marks[i].text);
        if ((size_t)(lx->end - lx->at) >= n && !memcmp(lx->at, marks[i].text, n)) {
            t.number = marks[i].mark;
            return finish(lx, t, n);
        }
    }
    if (!c || !strchr("()[]{}<>,:=+-*/|!?~", c))
        return bad(lx, t, "something else than this character");
    if (strchr("([{", c))
        lx->depth++;
    if (strchr(")]}", c) && lx->depth > 0)
        lx->depth--;
    t.number = c;
    return finish(lx, t, 1);
}

struct token lexer_next(struct lexer *lx)
{
    struct token t = { 0 };
    int64_t unused;
    int c;

    skip_blank(lx);
    t.line = lx->line;
    t.column = (int)(lx->at - lx->line_start) + 1;
    t.start = lx->at;
    c = ahead(lx, 0);
    if (lx->at >= lx->end)
        return t;
    if (c == '\n') {
        t.kind = TOKEN_NEWLINE;
        t.n = 1;
        next_line(lx);
        return t;
    }
    if (c == '"' || (c == 'x' && ahead(lx, 1) == '"'))
        return quoted(lx, t, c == 'x');
    if (isdigit(c) || (isxdigit(c) && mac_here(lx, &unused)))
        return number(lx, t);
    if (isalpha(c) || c == '_')
        return name(lx, t);
    return mark(lx, t);
}
