/* lib/format_test.c - ksnprintf against the C library's snprintf. */
#include "lib/bytes.h"
#include "lib/format.h"
#include "sim/test.h"
#include <limits.h>
#include <stdio.h>
#include <string.h>

/* The same call of both, with and without enough room. */
#define SAME(...)                                                                                            \
    do {                                                                                                     \
        char ours_[128], theirs_[128];                                                                       \
        for (size_t size_ = 0; size_ <= sizeof ours_; size_ = size_ ? size_ * 2 : 1) {                       \
            memset(ours_, 'x', sizeof ours_);                                                                \
            memset(theirs_, 'x', sizeof theirs_);                                                            \
            int n_ = ksnprintf(ours_, size_, __VA_ARGS__), m_ = snprintf(theirs_, size_, __VA_ARGS__);       \
            CHECK_EQ(n_, m_);                                                                                \
            if (memcmp(ours_, theirs_, sizeof ours_))                                                        \
                test_fail(__FILE__, __LINE__, "'%s' is not '%s'", ours_, theirs_);                           \
        }                                                                                                    \
    } while (0)

#pragma GCC diagnostic ignored "-Wpragmas" /* each compiler knows a warning that the other does not */
#pragma GCC diagnostic ignored "-Wunknown-warning-option"
#pragma GCC diagnostic ignored "-Wformat-truncation"

TEST(integers_are_printed_as_the_c_library_does)
{
    static const int numbers[] = { 0, 1, -1, 7, 42, -42, 99999, INT_MAX, INT_MIN };

    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
        int n = numbers[i];
        unsigned u = (unsigned)n;
        SAME("%d|%i|%5d|%-5d|%05d|%+d|% d", n, n, n, n, n, n, n);
        SAME("%u|%x|%X|%o|%8x|%08x|%-8x|", u, u, u, u, u, u, u);
        SAME("%#x|%#X|%#o|%#10x|%#010x", u, u, u, u, u);
        SAME("%.3d|%.0d|%8.3d|%-8.3d|", n, n, n, n);
        SAME("%hd|%hhd|%hu|%hhu", (short)n, (signed char)n, (unsigned short)n, (unsigned char)n);
    }
}

TEST(long_integers_are_printed_as_the_c_library_does)
{
    SAME("%ld %lu %lx", LONG_MIN, ULONG_MAX, ULONG_MAX);
    SAME("%lld %llu %zu", LLONG_MAX, ULLONG_MAX, SIZE_MAX);
    SAME("%20lu|%-20lu|%020lu", 1ul << 63, 1ul << 63, 1ul << 63);
}

TEST(text_is_printed_as_the_c_library_does)
{
    SAME("%s|%10s|%-10s|%.2s|%10.2s|%c|%%", "ahoy", "ahoy", "ahoy", "ahoy", "ahoy", 'z');
    SAME("%*d|%-*d|%.*s|", 6, 42, 6, 42, 3, "abcdef");
    SAME("%*d|", -6, 42);
    SAME("%3c|%-3c|", 'a', 'b');
    SAME("%p", (void *)(uintptr_t)0xdeadbeef);
}

TEST(addresses_are_printed_from_network_order)
{
    const be32 ip = cpu_to_be32(0x0a00020f);
    const uint8_t mac[] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x0f };
    char text[64];

    ksnprintf(text, sizeof text, "%pI4 %pM|%-12pI4|", (const void *)&ip, (const void *)mac,
              (const void *)&ip);
    CHECK(!strcmp(text, "10.0.2.15 52:54:00:12:34:0f|10.0.2.15   |"));
}

TEST(a_textbuf_cuts_and_counts)
{
    char buf[8];
    struct textbuf t = { .buf = buf, .size = sizeof buf };

    textbuf_printf(&t, "%s", "abc");
    textbuf_printf(&t, "%s", "defghij");
    textbuf_printf(&t, "%d", 42);
    CHECK_EQ(t.len, 12);
    CHECK(!strcmp(buf, "abcdefg"));
}
