/* kern/time/rtc.c - the battery-backed clock, a Motorola MC146818A behind two ports. */
#include "kern/time/rtc.h"
#include "kern/cpu/cpu.h"
#include "lib/string.h"
#include "net/port.h"

enum {
    PORT_INDEX = 0x70,
    PORT_DATA = 0x71,
    REG_SECONDS = 0,
    REG_MINUTES = 2,
    REG_HOURS = 4,
    REG_DAY = 7,
    REG_MONTH = 8,
    REG_YEAR = 9,
    REG_A = 10,
    REG_B = 11,
    A_UPDATE_IN_PROGRESS = 1 << 7,
    B_24_HOURS = 1 << 1,
    B_BINARY = 1 << 2,
    HOURS_PM = 1 << 7
};
struct rtc_time {
    uint8_t second, minute, hour, day, month, year;
};

static uint8_t rtc_reg(uint8_t reg)
{
    outb(PORT_INDEX, reg);
    return inb(PORT_DATA);
}

static struct rtc_time read_once(void)
{
    for (int tries = 0; rtc_reg(REG_A) & A_UPDATE_IN_PROGRESS && tries < 10000; tries++)
        cpu_relax();
    return (struct rtc_time){ rtc_reg(REG_SECONDS), rtc_reg(REG_MINUTES), rtc_reg(REG_HOURS),
                              rtc_reg(REG_DAY),     rtc_reg(REG_MONTH),   rtc_reg(REG_YEAR) };
}

static uint8_t from_bcd(uint8_t v)
{
    return (v >> 4) * 10 + (v & 15);
}

static void decode(struct rtc_time *t)
{
    uint8_t mode = rtc_reg(REG_B);
    bool pm = t->hour & HOURS_PM;
    t->hour &= ~HOURS_PM;
    uint8_t *fields[] = { &t->second, &t->minute, &t->hour, &t->day, &t->month, &t->year };
    for (size_t i = 0; !(mode & B_BINARY) && i < ARRAY_SIZE(fields); i++)
        *fields[i] = from_bcd(*fields[i]);
    if (!(mode & B_24_HOURS))
        t->hour = t->hour % 12 + (pm ? 12 : 0);
}

int64_t seconds_since_1970(int year, int month, int day, int hour, int minute, int second)
{
    /* Count years from March on: the leap day is then the last of its year. */
    int64_t y = month > 2 ? year : year - 1, m = month > 2 ? month - 3 : month + 9;
    int64_t days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1;
    enum { DAYS_TO_1970 = 719468 };
    return ((days - DAYS_TO_1970) * 24 + hour) * 3600 + minute * 60 + second;
}

uint64_t rtc_read(void)
{
    struct rtc_time t = read_once(), again = read_once();
    while (memcmp(&t, &again, sizeof t) != 0) { /* an update came between its fields */
        t = again;
        again = read_once();
    }
    decode(&t);
    return sec(seconds_since_1970(2000 + t.year, t.month, t.day, t.hour, t.minute, t.second));
}
