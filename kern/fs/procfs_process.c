/* kern/fs/procfs_process.c - the files of /proc/PID, in Linux's format (proc(5)). */
#include "kern/fs/procfs.h"
#include "kern/fs/tty.h"
#include "kern/mm/vm.h"
#include "kern/proc/process.h"
#include "lib/format.h"
#include "lib/string.h"

enum { TICKS = 10000000 /* ns in one of 1/100 s */ };

/* What is told of a process, gathered under the lock. */
struct facts {
    char comm[16], state;
    int ppid, pgid, sid, tty, foreground;
    unsigned threads;
    uint64_t cpu, start; /* ticks */
    uint64_t pages;
    uint64_t pending, blocked, ignored, caught;
};

static bool is_running(struct process *p)
{
    struct task *t;

    list_for_each_entry (t, &p->threads, link)
        if (READ_ONCE(t->thread->state) == THREAD_RUNNABLE)
            return true;
    return false;
}

static char state_of(struct process *p)
{
    return p->state == PROCESS_ZOMBIE ? 'Z' : p->state == PROCESS_STOPPED ? 'T' : is_running(p) ? 'R' : 'S';
}

static void gather_signals(struct facts *f, struct process *p)
{
    struct task *t = list_first_entry(&p->threads, struct task, link);

    f->pending = p->pending.set | (t ? t->pending.set : 0);
    f->blocked = t ? t->blocked : 0;
    for (int i = 0; i < NSIG; i++) {
        f->ignored |= (uint64_t)(p->action[i].handler == SIG_IGN) << i;
        f->caught |= (uint64_t)(p->action[i].handler > SIG_IGN) << i;
    }
}

static void gather(struct facts *f, struct process *p)
{
    struct vm_space *vm = process_vm(p);
    uint64_t cpu = process_cpu_ns(p), flags = spin_lock(&process_lock);

    *f = (struct facts){ .state = state_of(p),
                         .ppid = p->parent ? p->parent->pid : 0,
                         .pgid = p->pgid,
                         .sid = p->sid,
                         .tty = p->tty ? tty_number(p->tty) : 0,
                         .foreground = p->tty ? tty_foreground(p->tty) : -1,
                         .threads = p->n_threads,
                         .cpu = cpu / TICKS,
                         .start = p->start_time / TICKS };
    memcpy(f->comm, p->comm, sizeof f->comm);
    gather_signals(f, p);
    spin_unlock(&process_lock, flags);
    if (vm) {
        f->pages = vm_resident(vm);
        vm_put(vm);
    }
}

static void show_stat(struct textbuf *out, struct process *p)
{
    struct facts f;

    gather(&f, p);
    textbuf_printf(out, "%d (%s) %c %d %d %d %d %d 0 0 0 0 0 ", p->pid, f.comm, f.state, f.ppid, f.pgid,
                   f.sid, f.tty, f.foreground);
    textbuf_printf(out, "%llu 0 0 0 20 0 %u 0 %llu ", (unsigned long long)f.cpu, f.threads,
                   (unsigned long long)f.start);
    textbuf_printf(out, "%llu %llu 18446744073709551615 0 0 0 0 0 ", (unsigned long long)f.pages * PAGE_SIZE,
                   (unsigned long long)f.pages);
    textbuf_printf(out, "%llu %llu %llu %llu 0 0 0 17 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
                   (unsigned long long)f.pending, (unsigned long long)f.blocked,
                   (unsigned long long)f.ignored, (unsigned long long)f.caught);
}

static const char *state_name(char state)
{
    return state == 'R' ? "running" : state == 'S' ? "sleeping" : state == 'T' ? "stopped" : "zombie";
}

static void show_status(struct textbuf *out, struct process *p)
{
    struct facts f;

    gather(&f, p);
    textbuf_printf(out, "Name:\t%s\nState:\t%c (%s)\nTgid:\t%d\nPid:\t%d\nPPid:\t%d\n", f.comm, f.state,
                   state_name(f.state), p->pid, p->pid, f.ppid);
    textbuf_printf(out, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", p->uid, p->euid, p->euid, p->euid,
                   p->gid, p->egid, p->egid, p->egid);
    textbuf_printf(out, "VmSize:\t%8llu kB\nVmRSS:\t%8llu kB\nThreads:\t%u\n",
                   (unsigned long long)f.pages * PAGE_SIZE / 1024,
                   (unsigned long long)f.pages * PAGE_SIZE / 1024, f.threads);
    textbuf_printf(out, "SigPnd:\t%016llx\nSigBlk:\t%016llx\nSigIgn:\t%016llx\nSigCgt:\t%016llx\n",
                   (unsigned long long)f.pending, (unsigned long long)f.blocked,
                   (unsigned long long)f.ignored, (unsigned long long)f.caught);
}

/* The arguments, each with its NUL. */
static void show_cmdline(struct textbuf *out, struct process *p)
{
    uint64_t flags = spin_lock(&process_lock);
    size_t n = p->state == PROCESS_ZOMBIE ? 0 : p->cmdline_len;

    memcpy(out->buf, p->cmdline, MIN(n, out->size));
    out->len = n;
    spin_unlock(&process_lock, flags);
}

static void show_comm(struct textbuf *out, struct process *p)
{
    struct facts f;

    gather(&f, p);
    textbuf_printf(out, "%s\n", f.comm);
}

const struct proc_entry proc_process_entries[] = { { "cmdline", show_cmdline, NULL },
                                                   { "comm", show_comm, NULL },
                                                   { "stat", show_stat, NULL },
                                                   { "status", show_status, NULL },
                                                   { NULL, NULL, NULL } };
