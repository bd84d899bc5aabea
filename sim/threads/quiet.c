/* sim/threads/quiet.c - locks and sleeps by futex, and ThreadSanitizer's own entry points (quiet.h). Compiled
 * without the sanitizer. The lock is Drepper's second ("Futexes Are Tricky"): 0 free, 1 held, 2 held and
 * somebody may sleep. */
#include "sim/threads/quiet.h"
#include <linux/futex.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/tsan_interface.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { FREE, HELD, AWAITED };

static void futex(uint32_t *word, int operation, uint32_t value, const struct timespec *until)
{
    syscall(SYS_futex, word, operation | FUTEX_PRIVATE_FLAG, value, until, NULL, FUTEX_BITSET_MATCH_ANY);
}

bool quiet_try_lock(uint32_t *word)
{
    uint32_t free = FREE;

    return __atomic_compare_exchange_n(word, &free, HELD, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void quiet_lock(uint32_t *word)
{
    if (quiet_try_lock(word))
        return;
    while (__atomic_exchange_n(word, AWAITED, __ATOMIC_ACQUIRE) != FREE)
        futex(word, FUTEX_WAIT_BITSET, AWAITED, NULL);
}

void quiet_unlock(uint32_t *word)
{
    if (__atomic_exchange_n(word, FREE, __ATOMIC_RELEASE) == AWAITED)
        futex(word, FUTEX_WAKE, 1, NULL);
}

void quiet_sleep(uint32_t *word, uint32_t value, uint64_t until)
{
    struct timespec ts = { (time_t)(until / sec(1)), (long)(until % sec(1)) };

    futex(word, FUTEX_WAIT_BITSET, value, until == TIME_NEVER ? NULL : &ts); /* CLOCK_MONOTONIC, absolute */
}

void quiet_wake(uint32_t *word)
{
    futex(word, FUTEX_WAKE, INT32_MAX, NULL);
}

uint64_t quiet_clock(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return sec(ts.tv_sec) + (uint64_t)ts.tv_nsec;
}

void quiet_copy(void *dst, const void *src, size_t n)
{
    __asm__ volatile("rep movsb" : "+D"(dst), "+S"(src), "+c"(n)::"memory"); /* memcpy() would be watched */
}

/* ---- ThreadSanitizer ---- */

/* Not in its header: what the compiler calls for accesses of a size it does not know. */
void __tsan_read_range(void *p, size_t n);
void __tsan_write_range(void *p, size_t n);

void order_release(void *at)
{
    __tsan_release(at);
}

void order_acquire(void *at)
{
    __tsan_acquire(at);
}

void order_lock_taking(struct lock *l)
{
    __tsan_mutex_pre_lock(l, 0);
}

void order_lock_taken(struct lock *l)
{
    __tsan_mutex_post_lock(l, 0, 0);
}

void order_lock_letting_go(struct lock *l)
{
    __tsan_mutex_pre_unlock(l, 0);
}

void order_lock_let_go(struct lock *l)
{
    __tsan_mutex_post_unlock(l, 0);
}

void order_used(const void *p)
{
    __tsan_read_range((void *)(uintptr_t)p, 1);
}

void order_made(void *p, size_t n)
{
    __tsan_write_range(p, n);
}

void order_read(const void *p, size_t n)
{
    __tsan_read_range((void *)(uintptr_t)p, n);
}

void order_written(void *p, size_t n)
{
    __tsan_write_range(p, n);
}

void order_show_stack(void)
{
    __sanitizer_print_stack_trace();
}
