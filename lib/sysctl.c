/* lib/sysctl.c - knobs as text: printing and reading them, by their kind. */
#include "lib/sysctl.h"
#include "lib/abi/errno.h"
#include "lib/format.h"
#include "lib/string.h"

enum { NS_PER_MS = 1000000, NS_PER_SECOND = 1000000000 };

static int64_t unit_of(enum sysctl_kind kind)
{
    return kind == SYSCTL_KIND_MS ? NS_PER_MS : kind == SYSCTL_KIND_SECONDS ? NS_PER_SECOND : 1;
}

/* ---- reading ---- */

static int64_t number(const struct sysctl *s, const void *field, unsigned i)
{
    switch (s->kind) {
    case SYSCTL_KIND_INT:
        return READ_ONCE(((const int32_t *)field)[i]);
    case SYSCTL_KIND_BOOL:
        return READ_ONCE(*(const bool *)field);
    default:
        return (int64_t)(READ_ONCE(*(const uint64_t *)field) / (uint64_t)unit_of(s->kind));
    }
}

static int print_numbers(const struct sysctl *s, const void *field, char *buf, size_t size)
{
    int len = 0;
    for (unsigned i = 0; i < s->n; i++) {
        size_t left = (size_t)len < size ? size - (size_t)len : 0;
        len +=
            ksnprintf(left ? buf + len : NULL, left, "%s%lld", i ? "\t" : "", (long long)number(s, field, i));
    }
    return len;
}

int sysctl_read(const struct sysctl *s, const void *base, char *buf, size_t size)
{
    char text[SYSCTL_TEXT_MAX + 1] = "";
    const void *field = (const uint8_t *)base + s->offset;
    if (s->show)
        s->show(base, text, sizeof text);
    else if (s->kind == SYSCTL_KIND_TEXT)
        ksnprintf(text, sizeof text, "%.*s", (int)s->n, (const char *)field);
    else
        print_numbers(s, field, text, sizeof text);
    return ksnprintf(buf, size, "%s\n", text);
}

/* ---- writing ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static int digit(char c, unsigned base)
{
    int d = c >= '0' && c <= '9'   ? c - '0'
            : c >= 'a' && c <= 'f' ? c - 'a' + 10
            : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                   : 16;
    return d < (int)base ? d : -1;
}

/* The number at *p, which moves behind it. False: there is none, or too large a one. */
static bool parse_number(const char **p, const char *end, int64_t *value)
{
    const char *s = *p;
    bool negative = s < end && *s == '-';
    s += negative;
    bool hex = end - s > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'X');
    const char *digits = s += hex ? 2 : 0;
    uint64_t v = 0;
    for (int d; s < end && (d = digit(*s, hex ? 16 : 10)) >= 0; s++)
        if (__builtin_mul_overflow(v, hex ? 16u : 10u, &v) || __builtin_add_overflow(v, (uint64_t)d, &v))
            return false;
    if (s == digits || v > INT64_MAX || (s < end && !is_blank(*s)))
        return false;
    *value = negative ? -(int64_t)v : (int64_t)v;
    *p = s;
    return true;
}

/* How many numbers there are, at most s->n, each within the bounds; 0 if anything is wrong. */
static unsigned parse_numbers(const struct sysctl *s, const char *p, const char *end, int64_t *numbers)
{
    unsigned n = 0;
    for (;;) {
        while (p < end && is_blank(*p))
            p++;
        if (p == end)
            return n;
        if (n == s->n || !parse_number(&p, end, &numbers[n]))
            return 0;
        if (numbers[n] < s->min || numbers[n] > s->max)
            return 0;
        n++;
    }
}

static void store(const struct sysctl *s, void *field, const int64_t *numbers, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (s->kind == SYSCTL_KIND_INT)
            WRITE_ONCE(((int32_t *)field)[i], (int32_t)numbers[i]);
        else if (s->kind == SYSCTL_KIND_BOOL)
            WRITE_ONCE(*(bool *)field, numbers[i] != 0);
        else
            WRITE_ONCE(*(uint64_t *)field, (uint64_t)(numbers[i] * unit_of(s->kind)));
    }
}

static int write_numbers(const struct sysctl *s, void *base, const char *text, size_t n)
{
    void *field = (uint8_t *)base + s->offset;
    int64_t numbers[SYSCTL_INTS_MAX];
    unsigned given = parse_numbers(s, text, text + n, numbers);
    if (!given)
        return -EINVAL;
    for (unsigned i = given; i < s->n; i++)
        numbers[i] = number(s, field, i);
    if (s->check && !s->check(base, numbers, NULL))
        return -EINVAL;
    store(s, field, numbers, given);
    return 0;
}

static int write_text(const struct sysctl *s, void *base, const char *text, size_t n)
{
    char *field = (char *)base + s->offset, copy[SYSCTL_TEXT_MAX];
    while (n && is_blank(text[n - 1]))
        n--;
    if (n >= s->n || n >= sizeof copy)
        return -EINVAL;
    memcpy(copy, text, n);
    copy[n] = '\0';
    if (s->check && !s->check(base, NULL, copy))
        return -EINVAL;
    memcpy(field, copy, n + 1);
    return 0;
}

int sysctl_write(const struct sysctl *s, void *base, const char *text, size_t n)
{
    if (s->read_only)
        return -EACCES;
    int err = s->kind == SYSCTL_KIND_TEXT ? write_text(s, base, text, n) : write_numbers(s, base, text, n);
    if (!err && s->changed)
        s->changed(base);
    return err;
}

const struct sysctl *sysctl_find(const struct sysctl *table, const char *path)
{
    for (; table->path; table++)
        if (!strcmp(table->path, path))
            return table;
    return NULL;
}
