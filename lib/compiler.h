/* lib/compiler.h - the few words C lacks. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
#define ARRAY_SIZE(a)                   (sizeof(a) / sizeof((a)[0]))
#define likely(x)                       __builtin_expect(!!(x), 1)
#define unlikely(x)                     __builtin_expect(!!(x), 0)

#define MIN(a, b)                                                                                            \
    ({                                                                                                       \
        __typeof__(a) min_a_ = (a);                                                                          \
        __typeof__(b) min_b_ = (b);                                                                          \
        min_a_ < min_b_ ? min_a_ : min_b_;                                                                   \
    })
#define MAX(a, b)                                                                                            \
    ({                                                                                                       \
        __typeof__(a) max_a_ = (a);                                                                          \
        __typeof__(b) max_b_ = (b);                                                                          \
        max_a_ > max_b_ ? max_a_ : max_b_;                                                                   \
    })
#define CLAMP(x, lo, hi)     MAX(lo, MIN(x, hi))
#define ROUND_UP(x, align)   (((x) + (align)-1) / (align) * (align))
#define ROUND_DOWN(x, align) ((x) / (align) * (align))

/* One load or store, not torn, repeated or invented by the compiler. Orders nothing. */
#define READ_ONCE(x)           __atomic_load_n(&(x), __ATOMIC_RELAXED)
#define WRITE_ONCE(x, val)     __atomic_store_n(&(x), (val), __ATOMIC_RELAXED)
#define barrier()              __asm__ volatile("" ::: "memory")

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK             __attribute__((warn_unused_result))
