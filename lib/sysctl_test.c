/* lib/sysctl_test.c - knobs as text, good and bad. */
#include "lib/abi/errno.h"
#include "lib/sysctl.h"
#include "sim/test.h"
#include <string.h>

struct knobs {
    int32_t ttl, range[2];
    uint64_t bytes, timeout, wait;
    bool on;
    char name[8];
    unsigned changes;
};

static bool rises(const void *base, const int64_t *numbers, const char *text)
{
    (void)base, (void)text;
    return numbers[0] < numbers[1];
}
static bool no_blank(const void *base, const int64_t *numbers, const char *text)
{
    (void)base, (void)numbers;
    return !strchr(text, ' ');
}
static void count(void *base)
{
    ((struct knobs *)base)->changes++;
}

static const struct sysctl table[] = {
    { SYSCTL_INT("a/ttl", struct knobs, ttl, 1, 255, "hops"), .changed = count },
    { SYSCTL_INTS("a/range", struct knobs, range, 2, 1, 65535, "ports"), .check = rises },
    { SYSCTL_U64("a/bytes", struct knobs, bytes, 0, INT64_MAX, "memory") },
    { SYSCTL_MS("a/timeout", struct knobs, timeout, 0, 60000, "time") },
    { SYSCTL_SECONDS("a/wait", struct knobs, wait, 1, 60, "time") },
    { SYSCTL_BOOL("a/on", struct knobs, on, "switch") },
    { SYSCTL_TEXT("a/name", struct knobs, name, 8, "name"), .check = no_blank },
    { SYSCTL_INT("a/fixed", struct knobs, ttl, 1, 255, "hops"), .read_only = true },
    { .path = NULL },
};

static int set(struct knobs *k, const char *path, const char *text)
{
    return sysctl_write(sysctl_find(table, path), k, text, strlen(text));
}

static bool shows(struct knobs *k, const char *path, const char *text)
{
    char buf[64];
    int len = sysctl_read(sysctl_find(table, path), k, buf, sizeof buf);
    return len == (int)strlen(text) && !strcmp(buf, text);
}

TEST(sysctl_values_are_read_and_written_in_their_unit)
{
    struct knobs k = { .ttl = 64, .range = { 1, 2 }, .timeout = 5000000, .wait = 1000000000, .name = "x" };
    CHECK(shows(&k, "a/ttl", "64\n") && shows(&k, "a/range", "1\t2\n") && shows(&k, "a/timeout", "5\n"));
    CHECK_EQ(set(&k, "a/ttl", " 0x20\n"), 0);
    CHECK_EQ(k.ttl, 32);
    CHECK_EQ(k.changes, 1);
    CHECK_EQ(set(&k, "a/range", "1000 2000"), 0);
    CHECK(shows(&k, "a/range", "1000\t2000\n"));
    CHECK_EQ(set(&k, "a/range", "1500"), 0); /* the first alone */
    CHECK(shows(&k, "a/range", "1500\t2000\n"));
    CHECK_EQ(set(&k, "a/timeout", "60000"), 0);
    CHECK_EQ(k.timeout, 60000000000);
    CHECK_EQ(set(&k, "a/wait", "2\n"), 0);
    CHECK_EQ(k.wait, 2000000000);
    CHECK_EQ(set(&k, "a/bytes", "9223372036854775807"), 0);
    CHECK(shows(&k, "a/bytes", "9223372036854775807\n"));
    CHECK_EQ(set(&k, "a/on", "1"), 0);
    CHECK(k.on);
    CHECK_EQ(set(&k, "a/name", "tow\n"), 0);
    CHECK(shows(&k, "a/name", "tow\n"));
}

TEST(sysctl_bad_values_change_nothing)
{
    struct knobs k = { .ttl = 64, .range = { 10, 20 }, .name = "x" }, before = k;
    static const char *const bad[][2] = {
        { "a/ttl", "" },
        { "a/ttl", "0" },
        { "a/ttl", "256" },
        { "a/ttl", "-1" },
        { "a/ttl", "12a" },
        { "a/ttl", "1 2" },
        { "a/ttl", "0x" },
        { "a/ttl", "-" },
        { "a/ttl", "99999999999999999999" },
        { "a/range", "30 5" },
        { "a/range", "1 2 3" },
        { "a/range", "30" },
        { "a/on", "2" },
        { "a/on", "yes" },
        { "a/name", "12345678" },
        { "a/name", "a b" },
        { "a/wait", "0" },
        { "a/timeout", "60001" },
        { "a/bytes", "9223372036854775808" },
    };
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK_EQ(set(&k, bad[i][0], bad[i][1]), -EINVAL);
    CHECK_EQ(set(&k, "a/fixed", "1"), -EACCES);
    CHECK(!memcmp(&k, &before, sizeof k));
}
