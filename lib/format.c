/* lib/format.c - printf's formatting.
 * Every character goes through put(), which counts it and stores it only while there is room: so the length
 * the whole text would have had is always known. */
#include "lib/format.h"
#include "lib/bytes.h"
#include "lib/string.h"

struct out {
    char *buf;
    size_t size, len; /* room in buf, characters produced */
};

/* One conversion, taken apart: %[flags][width][.precision][length]verb. */
struct spec {
    bool left, zero, plus, space, alt;
    int width, precision; /* precision -1: not given */
    unsigned bits;        /* width of an integer argument: 8, 16, 32 or 64 */
    char verb;
};

static void put(struct out *o, char c)
{
    if (o->len < o->size)
        o->buf[o->len] = c;
    o->len++;
}

static void pad(struct out *o, char c, int n)
{
    while (n-- > 0)
        put(o, c);
}

static void put_text(struct out *o, const struct spec *s, const char *text, size_t len)
{
    int fill = s->width - (int)len;

    if (!s->left)
        pad(o, ' ', fill);
    for (size_t i = 0; i < len; i++)
        put(o, text[i]);
    if (s->left)
        pad(o, ' ', fill);
}

/* Digits of value in base, least significant first; how many. Zero has none: the precision supplies it. */
static int digits_of(uint64_t value, unsigned base, bool upper, char digits[24])
{
    const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    int n = 0;

    for (; value; value /= base)
        digits[n++] = set[value % base];
    return n;
}

static void put_number(struct out *o, const struct spec *s, uint64_t value, unsigned base, const char *prefix)
{
    char digits[24];
    int n = digits_of(value, base, s->verb == 'X', digits);
    int prefix_len = (int)strlen(prefix);
    int zeros = MAX(s->precision < 0 ? 1 : s->precision, 0) - n;

    if (s->alt && base == 8 && zeros <= 0)
        zeros = 1;
    zeros = MAX(zeros, 0);
    if (s->zero && !s->left && s->precision < 0)
        zeros = MAX(zeros, s->width - prefix_len - n);
    int fill = s->width - prefix_len - zeros - n;

    if (!s->left)
        pad(o, ' ', fill);
    while (*prefix)
        put(o, *prefix++);
    pad(o, '0', zeros);
    while (n)
        put(o, digits[--n]);
    if (s->left)
        pad(o, ' ', fill);
}

static void put_signed(struct out *o, const struct spec *s, int64_t value)
{
    const char *sign = value < 0 ? "-" : s->plus ? "+" : s->space ? " " : "";
    put_number(o, s, value < 0 ? -(uint64_t)value : (uint64_t)value, 10, sign);
}

static void put_unsigned(struct out *o, const struct spec *s, uint64_t value)
{
    bool hex = s->verb == 'x' || s->verb == 'X';
    const char *prefix = hex && s->alt && value ? (s->verb == 'X' ? "0X" : "0x") : "";
    put_number(o, s, value, hex ? 16 : s->verb == 'o' ? 8 : 10, prefix);
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
    if (!text)
        text = "(null)";
    put_text(o, s, text, s->precision < 0 ? strlen(text) : strnlen(text, (size_t)s->precision));
}

static void put_ipv4(struct out *o, const struct spec *s, const be32 *address)
{
    char text[16];
    uint32_t a = be32_to_cpu(*address);
    int n = ksnprintf(text, sizeof text, "%u.%u.%u.%u", a >> 24, a >> 16 & 255, a >> 8 & 255, a & 255);
    put_text(o, s, text, (size_t)n);
}

static void put_mac(struct out *o, const struct spec *s, const uint8_t *m)
{
    char text[18];
    int n = ksnprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
    put_text(o, s, text, (size_t)n);
}

/* %p and its two relatives; how many characters of fmt behind the p belong to it. */
static size_t put_pointer(struct out *o, struct spec *s, const char *fmt, const void *p)
{
    if (fmt[0] == 'I' && fmt[1] == '4') {
        put_ipv4(o, s, p);
        return 2;
    }
    if (fmt[0] == 'M') {
        put_mac(o, s, p);
        return 1;
    }
    s->alt = true;
    s->verb = 'x';
    put_unsigned(o, s, (uintptr_t)p);
    return 0;
}

