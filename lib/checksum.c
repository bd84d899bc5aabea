/* lib/checksum.c - the Internet checksum, 64 bits at a time.
 * One's complement addition does not care about the width of its words (RFC 1071 2(C)): sum 64-bit words with
 * the carry brought round, then fold. */
#include "lib/checksum.h"

typedef uint64_t word64 __attribute__((aligned(1), may_alias));
typedef uint32_t word32 __attribute__((aligned(1), may_alias));
typedef uint16_t word16 __attribute__((aligned(1), may_alias));

static inline uint64_t add64(uint64_t sum, uint64_t word)
{
    sum += word;
    return sum + (sum < word);
}

static inline csum_t fold64(uint64_t sum)
{
    return csum_add((uint32_t)sum, (uint32_t)(sum >> 32));
}

enum { BLOCK_WORDS = 8, BLOCK = BLOCK_WORDS * sizeof(word64) };
struct block {
    word64 word[BLOCK_WORDS];
};

/* One carry goes through all words; a compiler told in C makes three instructions of each word. */
static inline uint64_t add_block(uint64_t sum, const struct block *b)
{
    __asm__("addq %1, %0; adcq %2, %0; adcq %3, %0; adcq %4, %0;"
            "adcq %5, %0; adcq %6, %0; adcq %7, %0; adcq %8, %0; adcq $0, %0"
            : "+r"(sum)
            : "m"(b->word[0]), "m"(b->word[1]), "m"(b->word[2]), "m"(b->word[3]), "m"(b->word[4]),
              "m"(b->word[5]), "m"(b->word[6]), "m"(b->word[7])
            : "cc");
    return sum;
}

csum_t csum_partial(const void *p, size_t n, csum_t initial)
{
    const uint8_t *s = p;
    uint64_t sum = initial;

    for (; n >= BLOCK; n -= BLOCK, s += BLOCK)
        sum = add_block(sum, (const struct block *)s);
    for (; n >= 8; n -= 8, s += 8)
        sum = add64(sum, *(const word64 *)s);
    if (n & 4) {
        sum = add64(sum, *(const word32 *)s);
        s += 4;
    }
    if (n & 2) {
        sum = add64(sum, *(const word16 *)s);
        s += 2;
    }
    if (n & 1) /* RFC 1071 1(1): the odd byte is followed by a zero */
        sum = add64(sum, *s);
    return fold64(sum);
}

csum_t csum_partial_copy(void *restrict dst, const void *restrict src, size_t n, csum_t initial)
{
    uint8_t *d = dst;
    const uint8_t *s = src;
    uint64_t sum = initial, word;

    for (; n >= 16; n -= 16, s += 16, d += 16) {
        const word64 *from = (const word64 *)s;
        word64 *to = (word64 *)d;
        sum = add64(sum, to[0] = from[0]);
        sum = add64(sum, to[1] = from[1]);
    }
    if (n >= 8) {
        sum = add64(sum, *(word64 *)d = *(const word64 *)s);
        n -= 8;
        s += 8;
        d += 8;
    }
    for (word = 0; n >= 2; n -= 2, s += 2, d += 2)
        word += *(word16 *)d = *(const word16 *)s;
    if (n)
        word += *d = *s;
    return fold64(add64(sum, word));
}

csum_t csum_pseudo_ipv4(be32 saddr, be32 daddr, uint8_t protocol, uint16_t len)
{
    uint64_t sum = (uint64_t)saddr.raw + daddr.raw + cpu_to_be16(protocol).raw + cpu_to_be16(len).raw;
    return fold64(sum);
}

be16 csum_replace16(be16 check, be16 from, be16 to)
{
    csum_t sum =
        (csum_t)(uint16_t)~check.raw + (uint16_t)~from.raw + to.raw; /* RFC 1624 3: ~(~HC + ~m + m') */
    return csum_fold(sum);
}
