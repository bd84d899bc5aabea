/* kern/proc/process.c - the table of processes, their pids, and the making of one. */
#include "kern/proc/process.h"
#include "kern/fs/files.h"
#include "kern/mm/vm.h"
#include "kern/proc/itimer.h"
#include "kern/proc/limits.h"
#include "kern/proc/signals.h"
#include "kern/proc/task.h"
#include "kern/sys/kernel_knobs.h"
#include "lib/string.h"

struct spinlock process_lock = SPINLOCK_INIT("process", RANK_PROCESS);

static struct {
    struct list_head all;
    unsigned count;
    uint64_t pids[PID_MAX / 64]; /* bit set: in use */
    int last_pid;
} table = { .all = { &table.all, &table.all } };

/* ---- pids ---- */

static bool pid_used(int pid)
{
    return table.pids[pid / 64] >> (pid % 64) & 1;
}

int pid_alloc(void)
{
    uint64_t flags = spin_lock(&process_lock);
    int pid = -EAGAIN;

    int most = READ_ONCE(kernel_knobs.pid_max);

    for (int i = 1; i < most && pid < 0; i++) {
        int candidate = (table.last_pid + i) % most;
        if (candidate && !pid_used(candidate))
            pid = candidate;
    }
    if (pid > 0) {
        table.pids[pid / 64] |= 1ull << (pid % 64);
        table.last_pid = pid;
    }
    spin_unlock(&process_lock, flags);
    return pid;
}

void pid_free(int pid)
{
    uint64_t flags = spin_lock(&process_lock);

    table.pids[pid / 64] &= ~(1ull << (pid % 64));
    spin_unlock(&process_lock, flags);
}

/* ---- making one ---- */

/* What a child has from its parent, apart from memory and files. */
static void inherit(struct process *p, struct process *parent)
{
    uint64_t flags = spin_lock(&process_lock);

    p->parent = parent;
    p->pgid = parent->pgid;
    p->sid = parent->sid;
    p->tty = parent->tty;
    memcpy(p->action, parent->action, sizeof p->action);
    memcpy(p->comm, parent->comm, sizeof p->comm);
    p->places = parent->places;
    p->oom_score_adj = parent->oom_score_adj;
    memcpy(p->auxv, parent->auxv, sizeof p->auxv);
    p->cwd = inode_get(parent->cwd);
    p->root = parent->root ? inode_get(parent->root) : NULL;
    if (parent->exe) {
        p->exe = file_get(parent->exe);
        int busy = inode_begin_run(p->exe->inode);
        ASSERT(!busy); /* its parent runs it already */
    }
    p->umask = parent->umask;
    p->personality = parent->personality;
    p->cred = parent->cred;
    memcpy(p->limits, parent->limits, sizeof p->limits);
    spin_unlock(&process_lock, flags);
}

struct process *process_create(struct process *parent)
{
    struct process *p = kzalloc(sizeof *p);

    if (!p)
        return NULL;
    p->cred.uid.real = parent ? parent->cred.uid.real : 0;
    if (limit_charge_task(p)) {
        kfree(p);
        return NULL;
    }
    p->pid = pid_alloc();
    if (p->pid < 0) {
        limit_uncharge_task(p);
        kfree(p);
        return NULL;
    }
    refcount_set(&p->refs, 1);
    p->start_time = time_now();
    list_init(&p->all);
    list_init(&p->children);
    list_init(&p->sibling);
    list_init(&p->threads);
    list_init(&p->tracees);
    list_init(&p->timers);
    signal_queue_init(&p->pending);
    waitq_init(&p->wait_children);
    itimer_init(p);
    p->exit_signal = SIGCHLD;
    if (parent)
        inherit(p, parent);
    else
        cred_init_root(&p->cred);
    return p;
}

void process_publish(struct process *p)
{
    uint64_t flags = spin_lock(&process_lock);

    list_add_tail(&p->all, &table.all);
    table.count++;
    if (p->parent) {
        list_add_tail(&p->sibling, &p->parent->children);
        signal_share_end_locked(p);
    }
    spin_unlock(&process_lock, flags);
}

void process_forget_locked(struct process *p)
{
    list_del(&p->all);
    list_del(&p->sibling);
    p->parent = NULL;
    table.count--;
}

void process_end_run(struct file *exe)
{
    if (!exe)
        return;
    inode_end_run(exe->inode);
    file_put(exe);
}

void process_release_resources(struct process *p)
{
    uint64_t flags = spin_lock(&process_lock);
    struct vm_space *vm = p->vm;
    struct files *files = p->files;
    struct inode *cwd = p->cwd, *root = p->root;
    struct file *exe = p->exe;

    p->vm = NULL;
    p->files = NULL;
    p->cwd = p->root = NULL;
    p->exe = NULL;
    spin_unlock(&process_lock, flags);
    if (files)
        files_put(files);
    if (vm)
        vm_put(vm);
    inode_put(cwd);
    inode_put(root);
    process_end_run(exe);
}

void process_drop_signals(struct signal_queue *q)
{
    uint64_t flags = spin_lock(&process_lock);

    signal_queue_drop(q, UINT64_MAX);
    spin_unlock(&process_lock, flags);
}

void process_get(struct process *p)
{
    refcount_get(&p->refs);
}

void process_put(struct process *p)
{
    if (!refcount_put(&p->refs))
        return;
    process_release_resources(p);
    process_drop_signals(&p->pending);
    pid_free(p->pid);
    limit_uncharge_task(p);
    kfree(p);
}

