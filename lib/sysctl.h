/* lib/sysctl.h - knobs: values of a running kernel that have a name, a kind and bounds, and are read and
 * written as text. Each part of the kernel has one constant table of them, about the fields of one struct of
 * its own. Who owns the tables and shows them as files is not told here.
 *
 * The name is the path below /proc/sys; doc/sysctl.md is generated from the tables. */
#pragma once
#include "lib/compiler.h"
#include "lib/list.h"

enum sysctl_kind {
    SYSCTL_KIND_INT,     /* n int32_t, in a line, tabs between them */
    SYSCTL_KIND_U64,     /* uint64_t */
    SYSCTL_KIND_BOOL,    /* bool: 0 or 1 */
    SYSCTL_KIND_MS,      /* uint64_t nanoseconds, as milliseconds */
    SYSCTL_KIND_SECONDS, /* uint64_t nanoseconds, as seconds */
    SYSCTL_KIND_TEXT,    /* char[n] */
    SYSCTL_KIND_SHOW     /* made by show */
};
enum { SYSCTL_TEXT_MAX = 128, SYSCTL_INTS_MAX = 4 };

struct sysctl {
    const char *path; /* "net/ipv4/ip_default_ttl"; NULL ends a table */
    enum sysctl_kind kind;
    bool read_only;
    unsigned n;
    size_t offset;    /* in the table's base */
    int64_t min, max; /* of each number, in the unit of the text */
    const char *what;
    /* NULL, or may the new value be (numbers, or the text)? false: -EINVAL. */
    bool (*check)(const void *base, const int64_t *numbers, const char *text);
    /* NULL, or what follows from the new value. */
    void (*changed)(void *base);
    /* The text without a newline, instead of the field's; its length. SYSCTL_KIND_SHOW has nothing else. */
    int (*show)(const void *base, char *buf, size_t size);
};

/* One part's table, with what it is about. */
struct sysctl_table {
    struct list_head link;
    const struct sysctl *entries;
    void *base;
};

/* An entry: its path, the struct and field, the bounds, a line that says what it does; then .check, .changed
 * or .read_only as wanted. A field of another size does not compile. */
#define SYSCTL_FIELD(type, field, wanted)                                                                    \
    (offsetof(type, field) + 0 * sizeof(char[sizeof(((type *)0)->field) == (wanted) ? 1 : -1]))
#define SYSCTL_INT(path_, type, field, min_, max_, what_)                                                    \
    .path = (path_), .kind = SYSCTL_KIND_INT, .n = 1, .offset = SYSCTL_FIELD(type, field, 4), .min = (min_), \
    .max = (max_), .what = (what_)
#define SYSCTL_INTS(path_, type, field, n_, min_, max_, what_)                                               \
    .path = (path_), .kind = SYSCTL_KIND_INT, .n = (n_), .offset = SYSCTL_FIELD(type, field, 4 * (n_)),      \
    .min = (min_), .max = (max_), .what = (what_)
#define SYSCTL_U64(path_, type, field, min_, max_, what_)                                                    \
    .path = (path_), .kind = SYSCTL_KIND_U64, .n = 1, .offset = SYSCTL_FIELD(type, field, 8), .min = (min_), \
    .max = (max_), .what = (what_)
#define SYSCTL_BOOL(path_, type, field, what_)                                                               \
    .path = (path_), .kind = SYSCTL_KIND_BOOL, .n = 1, .offset = SYSCTL_FIELD(type, field, 1), .min = 0,     \
    .max = 1, .what = (what_)
#define SYSCTL_MS(path_, type, field, min_, max_, what_)                                                     \
    .path = (path_), .kind = SYSCTL_KIND_MS, .n = 1, .offset = SYSCTL_FIELD(type, field, 8), .min = (min_),  \
    .max = (max_), .what = (what_)
#define SYSCTL_SECONDS(path_, type, field, min_, max_, what_)                                                \
    .path = (path_), .kind = SYSCTL_KIND_SECONDS, .n = 1, .offset = SYSCTL_FIELD(type, field, 8),            \
    .min = (min_), .max = (max_), .what = (what_)
#define SYSCTL_TEXT(path_, type, field, size_, what_)                                                        \
    .path = (path_), .kind = SYSCTL_KIND_TEXT, .n = (size_), .offset = SYSCTL_FIELD(type, field, size_),     \
    .what = (what_)
#define SYSCTL_SHOW(path_, show_, what_)                                                                     \
    .path = (path_), .kind = SYSCTL_KIND_SHOW, .read_only = true, .show = (show_), .what = (what_)

/* The value as a line; its whole length, as C99's snprintf. */
int sysctl_read(const struct sysctl *s, const void *base, char *buf, size_t size);
/* Set it from n bytes of text: blanks around, numbers decimal or 0x. Of a row of numbers the first ones may
 * be given alone. 0; -EINVAL for what is no such value or out of bounds, and then nothing has changed;
 * -EACCES. Words are written whole: readers on other CPUs see the old one or the new one. */
int sysctl_write(const struct sysctl *s, void *base, const char *text, size_t n);
/* The entry called path in a table, or NULL. */
const struct sysctl *sysctl_find(const struct sysctl *table, const char *path);
