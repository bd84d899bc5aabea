/* kern/time/rtc.h - the battery-backed clock. */
#pragma once
#include "lib/compiler.h"

/* Nanoseconds since 1970-01-01 UTC, to a second; the clock is taken to show UTC. Takes up to a few
 * milliseconds. */
uint64_t rtc_read(void);
/* Seconds since 1970-01-01 of a date of the Gregorian calendar, month and day from 1 on. */
int64_t seconds_since_1970(int year, int month, int day, int hour, int minute, int second);
