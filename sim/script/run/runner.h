/* sim/script/run/runner.h - a script being run; what its parts share. */
#pragma once
#include "sim/script/differ.h"
#include "sim/script/run/host.h"
#include "sim/script/run/story.h"

enum { FRAME_ROOM = 2048, DESCRIPTORS = 1024, TOLERANCE_MS = 1 };

/* A frame of the host's that no step has taken yet. */
struct arrival {
    struct arrival *next;
    uint64_t when;
    size_t n;
    uint8_t frame[FRAME_ROOM];
};

/* A call that was begun. */
struct pending {
    struct pending *next;
    const char *label;
    const struct call_spec *spec;
    struct host_call call;
    void *handle; /* NULL: done */
    int64_t result;
    uint64_t when;
    struct call_memory *memory;
};

struct runner {
    struct host *host;
    struct arena arena;
    struct values values;
    struct story story;
    struct flow *flows; /* the one used last first */
    unsigned n_flows;
    struct arrival *arrivals, **last_arrival;
    struct pending *pending;
    uint64_t before; /* when the last step was: relative times count from it */
    uint64_t done;   /* when it was over, where time is real */
    uint64_t tolerance;
    bool arp_by_script;
    uint32_t isn;
    uint64_t took; /* of the host's time, when it has passed */
    const struct step *step;
    struct { /* of a descriptor: bytes of its stream so far */
        bool datagrams;
        uint64_t sent, received;
    } files[DESCRIPTORS];
    bool failed;
    struct place failed_at;
    char why[400];
};

/* Run s; out gets the story if it fails, or always if verbose. Returns whether it passed; why and where not
 * are in r, which runner_free() gives back. */
struct runner_config {
    uint32_t isn;             /* where the peer's numbers begin */
    uint16_t port, peer_port; /* the variables of these names: where flows are, if a script does not say */
};
bool runner_run(struct runner *r, const struct script *s, struct host *host,
                const struct runner_config *config);
void runner_free(struct runner *r);

/* ---- runner.c: for the parts ---- */

/* The script has failed at its present step. Always false. */
bool runner_fail(struct runner *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Let time pass until `until`; frames that come meanwhile are kept, ARP is answered. */
void runner_wait(struct runner *r, uint64_t until);
/* When the present step is due, if it is no awaited one. */
uint64_t runner_due(struct runner *r);
/* The times between which what the present step awaits must come. */
void runner_window(struct runner *r, uint64_t *earliest, uint64_t *latest);
/* An expression could not be evaluated: the script has failed. */
bool runner_values_failed(struct runner *r);

/* ---- packets.c ---- */

bool step_peer(struct runner *r);
bool step_host(struct runner *r);
bool step_silence(struct runner *r);
bool step_ignore(struct runner *r);
/* Nothing that the host has sent may be left. */
bool packets_all_expected(struct runner *r);
/* The flow of that label. */
struct flow *packets_flow(struct runner *r, const char *label);

/* ---- calls.c ---- */

bool step_call(struct runner *r);
bool step_begin(struct runner *r);
bool step_end(struct runner *r);
bool step_info(struct runner *r);
/* Look which calls are done. */
void calls_look(struct runner *r);
