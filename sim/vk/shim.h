/* sim/vk/shim.h - libtowpath-shim.so, loaded with LD_PRELOAD: the IPv4 sockets of an unmodified program are a
 * virtual kernel's. TOWPATH_VK names the daemon's socket; without it nothing is changed.
 *
 *     shim_line.c         this thread's connection to the daemon, and a request with its reply
 *     shim_descriptor.c   which descriptors are ours, and what their placeholders say
 *     shim_socket.c       the calls that make, name and connect sockets, and their options
 *     shim_transfer.c     the calls that send and receive
 *     shim_stdio.c        the C library's streams on our sockets, and files sent to them
 *
 * A descriptor is one of ours if it is a placeholder (remote.h). Which virtual socket it stands for is known
 * by its inode, so that dup, fork, exec and passing it on need no help; what is not known yet is asked of the
 * daemon. Whatever is not ours goes on to the C library. */
#pragma once
#include "sim/vk/remote.h"
#include <dlfcn.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define EXPORT __attribute__((visibility("default")))
/* The C library's own function of that name. */
#define NEXT(name)                                                                                           \
    ({                                                                                                       \
        static __typeof__(name) *next_;                                                                      \
        if (!next_)                                                                                          \
            next_ = (__typeof__(name) *)dlsym(RTLD_NEXT, #name);                                             \
        next_;                                                                                               \
    })

/* ---- requests: shim_line.c ---- */

/* The path of the daemon's socket, or NULL: the program is left alone. It is the environment's at the
 * program's start; servers such as nginx clear theirs. */
const char *shim_daemon(void);

struct outcome {
    struct vk_reply reply;
    int descriptor; /* of the host, that came along; -1: none */
};
/* Make the request and wait for its reply; the outputs are where its arguments point. The result or -errno,
 * -ENETDOWN if the daemon is gone. May be called from a signal handler. */
int64_t shim_exchange(const struct vk_request *r, struct outcome *o);

/* ---- descriptors: shim_descriptor.c ---- */

/* The number of the virtual socket behind fd, or -1: it is none of ours. errno stays what it was. */
int64_t shim_ours(int fd);
/* The descriptor that came with a new virtual socket; type_flags: SOCK_CLOEXEC, SOCK_NONBLOCK. -1 and errno.
 */
int shim_adopt(const struct outcome *o, int type_flags);

/* Make the call r on the virtual socket behind fd, and let the placeholder follow; *o is filled. The result
 * or -errno. */
int64_t shim_call(int fd, struct vk_request *r, struct outcome *o);
/* The same; -1 and errno for an error. */
int64_t shim_simple_call(int fd, struct vk_request r);
/* result, or -1 and errno. */
int64_t shim_result(int64_t result);

#define WORD(w)                                                                                              \
    {                                                                                                        \
        .word = (int64_t)(w)                                                                                 \
    }
#define DATA(p, n, k)                                                                                        \
    {                                                                                                        \
        .word = (int64_t)(intptr_t)(p), .kind = (p) ? (k) : VK_WORD, .length = (p) ? (uint32_t)(n) : 0       \
    }
