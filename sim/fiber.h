/* sim/fiber.h - what AddressSanitizer wants to be told when a coroutine's stack is entered and left; without
 * it, nothing. The unit tests are built with it, the library (towpath.h) in both flavours. */
#pragma once
#include <stddef.h>

#ifdef __has_feature
#define FIBER_SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define FIBER_SANITIZED 1
#else
#define FIBER_SANITIZED 0
#endif

#if FIBER_SANITIZED
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#define fiber_start_switch  __sanitizer_start_switch_fiber
#define fiber_finish_switch __sanitizer_finish_switch_fiber
#define fiber_forget_stack  ASAN_UNPOISON_MEMORY_REGION
#define fiber_print_stack   __sanitizer_print_stack_trace
#define fiber_print_leaks   __lsan_do_recoverable_leak_check
#else
static inline void fiber_start_switch(void **fake_stack, const void *stack, size_t size)
{
    (void)fake_stack, (void)stack, (void)size;
}
static inline void fiber_finish_switch(void *fake_stack, const void **stack, size_t *size)
{
    (void)fake_stack, (void)stack, (void)size;
}
static inline void fiber_forget_stack(void *stack, size_t size)
{
    (void)stack, (void)size;
}
static inline void fiber_print_stack(void) {}
static inline int fiber_print_leaks(void)
{
    return 0;
}
#endif
