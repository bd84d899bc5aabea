/* sim/undefined.h - which memory nobody has written yet, though it holds the same bytes in every run: told to
 * MemorySanitizer, so that its use is seen. Without it, nothing. */
#pragma once
#include <stddef.h>

#ifdef __has_feature
#define MEMORY_SANITIZED __has_feature(memory_sanitizer)
#else
#define MEMORY_SANITIZED 0
#endif

#if MEMORY_SANITIZED
#include <sanitizer/msan_interface.h>
#define memory_is_undefined __msan_allocated_memory
#else
static inline void memory_is_undefined(const volatile void *p, size_t n)
{
    (void)p, (void)n;
}
#endif
