/* kern/proc/limits.c - resource limits.
 *
 * process_lock guards a process's limits; a soft limit is one word and read without it. Threads of processes
 * are counted from their making until they are reaped. As long as there are fewer than a user may have, so
 * has he; only beyond that are his own counted. */
#include "kern/proc/limits.h"
#include "kern/fs/files.h"
#include "kern/mm/mm.h"
#include "kern/proc/exec.h"
#include "kern/proc/signals.h"
#include "kern/sys/kernel_knobs.h"

enum {
    THREADS_SHARE = 8,       /* all kernel stacks take at most one part in that many of memory */
    THREADS_LEAST = 20,      /* as Linux's MIN_THREADS */
    THREADS_MOST = 8000,     /* kern/mm/kvm.c has a place for so many stacks and some */
    FILES_SOFT = 1024,       /* as Linux's INR_OPEN_CUR */
    MEMLOCK = 8 << 20,       /* Linux 6.1's MLOCK_LIMIT */
    MESSAGE_QUEUES = 819200, /* MQ_BYTES_MAX */
};
static unsigned n_tasks; /* all that are charged; PROCESS lock */

unsigned limit_threads_max(void)
{
    struct mm_stats mm;

    mm_get_stats(&mm);
    return (unsigned)MAX(MIN(mm.total * PAGE_SIZE / KSTACK_SIZE / THREADS_SHARE, (uint64_t)THREADS_MOST),
                         (uint64_t)THREADS_LEAST);
}

void limits_init(struct process *p)
{
    const uint64_t tasks = limit_threads_max() / 2;

    for (unsigned i = 0; i < RLIM_NLIMITS; i++)
        p->limits[i] = (struct rlimit){ RLIM_INFINITY, RLIM_INFINITY };
    p->limits[RLIMIT_STACK].rlim_cur = USER_STACK_SIZE;
    p->limits[RLIMIT_CORE].rlim_cur = 0;
    p->limits[RLIMIT_NPROC] = p->limits[RLIMIT_SIGPENDING] = (struct rlimit){ tasks, tasks };
    p->limits[RLIMIT_NOFILE] = (struct rlimit){ FILES_SOFT, FILES_HARD };
    p->limits[RLIMIT_MEMLOCK] = (struct rlimit){ MEMLOCK, MEMLOCK };
    p->limits[RLIMIT_MSGQUEUE] = (struct rlimit){ MESSAGE_QUEUES, MESSAGE_QUEUES };
    p->limits[RLIMIT_NICE] = p->limits[RLIMIT_RTPRIO] = (struct rlimit){ 0, 0 };
}

uint64_t limit_now(unsigned resource)
{
    const struct process *p = current_process();

    return p ? READ_ONCE(p->limits[resource].rlim_cur) : RLIM_INFINITY;
}

static bool is_root(const struct process *p)
{
    return p->cred.effective & CAP_BIT(CAP_SYS_RESOURCE);
}

/* process_lock held. */
static int check_change(const struct rlimit *now, unsigned resource, const struct rlimit *new)
{
    if (new->rlim_cur > new->rlim_max)
        return -EINVAL;
    if (resource == RLIMIT_NOFILE && new->rlim_max > FILES_MAX)
        return -EPERM; /* nobody may: as with fs.nr_open */
    return new->rlim_max > now->rlim_max && !is_root(current_process()) ? -EPERM : 0;
}

int limit_change(struct process *p, unsigned resource, const struct rlimit *new, struct rlimit *old)
{
    uint64_t flags;
    int err;

    if (resource >= RLIM_NLIMITS)
        return -EINVAL;
    flags = spin_lock(&process_lock);
    err = new ? check_change(&p->limits[resource], resource, new) : 0;
    if (!err && old)
        *old = p->limits[resource];
    if (!err && new)
        p->limits[resource] = *new;
    spin_unlock(&process_lock, flags);
    return err;
}

/* ---- threads ---- */

/* Processes that have a thread, or had; PROCESS lock. */
static struct list_head charged = { &charged, &charged };

/* process_lock held. */
static uint64_t count_of_user(uint32_t uid)
{
    const struct process *p;
    uint64_t n = 0;

    list_for_each_entry (p, &charged, charged)
        n += p->cred.uid.real == uid ? p->n_charged : 0;
    return n;
}

/* Root is exempt from the limit of a user, as in Linux, from that of all nobody is. process_lock held. */
static bool may_have_one_more(uint32_t uid)
{
    const uint64_t limit = uid ? limit_now(RLIMIT_NPROC) : RLIM_INFINITY;

    return n_tasks < (uint32_t)READ_ONCE(kernel_knobs.threads_max) &&
           (n_tasks < limit || count_of_user(uid) < limit);
}

int limit_charge_task(struct process *p)
{
    uint64_t flags = spin_lock(&process_lock);
    bool may = may_have_one_more(p->cred.uid.real);

    if (may) {
        if (!p->n_charged++)
            list_add_tail(&p->charged, &charged);
        n_tasks++;
    }
    spin_unlock(&process_lock, flags);
    return may ? 0 : -EAGAIN;
}

void limit_uncharge_task(struct process *p)
{
    uint64_t flags = spin_lock(&process_lock);

    if (!--p->n_charged)
        list_del(&p->charged);
    n_tasks--;
    spin_unlock(&process_lock, flags);
}

/* ---- the size of files ---- */

static int too_large(void)
{
    signal_send_self(SIGXFSZ);
    return -EFBIG;
}

int limit_file_write(uint64_t pos, size_t *n)
{
    const uint64_t limit = limit_now(RLIMIT_FSIZE);

    if (!*n)
        return 0;
    if (pos >= limit)
        return too_large();
    if (*n > limit - pos)
        *n = (size_t)(limit - pos);
    return 0;
}

int limit_file_size(uint64_t size)
{
    return size > limit_now(RLIMIT_FSIZE) ? too_large() : 0;
}
