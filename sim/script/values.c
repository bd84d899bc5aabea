/* sim/script/values.c - variables and the arithmetic of scripts, which wraps around rather than overflow. */
#include "sim/script/values.h"
#include "sim/script/names.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct variable {
    struct variable *next;
    const char *name;
    int64_t value;
};

static struct variable *find(const struct values *v, const char *name)
{
    struct variable *x = v->variables;

    while (x && strcmp(x->name, name))
        x = x->next;
    return x;
}

void values_set(struct values *v, const char *name, int64_t value)
{
    struct variable *x = find(v, name);

    if (!x) {
        x = arena_alloc(v->arena, sizeof *x);
        x->name = name;
        x->next = v->variables;
        v->variables = x;
    }
    x->value = value;
}

bool values_get(const struct values *v, const char *name, int64_t *value)
{
    const struct variable *x = find(v, name);

    if (x)
        *value = x->value;
    return x != NULL;
}

static int64_t fail(struct values *v, const struct expr *e, const char *fmt, ...)
{
    va_list ap;

    if (v->failed)
        return 0;
    v->failed = true;
    v->failed_at = e->place;
    va_start(ap, fmt);
    vsnprintf(v->why, sizeof v->why, fmt, ap);
    va_end(ap);
    return 0;
}

static int64_t name(struct values *v, const struct expr *e)
{
    int64_t value;

    if (values_get(v, e->name, &value) || name_constant(e->name, strlen(e->name), &value) ||
        (v->function && v->function(v->arg, e->name, NULL, &value)))
        return value;
    return fail(v, e, "%s has no value", e->name);
}

static int64_t binary(struct values *v, const struct expr *e)
{
    uint64_t a = (uint64_t)values_of(v, e->a), b = (uint64_t)values_of(v, e->b);

    switch (e->number) {
    case '+':
        return (int64_t)(a + b);
    case '-':
        return (int64_t)(a - b);
    case '*':
        return (int64_t)(a * b);
    case '|':
        return (int64_t)(a | b);
    default:
        if ((int64_t)b <= 0)
            return fail(v, e, "division by what is not above 0");
        return (int64_t)a / (int64_t)b;
    }
}

int64_t values_of(struct values *v, const struct expr *e)
{
    int64_t value;

    switch (e->kind) {
    case EXPR_NUMBER:
        return e->number;
    case EXPR_NAME:
        return name(v, e);
    case EXPR_NEGATE:
        return (int64_t)(0 - (uint64_t)values_of(v, e->a));
    case EXPR_BINARY:
        return binary(v, e);
    case EXPR_FUNCTION:
        break;
    }
    if (v->function && v->function(v->arg, e->name, e->argument ? e->argument : "", &value))
        return value;
    return fail(v, e, "%s(%s) has no value", e->name, e->argument ? e->argument : "");
}

bool values_match(struct values *v, const struct match *m, int64_t got)
{
    int64_t a = m->a ? values_of(v, m->a) : 0, b = m->b ? values_of(v, m->b) : 0;

    switch (m->kind) {
    case MATCH_UNSET:
    case MATCH_ANY:
        return true;
    case MATCH_IS:
        return got == a;
    case MATCH_NOT:
        return got != a;
    case MATCH_LEAST:
        return got >= a;
    case MATCH_MOST:
        return got <= a;
    case MATCH_RANGE:
        return got >= a && got <= b;
    }
    return false;
}

void value_text(int64_t value, int style, char *text, size_t size)
{
    uint64_t u = (uint64_t)value;

    if (style == ADDRESS)
        snprintf(text, size, "%u.%u.%u.%u", (unsigned)(u >> 24 & 255), (unsigned)(u >> 16 & 255),
                 (unsigned)(u >> 8 & 255), (unsigned)(u & 255));
    else if (style == MAC)
        snprintf(text, size, "%02x:%02x:%02x:%02x:%02x:%02x", (unsigned)(u >> 40 & 255),
                 (unsigned)(u >> 32 & 255), (unsigned)(u >> 24 & 255), (unsigned)(u >> 16 & 255),
                 (unsigned)(u >> 8 & 255), (unsigned)(u & 255));
    else if (style == HEX)
        snprintf(text, size, "%#llx", (unsigned long long)u);
    else
        snprintf(text, size, "%lld", (long long)value);
}

void values_describe(struct values *v, const struct match *m, int style, char *text, size_t size)
{
    static const char *const before[] = { [MATCH_IS] = "",
                                          [MATCH_NOT] = "anything but ",
                                          [MATCH_LEAST] = ">= ",
                                          [MATCH_MOST] = "<= ",
                                          [MATCH_RANGE] = "" };
    char a[40], b[40] = "";

    if (m->kind == MATCH_UNSET || m->kind == MATCH_ANY) {
        snprintf(text, size, "any");
        return;
    }
    value_text(values_of(v, m->a), style, a, sizeof a);
    if (m->b)
        value_text(values_of(v, m->b), style, b, sizeof b);
    snprintf(text, size, "%s%s%s%s", before[m->kind], a, m->b ? ".." : "", b);
}

void time_text(int64_t ns, char *text, size_t size)
{
    uint64_t us = (uint64_t)(ns < 0 ? -ns : ns) / 1000;

    snprintf(text, size, "%s%llu.%06llu", ns < 0 ? "-" : "", (unsigned long long)(us / 1000000),
             (unsigned long long)(us % 1000000));
}
