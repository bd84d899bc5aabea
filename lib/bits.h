/* lib/bits.h - counting bits of a word. */
#pragma once
#include <stdint.h>

/* How many bits of x are set: by pairs, fours, bytes. (x86-64 without extensions has no instruction for it.)
 */
static inline unsigned bits_count(uint64_t x)
{
    x -= x >> 1 & 0x5555555555555555;
    x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
    x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
    return (unsigned)(x * 0x0101010101010101 >> 56);
}
/* How many bits of x below bit n (0 to 63) are set. */
static inline unsigned bits_count_below(uint64_t x, unsigned n)
{
    return bits_count(x & (((uint64_t)1 << n) - 1));
}
/* The number of the highest bit that is set; x is not 0. */
static inline unsigned bits_highest(uint64_t x)
{
    return 63u - (unsigned)__builtin_clzll(x);
}
