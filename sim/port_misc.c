/* sim/port_misc.c - user memory, chance and context of net/port.h. On the host a user address is a plain
 * address, except in the range that a test has declared bad. */
#include "sim/state.h"
#include <errno.h>
#include <string.h>

enum { FIRST_USER_ADDRESS = 4096 };

static void check_may_touch_user(const char *what)
{
    if (sim.context != CONTEXT_PROCESS)
        panic("%s outside process context", what);
    sim_no_locks("while user memory is touched");
}

bool user_range_is_valid(uintptr_t start, size_t n)
{
    return start + n >= start;
}

/* Is there memory that a user has? */
static bool is_mapped(uintptr_t base, size_t n)
{
    if (n == 0)
        return true;
    if (base < FIRST_USER_ADDRESS || !user_range_is_valid(base, n))
        return false;
    if (sim.only_user_len && (base < sim.only_user || base + n > sim.only_user + sim.only_user_len))
        return false;
    return base + n <= sim.bad_user || base >= sim.bad_user + sim.bad_user_len || !sim.bad_user_len;
}

void sim_bad_user_range(uintptr_t base, size_t len)
{
    sim.bad_user = base;
    sim.bad_user_len = len;
}

void sim_only_user_range(uintptr_t base, size_t len)
{
    sim.only_user = base;
    sim.only_user_len = len;
}

int copy_from_user(void *dst, uintptr_t src, size_t n)
{
    check_may_touch_user("copy_from_user()");
    if (!is_mapped(src, n))
        return -EFAULT;
    if (n)
        memcpy(dst, (const void *)src, n);
    return 0;
}

int copy_to_user(uintptr_t dst, const void *src, size_t n)
{
    check_may_touch_user("copy_to_user()");
    if (!is_mapped(dst, n))
        return -EFAULT;
    if (n)
        memcpy((void *)dst, src, n);
    return 0;
}

/* SplitMix64 (Steele, Lea and Flood, 2014). */
static uint64_t splitmix(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

void random_bytes(void *dst, size_t n)
{
    uint8_t *bytes = dst;

    sim_not_in_irq("random_bytes()");
    for (size_t i = 0; i < n; i++)
        bytes[i] = (uint8_t)(splitmix(&sim.random_kernel) >> 56);
}

uint32_t random_u32(void)
{
    uint32_t v;

    random_bytes(&v, sizeof v);
    return v;
}

uint64_t sim_random(void)
{
    return splitmix(&sim.random_world);
}

bool sim_chance(uint32_t per_million)
{
    return sim_random() % 1000000 < per_million;
}

enum context context_now(void)
{
    return sim.context;
}

unsigned cpu_id(void)
{
    return 0;
}

unsigned cpu_count(void)
{
    return 1;
}

void sim_irq(void (*fn)(void *arg), void *arg)
{
    enum context before = sim.context;
    unsigned held = sim.held_count;

    sim.context = CONTEXT_IRQ;
    fn(arg);
    sim.context = before;
    if (sim.held_count != held)
        panic("an irq returns with a lock");
}

void sim_not_in_irq(const char *what)
{
    if (sim.context == CONTEXT_IRQ)
        panic("%s in irq context", what);
}
