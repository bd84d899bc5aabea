/* net/ipv4/fib_trie.h - prefixes of addresses, found by the longest that holds an address; private to the
 * folder. Addresses and prefixes are in the host's order; bits of a prefix behind its length are zero. The
 * owner of a trie guards it by a lock of its own. A value is never NULL and stays its owner's. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trie_node;
struct fib_trie { /* all zero: empty */
    struct trie_node *root;
};

/* The value of the longest prefix that holds addr, or NULL. */
void *trie_match(const struct fib_trie *t, uint32_t addr);
/* The value of the prefix itself, or NULL. */
void *trie_get(const struct fib_trie *t, uint32_t prefix, unsigned len);
/* Let prefix/len have value, instead of what it had. 0, or -ENOMEM and nothing has changed. */
int trie_put(struct fib_trie *t, uint32_t prefix, unsigned len, void *value);
/* Forget prefix/len, which is there. What it took of memory is free. */
void trie_remove(struct fib_trie *t, uint32_t prefix, unsigned len);

/* A place between prefixes, in the order of addresses, shorter ones first; all zero: before the first. */
struct trie_place {
    uint32_t prefix;
    uint8_t len;
    bool behind; /* this prefix has been seen */
};
/* The next prefix's value, and *p moves behind it; NULL at the end. The trie may change between two calls. */
void *trie_next(const struct fib_trie *t, struct trie_place *p);

/* Bytes that the nodes take. */
size_t trie_bytes(const struct fib_trie *t);
