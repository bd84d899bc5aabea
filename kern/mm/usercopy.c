/* kern/mm/usercopy.c - user memory, the C side of usercopy_moves.S.
 * An address is compared with USER_TOP before it is touched, so that no program reaches the kernel through
 * its system calls; with SMAP the processor refuses user addresses except between stac and clac, which stand
 * only here. */
#include "kern/cpu/cpu.h"
#include "kern/debug/witness.h"
#include "kern/mm/vm.h"
#include "lib/abi/errno.h"
#include "net/port.h"

int64_t usercopy(void *dst, const void *src, size_t n);
int64_t userclear(void *dst, size_t n);
int64_t userstring(char *dst, const char *src, size_t max);
int64_t userexchange(uint32_t *word, uint32_t old, uint32_t new);

static bool user_range(uint64_t start, size_t n)
{
    return n <= USER_TOP && start <= USER_TOP - n;
}

static void user_access_begin(void)
{
    if (cpu_has_smap())
        __asm__ volatile("stac" ::: "memory");
}

static void user_access_end(void)
{
    if (cpu_has_smap())
        __asm__ volatile("clac" ::: "memory");
}

int copy_from_user(void *dst, uintptr_t src, size_t n)
{
    may_sleep();
    if (!user_range(src, n))
        return -EFAULT;
    user_access_begin();
    int64_t err = usercopy(dst, (const void *)src, n);
    user_access_end();
    return err ? -EFAULT : 0;
}

int copy_to_user(uintptr_t dst, const void *src, size_t n)
{
    may_sleep();
    if (!user_range(dst, n))
        return -EFAULT;
    user_access_begin();
    int64_t err = usercopy((void *)dst, src, n);
    user_access_end();
    return err ? -EFAULT : 0;
}

int clear_user(uint64_t dst, size_t n)
{
    may_sleep();
    if (!user_range(dst, n))
        return -EFAULT;
    user_access_begin();
    int64_t err = userclear((void *)dst, n);
    user_access_end();
    return err ? -EFAULT : 0;
}

int64_t copy_string_from_user(char *dst, uint64_t src, size_t max)
{
    may_sleep();
    if (src >= USER_TOP)
        return -EFAULT;
    bool cut = max > USER_TOP - src;
    size_t room = cut ? USER_TOP - src : max;
    user_access_begin();
    int64_t n = userstring(dst, (const char *)src, room);
    user_access_end();
    if (n < 0)
        return -EFAULT;
    if ((size_t)n == room)
        return cut ? -EFAULT : -ENAMETOOLONG;
    return n;
}

int user_compare_exchange(uintptr_t word, uint32_t old, uint32_t new, uint32_t *seen)
{
    if (!user_range(word, sizeof old))
        return -EFAULT;
    user_access_begin();
    int64_t was = userexchange((uint32_t *)word, old, new);
    user_access_end();
    *seen = (uint32_t)was;
    return was < 0 ? -EFAULT : 0;
}
