/* lib/format.h - printf's formatting, without a C library.
 * %d %i %u %x %X %o %c %s %p %% with flags - 0 + # and space, width, precision, hh h l ll z. Two of our own,
 * taking pointers: %pI4 (const be32 *, dotted quad) and %pM (const uint8_t[6], colon-separated MAC). */
#pragma once
#include "lib/compiler.h"
#include <stdarg.h>

/* Write at most size bytes, NUL included, into buf. The length the whole text would have had, as C99 says. */
int kvsnprintf(char *buf, size_t size, const char *fmt, va_list ap) PRINTF_LIKE(3, 0);
int ksnprintf(char *buf, size_t size, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* A text that grows in a fixed buffer; what does not fit is cut and counted. Made for the files of /proc. */
struct textbuf {
    char *buf;
    size_t size, len; /* len counts what would have been written: more than size means it was cut */
};
void textbuf_printf(struct textbuf *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
