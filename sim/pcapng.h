/* sim/pcapng.h - captures that Wireshark and tshark read (draft-ietf-opsawg-pcapng). */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct pcapng;

enum pcapng_link { PCAPNG_ETHERNET = 1, PCAPNG_RAW_IP = 101 }; /* LINKTYPE_ETHERNET, LINKTYPE_RAW */

/* Begin the file at path with one interface of that name and kind. NULL if it cannot be written. */
struct pcapng *pcapng_open(const char *path, const char *interface, enum pcapng_link link);
/* Add a frame that was seen at time, in ns since 1970. */
void pcapng_write(struct pcapng *p, uint64_t time, const uint8_t *frame, size_t n);
void pcapng_close(struct pcapng *p);
