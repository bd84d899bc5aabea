/* kern/proc/posix_timer.h - timers that a process makes by timer_create(2). */
#pragma once
#include "kern/proc/process.h"

enum { POSIX_TIMERS_MAX = 256 }; /* a process */

struct posix_timer_request {
    int clock;              /* CLOCK_REALTIME or one that counts since boot */
    int notify, signo, tid; /* SIGEV_* */
    uint64_t value;
    bool value_is_id; /* no sigevent was given: the timer's number is what is told */
};
struct posix_timer_setting {
    uint64_t value, interval; /* ns; value: until it fires next, or when on its clock; 0: not set */
};

/* Its number, or -EAGAIN. */
int posix_timer_create(const struct posix_timer_request *r);
/* 0 or -EINVAL: there is none with this number. absolute: value is a time of its clock. */
int posix_timer_set(int id, bool absolute, const struct posix_timer_setting *new,
                    struct posix_timer_setting *old);
int posix_timer_get(int id, struct posix_timer_setting *now);
int posix_timer_overrun(int id); /* of the signal that was taken last; or -EINVAL */
int posix_timer_delete(int id);
void posix_timers_end(struct process *p); /* exec, or the end */
/* One of p's timers' signals was taken off its queue: how often it fired meanwhile goes into info.
 * process_lock held. */
void posix_timer_taken_locked(struct process *p, struct signal_info *info);
