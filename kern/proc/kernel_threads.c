/* kern/proc/kernel_threads.c - the kernel's own threads, as processes that programs can see.
 *
 * Each gets a pid, so that ps and top list ksoftirqd and kworker with the time they took. Nothing else of a
 * process is behind it: no memory, no files, no parent; signals to it are dropped. */
#include "kern/mm/mm.h"
#include "kern/proc/signals.h"
#include "kern/proc/task.h"
#include "lib/string.h"

enum { MOST = 4 * MAX_CPUS };

struct found {
    struct thread *threads[MOST];
    unsigned n;
};

static void collect(struct thread *t, void *arg)
{
    struct found *found = arg;
    if (!t->process && found->n < MOST)
        found->threads[found->n++] = t;
}

static void show_as_process(struct thread *thread)
{
    struct process *p = process_create(NULL);
    struct task *t = p ? kzalloc(sizeof *t) : NULL;
    if (!t)
        panic("no memory to show '%s' as a process", thread->name);
    p->kernel_thread = true;
    memcpy(p->comm, thread->name, sizeof p->comm);
    *t = (struct task){ .tid = p->pid, .process = p, .thread = thread };
    list_init(&t->link);
    signal_queue_init(&t->pending);
    process_publish(p);
    uint64_t flags = spin_lock(&process_lock);
    list_add_tail(&t->link, &p->threads);
    p->n_threads = 1;
    spin_unlock(&process_lock, flags);
}

void kernel_threads_publish(void)
{
    static struct found found; /* too much for a stack; used once */
    thread_for_each(collect, &found);
    for (unsigned i = 0; i < found.n; i++)
        show_as_process(found.threads[i]);
}