/* ---- finding one ---- */

struct process *process_find_locked(int pid)
{
    struct process *p;

    list_for_each_entry (p, &table.all, all)
        if (p->pid == pid)
            return p;
    return NULL;
}

struct process *process_find(int pid)
{
    uint64_t flags = spin_lock(&process_lock);
    struct process *p = process_find_locked(pid);

    if (p)
        process_get(p);
    spin_unlock(&process_lock, flags);
    return p;
}

struct process *process_next(int least)
{
    uint64_t flags = spin_lock(&process_lock);
    struct process *p, *best = NULL;

    list_for_each_entry (p, &table.all, all)
        if (p->pid >= least && (!best || p->pid < best->pid))
            best = p;
    if (best)
        process_get(best);
    spin_unlock(&process_lock, flags);
    return best;
}

void process_for_each_locked(void (*fn)(struct process *p, void *arg), void *arg)
{
    struct process *p;

    list_for_each_entry (p, &table.all, all)
        fn(p, arg);
}

int process_last_pid(void)
{
    return READ_ONCE(table.last_pid);
}

unsigned process_count(void)
{
    return READ_ONCE(table.count);
}

/* ---- looking into another ---- */

struct inode *process_cwd(struct process *p)
{
    uint64_t flags = spin_lock(&process_lock);
    struct inode *cwd = p->cwd ? inode_get(p->cwd) : NULL;

    spin_unlock(&process_lock, flags);
    return cwd;
}

struct vm_space *process_vm(struct process *p)
{
    uint64_t flags = spin_lock(&process_lock);
    struct vm_space *vm = p->vm;

    if (vm)
        vm_get(vm);
    spin_unlock(&process_lock, flags);
    return vm;
}

struct files *process_files(struct process *p)
{
    uint64_t flags = spin_lock(&process_lock);
    struct files *files = p->files ? files_get(p->files) : NULL;

    spin_unlock(&process_lock, flags);
    return files;
}

struct inode *process_root(void)
{
    struct process *p = current_process();
    struct inode *root;
    uint64_t flags;

    if (!p || !READ_ONCE(p->root))
        return inode_get(fs_root);
    flags = spin_lock(&process_lock);
    root = inode_get(p->root);
    spin_unlock(&process_lock, flags);
    return root;
}

struct file *process_exe(struct process *p)
{
    uint64_t flags = spin_lock(&process_lock);
    struct file *exe = p->exe ? file_get(p->exe) : NULL;

    spin_unlock(&process_lock, flags);
    return exe;
}

bool process_may_inspect(struct process *p)
{
    return current_process() == p || cred_may_inspect(&p->cred);
}

int process_rename(struct process *p, int tid, const char *name)
{
    uint64_t flags = spin_lock(&process_lock);
    struct task *t = task_find_locked(p, tid ? tid : p->pid);
    char comm[sizeof p->comm] = "";

    memcpy(comm, name, strnlen(name, sizeof comm - 1));
    if (t)
        memcpy(t->comm, comm, sizeof comm);
    if (t && t->tid == p->pid)
        memcpy(p->comm, comm, sizeof comm);
    spin_unlock(&process_lock, flags);
    return t ? 0 : -ESRCH;
}

struct task *task_find_locked(struct process *p, int tid)
{
    struct task *t;

    list_for_each_entry (t, &p->threads, link)
        if (t->tid == tid)
            return t;
    return NULL;
}

struct task *task_find_any_locked(int tid)
{
    struct process *p = process_find_locked(tid);
    struct task *t = p ? task_find_locked(p, tid) : NULL;

    if (t)
        return t;
    list_for_each_entry (p, &table.all, all)
        if ((t = task_find_locked(p, tid)))
            return t;
    return NULL;
}

/* ---- what was used ---- */

void resource_use_add(struct resource_use *sum, const struct resource_use *u)
{
    sum->user_ns += u->user_ns;
    sum->system_ns += u->system_ns;
    sum->faults += u->faults;
    sum->slept += u->slept;
    sum->preempted += u->preempted;
}

struct resource_use task_use(struct task *t)
{
    struct cpu_times cpu = thread_cpu_times(t->thread);

    return (struct resource_use){ .user_ns = cpu.user_ns,
                                  .system_ns = cpu.system_ns,
                                  .faults = READ_ONCE(t->thread->faults),
                                  .slept = READ_ONCE(t->thread->slept),
                                  .preempted = READ_ONCE(t->thread->preempted) };
}

struct resource_use process_children_use(struct process *p)
{
    uint64_t flags = spin_lock(&process_lock);
    struct resource_use use = p->children_use;

    spin_unlock(&process_lock, flags);
    return use;
}

struct resource_use process_use_locked(struct process *p)
{
    struct resource_use sum = p->ended;
    struct task *t;

    list_for_each_entry (t, &p->threads, link) {
        struct resource_use one = task_use(t);
        resource_use_add(&sum, &one);
    }
    return sum;
}

struct resource_use process_use(struct process *p)
{
    uint64_t flags = spin_lock(&process_lock);
    struct resource_use sum = process_use_locked(p);

    spin_unlock(&process_lock, flags);
    return sum;
}

bool process_group_is_orphaned_locked(int pgid)
{
    struct process *p;

    list_for_each_entry (p, &table.all, all)
        if (p->pgid == pgid && p->state != PROCESS_ZOMBIE && p->parent && p->parent->pgid != pgid &&
            p->parent->sid == p->sid)
            return false;
    return true;
}
