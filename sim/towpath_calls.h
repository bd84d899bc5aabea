/* sim/towpath_calls.h - processes of a virtual kernel and the calls they make; shared by the library's parts.
 */
#pragma once
#include "sim/state.h"
#include "sim/towpath_private.h"

/* An open socket: descriptors and calls in progress hold references. */
struct tp_file {
    unsigned refs;
    struct sock *sk;
    int flags;                 /* O_NONBLOCK */
    struct sim_waiter watcher; /* hangs on the socket's queue while changed is set */
    void (*changed)(void *arg);
    void *changed_arg;
};

enum { TP_FIRST_DESCRIPTOR = 3, TP_DESCRIPTORS_MOST = 1 << 16 }; /* 0 to 2 are the caller's own business */

struct tp_descriptor {
    struct tp_file *file; /* NULL: it is free */
    bool close_on_exec;
};

struct tp_process {
    struct list_head link; /* in kernel->processes */
    struct tp_kernel *kernel;
    struct list_head calls; /* struct tp_call, those not freed yet */
    struct tp_descriptor *descriptors;
    int64_t size;       /* of descriptors */
    int64_t maybe_free; /* all below are taken */
};

/* ---- towpath_process.c: descriptors ---- */

/* The file behind fd with a reference, or NULL. */
struct tp_file *tp_file_get(struct tp_process *p, int64_t fd);
void tp_file_put(struct tp_file *f);
/* A descriptor for a fresh socket, whose reference is taken even if there is none: the descriptor, -EMFILE,
 * -ENOMEM. */
int64_t tp_socket_install(struct tp_process *p, struct sock *sk, int type_flags);
/* The lowest free descriptor >= least for f; takes the reference. -EMFILE, and it stays the caller's. */
int64_t tp_file_install(struct tp_process *p, struct tp_file *f, int64_t least, bool close_on_exec);
int64_t tp_close(struct tp_process *p, int64_t fd);
int64_t tp_dup(struct tp_process *p, int64_t fd, int64_t to, int64_t flags);
int64_t tp_fcntl(struct tp_process *p, int64_t fd, int64_t command, int64_t argument);

/* ---- towpath_calls.c ---- */

/* A call of p that is not freed yet, or NULL. */
struct tp_call *tp_first_call(struct tp_process *p);

/* ---- towpath_socket.c: the calls on sockets ---- */

/* What call number, one of those on sockets, returns. -ENOSYS: it is none of them. In a task. */
int64_t tp_socket_call(struct tp_process *p, long number, const int64_t a[6]);

/* ---- towpath_flow.c: whole streams; *progress counts bytes meanwhile. In a task ---- */

int64_t tp_source(struct sock *sk, uint64_t size, int64_t *progress);
int64_t tp_sink(struct sock *sk, int64_t *progress);

/* ---- towpath_poll.c ---- */

/* poll(2); timeout in ns, TP_NEVER: for ever. In a task. */
int64_t tp_poll(struct tp_process *p, uintptr_t fds, uint64_t count, uint64_t timeout);
/* select(2); the sets are user addresses, 0: none. In a task. */
int64_t tp_select(struct tp_process *p, int n, const uintptr_t sets[3], uint64_t timeout);
/* A user's struct timespec (unit_ns 1) or timeval (1000) in ns; address 0: TP_NEVER. -EFAULT, -EINVAL. */
int tp_timeout_from_user(uintptr_t user, uint64_t unit_ns, uint64_t *timeout);
