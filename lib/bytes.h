/* lib/bytes.h - network order is a type.
 * A be16 or be32 is a struct, so that mixing it with a host integer does not compile; both have an alignment
 * of one byte, so that a header struct made of them may lie anywhere in a packet. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint16_t raw;
} __attribute__((packed)) be16;
typedef struct {
    uint32_t raw;
} __attribute__((packed)) be32;
_Static_assert(sizeof(be16) == 2 && _Alignof(be16) == 1, "be16 is two bytes, anywhere");
_Static_assert(sizeof(be32) == 4 && _Alignof(be32) == 1, "be32 is four bytes, anywhere");

static inline uint16_t be16_to_cpu(be16 v)
{
    return __builtin_bswap16(v.raw);
}
static inline uint32_t be32_to_cpu(be32 v)
{
    return __builtin_bswap32(v.raw);
}
static inline be16 cpu_to_be16(uint16_t v)
{
    return (be16){ __builtin_bswap16(v) };
}
static inline be32 cpu_to_be32(uint32_t v)
{
    return (be32){ __builtin_bswap32(v) };
}
static inline bool be16_equal(be16 a, be16 b)
{
    return a.raw == b.raw;
}
static inline bool be32_equal(be32 a, be32 b)
{
    return a.raw == b.raw;
}
