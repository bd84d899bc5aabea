/* kern/sched/thread.c - the life of threads.
 * A thread cannot free the stack it stands on: when its CPU has left it, it goes to the reaper, a thread that
 * frees the dead. */
#include "kern/debug/witness.h"
#include "kern/mm/mm.h"
#include "kern/sched/sched.h"
#include "lib/format.h"

static struct spinlock lock = SPINLOCK_INIT("threads", RANK_THREADS);
static struct list_head threads = { &threads, &threads };       /* every thread but the idle ones */
static struct list_head graveyard = { &graveyard, &graveyard }; /* by run */
static struct thread *reaper;
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

void thread_bury(struct thread *t)
{
    uint64_t flags = spin_lock(&lock);
    list_add_tail(&t->run, &graveyard);
    spin_unlock(&lock, flags);
    thread_wake(reaper);
}

static struct thread *exhume(void)
{
    uint64_t flags = spin_lock(&lock);
    struct thread *t = list_first_entry(&graveyard, struct thread, run);
    if (t) {
        list_del(&t->run);
        list_del(&t->all);
    }
    spin_unlock(&lock, flags);
    return t;
}

static void reap(struct thread *t)
{
    if (t->process)
        process_thread_reaped(t);
    kstack_free(t->kstack);
    kfree(t);
}

static void reaper_main(void *arg)
{
    (void)arg;
    for (;;) {
        thread_set_sleeping();
        struct thread *t = exhume();
        if (!t) {
            schedule();
            continue;
        }
        thread_set_runnable();
        reap(t);
    }
}

void reaper_start(void)
{
    reaper = thread_create("reaper", reaper_main, NULL);
    if (!reaper)
        panic("no memory for the first thread");
    thread_start(reaper);
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
