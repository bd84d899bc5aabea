/* net/packet/bpf.h - classic BPF: a program of the user's that says how much of a packet he wants (McCanne
 * and Jacobson, "The BSD Packet Filter", 1993; <linux/filter.h> for the numbers).
 *
 * A program is checked once, when it is attached; afterwards it cannot loop (jumps go forward), cannot leave
 * itself, its sixteen words of memory or the packet, and ends in a return. */
#pragma once
#include "lib/abi/socket.h"
#include <stdbool.h>

enum { BPF_MAX_INSNS = 4096, BPF_MEM_WORDS = 16 };

/* May this program run? */
bool bpf_check(const struct sock_filter *program, unsigned n);

/* What a program may ask beside the packet's bytes: ancillary data (SKF_AD_*), and the headers by name. */
struct bpf_packet {
    const uint8_t *data; /* where the program's offset 0 is */
    uint32_t len;
    const uint8_t *mac, *network; /* NULL: not known */
    const uint8_t *end;
    uint16_t protocol; /* host order */
    uint8_t pkt_type;
    uint32_t ifindex, cpu;
};
/* How many bytes of the packet are wanted: 0: none of it. The program must have passed bpf_check(). */
uint32_t bpf_run(const struct sock_filter *program, const struct bpf_packet *p);
