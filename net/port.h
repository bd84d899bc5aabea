/* net/port.h - everything net/ and the drivers ask of the world beneath them: the narrow waist.
 *
 * Two implementations: kern/port.c (the kernel) and sim/port.c (the host, under virtual time). net/ may
 * include this header, its own headers and lib/; nothing else.
 *
 * Contexts. PROCESS may wait. SOFTIRQ may not. IRQ may only raise a softirq, trace and read the clock. */
#pragma once
#include "lib/compiler.h"
#include "lib/heap.h"
#include "lib/list.h"
#include "lib/lockrank.h"
#include <stdarg.h>

enum context { CONTEXT_PROCESS, CONTEXT_SOFTIRQ, CONTEXT_IRQ };

/* ---- memory: never waits; NULL when exhausted, and then the caller drops and counts. Process or softirq.
 * ---- */

/* size zeroed bytes, aligned for any type; free with mem_free (NULL is fine). */
void *mem_alloc(size_t size);
void mem_free(void *p);
/* Bytes of memory that the machine has for all uses: a measure for limits. Does not change. */
uint64_t mem_total(void);

/* Objects of one size with a name, from per-CPU caches in the kernel, one malloc each on the host. Not
 * zeroed. */
struct pool;
struct pool *pool_create(const char *name, size_t size);
void pool_destroy(struct pool *pool); /* every object must have been put back */
void *pool_get(struct pool *pool);
void pool_put(struct pool *pool, void *object);

/* A buffer of at least size bytes that a device can reach (physically contiguous, 64-byte aligned, not
 * zeroed). */
void *dma_buffer_alloc(size_t size);
void dma_buffer_free(void *p, size_t size);

/* Zeroed pages that programs may map, counted: the maker's reference and one a mapping. */
enum { SHARED_PAGE_SIZE = 4096 };
struct shared_pages;
struct shared_pages *shared_pages_create(unsigned n);            /* NULL: memory is out. Process context */
void *shared_pages_at(const struct shared_pages *p, unsigned i); /* the page, for as long as p is held */
void shared_pages_get(struct shared_pages *p);                   /* any lock, any context */
void shared_pages_put(struct shared_pages *p);             /* NULL is fine; process context, no lock held */
unsigned shared_pages_users(const struct shared_pages *p); /* references held by anybody */

/* Pages of SHARED_PAGE_SIZE bytes, aligned to that, with a count: what packets that are sent may refer to
 * instead of a copy. Any context, any lock. */
void page_get(void *page);
void page_put(void *page); /* the last one frees it */

/* ---- time: u64 nanoseconds since boot; callbacks run in softirq, on the CPU that set the timer ---- */

#define us(n)      ((uint64_t)(n)*1000)
#define ms(n)      ((uint64_t)(n)*1000000)
#define sec(n)     ((uint64_t)(n)*1000000000)
#define TIME_NEVER UINT64_MAX

struct timer {
    struct heap_node node;
    void (*fn)(struct timer *t);
    void *base; /* the clock it hangs on, NULL while it never did; the implementation's */
};
uint64_t time_now(void); /* any context */
/* Wall-clock time: nanoseconds since 1970-01-01 UTC. */
uint64_t time_wall(void);
void timer_init(struct timer *t, void (*fn)(struct timer *t));
/* Arm t for when, or move it there. True if it was armed before. Process or softirq, any locks. */
bool timer_set(struct timer *t, uint64_t when);
bool timer_pending(const struct timer *t);
/* Disarm. True if it was armed, and then fn will not run for that arming. fn may still be running elsewhere.
 */
bool timer_cancel(struct timer *t);
/* Disarm and wait until a running fn has returned: afterwards it does not run. No lock that fn takes may be
 * held; not from fn itself. */
bool timer_cancel_sync(struct timer *t);

/* ---- locks: one kind; spins with softirqs off while held; process and softirq, never hard irq ---- */

struct lock {
    uint32_t word;
    enum lock_rank rank;
    const char *name;
    void *owner; /* the CPU (kernel) or task (host) that holds it */
};
void lock_init(struct lock *l, const char *name, enum lock_rank rank);
/* Ranks taken by one holder strictly rise (lib/lockrank.h); anything else panics, in every build. */
void lock_acquire(struct lock *l);
void lock_release(struct lock *l);
bool lock_held(const struct lock *l); /* by the caller; for assertions */

/* ---- waiting: process context only ---- */

struct waitq {
    uint32_t guard; /* the kernel's own lock word for the list */
    struct list_head waiters;
};
void waitq_init(struct waitq *wq);
/* Drop l, which must be the only lock held, sleep until waitq_wake() or deadline, take l again. Spurious
 * returns are allowed: the caller looks at its condition again. 0, -ETIMEDOUT, or -EINTR when a signal is
 * pending. */
int waitq_wait(struct waitq *wq, struct lock *l, uint64_t deadline);
/* The same for a condition that changes without l: over(arg) looks once more when the caller is on wq
 * already, with l held; true: 0 without sleeping. Who changes it does so first and wakes then. */
int waitq_wait_unless(struct waitq *wq, struct lock *l, uint64_t deadline, bool (*over)(void *arg),
                      void *arg);
