/* net/ipv4/fib_trie.c - longest-prefix match: a trie whose nodes branch on six bits.
 *
 * A node stands for the addresses that begin with the bits on the way to it. It knows two things about the
 * next six bits. Which prefixes end within them: those of six bits are the bits of one word, the shorter ones
 * are the places of a binary tree, numbered as in a heap (1 the root, 2n and 2n+1 below n), and so the bits 1
 * to 63 of another. And for which of their 64 values there is a node further down: a third word. Only what
 * exists has a slot; how many bits are set below a bit says which slot is its. (Eatherton, Varghese, Dittia:
 * Tree Bitmap, 2004; the six bits are those of Asai and Ohara: Poptrie, 2015.)
 *
 *     10.0.0.0/8   is 000010 10|: root -> child 000010 -> place 4 + 2 (two bits, 10)
 *     10.1.2.0/24  is 000010 100000 000100 000010|: three nodes on, the leaf 000010
 *
 * A prefix ends in the first node that can hold it: no node but the root has the prefix of no more bits
 * (place 1). A node without prefixes and children does not exist. */
#include "net/ipv4/fib_trie.h"
#include "lib/abi/errno.h"
#include "lib/bits.h"
#include "lib/string.h"
#include "net/port.h"

enum { STRIDE = 6, FANOUT = 1 << STRIDE, ADDRESS_BITS = 32, DEPTH_MAX = 6 /* 32 / 6, rounded up */ };

struct trie_node {
    uint64_t children; /* bit b: there is a node for the next six bits being b */
    uint64_t inner;    /* bit place(bits, len): a prefix of len more bits ends there, len below six */
    uint64_t leaves;   /* bit b: a prefix of the six bits b ends there */
    void *slots[];     /* the children in order of b, then the values: of inner, of leaves */
};

/* The next six bits of what is left of an address. */
static unsigned next_bits(uint32_t rest)
{
    return rest >> (ADDRESS_BITS - STRIDE);
}

static unsigned place(unsigned bits, unsigned len)
{
    return 1u << len | bits >> (STRIDE - len);
}

/* ---- slots ---- */

static unsigned slot_count(const struct trie_node *n)
{
    return bits_count(n->children) + bits_count(n->inner) + bits_count(n->leaves);
}

static unsigned child_slot(const struct trie_node *n, unsigned b)
{
    return bits_count_below(n->children, b);
}

static unsigned inner_slot(const struct trie_node *n, unsigned at)
{
    return bits_count(n->children) + bits_count_below(n->inner, at);
}

static unsigned leaf_slot(const struct trie_node *n, unsigned b)
{
    return bits_count(n->children) + bits_count(n->inner) + bits_count_below(n->leaves, b);
}

/* The same for the first len of bits; whether a prefix ends there; and let one do so, or not. */
static unsigned value_slot(const struct trie_node *n, unsigned bits, unsigned len)
{
    return len == STRIDE ? leaf_slot(n, bits) : inner_slot(n, place(bits, len));
}

static bool has_value(const struct trie_node *n, unsigned bits, unsigned len)
{
    return (len == STRIDE ? n->leaves >> bits : n->inner >> place(bits, len)) & 1;
}

static void flip_value(struct trie_node *n, unsigned bits, unsigned len)
{
    if (len == STRIDE)
        n->leaves ^= 1ull << bits;
    else
        n->inner ^= 1ull << place(bits, len);
}

static struct trie_node *child(const struct trie_node *n, unsigned b)
{
    return n->children >> b & 1 ? n->slots[child_slot(n, b)] : NULL;
}

static size_t node_size(unsigned slots)
{
    return sizeof(struct trie_node) + slots * sizeof(void *);
}

/* Make room for a slot. *n is another node afterwards, whose bits are still to be set; NULL is an empty one.
 */
static int open_slot(struct trie_node **n, unsigned slot)
{
    struct trie_node *old = *n;
    unsigned count = old ? slot_count(old) : 0;
    struct trie_node *new = mem_alloc(node_size(count + 1));

    if (!new)
        return -ENOMEM;
    if (old) {
        memcpy(new, old, node_size(slot));
        memcpy(&new->slots[slot + 1], &old->slots[slot], (count - slot) * sizeof(void *));
    }
    mem_free(old);
    *n = new;
    return 0;
}

