/* kern/fs/procfs_process.c - what /proc/PID and /proc/PID/task/TID tell of a process, of one of its threads,
 * in Linux's format (proc(5)). */
#include "kern/fs/files.h"
#include "kern/fs/procfs.h"
#include "kern/fs/tty.h"
#include "kern/mm/mm.h"
#include "kern/proc/exec.h"
#include "kern/proc/limits.h"
#include "kern/proc/process.h"
#include "kern/proc/ptrace.h"
#include "kern/proc/signals.h"
#include "lib/format.h"
#include "lib/string.h"

enum { TICKS = 10000000 /* ns in one of 1/100 s */, NORMAL_PRIORITY = 20 };

/* What is told of a process or thread, gathered under the lock. */
struct facts {
    char comm[16], state;
    int pid, tgid, ppid, pgid, sid, tty, foreground, exit_signal, exit_status;
    int nice, policy, tracer;
    unsigned threads, cpu;
    uint32_t affinity, umask;
    struct resource_use use, children;
    uint64_t start; /* ns since boot */
    uint64_t pending, shared_pending, blocked, ignored, caught;
    struct program_places places;
};

static char state_of_thread(const struct thread *t)
{
    if (t->task && t->task->trace && t->task->trace->stopped)
        return 't';
    return READ_ONCE(t->state) == THREAD_RUNNABLE ? 'R' : 'S';
}

/* A process runs if one of its threads does. */
static char state_of(struct process *p, struct task *only)
{
    char state = 'S';
    struct task *t;

    if (p->state != PROCESS_RUNNING)
        return p->state == PROCESS_ZOMBIE ? 'Z' : 'T';
    if (only)
        return state_of_thread(only->thread);
    list_for_each_entry (t, &p->threads, link)
        if (state != 'R' && state_of_thread(t->thread) != 'S')
            state = state_of_thread(t->thread);
    return state;
}

static void gather_signals(struct facts *f, struct process *p, struct task *t)
{
    f->shared_pending = p->pending.set;
    f->pending = t ? t->pending.set : 0;
    f->blocked = t ? t->blocked : 0;
    for (int i = 0; i < NSIG; i++) {
        f->ignored |= (uint64_t)(p->action[i].handler == SIG_IGN) << i;
        f->caught |= (uint64_t)(p->action[i].handler > SIG_IGN) << i;
    }
}

static void gather_thread(struct facts *f, struct task *t)
{
    memcpy(f->comm, t->comm, sizeof f->comm);
    f->nice = t->nice;
    f->policy = t->policy;
    f->tracer = ptrace_tracer_pid_locked(t);
    f->cpu = READ_ONCE(t->thread->cpu);
    f->affinity = READ_ONCE(t->thread->affinity) & thread_cpus();
}

/* process_lock held. */
static void gather_process(struct facts *f, struct process *p)
{
    f->tgid = f->pid = p->pid;
    f->ppid = p->parent ? p->parent->pid : 0;
    f->pgid = p->pgid;
    f->sid = p->sid;
    f->tty = p->tty ? tty_number(p->tty) : 0;
    f->foreground = p->tty ? tty_foreground(p->tty) : -1;
    f->exit_signal = p->exit_signal;
    f->exit_status = p->exit_status;
    f->threads = p->n_threads;
    f->start = p->start_time;
    f->children = p->children_use;
    f->umask = p->umask;
    f->places = p->places;
    memcpy(f->comm, p->comm, sizeof f->comm);
}

static void gather_user(struct facts *f, struct process *p, int tid)
{
    struct resource_use all = process_use(p);
    uint64_t flags = spin_lock(&process_lock);
    struct task *one = tid ? task_find_locked(p, tid) : NULL;
    struct task *t = one ? one : list_first_entry(&p->threads, struct task, link);

    gather_process(f, p);
    f->state = state_of(p, one);
    f->use = one ? task_use(one) : all;
    if (t)
        gather_thread(f, t);
    if (t && !one)
        memcpy(f->comm, p->comm, sizeof f->comm);
    if (one)
        f->pid = tid;
    gather_signals(f, p, t);
    spin_unlock(&process_lock, flags);
}

