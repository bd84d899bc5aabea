/* lib/checksum_test.c - the fast checksum against the definition, at every alignment. */
#include "lib/checksum.h"
#include "sim/sim.h"
#include "sim/test.h"
#include <string.h>

enum { MAX_LEN = 200, ALIGNMENTS = 8 };

/* RFC 1071 1, word by word as it is written there. */
static uint16_t naive(const uint8_t *p, size_t n, uint32_t sum)
{
    for (; n > 1; n -= 2, p += 2)
        sum += (uint32_t)p[0] << 8 | p[1];
    if (n)
        sum += (uint32_t)p[0] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

/* Two sums are the same number if they differ in nothing but the sign of zero. */
static bool same(uint16_t a, uint16_t b)
{
    return a % 0xffff == b % 0xffff;
}

static uint16_t folded(csum_t sum)
{
    return be16_to_cpu((be16){ csum_fold_sum(sum) });
}

static void fill(uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        p[i] = (uint8_t)(sim_random() % 4 ? sim_random() : 0xff); /* many carries */
}

TEST(checksum_is_that_of_the_definition) // RFC 1071 1
{
    uint8_t bytes[MAX_LEN + ALIGNMENTS];

    fill(bytes, sizeof bytes);
    for (size_t at = 0; at < ALIGNMENTS; at++)
        for (size_t n = 0; n <= MAX_LEN; n++)
            CHECK(same(folded(csum_partial(bytes + at, n, 0)), naive(bytes + at, n, 0)));
}

TEST(checksum_of_the_rfc_s_example) // RFC 1071 3
{
    static const uint8_t bytes[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
    CHECK_EQ(folded(csum_partial(bytes, sizeof bytes, 0)), 0xddf2);
}

TEST(checksum_and_copy_do_both)
{
    uint8_t from[MAX_LEN + ALIGNMENTS], to[MAX_LEN + ALIGNMENTS];

    fill(from, sizeof from);
    for (size_t at = 0; at < ALIGNMENTS; at++)
        for (size_t n = 0; n <= MAX_LEN; n++) {
            memset(to, 0x5a, sizeof to);
            csum_t sum = csum_partial_copy(to + 1, from + at, n, 0);
            CHECK(same(folded(sum), naive(from + at, n, 0)));
            CHECK(memcmp(to + 1, from + at, n) == 0);
            CHECK(to[0] == 0x5a && (n + 1 >= sizeof to || to[n + 1] == 0x5a));
        }
}

TEST(checksums_of_pieces_add_up_at_odd_places_too) // RFC 1071 2(B)
{
    uint8_t bytes[MAX_LEN];

    fill(bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        csum_t sum = csum_partial(bytes, cut, 0);
        sum = csum_add_at(sum, csum_partial(bytes + cut, sizeof bytes - cut, 0), cut);
        CHECK(same(folded(sum), naive(bytes, sizeof bytes, 0)));
    }
}

TEST(checksum_starts_from_any_sum)
{
    uint8_t bytes[64];

    memset(bytes, 0xff, sizeof bytes);
    csum_t sum = csum_partial(bytes, sizeof bytes, 0xffffffff);
    CHECK_EQ(csum_fold_sum(sum), 0xffff);
    CHECK_EQ(csum_fold(sum).raw, 0);
}

TEST(pseudo_header_is_summed_as_if_it_stood_there) // RFC 768
{
    const be32 saddr = cpu_to_be32(0xc0a80001), daddr = cpu_to_be32(0xffffffff);
    const uint8_t header[12] = { 192, 168, 0, 1, 255, 255, 255, 255, 0, 17, 0xff, 0xfe };
    CHECK(same(folded(csum_pseudo_ipv4(saddr, daddr, 17, 0xfffe)), naive(header, sizeof header, 0)));
}

TEST(checksum_is_mended_after_one_word_changed) // RFC 1624 3 and 4
{
    uint8_t bytes[20];

    for (int round = 0; round < 1000; round++) {
        fill(bytes, sizeof bytes);
        be16 check = csum_fold(csum_partial(bytes, sizeof bytes, 0)), from, to;
        memcpy(&from, bytes + 8, 2);
        fill(bytes + 8, 2);
        memcpy(&to, bytes + 8, 2);
        be16 mended = csum_replace16(check, from, to);
        CHECK(same(be16_to_cpu(mended), be16_to_cpu(csum_fold(csum_partial(bytes, sizeof bytes, 0)))));
    }
}
