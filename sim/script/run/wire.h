/* sim/script/run/wire.h - a guest in QEMU as the host of a script. */
#pragma once
#include <stdint.h>

struct wire_config {
    int wire; /* a datagram socket: an Ethernet frame each; ARP is answered by whoever is behind it */
    int line; /* a stream to the guest's puppet, which has said that it is ready */
    uint32_t address, peer;
    uint16_t peer_port; /* this one and the 15 behind it are the script's */
    uint64_t slack;     /* ns by which the guest may be late */
    uint64_t mac, peer_mac;
};
/* The clock begins at 0 when the guest has answered a ping. Whatever is wrong with wire or line ends the
 * process. */
struct host *wire_start(const struct wire_config *config);
