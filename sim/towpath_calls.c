/* sim/towpath_calls.c - system calls of the library: each is a task that runs until it is done. */
#include "sim/towpath_calls.h"
#include "sim/sim.h"
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/syscall.h>

struct tp_call {
    struct list_head link; /* in process->calls */
    struct tp_process *process;
    struct sim_task *task;
    long number;
    int64_t arguments[6], result;
    int64_t progress; /* of a source or sink */
};
enum { CALL_SOURCE = -1, CALL_SINK = -2 }; /* in the place of a number */

static uint64_t poll_timeout(int64_t milliseconds)
{
    return (int)milliseconds < 0 ? TP_NEVER : ms((uint32_t)milliseconds);
}

static int64_t do_ppoll(struct tp_process *p, const int64_t a[6])
{
    uint64_t timeout;
    int err = tp_timeout_from_user((uintptr_t)a[2], 1, &timeout);

    return err ? err : tp_poll(p, (uintptr_t)a[0], (uint64_t)a[1], timeout);
}

static int64_t do_select(struct tp_process *p, const int64_t a[6], uint64_t unit_ns)
{
    const uintptr_t sets[3] = { (uintptr_t)a[1], (uintptr_t)a[2], (uintptr_t)a[3] };
    uint64_t timeout;
    int err = tp_timeout_from_user((uintptr_t)a[4], unit_ns, &timeout);

    return err ? err : tp_select(p, (int)a[0], sets, timeout);
}

static int64_t do_call(struct tp_process *p, long number, const int64_t a[6])
{
    switch (number) {
    case SYS_close:
        return tp_close(p, (int)a[0]);
    case SYS_dup:
        return tp_fcntl(p, (int)a[0], F_DUPFD, 0);
    case SYS_dup2:
    case SYS_dup3:
        return number == SYS_dup3 && (int)a[0] == (int)a[1]
                   ? -EINVAL
                   : tp_dup(p, (int)a[0], (int)a[1], number == SYS_dup3 ? (int)a[2] : 0);
    case SYS_fcntl:
        return tp_fcntl(p, (int)a[0], (int)a[1], a[2]);
    case SYS_poll:
        return tp_poll(p, (uintptr_t)a[0], (uint64_t)a[1], poll_timeout(a[2]));
    case SYS_ppoll:
        return do_ppoll(p, a);
    case SYS_select:
    case SYS_pselect6:
        return do_select(p, a, number == SYS_select ? us(1) : 1);
    default:
        return tp_socket_call(p, number, a);
    }
}

static int64_t do_flow(struct tp_call *c)
{
    struct tp_file *f = tp_file_get(c->process, c->arguments[0]);
    int64_t result;

    if (!f)
        return -EBADF;
    if (c->number == CALL_SOURCE)
        result = tp_source(f->sk, (uint64_t)c->arguments[1], &c->progress);
    else
        result = tp_sink(f->sk, &c->progress);
    tp_file_put(f);
    return result;
}

static void call_task(void *arg)
{
    struct tp_call *c = arg;

    c->result = c->number < 0 ? do_flow(c) : do_call(c->process, c->number, c->arguments);
}

static struct tp_call *begin(struct tp_process *p, long number, const int64_t arguments[6])
{
    struct tp_call *c = calloc(1, sizeof *c);

    if (!c)
        return NULL;
    c->process = p;
    c->number = number;
    for (int i = 0; i < 6; i++)
        c->arguments[i] = arguments[i];
    list_add_tail(&c->link, &p->calls);
    c->task = sim_spawn("a system call", call_task, c);
    sim_run_for(0);
    return c;
}

struct tp_call *tp_call_begin(struct tp_process *p, long number, const int64_t arguments[6])
{
    return begin(p, number < 0 ? LONG_MAX : number, arguments); /* a number that nobody has */
}

struct tp_call *tp_source_begin(struct tp_process *p, int fd, uint64_t size)
{
    return begin(p, CALL_SOURCE, (const int64_t[6]){ fd, (int64_t)size });
}

struct tp_call *tp_sink_begin(struct tp_process *p, int fd)
{
    return begin(p, CALL_SINK, (const int64_t[6]){ fd });
}

int64_t tp_call_progress(const struct tp_call *c)
{
    return c->progress;
}

bool tp_call_done(const struct tp_call *c, int64_t *result)
{
    if (!sim_task_done(c->task))
        return false;
    if (result)
        *result = c->result;
    return true;
}

void tp_call_interrupt(struct tp_call *c)
{
    if (sim_task_done(c->task))
        return;
    sim_signal(c->task, true);
    sim_run_for(0);
}

void tp_call_end(struct tp_call *c)
{
    sim_task_free(c->task); /* panics if it is not done */
    list_del(&c->link);
    free(c);
}

struct tp_call *tp_first_call(struct tp_process *p)
{
    return list_first_entry(&p->calls, struct tp_call, link);
}

int64_t tp_syscall(struct tp_process *p, long number, int64_t a, int64_t b, int64_t c, int64_t d, int64_t e,
                   int64_t f)
{
    struct tp_call *call = tp_call_begin(p, number, (const int64_t[]){ a, b, c, d, e, f });
    int64_t result = -ENOMEM;

    if (!call)
        return result;
    while (!tp_call_done(call, &result)) {
        if (sim_run_one(TIME_NEVER))
            continue;
        tp_call_interrupt(call);
        result = -EDEADLK;
        break;
    }
    tp_call_end(call);
    return result;
}
