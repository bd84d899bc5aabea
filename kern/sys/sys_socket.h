/* kern/sys/sys_socket.h - what the system calls on sockets share. */
#pragma once
#include "kern/fs/file.h"
#include "net/syscalls.h"

extern struct net *kernel_net; /* set by kmain before the first process, constant afterwards */

/* The socket behind a descriptor, for the length of one call: a reference to its file is held. */
struct socket_ref {
    struct file *file; /* NULL: err says why */
    struct sock *sk;
    int err; /* -EBADF, -ENOTSOCK */
};
struct socket_ref socket_ref_get(int fd);
void socket_ref_put(struct socket_ref *ref);
/* Declare ref, the socket behind fd, until the end of the function; return from there if it is none. */
#define SOCKET_OF(ref, fd)                                                                                   \
    struct socket_ref ref __attribute__((cleanup(socket_ref_put))) = socket_ref_get(fd);                     \
    if (ref.err)                                                                                             \
    return ref.err

/* MSG_DONTWAIT for a descriptor in non-blocking mode, else 0. */
int socket_dontwait(const struct socket_ref *ref);
/* kern/sys/scm.c: open files in control messages (SCM_RIGHTS). */
/* Take the files that msg's control messages name into msg->files. 0, -EBADF, -EINVAL, -ENOMEM. */
int files_from_control(struct message *msg);
/* Give the caller descriptors for msg->files, as far as there is room in the control buffer, and let go of
 * them; MSG_CTRUNC tells of those that had none. */
void files_to_control(struct message *msg, bool cloexec);
