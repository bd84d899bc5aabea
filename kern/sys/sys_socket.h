/* kern/sys/sys_socket.h - which network the sockets of programs belong to. */
#pragma once

struct net;
extern struct net *kernel_net; /* set by kmain before the first process, constant afterwards */
