/* kern/fs/socketfile.h - a socket is a file. */
#pragma once
#include "kern/fs/file.h"

/* A file for sk, taking its reference (also on failure); flags: O_NONBLOCK or 0. NULL: memory is out. */
struct file *socket_file_create(struct sock *sk, uint32_t flags);
/* The socket behind f, or NULL if it is none. */
struct sock *socket_of(struct file *f);