/* Take a slot out; the bits are as they were with it. Without memory for a smaller node the old one serves.
 */
static void close_slot(struct trie_node **n, unsigned slot)
{
    struct trie_node *old = *n;
    unsigned count = slot_count(old);
    struct trie_node *new = mem_alloc(node_size(count - 1));

    if (new)
        memcpy(new, old, node_size(slot));
    memmove(&(new ? new : old)->slots[slot], &old->slots[slot + 1], (count - slot - 1) * sizeof(void *));
    if (new) {
        mem_free(old);
        *n = new;
    }
}

/* ---- looking up ---- */

/* For each five bits the places above and at them: which shorter prefixes hold an address that goes on so. */
#define HOLDERS(b)                                                                                           \
    (1ull << (32 | (b)) | 1ull << (16 | (b) >> 1) | 1ull << (8 | (b) >> 2) | 1ull << (4 | (b) >> 3) |        \
     1ull << (2 | (b) >> 4) | 1ull << 1)
#define HOLDERS_4(b) HOLDERS(b), HOLDERS((b) + 1), HOLDERS((b) + 2), HOLDERS((b) + 3)
static const uint64_t holders[FANOUT / 2] = { HOLDERS_4(0),  HOLDERS_4(4),  HOLDERS_4(8),  HOLDERS_4(12),
                                              HOLDERS_4(16), HOLDERS_4(20), HOLDERS_4(24), HOLDERS_4(28) };

void *trie_match(const struct fib_trie *t, uint32_t addr)
{
    void *const *best = NULL;

    for (const struct trie_node *n = t->root; n; addr <<= STRIDE) {
        unsigned b = next_bits(addr);
        uint64_t holding = n->inner & holders[b >> 1]; /* the longest is the highest bit */
        if (n->leaves >> b & 1)
            best = &n->slots[leaf_slot(n, b)];
        else if (holding)
            best = &n->slots[inner_slot(n, bits_highest(holding))];
        n = child(n, b);
    }
    return best ? *best : NULL;
}

void *trie_get(const struct fib_trie *t, uint32_t prefix, unsigned len)
{
    const struct trie_node *n = t->root;

    for (; n && len > STRIDE; len -= STRIDE, prefix <<= STRIDE)
        n = child(n, next_bits(prefix));
    return n && has_value(n, next_bits(prefix), len) ? n->slots[value_slot(n, next_bits(prefix), len)] : NULL;
}

/* ---- changing ---- */

/* Free the nodes on the way to prefix that have nothing in them (any more), from the last upwards. */
static void prune(struct fib_trie *t, uint32_t prefix)
{
    struct trie_node **way[DEPTH_MAX], **at = &t->root;
    unsigned bits[DEPTH_MAX], depth = 0;

    for (; *at; prefix <<= STRIDE) {
        way[depth] = at;
        bits[depth++] = next_bits(prefix);
        if (!((*at)->children >> next_bits(prefix) & 1))
            break;
        at = (struct trie_node **)&(*at)->slots[child_slot(*at, next_bits(prefix))];
    }
    while (depth && !slot_count(*way[depth - 1])) {
        mem_free(*way[--depth]);
        if (!depth) {
            t->root = NULL;
            return;
        }
        struct trie_node **above = way[depth - 1];
        close_slot(above, child_slot(*above, bits[depth - 1]));
        (*above)->children &= ~(1ull << bits[depth - 1]);
    }
}

/* Give *n a child b, an empty node. */
static int add_child(struct trie_node **n, unsigned b)
{
    struct trie_node *new = mem_alloc(sizeof *new);

    if (!new || open_slot(n, *n ? child_slot(*n, b) : 0)) {
        mem_free(new);
        return -ENOMEM;
    }
    (*n)->slots[child_slot(*n, b)] = new;
    (*n)->children |= 1ull << b;
    return 0;
}

