/* lib/hash.h - a keyed hash for tables that a peer may try to fill on one chain, and for what must not be
 * guessed. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct hash_key {
    uint64_t k[2];
};
/* SipHash-2-4 (Aumasson and Bernstein, 2012) of n bytes. */
uint64_t siphash(const void *p, size_t n, const struct hash_key *key);
