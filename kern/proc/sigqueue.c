/* kern/proc/sigqueue.c - signals that wait: of an ordinary one the first only, of a real-time signal each, in
 * order.
 *
 * A bit of set says that a signal waits. What is told with an ordinary one has its place in the queue, so
 * sending never fails; a real-time signal's is allocated. When there is no memory, or too many wait, kill's
 * still arrives, once and without its sender, and sigqueue's is refused. process_lock guards it all. */
#include "kern/mm/mm.h"
#include "kern/proc/signals.h"
#include "lib/abi/socket.h"

enum { QUEUED_MAX = 4096 }; /* real-time signals that wait in all queues */

struct queued_signal {
    struct list_head link;
    int signo;
    struct signal_info info;
};

static unsigned n_queued;

void signal_queue_init(struct signal_queue *q)
{
    q->set = 0;
    list_init(&q->realtime);
}

static int add_realtime(struct signal_queue *q, int signo, const struct signal_info *info)
{
    struct queued_signal *s = n_queued < QUEUED_MAX ? kmalloc(sizeof *s) : NULL;

    if (!s)
        return -EAGAIN;
    n_queued++;
    s->signo = signo;
    s->info = *info;
    list_add_tail(&s->link, &q->realtime);
    return 0;
}

int signal_queue_add(struct signal_queue *q, int signo, const struct signal_info *info)
{
    bool waits = q->set & SIGNAL_BIT(signo);

    if (signo < SIGRTMIN_KERNEL) {
        if (!waits)
            q->info[signo - 1] = *info;
    } else if (add_realtime(q, signo, info) && info->code != SI_USER && info->code != SI_KERNEL) {
        return -EAGAIN;
    }
    q->set |= SIGNAL_BIT(signo);
    waitq_wake_events(&signal_arrivals, POLLIN);
    return 0;
}

static void free_queued(struct queued_signal *s)
{
    list_del(&s->link);
    kfree(s);
    n_queued--;
}

/* The first of signo in the list, NULL: none. */
static struct queued_signal *first_of(struct signal_queue *q, int signo)
{
    struct queued_signal *s;

    list_for_each_entry (s, &q->realtime, link)
        if (s->signo == signo)
            return s;
    return NULL;
}

void signal_queue_take(struct signal_queue *q, int signo, struct signal_info *info)
{
    struct queued_signal *s = signo < SIGRTMIN_KERNEL ? NULL : first_of(q, signo);

    *info = (struct signal_info){ .code = SI_USER }; /* one whose telling got lost */
    if (signo < SIGRTMIN_KERNEL)
        *info = q->info[signo - 1];
    if (s) {
        *info = s->info;
        free_queued(s);
    }
    if (!s || !first_of(q, signo))
        q->set &= ~SIGNAL_BIT(signo);
}

void signal_queue_drop(struct signal_queue *q, uint64_t set)
{
    struct queued_signal *s, *next;

    q->set &= ~set;
    list_for_each_entry_safe (s, next, &q->realtime, link)
        if (set & SIGNAL_BIT(s->signo))
            free_queued(s);
}
