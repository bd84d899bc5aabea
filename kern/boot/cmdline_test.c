/* kern/boot/cmdline_test.c - words of the command line, good and bad. */
#include "net/port.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char said[1024]; /* what the code under test logged */

static void remember_line(enum log_level level, const char *fmt, ...)
{
    va_list ap;
    (void)level;
    va_start(ap, fmt);
    size_t n = strlen(said);
    n += vsnprintf(said + n, sizeof said - n, fmt, ap);
    va_end(ap);
    snprintf(said + n, sizeof said - n, "\n");
}
#define klog remember_line
#include "kern/boot/cmdline.c"
#undef klog
#include "sim/test.h"

struct boot_info boot_info;

static void set_line(const char *line)
{
    said[0] = '\0';
    snprintf(boot_info.cmdline, sizeof boot_info.cmdline, "%s", line);
}

/* The value of name, or NULL if the line does not have it. */
static const char *get(const char *name)
{
    static char value[16];
    return cmdline_get(name, value, sizeof value) ? value : NULL;
}

TEST(cmdline_value_ends_at_a_blank_or_the_quote)
{
    set_line("  init=/bin/sh  ip=\"a b\"\tquiet");
    CHECK(strcmp(get("init"), "/bin/sh") == 0);
    CHECK(strcmp(get("ip"), "a b") == 0);
    CHECK(strcmp(get("quiet"), "") == 0);
}

TEST(cmdline_name_is_the_whole_word)
{
    set_line("ipx=1 xip=2 init");
    CHECK(!get("ip"));
    CHECK(!get("ini"));
    CHECK(get("init"));
}

TEST(cmdline_last_of_two_holds_and_a_long_value_is_cut)
{
    set_line("init=/a init=/0123456789abcdefghij");
    CHECK(strcmp(get("init"), "/0123456789abcd") == 0);
}

TEST(cmdline_quote_may_stay_open)
{
    set_line("init=\"/a b");
    CHECK(strcmp(get("init"), "/a b") == 0);
    set_line("init=\"");
    CHECK(strcmp(get("init"), "") == 0);
}

TEST(cmdline_check_is_silent_about_known_words)
{
    set_line("quiet loglevel=debug nosmp maxcpus=2 init=/sbin/init run ip=10.0.2.15");
    cmdline_check();
    CHECK(said[0] == '\0');
}

TEST(cmdline_check_says_one_line_a_bad_word)
{
    set_line("colour init run=now");
    cmdline_check();
    CHECK(strstr(said, "nothing knows 'colour'\n"));
    CHECK(strstr(said, "'init' needs a value"));
    CHECK(strstr(said, "'run' takes no value"));
}
