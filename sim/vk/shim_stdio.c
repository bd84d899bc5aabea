/* sim/vk/shim_stdio.c - the C library's streams on our sockets, and files sent to them.
 *
 * A stream reads and writes by calls within the C library that nobody can take over. So a stream on one of
 * our sockets is made of functions of ours (fopencookie), and standard input, output and error are such
 * streams if a program is started with sockets there, as inetd does. */
#include "sim/vk/shim.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

/* ---- streams ---- */

static ssize_t stream_read(void *cookie, char *data, size_t n)
{
    return read((int)(intptr_t)cookie, data, n);
}

static ssize_t stream_write(void *cookie, const char *data, size_t n)
{
    ssize_t written = write((int)(intptr_t)cookie, data, n);

    return written < 0 ? 0 : written; /* 0 is how an error is told here */
}

static int stream_close(void *cookie)
{
    return close((int)(intptr_t)cookie);
}

static FILE *stream_on(int fd, const char *mode)
{
    static const cookie_io_functions_t functions = { .read = stream_read,
                                                     .write = stream_write,
                                                     .close = stream_close };
    FILE *f = fopencookie((void *)(intptr_t)fd, mode, functions);

    if (f)
        f->_fileno = fd; /* for fileno() below */
    return f;
}

EXPORT FILE *fdopen(int fd, const char *mode)
{
    return shim_ours(fd) < 0 ? NEXT(fdopen)(fd, mode) : stream_on(fd, mode);
}

/* The C library's own refuses a stream that is made of functions. */
EXPORT int fileno(FILE *f)
{
    return f->_fileno >= 0 && shim_ours(f->_fileno) >= 0 ? f->_fileno : NEXT(fileno)(f);
}

EXPORT int fileno_unlocked(FILE *f)
{
    return fileno(f);
}

EXPORT int vdprintf(int fd, const char *format, va_list ap)
{
    char *text;
    int n;

    if (shim_ours(fd) < 0)
        return NEXT(vdprintf)(fd, format, ap);
    n = vasprintf(&text, format, ap);
    if (n < 0)
        return n;
    n = (int)write(fd, text, (size_t)n);
    free(text);
    return n;
}

EXPORT int dprintf(int fd, const char *format, ...)
{
    va_list ap;
    int n;

    va_start(ap, format);
    n = vdprintf(fd, format, ap);
    va_end(ap);
    return n;
}

/* The names under which programs compiled with _FORTIFY_SOURCE call them. */
EXPORT int __vdprintf_chk(int fd, int flag, const char *format, va_list ap);
EXPORT int __vdprintf_chk(int fd, int flag, const char *format, va_list ap)
{
    return shim_ours(fd) < 0 ? NEXT(__vdprintf_chk)(fd, flag, format, ap) : vdprintf(fd, format, ap);
}

EXPORT int __dprintf_chk(int fd, int flag, const char *format, ...);
EXPORT int __dprintf_chk(int fd, int flag, const char *format, ...)
{
    va_list ap;
    int n;

    va_start(ap, format);
    n = __vdprintf_chk(fd, flag, format, ap);
    va_end(ap);
    return n;
}

static void stand_in(FILE **stream, int fd, const char *mode)
{
    FILE *ours = shim_ours(fd) < 0 ? NULL : stream_on(fd, mode);

    if (ours)
        *stream = ours;
}

__attribute__((constructor)) static void standard_streams(void)
{
    stand_in(&stdin, 0, "r");
    stand_in(&stdout, 1, "w");
    stand_in(&stderr, 2, "w");
    if (stderr->_fileno == 2 && shim_ours(2) >= 0)
        setvbuf(stderr, NULL, _IONBF, 0);
}

/* ---- files to sockets ---- */

/* A piece of the file `in` at `at`. */
static ssize_t send_piece_of_file(int out, int in, off_t at, size_t n)
{
    uint8_t *data = malloc(n ? n : 1);
    ssize_t got = data ? pread(in, data, n, at) : -1;

    if (got > 0)
        got = write(out, data, (size_t)got);
    free(data);
    return got;
}

static ssize_t send_file(int out, int in, off_t *offset, size_t count)
{
    off_t at = offset ? *offset : lseek(in, 0, SEEK_CUR);
    size_t done = 0;
    ssize_t n = 0;

    if (at < 0)
        return -1;
    do {
        size_t piece = count - done < VK_TRANSFER_MOST ? count - done : VK_TRANSFER_MOST;
        n = send_piece_of_file(out, in, at + (off_t)done, piece);
        if (n > 0)
            done += (size_t)n;
        if (n < (ssize_t)piece)
            break;
    } while (done < count);
    if (n < 0 && !done)
        return -1;
    if (offset)
        *offset = at + (off_t)done;
    else
        lseek(in, at + (off_t)done, SEEK_SET);
    return (ssize_t)done;
}

EXPORT ssize_t sendfile(int out, int in, off_t *offset, size_t count)
{
    return shim_ours(out) < 0 ? NEXT(sendfile)(out, in, offset, count) : send_file(out, in, offset, count);
}

EXPORT ssize_t sendfile64(int out, int in, off64_t *offset, size_t count);
EXPORT ssize_t sendfile64(int out, int in, off64_t *offset, size_t count)
{
    return sendfile(out, in, offset, count);
}
