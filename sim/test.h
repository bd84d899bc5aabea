/* sim/test.h - unit tests on the host: a test is a sentence, stands beside the code, and names its rule.
 *
 *     TEST(rst_outside_window_is_ignored) // RFC 5961 3.2; checklist 60
 *     {
 *         CHECK(x == 3);
 *     }
 *
 * Tests register themselves; sim/test_main.c runs them in order of name, each in a process of its own and in
 * a fresh virtual world (sim_init with the seed; sim_fini looks for what was left over), and ends with 'N
 * passed, N failed', and ', N skipped' if there were any. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct test_case {
    const char *name, *file;
    void (*fn)(void);
    struct test_case *next;
};
void test_register(struct test_case *t);
/* Record a failure of the running test and leave it. */
_Noreturn void test_fail(const char *file, int line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Leave the running test, which cannot run here: why is printed, and it counts as skipped. */
_Noreturn void test_skip(const char *why);

#define TEST(name_)                                                                                          \
    static void test_##name_(void);                                                                          \
    static struct test_case test_case_##name_ = { .name = #name_, .file = __FILE__, .fn = test_##name_ };    \
    __attribute__((constructor)) static void test_register_##name_(void)                                     \
    {                                                                                                        \
        test_register(&test_case_##name_);                                                                   \
    }                                                                                                        \
    static void test_##name_(void)
#define CHECK(cond)                                                                                          \
    do {                                                                                                     \
        if (!(cond))                                                                                         \
            test_fail(__FILE__, __LINE__, "CHECK(%s)", #cond);                                               \
    } while (0)
#define CHECK_EQ(a, b)                                                                                       \
    do {                                                                                                     \
        long long check_a_ = (long long)(a), check_b_ = (long long)(b);                                      \
        if (check_a_ != check_b_)                                                                            \
            test_fail(__FILE__, __LINE__, "%s is %lld, %s is %lld", #a, check_a_, #b, check_b_);             \
    } while (0)

/* The statement panics with a message that contains text. It runs in a copy of the process, so that the test
 * goes on unharmed. */
#define EXPECT_PANIC(statement, text_)                                                                       \
    do {                                                                                                     \
        pid_t panic_child_ = test_fork_for_panic(text_);                                                     \
        if (panic_child_ == 0) {                                                                             \
            statement;                                                                                       \
            test_did_not_panic();                                                                            \
        }                                                                                                    \
        if (!test_wait_for_panic(panic_child_))                                                              \
            test_fail(__FILE__, __LINE__, "%s did not panic with '%s'", #statement, text_);                  \
    } while (0)
enum { TEST_PANICKED = 99 }; /* exit status of the copy that panicked as expected */
pid_t test_fork_for_panic(const char *text);
_Noreturn void test_did_not_panic(void);
bool test_wait_for_panic(pid_t child);