static struct facts gather(const struct proc_subject *s)
{
    struct facts f = { .state = 'X' };

    gather_user(&f, s->process, s->tid);
    return f;
}

static unsigned long long ticks(uint64_t ns)
{
    return ns / TICKS;
}

/* proc(5), /proc/pid/stat: 52 fields in a line; what is not known here is 0, as Linux shows what it has
 * forgotten. */
void proc_show_stat(struct textbuf *out, const struct proc_subject *s)
{
    struct facts f = gather(s);
    struct memory_use m = proc_memory_use(s->process);
    const struct program_places *at = &f.places;

    textbuf_printf(out, "%d (%s) %c %d %d %d %d %d %u ", f.pid, f.comm, f.state, f.ppid, f.pgid, f.sid, f.tty,
                   f.foreground, 0);
    textbuf_printf(out, "%llu 0 0 0 %llu %llu %llu %llu ", (unsigned long long)f.use.faults,
                   ticks(f.use.user_ns), ticks(f.use.system_ns), ticks(f.children.user_ns),
                   ticks(f.children.system_ns));
    textbuf_printf(out, "%d %d %u 0 %llu %llu %llu 18446744073709551615 ", NORMAL_PRIORITY + f.nice, f.nice,
                   f.threads, ticks(f.start), (unsigned long long)(m.size * PAGE_SIZE),
                   (unsigned long long)m.resident);
    textbuf_printf(out, "%llu %llu %llu 0 0 ", (unsigned long long)at->code_start,
                   (unsigned long long)at->code_end, (unsigned long long)at->stack);
    textbuf_printf(out, "%llu %llu %llu %llu 0 0 0 %d %u 0 %d 0 0 0 ",
                   (unsigned long long)(f.pending & INT32_MAX), (unsigned long long)(f.blocked & INT32_MAX),
                   (unsigned long long)(f.ignored & INT32_MAX), (unsigned long long)(f.caught & INT32_MAX),
                   f.exit_signal, f.cpu, f.policy);
    textbuf_printf(out, "%llu %llu 0 %llu %llu %llu %llu %d\n", (unsigned long long)at->data_start,
                   (unsigned long long)at->data_end, (unsigned long long)at->arg_start,
                   (unsigned long long)at->arg_end, (unsigned long long)at->env_start,
                   (unsigned long long)at->env_end, f.exit_status);
}

static const char *state_name(char state)
{
    switch (state) {
    case 'R':
        return "running";
    case 'S':
        return "sleeping";
    case 'T':
        return "stopped";
    case 't':
        return "tracing stop";
    case 'Z':
        return "zombie";
    default:
        return "dead";
    }
}

static void show_users(struct textbuf *out, const struct cred *c)
{
    textbuf_printf(out, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\nGroups:\t", c->uid.real,
                   c->uid.effective, c->uid.saved, c->uid.fs, c->gid.real, c->gid.effective, c->gid.saved,
                   c->gid.fs);
    for (unsigned i = 0; i < c->n_groups; i++)
        textbuf_printf(out, "%u ", c->groups[i]);
    textbuf_printf(out, "\n");
}

static void show_caps(struct textbuf *out, const struct cred *c)
{
    textbuf_printf(out, "CapInh:\t%016llx\nCapPrm:\t%016llx\nCapEff:\t%016llx\n",
                   (unsigned long long)c->inheritable, (unsigned long long)c->permitted,
                   (unsigned long long)c->effective);
    textbuf_printf(out, "CapBnd:\t%016llx\nCapAmb:\t%016llx\nNoNewPrivs:\t%d\n",
                   (unsigned long long)c->bounding, (unsigned long long)c->ambient, c->no_new_privs);
}

static void show_memory(struct textbuf *out, struct process *p)
{
    struct memory_use m = proc_memory_use(p);
    const unsigned long long kib = PAGE_SIZE / 1024;

    if (!m.size)
        return;
    textbuf_printf(out, "VmSize:\t%8llu kB\nVmRSS:\t%8llu kB\n", m.size * kib, m.resident * kib);
    textbuf_printf(out, "VmData:\t%8llu kB\nVmStk:\t%8llu kB\nVmExe:\t%8llu kB\n", m.data * kib,
                   m.stack * kib, m.code * kib);
}

