/* sim/script/build.h - the frame that a script's packet stands for. */
#pragma once
#include "sim/script/flow.h"
#include "sim/script/values.h"

enum { BUILD_MOST = 2048 };

/* Who and when. */
struct builder {
    struct values *values;
    struct flow *flow;
    uint32_t host_ip, peer_ip;
    uint64_t host_mac, peer_mac;
    uint32_t clock; /* of the peer's timestamps: ms since the script began */
};

/* The frame of s, sent by the peer, into frame: its length, or 0 with why when there is none such. */
size_t build_frame(const struct builder *b, const struct packet_spec *s, uint8_t frame[BUILD_MOST],
                   char why[160]);
