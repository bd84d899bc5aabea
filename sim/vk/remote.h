/* sim/vk/remote.h - how a program's socket calls travel to a virtual kernel and back.
 *
 * The program's side (shim.h) and towpath-vk talk over a host socket, AF_UNIX and SOCK_SEQPACKET: one
 * connection for each thread of the program, with at most one call under way on it, and one, the door, that a
 * program hands down to its children: on it nothing is asked but VK_CONNECT, so that it does not matter who
 * gets which reply. A child that has given up its rights or its root cannot reach the daemon by its path, but
 * it has the door. A request is a struct
 * vk_request and the bytes of its inputs, a reply is a struct vk_reply and the bytes of its outputs, and for
 * a new virtual socket one descriptor comes along.
 *
 * That descriptor is the placeholder: the program's end of a socket pair whose other end the daemon keeps. No
 * data of the connection goes through it. Its own readiness says what poll(2) would say of the virtual
 * socket, so that the host's select, poll and epoll serve it unchanged and together with any other
 * descriptor; and when its last copy is gone (by close, exec, or the end of the program, whatever dup and
 * fork did) the daemon sees the hang-up and closes the virtual socket.
 *
 *     readable: there are bytes in it. The daemon writes one when POLLIN comes to hold, and one more whenever
 * something new arrives before it was read, so that a watcher of edges is told (VK_BYTES_MOST in all). A
 * reply after which POLLIN holds no longer says how many are to be taken out. writable: its buffer has room.
 * Whoever is told by a reply that POLLOUT holds no longer fills it up; the daemon takes all out when POLLOUT
 * holds again. */
#pragma once
#include <stdint.h>

#define VK_ENVIRONMENT "TOWPATH_VK" /* path of the daemon's socket; unset: the program is left alone */

enum { VK_ARGUMENTS = 6, VK_TRANSFER_MOST = 128 * 1024, VK_SMALL_MOST = 4096, VK_BYTES_MOST = 64 };

enum vk_operation {
    VK_CALL,      /* a system call; the reply may come much later */
    VK_INTERRUPT, /* a signal came: let the call under way end with -EINTR. Has no reply of its own */
    VK_CONNECT,   /* a new connection: it comes along as a descriptor. Result: 0 */
    VK_IDENTIFY /* which virtual socket has the placeholder with inode a[0]? Result: its number, or -EBADF */
};

/* What an argument is: a number, or a pointer to `length` bytes that the call reads, writes, or both. */
enum vk_kind { VK_WORD = 0, VK_IN = 1, VK_OUT = 2, VK_IN_OUT = VK_IN | VK_OUT };
struct vk_argument {
    int64_t word;
    uint32_t kind, length;
};

/* A call has Linux's number and arguments; a virtual socket is named by the daemon's number for it. sendmsg
 * and recvmsg have the arguments socket, data, name, control, flags, since a struct msghdr is full of
 * pointers. */
struct vk_request {
    uint32_t operation;
    uint32_t nonblocking; /* the placeholder's O_NONBLOCK */
    int64_t number;
    struct vk_argument a[VK_ARGUMENTS];
};

struct vk_reply {
    int64_t result;
    uint32_t drain;                 /* how many bytes to take out of the placeholder */
    uint32_t fill;                  /* is it to be filled up? */
    int32_t message_flags;          /* recvmsg's msg_flags */
    uint32_t name_length;           /* recvmsg's msg_namelen */
    uint32_t lengths[VK_ARGUMENTS]; /* how many bytes of each output follow */
};
