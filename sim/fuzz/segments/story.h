/* sim/fuzz/segments/story.h - what an input of the target `segments` says: where a connection stands when it
 * begins, and what happens to it then. An input is an array of records of the same size, the first a struct
 * start, the others struct action, so that a mutator can cut, repeat and mix whole actions. Every field takes
 * any value: it is read modulo what there is to choose from. */
#pragma once
#include "net/tcp/tcp.h"
#include "sim/frame.h"

enum { RECORD = 16, ACTIONS_MOST = 63 };

/* Where the connection stands: every state of RFC 9293 3.3.2, some by two ways. */
enum start_state {
    START_ESTABLISHED,        /* the peer asked */
    START_ESTABLISHED_ACTIVE, /* we did */
    START_CLOSED,
    START_LISTEN,
    START_SYN_SENT,
    START_SYN_RECEIVED,
    START_SYN_RECEIVED_BOTH, /* simultaneous open */
    START_FIN_WAIT_1,
    START_FIN_WAIT_2,
    START_CLOSING,
    START_TIME_WAIT,
    START_CLOSE_WAIT,
    START_LAST_ACK,
    START_STATES
};

/* What it is in the middle of, where the state lets it. */
enum start_matter {
    MATTER_NOTHING,
    MATTER_BOTH_WAYS,     /* text queued by the user and in flight, text received and not read */
    MATTER_OUT_OF_ORDER,  /* text received behind holes */
    MATTER_PEER_SHUT,     /* the peer's window is shut, text waits */
    MATTER_WE_SHUT,       /* ours is */
    MATTER_FAST_RECOVERY, /* three duplicate ACKs, with blocks if SACK is on */
    MATTER_FRTO,          /* a time-out: the first segment went again (RFC 5682 2.1) */
    MATTER_LOSS,          /* several */
    MATTER_PROBE,         /* a tail loss probe is out (RFC 8985 7) */
    MATTERS
};

enum start_switches { /* of struct start.switches */
                      OFF_SACK = 1,
                      OFF_TIMESTAMPS = 2,
                      OFF_SCALING = 4,
                      OFF_RACK = 8,
                      OFF_TLP = 16,
                      OFF_FRTO = 32,
                      OFF_DSACK = 64,
                      ALWAYS_COOKIES = 128
};
enum start_user {                  /* of struct start.user */
                  USER_ORPHAN = 1, /* ends by close(), else by shutdown() */
                  USER_NODELAY = 2,
                  USER_SMALL_RCVBUF = 4,
                  USER_SMALL_SNDBUF = 8,
                  USER_KEEPALIVE = 16,
                  ENDS_ABRUPTLY = 32, /* the host is switched off with all as it stands */
                  MEMORY_SHORT = 64   /* some allocations fail all the while */
};
enum start_peer { /* what the peer's SYN has: of struct start.peer */
                  PEER_MSS = 1,
                  PEER_SCALES = 2,
                  PEER_SACKS = 4,
                  PEER_STAMPS = 8,
                  PEER_ECN = 16
};

struct start {
    uint8_t state, matter; /* enum start_state, start_matter */
    uint8_t switches, user, peer;
    uint8_t cong;         /* which congestion control */
    uint8_t ecn;          /* net.ipv4.tcp_ecn */
    uint8_t peer_scale;   /* the peer's window shift */
    uint16_t mss, window; /* the peer's */
    uint32_t iss;         /* the peer's */
};
_Static_assert(sizeof(struct start) == RECORD, "a record");

enum action_kind {
    ACT_SEGMENT,
    ACT_TIME,
    ACT_WRITE,
    ACT_READ,
    ACT_END,    /* shutdown() or close() */
    ACT_OPTION, /* setsockopt() */
    ACT_CALL,   /* accept(), connect(), poll() and others */
    ACT_ICMP,
    ACT_MEMORY, /* allocations fail */
    ACTION_KINDS
};

enum seq_base { SEQ_RCV_NXT, SEQ_RIGHT_EDGE, SEQ_IRS, SEQ_PEER_NEXT, SEQ_BASES };
enum ack_base { ACK_SND_UNA, ACK_SND_NXT, ACK_WRITE_SEQ, ACK_ISS, ACK_BUFFER, ACK_BASES };
enum action_options { /* of struct action.options */
                      WITH_SACK = 1,
                      WITH_DSACK = 2,
                      WITH_SYN_OPTIONS = 4,
                      WITH_GARBAGE = 8,
                      WITHOUT_STAMP = 16, /* though it was agreed upon */
                      OLD_STAMP = 32,
                      STRANGE_ECHO = 64,
                      WITH_MARK = 128 /* the IP header says: congestion experienced */
};

/* Of a segment all fields count; others use some of them as act.c says. */
struct action {
    uint8_t kind, flags;
    uint8_t seq_base, ack_base; /* modulo; the upper nibble of seq_base is the connection (a port of the
                                 * peer's), that of ack_base how often the segment is sent */
    int16_t seq, ack;           /* from there; ack counts in segments if odd, bytes / 2 if even */
    uint16_t window, len;
    uint8_t options, a, b;
    uint8_t unit; /* of seq: bytes, segments, 64 KiB, 16 MiB */
};
_Static_assert(sizeof(struct action) == RECORD, "a record");

struct story {
    struct start start;
    struct action actions[ACTIONS_MOST];
    unsigned n;
};

/* Any bytes make a story: what is missing of the start is zero, a record that is cut off does not count. */
void story_read(struct story *s, const uint8_t *data, size_t n);
/* Its bytes, at most most of them (whole records); how many. */
size_t story_write(const struct story *s, uint8_t *data, size_t most);

/* ---- chance: generate.c ---- */

uint32_t chance_next(uint64_t *chance);
/* A start, an action, a whole story that is likely to go deep. */
struct start story_chance_start(uint64_t *chance);
struct action story_chance_action(uint64_t *chance);
void story_chance(struct story *s, uint64_t *chance);
/* Change one field of an action. */
void story_change_action(struct action *a, uint64_t *chance);
