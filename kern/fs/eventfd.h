/* kern/fs/eventfd.h - files that are an event: a counter, a timer, the signals that wait. */
#pragma once
#include "kern/fs/file.h"
#include "lib/abi/event.h"

/* Each with one reference, flags O_NONBLOCK or 0; NULL: memory is out. Process context. */
struct file *eventfd_create(uint64_t count, bool semaphore, uint32_t flags);
struct file *timerfd_create(int clock, uint32_t flags);
struct file *signalfd_create(uint64_t mask, uint32_t flags);

bool file_is_timerfd(const struct file *f);
/* Arm f for a reading of its clock, or for that much later; 0 ns: disarm. interval 0: once. Process context.
 */
void timerfd_set(struct file *f, bool absolute, uint64_t ns, uint64_t interval);
/* What is left until the next tick (0: it is not armed), and the interval. */
void timerfd_get(struct file *f, uint64_t *left, uint64_t *interval);

/* Have f, if it is a signalfd, take the signals of mask from now on. 0 or -EINVAL. */
int signalfd_set_mask(struct file *f, uint64_t mask);
