/* sim/sim.h - the world below net/ under virtual time: one thread, one queue of events ordered by (time,
 * sequence).
 *
 * All state lies in one struct sim. Events run in softirq context; tasks are coroutines in process context
 * that run until they wait. The body of a TEST is a task too: when it waits, or asks for time to pass, the
 * events run. Nothing depends on the host's clock, addresses or order of scheduling: the same seed gives the
 * same digest. */
#pragma once
#include "net/port.h"

struct sim_task;

/* Begin at time 0 with nothing. The test runner calls both; sim_fini() fails the test if anything was left
 * over: memory, pool objects, DMA buffers, armed timers, raised softirqs, unfinished tasks. */
void sim_init(uint64_t seed);
void sim_fini(void);
uint64_t sim_seed(void);

/* ---- time passes: from the body of a test ---- */

/* Run every event up to and including time (duration from now); the clock then stands there. */
void sim_run_until(uint64_t time);
void sim_run_for(uint64_t duration);
/* Run until no event is left. A task that then still waits is stuck: panics with its name and what it waits
 * for. */
void sim_run_idle(void);
/* Run one event not later than until; false if there is none. */
bool sim_run_one(uint64_t until);
/* When the next event is due: now if something waits to run, TIME_NEVER if nothing does. */
uint64_t sim_next_event(void);
/* Run until every task has finished, but no longer than limit (ns from now). Panics with the names of the
 * stuck. */
void sim_join(uint64_t limit);
/* Call fn(arg) at time when, in softirq context; at once if that is past. Any context. */
void sim_at(uint64_t when, void (*fn)(void *arg), void *arg);
/* Call fn(arg) now as a hard irq would. Any context. */
void sim_irq(void (*fn)(void *arg), void *arg);

/* ---- tasks ---- */

/* A coroutine in process context that runs fn(arg) from the current time on. name is kept, not copied. */
struct sim_task *sim_spawn(const char *name, void (*fn)(void *arg), void *arg);
bool sim_task_done(const struct sim_task *t);
/* Forget a task that is done; else they are forgotten at the end. */
void sim_task_free(struct sim_task *t);
/* Let virtual time pass in a task (the body of a test is one). */
void sim_sleep(uint64_t duration);
/* Make a signal pending (or not): t's present wait, and every later one, ends with -EINTR. */
void sim_signal(struct sim_task *t, bool pending);

/* ---- processes and their files, as far as local sockets ask for them ---- */

/* Who calls from now on; at first process 1 of root. */
void sim_set_credentials(const struct credentials *c);
/* How often the owner of a socket was to be sent SIGURG. */
unsigned sim_urgent_signals(void);
/* An open file with one reference that stands for sk (taking the user's reference) or, NULL, for nothing. */
struct sock;
struct passed_file *sim_file(struct sock *sk);

/* ---- faults ---- */

/* Let the nth allocation from now fail, once (1: the next; 0: none). */
void sim_fail_nth_alloc(uint64_t n);
/* Let each allocation fail with this chance in a million (0: never), seeded. */
void sim_fail_allocs(uint32_t per_million);
/* Let fn run once, when a task has looked and is about to hang itself on a queue: what another CPU may do
 * there, which needs no lock that the task holds. */
void sim_before_wait(void (*fn)(void *arg), void *arg);
/* Let each wait end at once for no reason with this chance in a million, as net/port.h allows (0: never),
 * seeded. */
void sim_spurious_wakeups(uint32_t per_million);
/* How many allocations there were, failed ones included; how many objects of all kinds live. */
uint64_t sim_alloc_count(void);
uint64_t sim_live_objects(void);
/* Let dma_buffer_alloc() take memory that a device outside this process reaches; NULL, NULL: the heap again.
 * No buffer may be alive. */
void sim_set_dma_memory(void *(*alloc)(size_t size), void (*release)(void *p));
/* Make [base, base + len) a range that no user address may touch; len 0: none. The first page never may. */
void sim_bad_user_range(uintptr_t base, size_t len);
/* Make [base, base + len) the only range that user addresses may touch; len 0: all again. */
void sim_only_user_range(uintptr_t base, size_t len);

/* ---- the record ---- */

/* FNV-1a (64 bits) of every trace() so far, with its time. */
uint64_t sim_digest(void);
/* A seeded number for wires and tests, from another stream than random_bytes(). */
uint64_t sim_random(void);
bool sim_chance(uint32_t per_million);
/* Call fn with every trace point until the next sim_begin(); NULL: nobody. */
void sim_on_trace(void (*fn)(const char *point, uint64_t id, uint32_t value));
/* Print log lines / trace points to stdout as they come. */
void sim_verbose(bool log, bool trace_points);
