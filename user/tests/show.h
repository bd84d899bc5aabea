/* user/tests/show.h - print calls and what they return, so that two kernels can be compared line by line.
 * Nothing here may print what differs from run to run: no pid, time or address. */
#pragma once
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Line by line, also into a file: what children print stays in its place. */
__attribute__((constructor)) static void line_by_line(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
}

// clang-format off
#define SHOWN_ERRORS(E) \
    E(EPERM) E(ENOENT) E(ESRCH) E(EINTR) E(EIO) E(ENXIO) E(E2BIG) E(ENOEXEC) E(EBADF) E(ECHILD) E(EAGAIN) \
    E(ENOMEM) E(EACCES) E(EFAULT) E(ENOTBLK) E(EBUSY) E(EEXIST) E(EXDEV) E(ENODEV) E(ENOTDIR) E(EISDIR) \
    E(EINVAL) E(ENFILE) E(EMFILE) E(ENOTTY) E(ETXTBSY) E(EFBIG) E(ENOSPC) E(ESPIPE) E(EROFS) E(EMLINK) \
    E(EPIPE) E(EDOM) E(ERANGE) E(EDEADLK) E(ENAMETOOLONG) E(ENOLCK) E(ENOSYS) E(ENOTEMPTY) E(ELOOP) \
    E(ENODATA) E(EOVERFLOW) E(EILSEQ) E(ENOTSOCK) E(EDESTADDRREQ) E(EMSGSIZE) E(EPROTOTYPE) \
    E(ENOPROTOOPT) E(EPROTONOSUPPORT) E(ESOCKTNOSUPPORT) E(EOPNOTSUPP) E(EPFNOSUPPORT) E(EAFNOSUPPORT) \
    E(EADDRINUSE) E(EADDRNOTAVAIL) E(ENETDOWN) E(ENETUNREACH) E(ENETRESET) E(ECONNABORTED) E(ECONNRESET) \
    E(ENOBUFS) E(EISCONN) E(ENOTCONN) E(ESHUTDOWN) E(ETOOMANYREFS) E(ETIMEDOUT) E(ECONNREFUSED) \
    E(EHOSTDOWN) E(EHOSTUNREACH) E(EALREADY) E(EINPROGRESS) E(ECANCELED) E(EOWNERDEAD) E(ENOTRECOVERABLE)
// clang-format on

static inline const char *errno_name(int e)
{
    switch (e) {
#define E(name)                                                                                              \
    case name:                                                                                               \
        return #name;
        SHOWN_ERRORS(E)
#undef E
    default:
        return "another error";
    }
}

static inline long show(const char *text, long value)
{
    if (value == -1)
        printf("%s: %s\n", text, errno_name(errno));
    else
        printf("%s = %ld\n", text, value);
    return value;
}

/* Print a call and its result, or its error. */
#define SHOW(call) (errno = 0, show(#call, (long)(call)))
/* Print a call and only whether it worked: its value differs from run to run. */
#define SHOW_OK(call) (errno = 0, show_ok(#call, (long)(call)))

static inline long show_ok(const char *text, long value)
{
    printf("%s: %s\n", text, value == -1 ? errno_name(errno) : "ok");
    return value;
}

static inline void say(const char *text)
{
    printf("%s\n", text);
}
