/* kern/sys/syscall.h - how a system call is written down.
 *
 *     SYSCALL_DEFINE3(read, int, fd, uintptr_t, buf, size_t, count)
 *     {
 *         ...                                    returns a value or -errno
 *     }
 *
 * makes sys_read(), which casts the six registers to these types as Linux does, and which table.h lists by
 * number. All run in process context with irqs on and no lock held; pointers are user addresses and go
 * through copy_from_user and copy_to_user alone. */
#pragma once
#include "kern/cpu/trap.h"
#include "lib/abi/errno.h"
#include "net/port.h"

struct syscall_args {
    uint64_t a[6]; /* rdi, rsi, rdx, r10, r8, r9 */
};
typedef int64_t (*syscall_fn)(const struct syscall_args *args);

/* What becomes of a call that a signal interrupted (signal(7)): begun again unless a handler without
 * SA_RESTART ran, unless any handler ran, never. One of the last kind may go on nevertheless when no handler
 * ran, by a call of restart_syscall(): it left a struct restart in its task. */
enum syscall_restart { ONCE, RESTART, UNHANDLED };
struct syscall {
    const char *name;
    syscall_fn fn; /* NULL: -ENOSYS */
    uint8_t n_args;
    enum syscall_restart restart;
};
extern const struct syscall syscall_table[];
extern const unsigned syscall_count;

enum syscall_restart syscall_restart_of(uint64_t nr);

#define SYSCALL_BODY(name, params) static inline int64_t do_##name params
#define SYSCALL_ENTRY(name)                                                                                  \
    int64_t sys_##name(const struct syscall_args *args);                                                     \
    int64_t sys_##name(const struct syscall_args *args)

#define SYSCALL_DEFINE0(name)                                                                                \
    SYSCALL_BODY(name, (void));                                                                              \
    SYSCALL_ENTRY(name)                                                                                      \
    {                                                                                                        \
        (void)args;                                                                                          \
        return do_##name();                                                                                  \
    }                                                                                                        \
    SYSCALL_BODY(name, (void))
#define SYSCALL_DEFINE1(name, t1, p1)                                                                        \
    SYSCALL_BODY(name, (t1 p1));                                                                             \
    SYSCALL_ENTRY(name)                                                                                      \
    {                                                                                                        \
        return do_##name((t1)args->a[0]);                                                                    \
    }                                                                                                        \
    SYSCALL_BODY(name, (t1 p1))
#define SYSCALL_DEFINE2(name, t1, p1, t2, p2)                                                                \
    SYSCALL_BODY(name, (t1 p1, t2 p2));                                                                      \
    SYSCALL_ENTRY(name)                                                                                      \
    {                                                                                                        \
        return do_##name((t1)args->a[0], (t2)args->a[1]);                                                    \
    }                                                                                                        \
    SYSCALL_BODY(name, (t1 p1, t2 p2))
#define SYSCALL_DEFINE3(name, t1, p1, t2, p2, t3, p3)                                                        \
    SYSCALL_BODY(name, (t1 p1, t2 p2, t3 p3));                                                               \
    SYSCALL_ENTRY(name)                                                                                      \
    {                                                                                                        \
        return do_##name((t1)args->a[0], (t2)args->a[1], (t3)args->a[2]);                                    \
    }                                                                                                        \
    SYSCALL_BODY(name, (t1 p1, t2 p2, t3 p3))
#define SYSCALL_DEFINE4(name, t1, p1, t2, p2, t3, p3, t4, p4)                                                \
    SYSCALL_BODY(name, (t1 p1, t2 p2, t3 p3, t4 p4));                                                        \
    SYSCALL_ENTRY(name)                                                                                      \
    {                                                                                                        \
        return do_##name((t1)args->a[0], (t2)args->a[1], (t3)args->a[2], (t4)args->a[3]);                    \
    }                                                                                                        \
    SYSCALL_BODY(name, (t1 p1, t2 p2, t3 p3, t4 p4))
#define SYSCALL_DEFINE5(name, t1, p1, t2, p2, t3, p3, t4, p4, t5, p5)                                        \
    SYSCALL_BODY(name, (t1 p1, t2 p2, t3 p3, t4 p4, t5 p5));                                                 \
    SYSCALL_ENTRY(name)                                                                                      \
    {                                                                                                        \
        return do_##name((t1)args->a[0], (t2)args->a[1], (t3)args->a[2], (t4)args->a[3], (t5)args->a[4]);    \
    }                                                                                                        \
    SYSCALL_BODY(name, (t1 p1, t2 p2, t3 p3, t4 p4, t5 p5))
#define SYSCALL_DEFINE6(name, t1, p1, t2, p2, t3, p3, t4, p4, t5, p5, t6, p6)                                \
    SYSCALL_BODY(name, (t1 p1, t2 p2, t3 p3, t4 p4, t5 p5, t6 p6));                                          \
    SYSCALL_ENTRY(name)                                                                                      \
    {                                                                                                        \
        return do_##name((t1)args->a[0], (t2)args->a[1], (t3)args->a[2], (t4)args->a[3], (t5)args->a[4],     \
                         (t6)args->a[5]);                                                                    \
    }                                                                                                        \
    SYSCALL_BODY(name, (t1 p1, t2 p2, t3 p3, t4 p4, t5 p5, t6 p6))
