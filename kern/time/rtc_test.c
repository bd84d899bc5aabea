/* kern/time/rtc_test.c - dates to seconds. */
#include "kern/time/rtc.c"
#include "sim/test.h"

TEST(rtc_dates_become_seconds_since_1970)
{
    CHECK_EQ(seconds_since_1970(1970, 1, 1, 0, 0, 0), 0);
    CHECK_EQ(seconds_since_1970(2000, 2, 29, 12, 0, 0), 951825600);
    CHECK_EQ(seconds_since_1970(2000, 3, 1, 0, 0, 0), 951868800);
    CHECK_EQ(seconds_since_1970(2038, 1, 19, 3, 14, 8), 2147483648ll);
    CHECK_EQ(seconds_since_1970(2099, 12, 31, 23, 59, 59), 4102444799ll);
}

TEST(rtc_bcd_is_two_digits)
{
    CHECK_EQ(from_bcd(0x59), 59);
    CHECK_EQ(from_bcd(0x08), 8);
}
