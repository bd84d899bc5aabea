/* kern/boot/initcall_test.c - the walk of the start-up table: order, parts, and what a failure says. */
#include "kern/boot/initcall.h"
#include "lib/format.h"
#include <string.h>

static bool cmdline_has_nothing(const char *name, char *buf, size_t size)
{
    (void)name, (void)buf, (void)size;
    return false;
}
static uint64_t two_ticks_a_ns(uint64_t ticks)
{
    return ticks / 2;
}
#define cmdline_get       cmdline_has_nothing
#define clock_ticks_to_ns two_ticks_a_ns
#include "kern/boot/initcall.c"
#undef cmdline_get
#undef clock_ticks_to_ns
#include "sim/test.h"

static char made[64];

static void first(void)
{
    strcat(made, "first ");
    CHECK(strcmp(initcall_running(), "one") == 0);
}
static int second(void)
{
    strcat(made, "second ");
    return 0;
}
static int fails(void)
{
    return -12;
}
static const char *part_name(unsigned i)
{
    static const char *const names[] = { "a", "b", NULL };
    return names[i];
}
static int part(unsigned i)
{
    strcat(made, i ? "b " : "a ");
    return 0;
}
static int second_part_fails(unsigned i)
{
    return i == 1 ? -5 : 0;
}

TEST(init_calls_are_made_in_order_with_parts_by_name)
{
    const struct initcall table[] = { { INIT_EARLY, "one", .run = first },
                                      { INIT_NET, "net", .part = part_name, .call_part = part },
                                      { INIT_NET, "two", .call = second },
                                      { .name = NULL } };
    char text[256];
    struct textbuf out = { text, sizeof text, 0 };
    initcall_debug_init();
    initcalls_run(table);
    CHECK(strcmp(made, "first a b second ") == 0);
    CHECK(!initcall_running());
    initcalls_show(&out);
    CHECK(strstr(text, "early    one") == text && strstr(text, "\nnet      net/a ") &&
          strstr(text, "net/b "));
}

TEST(init_call_that_fails_is_named)
{
    const struct initcall table[] = { { INIT_FS, "files", .call = fails }, { .name = NULL } };
    const struct initcall parts[] = { { INIT_NET, "net", .part = part_name, .call_part = second_part_fails },
                                      { .name = NULL } };
    EXPECT_PANIC(initcalls_run(table), "init: files (level fs) failed: error 12");
    EXPECT_PANIC(initcalls_run(parts), "init: net/b (level net) failed: error 5");
}

TEST(init_level_never_falls)
{
    const struct initcall table[] = { { INIT_FS, "files", .call = second },
                                      { INIT_NET, "net", .call = second },
                                      { .name = NULL } };
    EXPECT_PANIC(initcalls_run(table), "init: net: level net stands behind level fs");
}
