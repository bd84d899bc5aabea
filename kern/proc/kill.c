/* kern/proc/kill.c - whom a signal is for: a process, a group, all, one thread. */
#include "kern/proc/signals.h"

struct group_send {
    int pgid, signo;
    const struct signal_info *info;
    unsigned found;
};

static void send_if_member(struct process *p, void *arg)
{
    struct group_send *g = arg;

    if (p->pgid != g->pgid)
        return;
    g->found++;
    if (g->signo)
        signal_send_locked(p, g->signo, g->info);
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
    g->found++;
    if (g->signo)
        signal_send_locked(p, g->signo, g->info);
}

static int kill_one(int pid, int signo, const struct signal_info *info)
{
    uint64_t flags = spin_lock(&process_lock);
    struct process *p = process_find_locked(pid);

    if (p && signo)
        signal_send_locked(p, signo, info);
    spin_unlock(&process_lock, flags);
    return p ? 0 : -ESRCH;
}

static int kill_all(int signo, const struct signal_info *info)
{
    struct group_send g = { .signo = signo, .info = info };
    uint64_t flags = spin_lock(&process_lock);

    process_for_each_locked(send_if_other, &g);
    spin_unlock(&process_lock, flags);
    return g.found ? 0 : -ESRCH;
}

static int kill_some(int pid, int signo)
{
    struct signal_info info = { .code = SI_USER, .pid = current_process()->pid };

    if (pid > 0)
        return kill_one(pid, signo, &info);
    if (pid == -1)
        return kill_all(signo, &info);
    if (pid == INT32_MIN)
        return -ESRCH;
    return signal_send_group(pid ? -pid : current_process()->pgid, signo, &info) ? 0 : -ESRCH;
}

int signal_kill(int pid, int signo)
{
    bool valid = signo >= 0 && signo <= NSIG;
    int err = kill_some(pid, valid ? signo : 0);

    return err || valid ? err : -EINVAL;
}

static struct task *find_task_locked(int tgid, int tid)
{
    struct process *p = process_find_locked(tgid);

    return p ? task_find_locked(p, tid) : NULL;
}

int signal_tgkill(int tgid, int tid, int signo)
{
    struct signal_info info = { .code = SI_TKILL, .pid = current_process()->pid };
    uint64_t flags;
    struct task *t;

    if (signo < 0 || signo > NSIG || tgid <= 0 || tid <= 0)
        return -EINVAL;
    flags = spin_lock(&process_lock);
    t = find_task_locked(tgid, tid);
    if (t && signo)
        signal_send_task_locked(t, signo, &info);
    spin_unlock(&process_lock, flags);
    return t ? 0 : -ESRCH;
}
