/* kern/proc/kill.c - whom a signal is for: a process, a group, all, one thread. */
#include "kern/proc/signals.h"

struct group_send {
    int pgid, signo;
    const struct signal_info *info;
    bool asks; /* kill(2): only whom the caller may */
    unsigned found, refused;
    int err; /* of the last one */
};

/* process_lock held. */
static void send_if_allowed(struct process *p, struct group_send *g)
{
    if (g->asks && !cred_may_signal(p, g->signo)) {
        g->refused++;
        return;
    }
    g->found++;
    if (g->signo)
        g->err = signal_send_locked(p, g->signo, g->info);
}

static int group_result(const struct group_send *g)
{
    return g->found ? 0 : g->refused ? -EPERM : -ESRCH;
}

static void send_if_member(struct process *p, void *arg)
{
    struct group_send *g = arg;
    if (p->pgid == g->pgid)
        send_if_allowed(p, g);
}

unsigned signal_send_group(int pgid, int signo, const struct signal_info *info)
{
    struct group_send g = { .pgid = pgid, .signo = signo, .info = info };
    uint64_t flags = spin_lock(&process_lock);

    process_for_each_locked(send_if_member, &g);
    spin_unlock(&process_lock, flags);
    return g.found;
}

/* kill(-1): everybody but pid 1 and the caller. */
static void send_if_other(struct process *p, void *arg)
{
    struct group_send *g = arg;

    if (p->pid == 1 || p == current_process() || p->kernel_thread)
        return;
    send_if_allowed(p, g);
}

static int kill_one(int pid, int signo, const struct signal_info *info)
{
    uint64_t flags = spin_lock(&process_lock);
    struct process *p = process_find_locked(pid);
    struct group_send g = { .signo = signo, .info = info, .asks = true };

    if (p)
        send_if_allowed(p, &g);
    spin_unlock(&process_lock, flags);
    return g.found ? g.err : group_result(&g);
}

static int kill_all(int signo, const struct signal_info *info)
{
    struct group_send g = { .signo = signo, .info = info, .asks = true };
    uint64_t flags = spin_lock(&process_lock);

    process_for_each_locked(send_if_other, &g);
    spin_unlock(&process_lock, flags);
    return group_result(&g);
}

static int kill_group(int pgid, int signo, const struct signal_info *info)
{
    struct group_send g = { .pgid = pgid, .signo = signo, .info = info, .asks = true };
    uint64_t flags = spin_lock(&process_lock);

    process_for_each_locked(send_if_member, &g);
    spin_unlock(&process_lock, flags);
    return group_result(&g);
}

static int kill_some(int pid, int signo)
{
    struct signal_info info = { .code = SI_USER,
                                .pid = current_process()->pid,
                                .uid = current_cred()->uid.real };

    if (pid > 0)
        return kill_one(pid, signo, &info);
    if (pid == -1)
        return kill_all(signo, &info);
    if (pid == INT32_MIN)
        return -ESRCH;
    return kill_group(pid ? -pid : current_process()->pgid, signo, &info);
}

int signal_kill(int pid, int signo)
{
    bool valid = signo >= 0 && signo <= NSIG;
    int err = kill_some(pid, valid ? signo : 0);

    return err || valid ? err : -EINVAL;
}

static struct task *find_task_locked(int tgid, int tid)
{
    struct process *p = tgid ? process_find_locked(tgid) : NULL;

    return !tgid ? task_find_any_locked(tid) : p ? task_find_locked(p, tid) : NULL;
}

static int send_to_task(int tgid, int tid, int signo, const struct signal_info *info)
{
    uint64_t flags = spin_lock(&process_lock);
    struct task *t = find_task_locked(tgid, tid);
    int err = !t ? -ESRCH : cred_may_signal(t->process, signo) ? 0 : -EPERM;

    if (!err && signo)
        err = signal_send_task_locked(t, signo, info);
    spin_unlock(&process_lock, flags);
    return err;
}

int signal_tgkill(int tgid, int tid, int signo)
{
    struct signal_info info = { .code = SI_TKILL,
                                .pid = current_process()->pid,
                                .uid = current_cred()->uid.real };

    if (signo < 0 || signo > NSIG || tgid < 0 || tid <= 0)
        return -EINVAL;
    return send_to_task(tgid, tid, signo, &info);
}

/* rt_sigqueueinfo(2): others are not told that the kernel, or kill, or tgkill sent it. */
int signal_queue_to(int tgid, int tid, int signo, const struct signal_info *info)
{
    if (tgid != current_process()->pid && (info->code >= 0 || info->code == SI_TKILL))
        return -EPERM;
    if (signo < 0 || signo > NSIG)
        return -EINVAL;
    if (tid)
        return send_to_task(tgid, tid, signo, info);
    return kill_one(tgid, signo, info);
}
