/* sim/script/names.h - the words of the language: constants, fields, calls. */
#pragma once
#include "sim/script/script.h"

/* A constant: SO_ERROR, MSG_PEEK, POLLIN, ESTABLISHED, ... False: there is none of that name. An errno name
 * is the negative number that a call returns. */
bool name_constant(const char *name, size_t n, int64_t *value);
/* "ECONNRESET" for 104, or NULL. */
const char *name_of_errno(int64_t error);

enum field_layer {
    LAYER_IP = 1,
    LAYER_TCP = 2,
    LAYER_UDP = 4,
    LAYER_ICMP = 8,
    LAYER_OTHER = 16,
    LAYER_ARP = 32
};

/* What a field is called. */
struct field_name {
    const char *name;
    unsigned layers; /* where it may stand */
    enum { PLAIN, FLAG, ADDRESS, MAC, HEX } style;
};
extern const struct field_name field_names[FIELD_COUNT];
/* The field of that name in a layer, or FIELD_COUNT. */
enum field field_find(enum field_layer layer, const char *name, size_t n);
enum field_layer field_layer_of(enum packet_kind kind);

/* FIN SYN RST PSH ACK URG ECE CWR: its bit, or 0. */
uint8_t name_tcp_flag(const char *name, size_t n);
extern const char *const tcp_flag_names[8];

struct call_name {
    const char *name;
    unsigned least, most; /* arguments */
    enum call_code {
        CALL_SOCKET,
        CALL_BIND,
        CALL_LISTEN,
        CALL_ACCEPT,
        CALL_CONNECT,
        CALL_SEND,
        CALL_RECV,
        CALL_SENDTO,
        CALL_RECVFROM,
        CALL_CLOSE,
        CALL_SHUTDOWN,
        CALL_SETSOCKOPT,
        CALL_GETSOCKOPT,
        CALL_POLL,
        CALL_NONBLOCK,
        CALL_GETSOCKNAME,
        CALL_GETPEERNAME,
        CALL_FIONREAD
    } code;
};
const struct call_name *call_find(const char *name, size_t n);

/* A member of TCP_INFO, without its tcpi_. */
struct info_name {
    const char *name;
    unsigned offset, size;
    int64_t unit; /* what to multiply it by: times are ns here */
};
const struct info_name *info_find(const char *name, size_t n);

/* SO_ERROR, TCP_NODELAY, ...: the level it belongs to, or -1. */
int option_level(const char *name, size_t n);
