/* sim/script/differ.h - what a packet should have been and was not. */
#pragma once
#include "sim/script/seen.h"
#include "sim/script/values.h"

enum { DIFFERENCES_MOST = 12 };

struct difference {
    char what[24]; /* the field, as seen_text() calls it */
    char expected[80], came[80];
};

struct differences {
    unsigned n;
    struct difference at[DIFFERENCES_MOST];
};

/* Whom the host should have written to. */
struct expectation {
    struct values *values;
    const struct flow *flow;
    uint32_t host_ip, peer_ip;
    bool learns; /* the flow's ports are not known yet */
};

/* Compare what came with what was expected; s's numbers are relative to the flow. */
void differ(const struct expectation *e, const struct packet_spec *spec, const struct seen *s,
            struct differences *d);

/* An option in the language of scripts. */
void seen_option_text(const struct option_seen *o, char *text, size_t size);
/* s in the language of scripts. under (may be NULL, of the same size): '^' below what differs, d says. */
void seen_text(const struct seen *s, const struct differences *d, char *text, char *under, size_t size);
