/* lib/siphash.c - SipHash-2-4: two rounds a word, four at the end. */
#include "lib/compiler.h"
#include "lib/hash.h"

typedef uint64_t word64 __attribute__((aligned(1), may_alias));

static inline uint64_t rotl(uint64_t x, unsigned n)
{
    return x << n | x >> (64 - n);
}

static inline void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[0] = rotl(v[0], 32);
    v[2] += v[3];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[2] = rotl(v[2], 32);
}

static inline void sip_compress(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

uint64_t siphash(const void *p, size_t n, const struct hash_key *key)
{
    const uint8_t *s = p;
    uint64_t v[4] = { key->k[0] ^ 0x736f6d6570736575, key->k[1] ^ 0x646f72616e646f6d,
                      key->k[0] ^ 0x6c7967656e657261, key->k[1] ^ 0x7465646279746573 };
    uint64_t last = (uint64_t)n << 56; /* the length's low byte ends the message */

    for (; n >= 8; n -= 8, s += 8)
        sip_compress(v, *(const word64 *)s);
    for (size_t i = 0; i < n; i++)
        last |= (uint64_t)s[i] << 8 * i;
    sip_compress(v, last);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
