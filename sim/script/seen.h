/* sim/script/seen.h - a packet that was on the wire, read field by field; and as text in the script's own
 * language, so that what came can be copied into a script. Written from the RFCs, without net/'s code. */
#pragma once
#include "sim/script/flow.h"

struct option_seen {
    int kind; /* enum of struct option_spec; OTHER: number says which */
    uint8_t number;
    int64_t a, b; /* mss, wscale; ts: value and echo, relative */
    unsigned blocks;
    int64_t left[4], right[4]; /* SACK, relative */
    struct bytes bytes;
};

enum { OPTIONS_MOST = 40 };

struct seen {
    enum packet_kind kind;
    bool from_peer;
    const struct flow *flow; /* it belongs to, or NULL: numbers are then absolute */
    bool malformed;          /* lengths do not fit together; what could be read was */
    bool bad_ip_sum, bad_sum, no_sum, fragment;
    bool has[FIELD_COUNT];
    int64_t v[FIELD_COUNT];
    uint8_t flags;
    struct option_seen options[OPTIONS_MOST];
    unsigned n_options;
    bool bad_options;
    struct bytes ip_options, payload;
    struct seen *about; /* ICMP: the packet quoted; storage of seen_read()'s caller */
};

/* Read an Ethernet frame into s, what it quotes into quoted. */
void seen_read(struct seen *s, struct seen *quoted, bool from_peer, const uint8_t *frame, size_t n);
/* Let the numbers be those of flow f (NULL: absolute). */
void seen_relate(struct seen *s, const struct flow *f);
/* Does it belong to f, by its ports and addresses? */
bool seen_belongs(const struct seen *s, const struct flow *f);
