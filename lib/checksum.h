/* lib/checksum.h - the Internet checksum (RFC 1071): the one's complement sum of 16-bit words.
 * A partial sum is 32 bits, not folded, in the byte order of memory: sums of pieces may be added when every
 * piece but the last has an even length, or with csum_add_at(). */
#pragma once
#include "lib/bytes.h"
#include <stddef.h>

typedef uint32_t csum_t;

/* Sum n bytes at p, any alignment, on top of sum. */
csum_t csum_partial(const void *p, size_t n, csum_t sum);
/* Copy n bytes and sum them on the way: each byte is touched once. */
csum_t csum_partial_copy(void *restrict dst, const void *restrict src, size_t n, csum_t sum);

static inline csum_t csum_add(csum_t a, csum_t b)
{
    csum_t s = a + b;
    return s + (s < a);
}
/* Add to sum the sum of a piece that begins offset bytes into the whole (RFC 1071 2(B): odd places swap). */
static inline csum_t csum_add_at(csum_t sum, csum_t piece, size_t offset)
{
    return csum_add(sum, offset & 1 ? (piece << 8 | piece >> 24) : piece);
}
/* Fold to 16 bits without complementing; 0xffff for the sum of a block that carries its right checksum. */
static inline uint16_t csum_fold_sum(csum_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)(sum + (sum >> 16));
}
/* What goes into a header's checksum field. */
static inline be16 csum_fold(csum_t sum)
{
    return (be16){ (uint16_t)~csum_fold_sum(sum) };
}
/* The sum of the IPv4 pseudo-header (RFC 768, RFC 9293 3.1); len is the upper layer's length in bytes. */
csum_t csum_pseudo_ipv4(be32 saddr, be32 daddr, uint8_t protocol, uint16_t len);
/* Mend a header's checksum after one of its 16-bit words changed (RFC 1624 eqn. 3). */
be16 csum_replace16(be16 check, be16 from, be16 to);
