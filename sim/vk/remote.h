/* sim/vk/remote.h - how a program's socket calls travel to a virtual kernel and back.
 *
 * The program's side (shim.c) and towpath-vk talk over a host socket, AF_UNIX and SOCK_SEQPACKET: one
 * connection for each thread of the program, with at most one call under way on it. A request is a struct
 * vk_request and the bytes of its inputs, a reply is a struct vk_reply and the bytes of its outputs, and for
 * a new virtual socket one descriptor comes along.
 *
 * That descriptor is the placeholder: the program's end of a socket pair whose other end the daemon keeps. No
 * data of the connection goes through it. Its own readiness says what poll(2) would say of the virtual
 * socket, so that the host's select, poll and epoll serve it unchanged and together with any other
 * descriptor; and when its last copy is gone (by close, exec, or the end of the program, whatever dup and
 * fork did) the daemon sees the hang-up and closes the virtual socket.
 *
 *     readable: there is a byte in it. The daemon writes one when POLLIN comes to hold; whoever is told by a
 * reply (VK_DRAIN) that it holds no longer takes one out. writable: its buffer has room. Whoever is told by a
 * reply (VK_FILL) that POLLOUT holds no longer fills it up; the daemon takes all out when POLLOUT holds
 * again. */
#pragma once
#include <stdint.h>

#define VK_ENVIRONMENT "TOWPATH_VK" /* path of the daemon's socket; unset: the program is left alone */

enum { VK_ARGUMENTS = 6, VK_TRANSFER_MOST = 128 * 1024, VK_SMALL_MOST = 4096 };

enum vk_operation {
    VK_CALL,      /* a system call; the reply may come much later */
    VK_INTERRUPT, /* a signal came: let the call under way end with -EINTR. Has no reply of its own */
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

enum vk_reply_flags { VK_DRAIN = 1, VK_FILL = 2 };
struct vk_reply {
    int64_t result;
    uint32_t flags;
    int32_t message_flags;          /* recvmsg's msg_flags */
    uint32_t name_length;           /* recvmsg's msg_namelen */
    uint32_t lengths[VK_ARGUMENTS]; /* how many bytes of each output follow */
};
