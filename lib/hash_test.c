/* lib/hash_test.c - SipHash against its authors' vectors. */
#include "lib/hash.h"
#include "sim/test.h"

TEST(siphash_gives_the_authors_vectors) // Aumasson and Bernstein, appendix A, and vectors.h
{
    static const struct {
        size_t len;
        uint64_t hash;
    } vectors[] = {
        { 0, 0x726fdb47dd0e0e31 }, { 1, 0x74f839c593dc67fd },  { 7, 0xab0200f58b01d137 },
        { 8, 0x93f5f5799a932462 }, { 15, 0xa129ca6149be45e5 }, { 63, 0x958a324ceb064572 },
    };
    const struct hash_key key = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
    uint8_t message[64];

    for (unsigned i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)i;
    for (unsigned i = 0; i < sizeof vectors / sizeof *vectors; i++)
        CHECK(siphash(message, vectors[i].len, &key) == vectors[i].hash);
}

TEST(siphash_depends_on_its_key)
{
    const struct hash_key a = { { 1, 2 } }, b = { { 1, 3 } };
    CHECK(siphash("towpath", 7, &a) != siphash("towpath", 7, &b));
}
