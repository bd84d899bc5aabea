/* lib/random_test.c - ChaCha20 against the RFC, and what the generator promises. */
#include "lib/random.h"
#include "sim/test.h"
#include <string.h>

TEST(chacha20_gives_the_rfc_s_block) // RFC 8439 2.3.2
{
    static const uint32_t expected[16] = { 0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3,
                                           0xc7f4d1c7, 0x0368c033, 0x9aaa2204, 0x4e6cd4c3,
                                           0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9,
                                           0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2 };
    const uint32_t position[4] = { 1, 0x09000000, 0x4a000000, 0x00000000 };
    uint32_t key[8], out[16];

    for (unsigned i = 0; i < 8; i++)
        key[i] = 0x03020100 + 0x04040404 * i;
    chacha20_block(key, position, out);
    CHECK(memcmp(out, expected, sizeof out) == 0);
}

TEST(random_bytes_depend_on_all_of_the_seed)
{
    uint8_t seed[100] = { 0 }, a[32], b[32];

    for (unsigned i = 0; i < sizeof seed; i++) {
        struct random_state x = { .counter = 0 }, y = { .counter = 0 };
        random_seed(&x, seed, sizeof seed);
        seed[i] ^= 1;
        random_seed(&y, seed, sizeof seed);
        random_fill(&x, a, sizeof a);
        random_fill(&y, b, sizeof b);
        CHECK(memcmp(a, b, sizeof a) != 0);
    }
}

TEST(random_bytes_do_not_repeat_and_the_key_is_forgotten)
{
    struct random_state r = { .counter = 0 };
    uint8_t a[100], b[100];
    uint32_t key[8];

    random_seed(&r, "seed", 4);
    memcpy(key, r.key, sizeof key);
    random_fill(&r, a, sizeof a);
    CHECK(memcmp(key, r.key, sizeof key) != 0);
    random_fill(&r, b, sizeof b);
    CHECK(memcmp(a, b, sizeof a) != 0);
}
