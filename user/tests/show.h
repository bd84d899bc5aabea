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

static inline const char *errno_name(int e)
{
    static const struct {
        int e;
        const char *name;
    } names[] = { { EPERM, "EPERM" },
                  { ENOENT, "ENOENT" },
                  { ESRCH, "ESRCH" },
                  { EINTR, "EINTR" },
                  { ENXIO, "ENXIO" },
                  { E2BIG, "E2BIG" },
                  { ENOEXEC, "ENOEXEC" },
                  { EBADF, "EBADF" },
                  { ECHILD, "ECHILD" },
                  { EAGAIN, "EAGAIN" },
                  { ENOMEM, "ENOMEM" },
                  { EACCES, "EACCES" },
                  { EFAULT, "EFAULT" },
                  { EBUSY, "EBUSY" },
                  { EEXIST, "EEXIST" },
                  { ENODEV, "ENODEV" },
                  { ENOTDIR, "ENOTDIR" },
                  { EISDIR, "EISDIR" },
                  { EINVAL, "EINVAL" },
                  { EMFILE, "EMFILE" },
                  { ENOTTY, "ENOTTY" },
                  { EFBIG, "EFBIG" },
                  { ESPIPE, "ESPIPE" },
                  { EPIPE, "EPIPE" },
                  { ERANGE, "ERANGE" },
                  { ENAMETOOLONG, "ENAMETOOLONG" },
                  { ENOSYS, "ENOSYS" },
                  { ENOTEMPTY, "ENOTEMPTY" },
                  { ELOOP, "ELOOP" },
                  { ENOTSOCK, "ENOTSOCK" },
                  { EDESTADDRREQ, "EDESTADDRREQ" },
                  { EMSGSIZE, "EMSGSIZE" },
                  { ENOPROTOOPT, "ENOPROTOOPT" },
                  { EOPNOTSUPP, "EOPNOTSUPP" },
                  { EADDRINUSE, "EADDRINUSE" },
                  { ENOTCONN, "ENOTCONN" },
                  { ETIMEDOUT, "ETIMEDOUT" },
                  { ECONNREFUSED, "ECONNREFUSED" } };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].e == e)
            return names[i].name;
    return "another error";
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
