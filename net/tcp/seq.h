/* net/tcp/seq.h - sequence numbers: 32 bits that wrap, compared by these functions only (RFC 9293 3.4).
 * Two numbers compare rightly as long as they are less than 2^31 apart, which the window's limit of 2^30
 * (RFC 7323 2.3) guarantees. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

static inline bool seq_before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}
static inline bool seq_after(uint32_t a, uint32_t b)
{
    return seq_before(b, a);
}
static inline bool seq_before_eq(uint32_t a, uint32_t b)
{
    return !seq_after(a, b);
}
static inline bool seq_after_eq(uint32_t a, uint32_t b)
{
    return !seq_before(a, b);
}
/* Is low <= x < end? False for an empty range. */
static inline bool seq_within(uint32_t x, uint32_t low, uint32_t end)
{
    return seq_after_eq(x, low) && seq_before(x, end);
}
/* The bytes from low to high, 0 when high does not lie ahead. */
static inline uint32_t seq_ahead(uint32_t low, uint32_t high)
{
    return seq_after(high, low) ? high - low : 0;
}
static inline uint32_t seq_max(uint32_t a, uint32_t b)
{
    return seq_after(a, b) ? a : b;
}
static inline uint32_t seq_min(uint32_t a, uint32_t b)
{
    return seq_before(a, b) ? a : b;
}
