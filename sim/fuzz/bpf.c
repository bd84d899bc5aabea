/* sim/fuzz/bpf.c - fuzz target: any program that bpf_check() lets pass runs on any packet, ends, and reads
 * nothing but the packet. Most codes are taken from the list of those that exist, so that programs get past
 * the check. */
#include "net/packet/bpf.h"
#include "lib/compiler.h"
#include "sim/fuzz/fuzz.h"
#include <string.h>

enum { MOST_INSNS = 64 };

/* McCanne and Jacobson's instructions, <linux/bpf_common.h>. */
static const uint8_t codes[] = { 0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0c, 0x14, 0x15, 0x16, 0x1c,
                                 0x1d, 0x20, 0x24, 0x25, 0x28, 0x2c, 0x2d, 0x30, 0x34, 0x35, 0x3c, 0x3d, 0x40,
                                 0x44, 0x45, 0x48, 0x4c, 0x4d, 0x50, 0x54, 0x5c, 0x60, 0x61, 0x64, 0x6c, 0x74,
                                 0x7c, 0x80, 0x81, 0x84, 0x87, 0x94, 0x9c, 0xa4, 0xac, 0xb1 };

static struct sock_filter instruction(struct input *in)
{
    uint8_t choice = input_u8(in);
    uint16_t code = choice == 0xff ? input_u16(in) : codes[choice % ARRAY_SIZE(codes)];
    uint8_t jt = input_u8(in), jf = input_u8(in), size = input_u8(in);
    uint32_t k = size & 1 ? input_u32(in) : input_u8(in);

    if (size & 2)
        k += 0xfffff000u; /* SKF_AD_OFF: ancillary data */
    if (size & 4)
        k += 0xffe00000u; /* SKF_LL_OFF: from the link header on; with the next, SKF_NET_OFF */
    if (size & 8)
        k -= 0x100000u;
    return (struct sock_filter){ code, jt, jf, k };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, data + size };
    struct sock_filter program[MOST_INSNS];
    unsigned n = input_u8(&in) % (MOST_INSNS + 1);
    uint8_t flags = input_u8(&in), network_at = input_u8(&in);
    struct bpf_packet p = { .protocol = 0x800, .pkt_type = 4, .ifindex = 2 };
    size_t len = SIZE_MAX;
    const uint8_t *rest;
    uint8_t *packet;

    for (unsigned i = 0; i < n; i++)
        program[i] = instruction(&in);
    rest = input_bytes(&in, &len);
    packet = malloc(len + !len); /* of its own, with an edge that is watched */
    if (!packet)
        abort();
    memcpy(packet, rest, len);
    p.data = packet;
    p.len = (uint32_t)len;
    p.end = packet + len;
    p.mac = flags & 1 ? packet : NULL;
    p.network = flags & 2 && network_at <= len ? packet + network_at : NULL;
    if (bpf_check(program, n))
        bpf_run(program, &p);
    free(packet);
    return 0;
}
