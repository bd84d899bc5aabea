/* sim/vk/daemon.h - towpath-vk: one virtual kernel in real time, driven by remote system calls.
 *
 *     sources     (vk_loop.c)    what the host tells: a descriptor and who is called when it is ready
 *     sockets     (vk_sockets.c) virtual sockets and their placeholders
 *     clients     (vk_clients.c) connections of programs, and their calls under way
 *     the uplink  (vk_uplink.c)  the wire to other virtual kernels, to QEMU, or to the host
 *
 * One thread. The virtual clock follows the host's: whatever is due happens when the loop comes round. */
#pragma once
#include "lib/list.h"
#include "sim/towpath.h"
#include "sim/vk/remote.h"
#include <sys/types.h>

/* ---- sources ---- */

struct source {
    int fd;
    uint32_t interest; /* EPOLLIN, EPOLLOUT */
    void (*ready)(struct source *s, uint32_t events);
    bool first; /* served before the others of a round: see placeholder_ready() */
};
/* Begin or go on watching; 0 or -errno. */
int source_add(struct source *s);
void source_change(struct source *s, uint32_t interest);
/* Stop watching and close fd. s itself may be freed once the round is over: see source_free(). */
void source_remove(struct source *s);
/* Free memory that holds a removed source when this round's events are served. */
void source_free(void *memory);

/* ---- the daemon ---- */

struct daemon {
    struct tp_kernel *kernel;
    struct tp_process *process; /* that makes all calls */
    struct tp_wire *wire;
    struct tp_port *port; /* our end of the wire, for the uplink */
    uint8_t mac[6];       /* the kernel's */
};
extern struct daemon vk;

/* Let what is due by now happen. */
void vk_advance(void);
_Noreturn void vk_die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- virtual sockets ---- */

struct vk_socket;
/* The socket with this number, or NULL. */
struct vk_socket *vk_socket_find(int64_t number);
/* A placeholder for the fresh virtual socket `number`: the program's end, to be sent and then closed; -errno,
 * and then the virtual socket is closed. */
int vk_socket_create(int number);
/* The number of the socket whose placeholder has this inode, or -EBADF. */
int64_t vk_socket_identify(uint64_t inode);
/* What a reply to a call on s must tell of its placeholder. */
void vk_socket_tell(struct vk_socket *s, struct vk_reply *r);
/* Fit the placeholders of all sockets that changed to what they stand for. */
void vk_sockets_settle(void);

/* ---- clients ---- */

/* Listen at path (a stale socket there is replaced). Dies if that cannot be. */
void vk_clients_listen(const char *path);
/* Reply to every call that is done. */
void vk_clients_settle(void);

/* ---- the uplink ---- */

/* hub:PATH, mcast:ADDRESS:PORT, tap:NAME, fd:NUMBER, none. Dies if it cannot be had. */
void vk_uplink_open(const char *specification);
/* Send what the kernel has sent. */
void vk_uplink_flush(void);
