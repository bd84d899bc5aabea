/* lib/random.h - a generator of random bytes: ChaCha20 (RFC 8439 2.3) in counter mode, rekeyed from its own
 * output. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct random_state {
    uint32_t key[8];
    uint64_t counter;
};
/* Mix n bytes of seed into the key. The caller locks. */
void random_seed(struct random_state *r, const void *seed, size_t n);
/* Fill dst; the key that made the bytes is forgotten afterwards. The caller locks. */
void random_fill(struct random_state *r, void *dst, size_t n);

/* One block of key stream as 16 words, to be stored little-endian; position is words 12 to 15 of the state:
 * counter and nonce (RFC 8439 2.3). */
void chacha20_block(const uint32_t key[8], const uint32_t position[4], uint32_t out[16]);