/* Where the node hangs that prefix/len ends in, made if need be; NULL: memory is out. *prefix and *len become
 * what is left of them there. */
static struct trie_node **descend(struct fib_trie *t, uint32_t *prefix, unsigned *len)
{
    struct trie_node **at = &t->root;

    for (; *len > STRIDE; *len -= STRIDE, *prefix <<= STRIDE) {
        unsigned b = next_bits(*prefix);
        if ((!*at || !child(*at, b)) && add_child(at, b))
            return NULL;
        at = (struct trie_node **)&(*at)->slots[child_slot(*at, b)];
    }
    return at;
}

static int put_value(struct trie_node **n, unsigned bits, unsigned len, void *value)
{
    if (!*n || !has_value(*n, bits, len)) {
        if (open_slot(n, *n ? value_slot(*n, bits, len) : 0))
            return -ENOMEM;
        flip_value(*n, bits, len);
    }
    (*n)->slots[value_slot(*n, bits, len)] = value;
    return 0;
}

int trie_put(struct fib_trie *t, uint32_t prefix, unsigned len, void *value)
{
    uint32_t rest = prefix;
    struct trie_node **n = descend(t, &rest, &len);

    if (n && !put_value(n, next_bits(rest), len, value))
        return 0;
    prune(t, prefix);
    return -ENOMEM;
}

void trie_remove(struct fib_trie *t, uint32_t prefix, unsigned len)
{
    uint32_t rest = prefix;
    struct trie_node **n = descend(t, &rest, &len); /* it is there: nothing is made */

    close_slot(n, value_slot(*n, next_bits(rest), len));
    flip_value(*n, next_bits(rest), len);
    prune(t, prefix);
}

/* ---- walking ---- */

/* Does a prefix lie before p, or was it seen? */
static bool passed(const struct trie_place *p, uint32_t prefix, unsigned len)
{
    if (prefix != p->prefix)
        return prefix < p->prefix;
    return len != p->len ? len < p->len : p->behind;
}

/* Of the prefixes in n that begin with the six bits b and go on with zeros: the first behind p. base: the
 * bits on the way to n, depth: how many. */
static void *next_here(const struct trie_node *n, uint32_t base, unsigned depth, unsigned b,
                       struct trie_place *p)
{
    unsigned shortest = b ? STRIDE - (unsigned)__builtin_ctz(b) : 0;

    for (unsigned len = shortest; len <= STRIDE; len++) {
        if (!has_value(n, b, len) || passed(p, base, depth + len))
            continue;
        *p = (struct trie_place){ .prefix = base, .len = (uint8_t)(depth + len), .behind = true };
        return n->slots[value_slot(n, b, len)];
    }
    return NULL;
}

/* The first prefix behind p in n and below it. */
static void *next_below(const struct trie_node *n, uint32_t base, unsigned depth, struct trie_place *p)
{
    const uint32_t step = depth + STRIDE < ADDRESS_BITS ? 1u << (ADDRESS_BITS - STRIDE - depth) : 1;
    uint32_t first = p->prefix > base ? (p->prefix - base) / step : 0;

    for (unsigned b = first; b < FANOUT; b++) {
        uint32_t at = base + ((uint32_t)b << (ADDRESS_BITS - STRIDE) >> depth);
        void *value = next_here(n, at, depth, b, p);
        if (!value && n->children >> b & 1)
            value = next_below(child(n, b), at, depth + STRIDE, p);
        if (value)
            return value;
    }
    return NULL;
}

void *trie_next(const struct fib_trie *t, struct trie_place *p)
{
    return t->root ? next_below(t->root, 0, 0, p) : NULL;
}

static size_t bytes_below(const struct trie_node *n)
{
    size_t sum = node_size(slot_count(n));

    for (unsigned b = 0; b < FANOUT; b++)
        if (n->children >> b & 1)
            sum += bytes_below(child(n, b));
    return sum;
}

size_t trie_bytes(const struct fib_trie *t)
{
    return t->root ? bytes_below(t->root) : 0;
}
