/* kern/proc/posix_timer.c - timer_create(2)'s timers: a signal when one fires, at most one of each waits.
 * What fires while its signal waits is counted and told when that is taken. The list of a process's timers
 * and what they count are under process_lock; a timer that is taken off the list is cancelled without it,
 * since its callback takes it, and freed then. */
#include "kern/proc/posix_timer.h"
#include "kern/mm/mm.h"
#include "kern/proc/signals.h"
#include "lib/abi/time.h"

#define LEAST_INTERVAL us(100) /* as of an itimer: no program keeps a CPU from all else */

struct posix_timer {
    struct list_head link; /* process->timers */
    struct process *process;
    struct timer timer;
    struct posix_timer_request request;
    int id;
    uint64_t due, interval; /* ns since boot; 0: not set */
    bool queued;            /* its signal waits */
    int overrun, last_overrun;
};

/* ---- process_lock held ---- */

static struct posix_timer *find(struct process *p, int id)
{
    struct posix_timer *t;

    list_for_each_entry (t, &p->timers, link)
        if (t->id == id)
            return t;
    return NULL;
}

static struct task *thread_told(struct posix_timer *t)
{
    return t->request.notify == SIGEV_THREAD_ID ? task_find_locked(t->process, t->request.tid) : NULL;
}

static struct signal_queue *queue_told(struct posix_timer *t)
{
    struct task *task = thread_told(t);

    return task ? &task->pending : &t->process->pending;
}

static void send(struct posix_timer *t)
{
    const struct posix_timer_request *r = &t->request;
    struct signal_info info = { .code = SI_TIMER, .timer = t->id, .value = r->value };
    uint64_t bit = SIGNAL_BIT(r->signo);
    struct task *task = thread_told(t);

    if (t->queued && (queue_told(t)->set & bit)) {
        t->overrun += t->overrun < INT32_MAX;
        return;
    }
    if (task)
        signal_send_task_locked(task, r->signo, &info);
    else if (r->notify == SIGEV_SIGNAL)
        signal_send_locked(t->process, r->signo, &info);
    t->queued = queue_told(t)->set & bit;
}

static void fired(struct timer *timer)
{
    struct posix_timer *t = container_of(timer, struct posix_timer, timer);
    uint64_t flags = spin_lock(&process_lock), now = time_now(), next = 0;

    if (t->request.notify != SIGEV_NONE && t->due)
        send(t);
    if (t->due && t->interval) {
        uint64_t missed = now > t->due ? (now - t->due) / t->interval : 0;
        t->overrun += (int)MIN(missed, (uint64_t)(INT32_MAX - t->overrun));
        next = t->due = MAX(t->due + (missed + 1) * t->interval, now + LEAST_INTERVAL);
    } else {
        t->due = 0;
    }
    spin_unlock(&process_lock, flags);
    if (next)
        timer_set(timer, next);
}

void posix_timer_taken_locked(struct process *p, struct signal_info *info)
{
    struct posix_timer *t = find(p, info->timer);

    if (!t)
        return;
    info->overrun = t->last_overrun = t->overrun;
    t->overrun = 0;
    t->queued = false;
}

static struct posix_timer_setting setting_of(const struct posix_timer *t)
{
    uint64_t now = time_now();

    return (struct posix_timer_setting){ !t->due ? 0 : t->due > now ? t->due - now : 1, t->interval };
}

static int free_id(struct process *p)
{
    for (int id = 0; id < POSIX_TIMERS_MAX; id++)
        if (!find(p, id))
            return id;
    return -EAGAIN;
}

/* ---- process_lock not held ---- */

int posix_timer_create(const struct posix_timer_request *r)
{
    struct process *p = current_process();
    struct posix_timer *t = kzalloc(sizeof *t);
    uint64_t flags;
    int id;

    if (!t)
        return -EAGAIN;
    *t = (struct posix_timer){ .process = p, .request = *r };
    timer_init(&t->timer, fired);
    flags = spin_lock(&process_lock);
    id = t->id = free_id(p);
    if (r->value_is_id)
        t->request.value = (uint64_t)id;
    if (id >= 0)
        list_add_tail(&t->link, &p->timers);
    spin_unlock(&process_lock, flags);
    if (id < 0)
        kfree(t);
    return id;
}

/* When on the clock since boot a setting is due. */
static uint64_t due_of(const struct posix_timer *t, bool absolute, uint64_t value)
{
    uint64_t offset = t->request.clock == CLOCK_REALTIME ? time_wall() - time_now() : 0, due;

    if (absolute)
        return value > offset ? value - offset : 1;
    return __builtin_add_overflow(time_now(), value, &due) ? TIME_NEVER - 1 : due;
}

/* Take the timer out, so that nothing but its callback has it; NULL: there is none. */
static struct posix_timer *take(struct process *p, int id)
{
    uint64_t flags = spin_lock(&process_lock);
    struct posix_timer *t = find(p, id);

    if (t)
        list_del(&t->link);
    spin_unlock(&process_lock, flags);
    return t;
}

/* Stop it: the callback neither runs nor is due when this returns. */
static void stop(struct posix_timer *t)
{
    uint64_t flags = spin_lock(&process_lock);

    t->due = 0;
    spin_unlock(&process_lock, flags);
    timer_cancel_sync(&t->timer);
}

int posix_timer_set(int id, bool absolute, const struct posix_timer_setting *new,
                    struct posix_timer_setting *old)
{
    struct process *p = current_process();
    struct posix_timer *t = take(p, id);
    uint64_t flags, due = 0;

    if (!t)
        return -EINVAL;
    *old = setting_of(t);
    stop(t);
    flags = spin_lock(&process_lock);
    t->interval = new->interval ? MAX(new->interval, LEAST_INTERVAL) : 0;
    t->overrun = t->last_overrun = 0;
    due = t->due = new->value ? due_of(t, absolute, new->value) : 0;
    list_add_tail(&t->link, &p->timers);
    spin_unlock(&process_lock, flags);
    if (due)
        timer_set(&t->timer, due);
    return 0;
}

int posix_timer_get(int id, struct posix_timer_setting *now)
{
    uint64_t flags = spin_lock(&process_lock);
    struct posix_timer *t = find(current_process(), id);

    if (t)
        *now = setting_of(t);
    spin_unlock(&process_lock, flags);
    return t ? 0 : -EINVAL;
}

int posix_timer_overrun(int id)
{
    uint64_t flags = spin_lock(&process_lock);
    struct posix_timer *t = find(current_process(), id);
    int overrun = t ? t->last_overrun : -EINVAL;

    spin_unlock(&process_lock, flags);
    return overrun;
}

int posix_timer_delete(int id)
{
    struct posix_timer *t = take(current_process(), id);

    if (!t)
        return -EINVAL;
    stop(t);
    kfree(t);
    return 0;
}

void posix_timers_end(struct process *p)
{
    struct posix_timer *t;

    for (int id = 0; id < POSIX_TIMERS_MAX && !list_empty(&p->timers); id++) {
        t = take(p, id);
        if (!t)
            continue;
        stop(t);
        kfree(t);
    }
}
