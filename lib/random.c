/* lib/random.c - ChaCha20 as a generator of random bytes.
 * Every call draws a fresh key from the stream before it gives any byte away ("fast key erasure"): who learns
 * the state later learns nothing of what was given before. */
#include "lib/random.h"
#include "lib/compiler.h"
#include "lib/string.h"

static inline uint32_t rotl(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

static inline void quarter_round(uint32_t s[16], unsigned a, unsigned b, unsigned c, unsigned d) /* 2.1 */
{
    s[a] += s[b];
    s[d] = rotl(s[d] ^ s[a], 16);
    s[c] += s[d];
    s[b] = rotl(s[b] ^ s[c], 12);
    s[a] += s[b];
    s[d] = rotl(s[d] ^ s[a], 8);
    s[c] += s[d];
    s[b] = rotl(s[b] ^ s[c], 7);
}

void chacha20_block(const uint32_t key[8], const uint32_t position[4], uint32_t out[16])
{
    uint32_t start[16] = { 0x61707865, 0x3320646e, 0x79622d32, 0x6b206574 }; /* 2.3: the constants */

    for (unsigned i = 0; i < 8; i++)
        start[4 + i] = key[i];
    for (unsigned i = 0; i < 4; i++)
        start[12 + i] = position[i];
    memcpy(out, start, sizeof start);
    for (unsigned i = 0; i < 10; i++) { /* 2.3: 20 rounds, columns and diagonals in turn */
        quarter_round(out, 0, 4, 8, 12);
        quarter_round(out, 1, 5, 9, 13);
        quarter_round(out, 2, 6, 10, 14);
        quarter_round(out, 3, 7, 11, 15);
        quarter_round(out, 0, 5, 10, 15);
        quarter_round(out, 1, 6, 11, 12);
        quarter_round(out, 2, 7, 8, 13);
        quarter_round(out, 3, 4, 9, 14);
    }
    for (unsigned i = 0; i < 16; i++)
        out[i] += start[i];
}

static void next_block(struct random_state *r, uint32_t out[16])
{
    const uint32_t position[4] = { (uint32_t)r->counter, (uint32_t)(r->counter >> 32) };
    chacha20_block(r->key, position, out);
    r->counter++;
}

/* The first half of the next block becomes the key, the second half goes to spare. */
static void rekey(struct random_state *r, uint32_t spare[8])
{
    uint32_t block[16];

    next_block(r, block);
    memcpy(r->key, block, sizeof r->key);
    memcpy(spare, block + 8, 32);
}

void random_seed(struct random_state *r, const void *seed, size_t n)
{
    const uint8_t *s = seed;
    uint32_t spare[8];

    while (n) {
        size_t piece = MIN(n, sizeof r->key);
        uint8_t pad[sizeof r->key] = { 0 };
        uint32_t words[8];

        memcpy(pad, s, piece);
        memcpy(words, pad, sizeof words);
        for (unsigned i = 0; i < 8; i++)
            r->key[i] ^= words[i];
        rekey(r, spare);
        s += piece;
        n -= piece;
    }
}

void random_fill(struct random_state *r, void *dst, size_t n)
{
    struct random_state stream = { .counter = 0 };
    uint32_t block[16];

    rekey(r, stream.key); /* the stream gets a key of its own; r's is already the next one */
    for (uint8_t *d = dst; n;) {
        size_t piece = MIN(n, sizeof block);
        next_block(&stream, block);
        memcpy(d, block, piece);
        d += piece;
        n -= piece;
    }
}