static void show_cpus_allowed(struct textbuf *out, uint32_t affinity)
{
    const char *comma = "";

    textbuf_printf(out, "Cpus_allowed:\t%x\nCpus_allowed_list:\t", affinity);
    for (unsigned i = 0; i < MAX_CPUS; i++)
        if (affinity & 1u << i) {
            textbuf_printf(out, "%s%u", comma, i);
            comma = ",";
        }
    textbuf_printf(out, "\n");
}

void proc_show_status(struct textbuf *out, const struct proc_subject *s)
{
    struct facts f = gather(s);

    textbuf_printf(out,
                   "Name:\t%s\nUmask:\t%04o\nState:\t%c (%s)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\n",
                   f.comm, f.umask, f.state, state_name(f.state), f.tgid, f.pid, f.ppid);
    textbuf_printf(out, "TracerPid:\t%d\n", f.tracer);
    show_users(out, &s->process->cred);
    show_memory(out, s->process);
    textbuf_printf(out, "Threads:\t%u\nSigPnd:\t%016llx\nShdPnd:\t%016llx\n", f.threads,
                   (unsigned long long)f.pending, (unsigned long long)f.shared_pending);
    textbuf_printf(out, "SigBlk:\t%016llx\nSigIgn:\t%016llx\nSigCgt:\t%016llx\n",
                   (unsigned long long)f.blocked, (unsigned long long)f.ignored,
                   (unsigned long long)f.caught);
    show_caps(out, &s->process->cred);
    show_cpus_allowed(out, f.affinity);
    textbuf_printf(out, "voluntary_ctxt_switches:\t%llu\nnonvoluntary_ctxt_switches:\t%llu\n",
                   (unsigned long long)f.use.slept, (unsigned long long)f.use.preempted);
}

void proc_show_comm(struct textbuf *out, const struct proc_subject *s)
{
    struct facts f = gather(s);

    textbuf_printf(out, "%s\n", f.comm);
}

static void limit_text(char *text, size_t size, uint64_t limit)
{
    if (limit == RLIM_INFINITY)
        ksnprintf(text, size, "unlimited");
    else
        ksnprintf(text, size, "%llu", (unsigned long long)limit);
}

/* By number; as Linux names them. */
static const char *const limit_names[RLIM_NLIMITS][2] = {
    { "Max cpu time", "seconds" },    { "Max file size", "bytes" },      { "Max data size", "bytes" },
    { "Max stack size", "bytes" },    { "Max core file size", "bytes" }, { "Max resident set", "bytes" },
    { "Max processes", "processes" }, { "Max open files", "files" },     { "Max locked memory", "bytes" },
    { "Max address space", "bytes" }, { "Max file locks", "locks" },     { "Max pending signals", "signals" },
    { "Max msgqueue size", "bytes" }, { "Max nice priority", "" },       { "Max realtime priority", "" },
    { "Max realtime timeout", "us" },
};

void proc_show_limits(struct textbuf *out, const struct proc_subject *s)
{
    textbuf_printf(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned i = 0; i < RLIM_NLIMITS; i++) {
        struct rlimit now;
        char soft[24], hard[24];
        limit_change(s->process, i, NULL, &now);
        limit_text(soft, sizeof soft, now.rlim_cur);
        limit_text(hard, sizeof hard, now.rlim_max);
        textbuf_printf(out, "%-25s %-20s %-20s %-10s\n", limit_names[i][0], soft, hard, limit_names[i][1]);
    }
}

void proc_show_oom_score_adj(struct textbuf *out, const struct proc_subject *s)
{
    textbuf_printf(out, "%d\n", READ_ONCE(s->process->oom_score_adj));
}

/* Which function a sleeper waits in is not told, as on a Linux that hides it. */
void proc_show_wchan(struct textbuf *out, const struct proc_subject *s)
{
    (void)s;
    textbuf_printf(out, "0");
}
