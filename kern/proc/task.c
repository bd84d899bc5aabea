/* kern/proc/task.c - the threads of a process: their making, first step into user mode, and end. */
#include "kern/proc/task.h"
#include "kern/cpu/cpu.h"
#include "kern/mm/mm.h"
#include "kern/mm/vm.h"
#include "kern/proc/limits.h"
#include "kern/proc/process.h"
#include "kern/proc/ptrace.h"
#include "kern/proc/signals.h"
#include "lib/string.h"

static struct kmem_cache *fpu_cache;

void task_init(void)
{
    fpu_cache = kmem_cache_create("fpu", fpu_area_size, 64);
    if (!fpu_cache)
        panic("process: no memory for the cache of FPU areas");
}

void *task_fpu_alloc(void)
{
    return kmem_cache_alloc(fpu_cache);
}

void task_fpu_free(void *area)
{
    if (area)
        kmem_cache_free(fpu_cache, area);
}

/* The first thing a thread of a process does. */
static void task_main(void *arg)
{
    struct task *t = arg;

    t->thread->user = &t->start;
    return_to_user(&t->start);
    trap_return(&t->start);
}

static void task_free(struct task *t)
{
    if (t->tid > 0 && t->tid != t->process->pid)
        pid_free(t->tid);
    if (t->charged)
        limit_uncharge_task(t->process);
    process_drop_signals(&t->pending);
    process_put(t->process);
    kfree(t);
}

/* The first thread's tid is the pid. */
static int choose_tid(struct process *p)
{
    return p->n_threads ? pid_alloc() : p->pid;
}

/* What a thread has from its maker. */
static void inherit(struct task *t, const struct task *maker)
{
    memcpy(t->comm, maker->comm, sizeof t->comm);
    t->policy = maker->policy;
    t->nice = maker->nice;
    t->thread->nice = maker->thread->nice;
    t->thread->affinity = maker->thread->affinity;
}

struct task *task_create_with(struct process *p, void (*fn)(void *arg))
{
    struct task *t = kzalloc(sizeof *t);

    if (!t)
        return NULL;
    if (p->n_threads && limit_charge_task(p)) { /* the first one's charge is the process's */
        kfree(t);
        return NULL;
    }
    t->charged = p->n_threads;
    process_get(p);
    t->process = p;
    t->altstack.ss_flags = SS_DISABLE;
    list_init(&t->link);
    signal_queue_init(&t->pending);
    t->tid = choose_tid(p);
    void *fpu = task_fpu_alloc();
    if (fpu && t->tid > 0)
        t->thread = thread_create(p->comm, fn, t);
    if (!t->thread) {
        task_fpu_free(fpu);
        task_free(t);
        return NULL;
    }
    fpu_init_state(fpu);
    t->thread->fpu = fpu;
    t->thread->task = t;
    t->thread->process = p;
    t->thread->vm = p->vm;
    if (current_process())
        inherit(t, current_task());
    return t;
}

struct task *task_create(struct process *p)
{
    return task_create_with(p, task_main);
}

void task_start(struct task *t)
{
    struct process *p = t->process;
    uint64_t flags = spin_lock(&process_lock);

    list_add_tail(&t->link, &p->threads);
    p->n_threads++;
    t->doomed = p->exiting || (current_process() == p && current_task()->doomed);
    t->thread->signal_pending = ((p->pending.set | t->pending.set) & ~t->blocked) ||
                                ptrace_stop_is_due_locked(t); /* came before there was a thread to tell */
    thread_start(t->thread); /* under the lock: whoever finds it may interrupt it, so it must have begun */
    spin_unlock(&process_lock, flags);
}

void process_thread_reaped(struct thread *thread)
{
    struct task *t = thread->task;

    task_fpu_free(thread->fpu);
    thread->fpu = NULL;
    thread->task = NULL;
    thread->process = NULL;
    task_free(t);
}