/* Wake every waiter and poller of wq. Process or softirq; locks may be held. */
void waitq_wake(struct waitq *wq);
/* Wake every waiter of wq, but of pollers only those who asked for one of events (POLL*; 0: none of them),
 * and one at most of those that share their wakes (EPOLLEXCLUSIVE): who is told of a change that did not
 * happen may look in vain for ever. */
void waitq_wake_events(struct waitq *wq, int events);

/* Let that much time pass, whatever signals come. No lock held. */
void sleep_through(uint64_t duration);

/* ---- deferral ---- */

enum softirq_level {
    SOFTIRQ_HI,
    SOFTIRQ_TIMER,
    SOFTIRQ_NET_TX,
    SOFTIRQ_NET_RX,
    SOFTIRQ_BLOCK,
    SOFTIRQ_TASKLET,
    SOFTIRQ_LEVELS
};

/* One piece of work at one level. It hangs on one CPU's list at a time: what must run on several CPUs at once
 * has one softirq a CPU. fn runs with no lock held, in SOFTIRQ context. */
struct softirq {
    struct list_head link;
    void (*fn)(struct softirq *s);
    enum softirq_level level;
    uint32_t pending;
};
void softirq_open(struct softirq *s, enum softirq_level level, void (*fn)(struct softirq *s));
/* Run s->fn soon, on this CPU. Any context. Raising it again before it began to run changes nothing; once it
 * has begun, a raise runs it again afterwards. Never nested on a CPU. */
void softirq_raise(struct softirq *s);

/* Return when every softirq that runs now, on whatever CPU, has returned. Process context, no lock held. */
void softirq_barrier(void);

/* A softirq at TASKLET level that never runs on two CPUs at once. */
struct tasklet {
    struct softirq softirq;
    void (*fn)(struct tasklet *t);
    uint32_t running;
};
void tasklet_init(struct tasklet *t, void (*fn)(struct tasklet *t));
void tasklet_schedule(struct tasklet *t);

/* ---- user memory: process context, no lock held; 0 or -EFAULT ---- */

int copy_from_user(void *dst, uintptr_t src, size_t n) MUST_CHECK;
int copy_to_user(uintptr_t dst, const void *src, size_t n) MUST_CHECK;
/* Does [start, start + n) lie in the user's part of memory? A copy may fail all the same. */
bool user_range_is_valid(uintptr_t start, size_t n);

/* A reference to the page in which the n bytes from start on lie, to read them from while it is held; what
 * the program writes there meanwhile may be seen or not. 0, -EFAULT, -ENOMEM. */
int user_page_get(uintptr_t start, size_t n, void **page) MUST_CHECK;

/* ---- who calls: process context ---- */

struct credentials {
    int32_t pid;
    uint32_t uid, gid, euid, egid;
    bool net_raw, net_admin, net_bind; /* capabilities(7): CAP_NET_RAW, CAP_NET_ADMIN, CAP_NET_BIND_SERVICE */
};
void credentials_now(struct credentials *c);

/* Who asked for a socket's SIGURG (fcntl(2), F_SETOWN), and with whose rights. */
struct signal_owner {
    int32_t who; /* a process, minus a group, or 0: nobody */
    uint32_t uid, euid;
};
/* Send it, to those of them that the asker may send signals to. Any context but IRQ, any lock. */
void signal_urgent(const struct signal_owner *owner);

/* ---- what local sockets need of the files above them: process context, no lock held but where it says ----
 */

/* A place in the file system: two that are the same have the same address while a reference is held. */
struct fs_name;
/* Make a socket's node at path. 0 and a reference, -EADDRINUSE, or what the walk says (-ENOENT, ...). */
int fs_name_create(const char *path, struct fs_name **name) MUST_CHECK;
/* The place at path. 0 and a reference, -ECONNREFUSED (no socket's node), -EACCES, -ENOENT, ... */
int fs_name_find(const char *path, struct fs_name **name) MUST_CHECK;
void fs_name_put(struct fs_name *name);

/* An open file that travels in a message. */
struct passed_file;
void passed_file_get(struct passed_file *f);                /* any context, any lock, and so the next two */
unsigned passed_file_users(const struct passed_file *f);    /* references held by anybody */
struct sock *passed_file_sock(const struct passed_file *f); /* the socket that it is, or NULL */
void passed_file_put(struct passed_file *f);                /* may close it */

/* ---- chance, context, CPUs ---- */

void random_bytes(void *dst, size_t n); /* unpredictable; the host seeds it. Process or softirq. */
uint32_t random_u32(void);
enum context context_now(void);
unsigned cpu_id(void);
unsigned cpu_count(void); /* ids are 0 .. cpu_count() - 1; fixed once the first struct net is made */

/* ---- the record ---- */

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
void klog(enum log_level level, const char *fmt, ...)
    PRINTF_LIKE(2, 3); /* one line, no newline; any context */
/* A fixed-size record: time, CPU, the packet's id, the point, a length. point is a string constant. Any
 * context. */
void trace(const char *point, uint64_t packet_id, uint32_t length);
_Noreturn void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* What only we can cause is asserted, in every build. */
#define ASSERT(cond)                                                                                         \
    do {                                                                                                     \
        if (unlikely(!(cond)))                                                                               \
            panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond);                                 \
    } while (0)