static const char *parse_number(const char *fmt, int *n, va_list *ap)
{
    if (*fmt == '*') {
        *n = va_arg(*ap, int);
        return fmt + 1;
    }
    for (*n = 0; *fmt >= '0' && *fmt <= '9'; fmt++)
        *n = *n * 10 + (*fmt - '0');
    return fmt;
}

static const char *parse_flags(const char *fmt, struct spec *s)
{
    for (;; fmt++) {
        switch (*fmt) {
        case '-':
            s->left = true;
            break;
        case '0':
            s->zero = true;
            break;
        case '+':
            s->plus = true;
            break;
        case ' ':
            s->space = true;
            break;
        case '#':
            s->alt = true;
            break;
        default:
            return fmt;
        }
    }
}

static const char *parse_length(const char *fmt, struct spec *s)
{
    s->bits = 32;
    for (;; fmt++) {
        if (*fmt == 'h')
            s->bits /= 2;
        else if (*fmt == 'l' || *fmt == 'z')
            s->bits = 64;
        else
            return fmt;
    }
}

/* What lies between the % and the verb, which becomes s->verb; behind the verb. */
static const char *parse_spec(const char *fmt, struct spec *s, va_list *ap)
{
    *s = (struct spec){ .precision = -1 };
    fmt = parse_flags(fmt, s);
    fmt = parse_number(fmt, &s->width, ap);
    if (s->width < 0) {
        s->left = true;
        s->width = -s->width;
    }
    if (*fmt == '.')
        fmt = parse_number(fmt + 1, &s->precision, ap);
    fmt = parse_length(fmt, s);
    s->verb = *fmt;
    return *fmt ? fmt + 1 : fmt;
}

/* An integer argument, cut to the width its length modifier says. */
static uint64_t unsigned_argument(const struct spec *s, va_list *ap)
{
    if (s->bits == 64)
        return va_arg(*ap, uint64_t);
    uint32_t v = va_arg(*ap, uint32_t);
    return s->bits == 32 ? v : v & ((1u << s->bits) - 1);
}

static int64_t signed_argument(const struct spec *s, va_list *ap)
{
    uint64_t v = unsigned_argument(s, ap);
    return (int64_t)(v << (64 - s->bits)) >> (64 - s->bits);
}

/* Write one conversion; what of fmt is left. */
static const char *convert(struct out *o, const char *fmt, va_list *ap)
{
    struct spec s;
    char c;

    fmt = parse_spec(fmt, &s, ap);
    switch (s.verb) {
    case 'd':
    case 'i':
        put_signed(o, &s, signed_argument(&s, ap));
        break;
    case 'u':
    case 'x':
    case 'X':
    case 'o':
        put_unsigned(o, &s, unsigned_argument(&s, ap));
        break;
    case 'c':
        c = (char)va_arg(*ap, int);
        put_text(o, &s, &c, 1);
        break;
    case 's':
        put_string(o, &s, va_arg(*ap, const char *));
        break;
    case 'p':
        fmt += put_pointer(o, &s, fmt, va_arg(*ap, const void *));
        break;
    case '%':
        put(o, '%');
        break;
    default: /* not ours: show it, so that the mistake is seen */
        put(o, '%');
        if (s.verb)
            put(o, s.verb);
    }
    return fmt;
}

int kvsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
    struct out o = { .buf = buf, .size = size ? size - 1 : 0 };
    va_list ap;

    va_copy(ap, args);
    while (*fmt) {
        if (*fmt == '%')
            fmt = convert(&o, fmt + 1, &ap);
        else
            put(&o, *fmt++);
    }
    va_end(ap);
    if (size)
        buf[MIN(o.len, size - 1)] = '\0';
    return (int)o.len;
}

int ksnprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int n = kvsnprintf(buf, size, fmt, ap);
    va_end(ap);
    return n;
}

void textbuf_printf(struct textbuf *t, const char *fmt, ...)
{
    size_t used = MIN(t->len, t->size);
    va_list ap;

    va_start(ap, fmt);
    t->len += (size_t)kvsnprintf(t->buf + used, t->size - used, fmt, ap);
    va_end(ap);
}
