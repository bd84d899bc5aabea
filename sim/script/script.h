/* sim/script/script.h - a script as the parser leaves it: steps in order, each with its time and its place.
 *
 * The language is described in doc/scripts.md. Every value is an expression over 64-bit numbers, evaluated
 * when its step is due: times are nanoseconds, addresses and MACs are numbers, names stand for constants
 * (names.h), for what `let` or a call named, or for what the runner knows (host, peer). */
#pragma once
#include "sim/script/arena.h"
#include <stdbool.h>
#include <stdint.h>

struct place {
    const char *file;
    int line, column; /* from 1 */
};

/* ---- values ---- */

struct expr {
    enum { EXPR_NUMBER, EXPR_NAME, EXPR_FUNCTION, EXPR_BINARY, EXPR_NEGATE } kind;
    struct place place;
    int64_t number;   /* NUMBER; BINARY: the operator's character */
    const char *name; /* NAME; FUNCTION: its name */
    const char *argument;
    const struct expr *a, *b;
};

/* What a value must be, or, where something is sent, what it is. */
struct match {
    enum { MATCH_UNSET, MATCH_ANY, MATCH_IS, MATCH_NOT, MATCH_LEAST, MATCH_MOST, MATCH_RANGE } kind;
    const struct expr *a, *b;
};

struct bytes {
    const uint8_t *at;
    size_t n;
};

/* ---- packets ---- */

enum packet_kind { KIND_ANY, KIND_TCP, KIND_UDP, KIND_ICMP, KIND_OTHER, KIND_ARP };

/* The fields that have a number; names.c says what they are called and where they may stand. */
enum field {
    FIELD_VERSION, /* IPv4, RFC 791 3.1 */
    FIELD_IHL,
    FIELD_TOS,
    FIELD_TOTAL,
    FIELD_ID,
    FIELD_DF,
    FIELD_MORE,
    FIELD_OFFSET, /* bytes */
    FIELD_TTL,
    FIELD_PROTO,
    FIELD_SRC,
    FIELD_DST,
    FIELD_MAC, /* the other end's: a destination where the peer sends, a source where the host does */
    FIELD_PAD,
    FIELD_CUT,
    FIELD_FROM, /* TCP, UDP: ports */
    FIELD_TO,
    FIELD_SEQ, /* TCP, RFC 9293 3.1; relative */
    FIELD_ACK,
    FIELD_RAWSEQ,
    FIELD_RAWACK,
    FIELD_DOFF,
    FIELD_WIN, /* scaled */
    FIELD_RAWWIN,
    FIELD_URG,
    FIELD_LEN,    /* of the payload */
    FIELD_LENGTH, /* UDP, RFC 768 */
    FIELD_TYPE,   /* ICMP, RFC 792 */
    FIELD_CODE,
    FIELD_ICMPID,
    FIELD_NUM,
    FIELD_MTU,
    FIELD_QUOTE,
    FIELD_OP, /* ARP, RFC 826 */
    FIELD_SENDER,
    FIELD_TARGET,
    FIELD_SMAC,
    FIELD_TMAC,
    FIELD_HW,
    FIELD_PT,
    FIELD_HLEN,
    FIELD_PLEN,
    FIELD_COUNT
};

struct option_spec {
    const struct option_spec *next;
    enum { OPT_END, OPT_NOP, OPT_MSS, OPT_WSCALE, OPT_SACKOK, OPT_SACK, OPT_TS, OPT_OTHER, OPT_RAW } kind;
    bool absent;       /* `!kind`: must not be there */
    struct match a, b; /* mss and wscale: a; ts: value and echo; OTHER: a is its kind */
    unsigned blocks;   /* SACK */
    struct match left[4], right[4];
    struct bytes bytes; /* OTHER, RAW */
};

struct packet_spec {
    enum packet_kind kind;
    struct place place;
    struct match fields[FIELD_COUNT];
    uint8_t flags, flags_free; /* TCP: those that must be set; those that may */
    bool any_flags;
    bool options_given, options_open; /* `<...>` was there; others may be there too */
    const struct option_spec *options;
    bool bad_ip_sum, bad_sum, no_sum;
    bool has_part; /* only these bytes of what lies behind the IP header: a fragment */
    const struct expr *part_from, *part_to;
    bool has_text, has_ip_options;
    struct bytes text, ip_options;
    const struct packet_spec *about; /* ICMP: the packet that is quoted */
};

/* ---- calls ---- */

struct address_spec {
    const struct expr *ip; /* NULL: any */
    const struct expr *port;
};

struct argument {
    enum { ARG_VALUE, ARG_BYTES, ARG_ADDRESS, ARG_PAIR } kind;
    struct place place;
    const struct expr *a, *b; /* VALUE: a; PAIR */
    struct bytes bytes;
    struct address_spec address;
};

enum { ARGUMENTS_MOST = 5 };

struct result_spec {
    struct match value; /* UNSET: it must not fail */
    bool has_text, has_address;
    struct bytes text;
    struct address_spec address;
};

struct call_spec {
    const struct call_name *name;
    struct place place;
    unsigned n;
    struct argument arguments[ARGUMENTS_MOST];
    struct result_spec result;
    const char *names; /* the variable that the result goes to, or NULL */
};

struct info_spec {
    const struct info_spec *next;
    const struct info_name *name;
    struct match value;
};

/* ---- steps ---- */

struct step {
    struct step *next;
    struct place place;
    const char *text; /* the line as it was written */
    enum { WHEN_NEXT, WHEN_AFTER, WHEN_AT, WHEN_WITHIN } when;
    const struct expr *time, *tolerance;
    enum {
        STEP_PEER,
        STEP_HOST,
        STEP_CALL,
        STEP_BEGIN,
        STEP_END,
        STEP_SET,
        STEP_LET,
        STEP_DEFAULT,
        STEP_SILENCE,
        STEP_WAIT,
        STEP_IGNORE,
        STEP_CHECK,
        STEP_INFO,
        STEP_TOLERANCE,
        STEP_NETWORK,
        STEP_ARP
    } kind;
    const char *name; /* PEER, HOST: the flow; BEGIN, END: the call; SET: the knob; LET: the variable */
    const struct expr *times; /* PEER, HOST: how often; NULL: once */
    const struct packet_spec *packet;
    struct call_spec call;    /* and END: its result */
    const struct expr *value; /* LET, SILENCE, WAIT, CHECK, INFO: the socket */
    struct match match;       /* CHECK */
    const char *setting;      /* SET */
    const struct info_spec *info;
    unsigned prefix; /* NETWORK */
    const struct expr *network_mtu;
};

struct script {
    struct arena arena;
    struct step *steps;
    const char *file;
};

struct script_error {
    int line, column;
    char file[512], text[512];
};

/* Gives the text of the file `name` that `from` includes (snippet: that it `use`s) in malloc()ed memory, with
 * its length and the path it was found under (in path); NULL: there is none. */
struct script_reader {
    char *(*read)(void *arg, const char *from, const char *name, bool snippet, size_t *n, char path[512]);
    void *arg;
};

/* Read a script. NULL: error says where and what. file is copied. script_free() gives it back. */
struct script *script_parse(const char *file, const char *text, size_t n, const struct script_reader *reader,
                            struct script_error *error);
void script_free(struct script *s);
