/* lib/string.c - the string functions, for the kernel only; the host uses its C library's.
 * Blocks move as 64-bit words, eight a turn: under QEMU's emulation that is several times faster than `rep
 * movsb` and on silicon no slower at a packet's length. The kernel has no vector registers. */
#include "lib/string.h"
#include "lib/compiler.h"

typedef uint64_t word_t __attribute__((aligned(1), may_alias));
enum { WORD = sizeof(word_t), UNROLL = 8, BLOCK = UNROLL * WORD };

/* Copies one block; every load stands before the store of the same word only, so dst may overlap src when it
 * lies below. */
static inline void copy_block_up(char *d, const char *s)
{
    word_t *to = (word_t *)d;
    const word_t *from = (const word_t *)s;

    to[0] = from[0];
    to[1] = from[1];
    to[2] = from[2];
    to[3] = from[3];
    to[4] = from[4];
    to[5] = from[5];
    to[6] = from[6];
    to[7] = from[7];
}

static void copy_up(char *d, const char *s, size_t n)
{
    for (; n >= BLOCK; n -= BLOCK, d += BLOCK, s += BLOCK)
        copy_block_up(d, s);
    for (; n >= WORD; n -= WORD, d += WORD, s += WORD)
        *(word_t *)d = *(const word_t *)s;
    while (n--)
        *d++ = *s++;
}

static void copy_down(char *d, const char *s, size_t n)
{
    for (; n >= WORD; n -= WORD)
        *(word_t *)(d + n - WORD) = *(const word_t *)(s + n - WORD);
    while (n--)
        d[n] = s[n];
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
    copy_up(dst, src, n);
    return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
    if ((uintptr_t)dst <= (uintptr_t)src)
        copy_up(dst, src, n);
    else
        copy_down(dst, src, n);
    return dst;
}

void *memset(void *dst, int c, size_t n)
{
    char *d = dst;
    uint64_t pattern = 0x0101010101010101u * (uint8_t)c;

    for (; n >= BLOCK; n -= BLOCK, d += BLOCK) {
        word_t *to = (word_t *)d;
        to[0] = to[1] = to[2] = to[3] = to[4] = to[5] = to[6] = to[7] = pattern;
    }
    for (; n >= WORD; n -= WORD, d += WORD)
        *(word_t *)d = pattern;
    while (n--)
        *d++ = (char)c;
    return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a, *y = b;

    for (; n >= WORD && *(const word_t *)x == *(const word_t *)y; n -= WORD, x += WORD, y += WORD)
        ;
    for (; n; n--, x++, y++)
        if (*x != *y)
            return *x - *y;
    return 0;
}

size_t strlen(const char *s)
{
    const char *p = s;
    while (*p)
        p++;
    return (size_t)(p - s);
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;
    while (n < max && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    for (; *a && *a == *b; a++, b++)
        ;
    return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n && *a && *a == *b; a++, b++, n--)
        ;
    return n ? (uint8_t)*a - (uint8_t)*b : 0;
}

char *strchr(const char *s, int c)
{
    for (; *s != (char)c; s++)
        if (!*s)
            return NULL;
    return (char *)s;
}

char *strrchr(const char *s, int c)
{
    const char *last = NULL;
    do {
        if (*s == (char)c)
            last = s;
    } while (*s++);
    return (char *)last;
}

char *strstr(const char *s, const char *what)
{
    size_t n = strlen(what);
    for (;; s++) {
        if (!strncmp(s, what, n))
            return (char *)s;
        if (!*s)
            return NULL;
    }
}
