/* kern/sched/thread.c - the life of threads.
 * A thread cannot free the stack it stands on: when its CPU has left it, freeing it is queued as work, which
 * may sleep (the stack's pages are taken out of every CPU's TLB). */
#include "kern/debug/witness.h"
#include "kern/mm/mm.h"
#include "kern/sched/sched.h"
#include "lib/format.h"

static struct spinlock lock = SPINLOCK_INIT("threads", RANK_THREADS);
static struct list_head threads = { &threads, &threads }; /* every thread but the idle ones */
static int last_tid;

void thread_entry(void); /* switch.S */
_Noreturn void thread_main(void);

/* As switch_stacks() leaves a stack: six registers, then where to go on. */
static void prepare_stack(struct thread *t)
{
    uint64_t *sp = (uint64_t *)t->kstack_top;
    *--sp = 0; /* so that the stack is aligned as the ABI says when thread_entry begins */
    *--sp = (uint64_t)thread_entry;
    for (unsigned i = 0; i < 6; i++)
        *--sp = 0;
    t->rsp = (uint64_t)sp;
}

static void enlist(struct thread *t)
{
    uint64_t flags = spin_lock(&lock);
    last_tid = last_tid == INT32_MAX ? 1 : last_tid + 1;
    t->tid = last_tid;
    list_add_tail(&t->all, &threads);
    spin_unlock(&lock, flags);
}

struct thread *thread_create(const char *name, void (*fn)(void *arg), void *arg)
{
    struct thread *t = kzalloc(sizeof *t);
    uint8_t *stack = t ? kstack_alloc() : NULL;
    if (!stack) {
        kfree(t);
        return NULL;
    }
    *t =
        (struct thread){ .fn = fn, .arg = arg, .kstack = stack, .kstack_top = (uint64_t)stack + KSTACK_SIZE };
    t->state = THREAD_SLEEPING;
    t->affinity = UINT32_MAX;
    ksnprintf(t->name, sizeof t->name, "%s", name);
    list_init(&t->run);
    list_init(&t->group);
    prepare_stack(t);
    enlist(t);
    return t;
}

void thread_set_cpu(struct thread *t, unsigned cpu)
{
    t->affinity = 1u << cpu;
    t->cpu = cpu;
}

void thread_start(struct thread *t)
{
    t->cpu = least_busy_cpu(t);
    thread_wake(t);
}

_Noreturn void thread_main(void)
{
    sched_first_run();
    struct thread *t = current_thread();
    t->fn(t->arg);
    thread_exit(0);
}

_Noreturn void thread_exit(int code)
{
    ASSERT(preempt_count() == 0);
    if (CONFIG_DEBUG)
        witness_thread_leaves("ends");
    current_thread()->exit_code = code;
    sched_exit();
}

/* ---- the dead ---- */

static void reap(struct work *w)
{
    struct thread *t = container_of(w, struct thread, burial);
    uint64_t flags = spin_lock(&lock);
    list_del(&t->all);
    spin_unlock(&lock, flags);
    if (t->process)
        process_thread_reaped(t);
    kstack_free(t->kstack);
    kfree(t);
}

void thread_bury(struct thread *t)
{
    work_init(&t->burial, reap);
    work_queue(&t->burial);
}

/* ---- all threads ---- */

void thread_for_each(void (*fn)(struct thread *t, void *arg), void *arg)
{
    struct thread *t;
    uint64_t flags = spin_lock(&lock);
    list_for_each_entry (t, &threads, all)
        fn(t, arg);
    spin_unlock(&lock, flags);
}
