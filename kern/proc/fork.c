/* kern/proc/fork.c - fork, vfork, clone: a process or thread that begins as a copy of its maker. */
#include "kern/cpu/cpu.h"
#include "kern/fs/files.h"
#include "kern/mm/vm.h"
#include "kern/proc/oom.h"
#include "kern/proc/ptrace.h"
#include "kern/proc/signals.h"
#include "kern/proc/task.h"
#include "lib/abi/ptrace.h"

enum { MSR_FS_BASE = (int)0xc0000100 };
enum {
    CLONE_KNOWN = CSIGNAL | CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_VFORK | CLONE_THREAD |
                  CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | CLONE_DETACHED |
                  CLONE_CHILD_SETTID
};

/* clone(2): a thread shares handlers, handlers need shared memory. */
static int check_flags(uint64_t flags)
{
    const uint64_t thread = CLONE_THREAD | CLONE_SIGHAND | CLONE_VM;

    if (flags & ~(uint64_t)CLONE_KNOWN)
        return -EINVAL;
    if ((flags & (CLONE_THREAD | CLONE_SIGHAND)) && (flags & thread) != thread)
        return -EINVAL;
    return (flags & CSIGNAL) > NSIG ? -EINVAL : 0;
}

/* The base of a thread's storage goes to a register that takes no address which is not canonical. */
static int check_request(const struct fork_request *r)
{
    if ((r->flags & CLONE_SETTLS) && r->tls >= USER_TOP)
        return -EPERM;
    return check_flags(r->flags);
}

/* The new process's memory and files: shared or copied. */
static int copy_resources(struct process *child, struct process *parent, uint64_t flags)
{
    if (flags & CLONE_VM)
        vm_get(parent->vm);
    child->vm = flags & CLONE_VM ? parent->vm : vm_fork(parent->vm);
    child->files = flags & CLONE_FILES ? files_get(parent->files) : files_clone(parent->files);
    return child->vm && child->files ? 0 : -ENOMEM;
}

/* The registers, FPU and signal mask of the new thread: its maker's, with fork's result 0. */
static void copy_thread(struct task *t, const struct fork_request *r)
{
    struct thread *self = current_thread();

    t->start = *self->user;
    t->start.rax = 0;
    if (r->stack)
        t->start.rsp = r->stack;
    t->thread->fs_base = r->flags & CLONE_SETTLS ? r->tls : rdmsr((uint32_t)MSR_FS_BASE);
    preempt_disable();
    fpu_save(t->thread->fpu);
    preempt_enable();
    t->blocked = signal_blocked();
    if (r->flags & CLONE_CHILD_CLEARTID)
        t->clear_child_tid = r->child_tid;
    if (!(r->flags & CLONE_VM))
        t->altstack = self->task->altstack;
}

/* Tell the tid where the request wants it: in the parent's memory, in the child's. As in Linux, an address
 * that cannot be written is the program's loss and no error. */
static void store_tids(struct task *t, const struct fork_request *r)
{
    int32_t tid = t->tid;
    int lost = 0;

    if (r->flags & CLONE_PARENT_SETTID)
        lost = copy_to_user(r->parent_tid, &tid, sizeof tid);
    if (r->flags & CLONE_CHILD_SETTID)
        lost = vm_write(t->process->vm, r->child_tid, &tid, sizeof tid);
    (void)lost;
}

static int64_t fork_thread(const struct fork_request *r)
{
    struct task *t = task_create(current_process());
    int tid, event;

    if (!t)
        return -EAGAIN;
    copy_thread(t, r);
    tid = t->tid;
    store_tids(t, r);
    event = ptrace_fork_event(r->flags);
    if (event && ptrace_adopt(t))
        event = 0; /* without memory it is not traced */
    task_start(t);
    if (event)
        ptrace_event(event, (uint64_t)tid);
    return tid;
}

/* Until the child has its own memory or is gone. Only a signal that ends the parent interrupts. */
static void wait_for_vfork(struct process *child)
{
    uint64_t mask = signal_blocked();

    signal_set_blocked(~SIGNAL_BIT(SIGKILL));
    wait_event(&current_process()->wait_children, !READ_ONCE(child->vfork_pending), TIME_NEVER);
    signal_set_blocked(mask);
}

/* A child with everything but a place in the table. */
static int make_child(const struct fork_request *r, struct process **out, struct task **task)
{
    struct process *parent = current_process(), *child = process_create(parent);
    int err;

    if (!child)
        return -EAGAIN;
    child->exit_signal = (int)(r->flags & CSIGNAL);
    child->vfork_pending = r->flags & CLONE_VFORK;
    err = copy_resources(child, parent, r->flags);
    *task = err ? NULL : task_create(child);
    if (!*task) {
        process_put(child);
        return err ? err : -EAGAIN;
    }
    copy_thread(*task, r);
    *out = child;
    return 0;
}

static int64_t fork_process(const struct fork_request *r)
{
    struct process *child;
    struct task *t;
    int event, pid, err = make_child(r, &child, &t);

    if (err)
        return err;
    pid = child->pid;
    store_tids(t, r);
    process_get(child);
    process_publish(child);
    event = ptrace_fork_event(r->flags);
    if (event && ptrace_adopt(t))
        event = 0; /* without memory it is not traced */
    task_start(t);
    if (event)
        ptrace_event(event, (uint64_t)pid);
    if (r->flags & CLONE_VFORK)
        wait_for_vfork(child);
    if (READ_ONCE(current_task()->trace) && (r->flags & CLONE_VFORK))
        ptrace_event(PTRACE_EVENT_VFORK_DONE, (uint64_t)pid);
    process_put(child);
    return pid;
}

int64_t process_fork(const struct fork_request *r)
{
    int64_t result = check_request(r);

    if (result)
        return result;
    do {
        result = r->flags & CLONE_THREAD ? fork_thread(r) : fork_process(r);
    } while (oom_try_again(result));
    return result;
}
