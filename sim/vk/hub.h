/* sim/vk/hub.h - a hub: a local stream socket to which everybody on one wire connects. Each frame has its
 * length before it, 32 bits in network order, as QEMU's -netdev stream,addr.type=unix,addr.path=PATH speaks
 * it. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { HUB_FRAME_MOST = 65536 };

/* What has come of a stream so far. */
struct hub_reader {
    size_t n;
    uint8_t bytes[2 * (HUB_FRAME_MOST + 4)];
};
/* Read what is there and call fn for each whole frame. 0, or -1: the other end is gone or sends nonsense. */
int hub_read(struct hub_reader *r, int fd, void (*fn)(void *arg, const uint8_t *frame, size_t n), void *arg);
/* Send a frame, whole or (when there is no room for it) not at all. */
void hub_write(int fd, const uint8_t *frame, size_t n);
/* A connection to the hub at path. If nobody serves it, a hub is started as a process of its own, which ends
 * when its last client has gone. -1 and errno if neither can be done. */
int hub_join(const char *path);
