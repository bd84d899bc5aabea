/* kern/proc/ptrace_request.c - the tracer's side of ptrace(2): its requests.
 * What a tracer sets is as untrusted as what a signal handler returns: registers are made harmless
 * (user_frame_sanitize), memory goes through the tracee's address space with its rights ignored but copied
 * first. */
#include "kern/cpu/cpu.h"
#include "kern/mm/vm.h"
#include "kern/proc/ptrace_private.h"
#include "kern/proc/signals.h"
#include "kern/proc/task.h"
#include "lib/abi/ptrace.h"
#include "lib/string.h"
#include "net/net.h"

enum { RFLAGS_TF = 0x100, USER_AREA_SIZE = 928, DEBUG_REGISTERS = 848, FXSAVE_SIZE = 512 };
#define OPTIONS_KNOWN                                                                                        \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |                \
     PTRACE_O_TRACEEXEC | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL)

/* A request about a tracee that is stopped; process_lock held while work runs. */
struct request {
    struct trace *trace;
    uintptr_t addr, data;
    union {
        struct user_regs_struct regs;
        siginfo_t siginfo;
        struct ptrace_syscall_info call;
        uint64_t word;
    };
    uint8_t *fpu; /* fpu_area_size bytes */
};
typedef int (*request_fn)(struct request *r);

/* Find the caller's tracee and do work on it while it is stopped. 0, -ESRCH, or work's error. */
static int on_stopped(int tid, request_fn work, struct request *r)
{
    uint64_t flags = spin_lock(&process_lock);
    struct task *t = task_find_any_locked(tid);
    int err = -ESRCH;

    r->trace = t ? t->trace : NULL;
    if (r->trace && r->trace->tracer == current_process() && r->trace->stopped && !r->trace->listening)
        err = work(r);
    spin_unlock(&process_lock, flags);
    return err;
}

static struct trapframe *frame_of(const struct request *r)
{
    return r->trace->task->thread->user;
}

/* ---- attaching ---- */

static int trace_me(void)
{
    struct trace *tr = trace_alloc();
    struct task *t = current_task();
    uint64_t flags;
    int err = -EPERM;

    if (!tr)
        return -ENOMEM;
    flags = spin_lock(&process_lock);
    if (!t->trace && t->process->parent) {
        trace_attach_locked(tr, t->process->parent, t);
        signal_queue_drop(&t->pending, SIGNAL_BIT(SIGSTOP)); /* it stops when it wants to */
        tr = NULL;
        err = 0;
    }
    spin_unlock(&process_lock, flags);
    if (tr)
        trace_free(tr);
    return err;
}

static int check_attach(const struct task *t)
{
    if (!t)
        return -ESRCH;
    if (t->process == current_process() || t->process->kernel_thread || t->trace ||
        !process_may_inspect(t->process))
        return -EPERM;
    return 0;
}

static int attach(int tid, bool seize, uint64_t options)
{
    struct trace *tr = trace_alloc();
    struct task *t;
    uint64_t flags;
    int err;

    if (!tr)
        return -ENOMEM;
    flags = spin_lock(&process_lock);
    t = task_find_any_locked(tid);
    err = check_attach(t);
    if (!err) {
        tr->seized = seize;
        tr->options = options;
        trace_attach_locked(tr, current_process(), t);
        tr->trap = false; /* PTRACE_SEIZE stops nobody */
        thread_interrupt(t->thread);
    }
    spin_unlock(&process_lock, flags);
    if (err)
        trace_free(tr);
    return err;
}

/* ---- letting go ---- */

static int let_go(struct request *r, bool calls, bool step)
{
    if (r->data > NSIG)
        return -EIO;
    r->trace->calls = calls;
    r->trace->stepping = step;
    frame_of(r)->rflags |= step ? RFLAGS_TF : 0;
    trace_let_go_locked(r->trace, (int)r->data);
    return 0;
}

static int go_on(struct request *r)
{
    return let_go(r, false, false);
}

static int go_on_to_call(struct request *r)
{
    return let_go(r, true, false);
}

static int step(struct request *r)
{
    return let_go(r, false, true);
}

static int detach(struct request *r)
{
    if (r->data > NSIG)
        return -EIO;
    trace_detach_locked(r->trace, (int)r->data);
    return 0;
}

/* It stays stopped with its process, but tells when that goes on. */
static int listen(struct request *r)
{
    if (!r->trace->seized || r->trace->code >> 8 != PTRACE_EVENT_STOP)
        return -EIO;
    r->trace->listening = true;
    /* a SIGCONT that came between its decision to stop and the stop found nobody to tell */
    if ((r->trace->code & 0x7f) != SIGTRAP && r->trace->task->process->state != PROCESS_STOPPED)
        r->trace->trap = true;
    if (r->trace->trap) /* it went on already */
        trace_let_go_locked(r->trace, 0);
    return 0;
}

/* These ask for no stop. */
static int on_tracee(int tid, request_fn work)
{
    uint64_t flags = spin_lock(&process_lock);
    struct task *t = task_find_any_locked(tid);
    struct request r = { .trace = t ? t->trace : NULL };
    int err = r.trace && r.trace->tracer == current_process() ? work(&r) : -ESRCH;

    spin_unlock(&process_lock, flags);
    return err;
}

static int interrupt(struct request *r)
{
    if (!r->trace->seized)
        return -EIO;
    r->trace->trap = true;
    if (r->trace->listening)
        trace_let_go_locked(r->trace, 0);
    thread_interrupt(r->trace->task->thread);
    return 0;
}

static int kill(struct request *r)
{
    return signal_send_locked(r->trace->task->process, SIGKILL, &(struct signal_info){ .code = SI_KERNEL });
}

/* ---- registers ---- */

static int get_regs(struct request *r)
{
    const struct trapframe *tf = frame_of(r);

    r->regs = (struct user_regs_struct){ .r15 = tf->r15,
                                         .r14 = tf->r14,
                                         .r13 = tf->r13,
                                         .r12 = tf->r12,
                                         .rbp = tf->rbp,
                                         .rbx = tf->rbx,
                                         .r11 = tf->r11,
                                         .r10 = tf->r10,
                                         .r9 = tf->r9,
                                         .r8 = tf->r8,
                                         .rax = tf->rax,
                                         .rcx = tf->rcx,
                                         .rdx = tf->rdx,
                                         .rsi = tf->rsi,
                                         .rdi = tf->rdi,
                                         .orig_rax = tf->vector == VECTOR_SYSCALL ? tf->error : UINT64_MAX,
                                         .rip = tf->rip,
                                         .cs = LINUX_USER_CS,
                                         .eflags = tf->rflags,
                                         .rsp = tf->rsp,
                                         .ss = LINUX_USER_SS,
                                         .fs_base = r->trace->fs_base };
    return 0;
}

static int set_regs(struct request *r)
{
    const struct user_regs_struct *u = &r->regs;
    struct trapframe *tf = frame_of(r);

    if (u->fs_base >= USER_TOP || u->gs_base)
        return -EIO;
    *tf = (struct trapframe){ .r15 = u->r15,
                              .r14 = u->r14,
                              .r13 = u->r13,
                              .r12 = u->r12,
                              .rbp = u->rbp,
                              .rbx = u->rbx,
                              .r11 = u->r11,
                              .r10 = u->r10,
                              .r9 = u->r9,
                              .r8 = u->r8,
                              .rax = u->rax,
                              .rcx = u->rcx,
                              .rdx = u->rdx,
                              .rsi = u->rsi,
                              .rdi = u->rdi,
                              .rip = u->rip,
                              .rsp = u->rsp,
                              .rflags = u->eflags,
                              .vector = tf->vector,
                              .error = tf->vector == VECTOR_SYSCALL ? u->orig_rax : tf->error };
    user_frame_sanitize(tf);
    r->trace->fs_base = u->fs_base;
    r->trace->registers_changed = true;
    return 0;
}

static int get_fpu(struct request *r)
{
    memcpy(r->fpu, r->trace->fpu, fpu_area_size);
    return 0;
}

static int set_fpu(struct request *r)
{
    fpu_area_sanitize(r->fpu, r->trace->fpu);
    memcpy(r->trace->fpu, r->fpu, fpu_area_size);
    r->trace->registers_changed = true;
    return 0;
}

static int regs_to_user(int tid, uintptr_t data)
{
    struct request r = { .data = 0 };
    int err = on_stopped(tid, get_regs, &r);

    return err ? err : copy_to_user(data, &r.regs, sizeof r.regs);
}

static int regs_from_user(int tid, uintptr_t data, size_t n)
{
    struct request r = { .data = 0 };
    int err = on_stopped(tid, get_regs, &r);

    if (!err)
        err = copy_from_user(&r.regs, data, MIN(n, sizeof r.regs));
    return err ? err : on_stopped(tid, set_regs, &r);
}

/* n bytes of the FPU's area, as FXSAVE or XSAVE writes it, to or from data. */
static int fpu_transfer(int tid, uintptr_t data, size_t n, bool set)
{
    struct request r = { .fpu = task_fpu_alloc() };
    int err = r.fpu ? on_stopped(tid, get_fpu, &r) : -ENOMEM;

    n = MIN(n, fpu_area_size);
    if (!err)
        err = set ? copy_from_user(r.fpu, data, n) : copy_to_user(data, r.fpu, n);
    if (!err && set)
        err = on_stopped(tid, set_fpu, &r);
    task_fpu_free(r.fpu);
    return err;
}

static size_t regset_size(uintptr_t type)
{
    switch (type) {
    case NT_PRSTATUS:
        return sizeof(struct user_regs_struct);
    case NT_PRFPREG:
        return FXSAVE_SIZE;
    case NT_X86_XSTATE:
        return fpu_area_size > FXSAVE_SIZE ? fpu_area_size : 0;
    default:
        return 0;
    }
}

/* data: a struct iovec, whose length becomes what was moved. */
static int regset(int tid, uintptr_t type, uintptr_t data, bool set)
{
    size_t size = regset_size(type);
    struct request r = { .data = 0 };
    struct io_vector v;
    int err;

    if (copy_from_user(&v, data, sizeof v))
        return -EFAULT;
    if (!size)
        return type == NT_X86_XSTATE ? -ENODEV : -EINVAL;
    v.len = MIN(v.len, size);
    if (set && type == NT_PRSTATUS)
        err = regs_from_user(tid, v.base, v.len);
    else if (type != NT_PRSTATUS)
        err = fpu_transfer(tid, v.base, v.len, set);
    else if (!(err = on_stopped(tid, get_regs, &r)))
        err = copy_to_user(v.base, &r.regs, v.len);
    return err ? err : copy_to_user(data, &v, sizeof v);
}

/* ---- single words: memory, and the area that struct user describes ---- */

static int nothing(struct request *r)
{
    (void)r;
    return 0;
}

/* The address space of a stopped tracee, with a reference; NULL: -ESRCH. */
static struct vm_space *vm_of_stopped(int tid)
{
    struct request r = { .data = 0 };
    uint64_t flags;
    struct task *t;
    struct vm_space *vm = NULL;

    if (on_stopped(tid, nothing, &r))
        return NULL;
    flags = spin_lock(&process_lock);
    t = task_find_any_locked(tid);
    if (t && t->process->vm) {
        vm = t->process->vm;
        vm_get(vm);
    }
    spin_unlock(&process_lock, flags);
    return vm;
}

static int peek(int tid, uintptr_t addr, uintptr_t data)
{
    struct vm_space *vm = vm_of_stopped(tid);
    uint64_t word;
    int err = -EIO;

    if (!vm)
        return -ESRCH;
    if (vm_read(vm, addr, &word, sizeof word) == sizeof word)
        err = copy_to_user(data, &word, sizeof word);
    vm_put(vm);
    return err;
}

static int poke(int tid, uintptr_t addr, uint64_t word)
{
    struct vm_space *vm = vm_of_stopped(tid);
    int err;

    if (!vm)
        return -ESRCH;
    err = vm_write(vm, addr, &word, sizeof word) ? -EIO : 0;
    vm_put(vm);
    return err;
}

/* Of struct user only the registers are there; the rest, debug registers too, reads as zero. */
static int peek_user(int tid, uintptr_t addr, uintptr_t data)
{
    struct request r = { .data = 0 };
    uint64_t word = 0;
    int err =
        addr % sizeof word || addr > USER_AREA_SIZE - sizeof word ? -EIO : on_stopped(tid, get_regs, &r);

    if (err)
        return err;
    if (addr < sizeof r.regs)
        memcpy(&word, (uint8_t *)&r.regs + addr, sizeof word);
    return copy_to_user(data, &word, sizeof word);
}

static int poke_user(int tid, uintptr_t addr, uint64_t word)
{
    struct request r = { .data = 0 };
    int err =
        addr % sizeof word || addr > USER_AREA_SIZE - sizeof word ? -EIO : on_stopped(tid, get_regs, &r);

    if (err)
        return err;
    if (addr >= sizeof r.regs)
        return addr >= DEBUG_REGISTERS && !word ? 0 : -EIO; /* a debug register may be cleared */
    memcpy((uint8_t *)&r.regs + addr, &word, sizeof word);
    return on_stopped(tid, set_regs, &r);
}

/* ---- what the stop is about ---- */

static int get_siginfo(struct request *r)
{
    if (!r->trace->signo) /* stopped with its process: no signal is under way */
        return -EINVAL;
    signal_fill_siginfo(r->trace->signo, &r->trace->info, &r->siginfo);
    return 0;
}

static int set_siginfo(struct request *r)
{
    if (!r->trace->signo)
        return -EINVAL;
    signal_read_siginfo(&r->siginfo, &r->trace->info);
    return 0;
}

static int get_message(struct request *r)
{
    r->word = r->trace->message;
    return 0;
}

static int set_options(struct request *r)
{
    r->trace->options = r->data;
    return 0;
}

static int get_mask(struct request *r)
{
    r->word = r->trace->task->blocked;
    return 0;
}

static int set_mask(struct request *r)
{
    r->trace->task->blocked = r->word & ~(SIGNAL_BIT(SIGKILL) | SIGNAL_BIT(SIGSTOP));
    return 0;
}

static int get_call(struct request *r)
{
    const struct trapframe *tf = frame_of(r);
    enum call_place place = r->trace->place;

    r->call = (struct ptrace_syscall_info){ .arch = AUDIT_ARCH_X86_64,
                                            .instruction_pointer = tf->rip,
                                            .stack_pointer = tf->rsp };
    if (place == CALL_ENTRY) {
        const uint64_t args[6] = { tf->rdi, tf->rsi, tf->rdx, tf->r10, tf->r8, tf->r9 };
        r->call.op = PTRACE_SYSCALL_INFO_ENTRY;
        r->call.entry.nr = tf->error;
        memcpy(r->call.entry.args, args, sizeof args);
    } else if (place == CALL_EXIT) {
        r->call.op = PTRACE_SYSCALL_INFO_EXIT;
        r->call.exit.rval = (int64_t)tf->rax;
        r->call.exit.is_error = tf->rax >= (uint64_t)-4095;
    }
    return 0;
}

static size_t call_info_size(const struct ptrace_syscall_info *info)
{
    switch (info->op) {
    case PTRACE_SYSCALL_INFO_ENTRY:
        return offsetof(struct ptrace_syscall_info, entry) + sizeof info->entry;
    case PTRACE_SYSCALL_INFO_EXIT:
        return offsetof(struct ptrace_syscall_info, exit.is_error) + sizeof info->exit.is_error;
    default:
        return offsetof(struct ptrace_syscall_info, entry);
    }
}

/* addr: the room at data. How many bytes there are to tell. */
static int64_t call_info(int tid, size_t room, uintptr_t data)
{
    struct request r = { .data = 0 };
    int err = on_stopped(tid, get_call, &r);
    size_t size = call_info_size(&r.call);

    if (err)
        return err;
    return copy_to_user(data, &r.call, MIN(size, room)) ? -EFAULT : (int64_t)size;
}

/* ---- requests ---- */

static int out(int tid, request_fn work, uintptr_t data, size_t n)
{
    struct request r = { .data = 0 };
    int err = on_stopped(tid, work, &r);

    return err ? err : copy_to_user(data, &r.siginfo, n); /* the members of the union begin at one place */
}

static int in(int tid, request_fn work, uintptr_t data, size_t n)
{
    struct request r = { .data = 0 };

    return copy_from_user(&r.siginfo, data, n) ? -EFAULT : on_stopped(tid, work, &r);
}

static int simple(int tid, request_fn work, uintptr_t data)
{
    return on_stopped(tid, work, &(struct request){ .data = data });
}

static int64_t memory_request(int64_t request, int tid, uintptr_t addr, uintptr_t data)
{
    switch (request) {
    case PTRACE_PEEKTEXT:
    case PTRACE_PEEKDATA:
        return peek(tid, addr, data);
    case PTRACE_POKETEXT:
    case PTRACE_POKEDATA:
        return poke(tid, addr, data);
    case PTRACE_PEEKUSR:
        return peek_user(tid, addr, data);
    case PTRACE_POKEUSR:
        return poke_user(tid, addr, data);
    case PTRACE_GETREGS:
        return regs_to_user(tid, data);
    case PTRACE_SETREGS:
        return regs_from_user(tid, data, sizeof(struct user_regs_struct));
    case PTRACE_GETFPREGS:
        return fpu_transfer(tid, data, FXSAVE_SIZE, false);
    case PTRACE_SETFPREGS:
        return fpu_transfer(tid, data, FXSAVE_SIZE, true);
    case PTRACE_GETREGSET:
        return regset(tid, addr, data, false);
    case PTRACE_SETREGSET:
        return regset(tid, addr, data, true);
    default:
        return -EIO;
    }
}

static int64_t stop_request(int64_t request, int tid, uintptr_t addr, uintptr_t data)
{
    switch (request) {
    case PTRACE_CONT:
        return simple(tid, go_on, data);
    case PTRACE_SYSCALL:
        return simple(tid, go_on_to_call, data);
    case PTRACE_SINGLESTEP:
        return simple(tid, step, data);
    case PTRACE_DETACH:
        return simple(tid, detach, data);
    case PTRACE_LISTEN:
        return simple(tid, listen, data);
    case PTRACE_SETOPTIONS:
        return data & ~(uintptr_t)OPTIONS_KNOWN ? -EINVAL : simple(tid, set_options, data);
    case PTRACE_GETEVENTMSG:
        return out(tid, get_message, data, sizeof(uint64_t));
    case PTRACE_GETSIGINFO:
        return out(tid, get_siginfo, data, sizeof(siginfo_t));
    case PTRACE_SETSIGINFO:
        return in(tid, set_siginfo, data, sizeof(siginfo_t));
    case PTRACE_GETSIGMASK:
        return addr != sizeof(uint64_t) ? -EINVAL : out(tid, get_mask, data, sizeof(uint64_t));
    case PTRACE_SETSIGMASK:
        return addr != sizeof(uint64_t) ? -EINVAL : in(tid, set_mask, data, sizeof(uint64_t));
    case PTRACE_GET_SYSCALL_INFO:
        return call_info(tid, addr, data);
    default:
        return memory_request(request, tid, addr, data);
    }
}

int64_t ptrace_request(int64_t request, int tid, uintptr_t addr, uintptr_t data)
{
    switch (request) {
    case PTRACE_TRACEME:
        return trace_me();
    case PTRACE_ATTACH:
        return attach(tid, false, 0);
    case PTRACE_SEIZE:
        if (addr || data & ~(uintptr_t)OPTIONS_KNOWN)
            return -EIO;
        return attach(tid, true, data);
    case PTRACE_INTERRUPT:
        return on_tracee(tid, interrupt);
    case PTRACE_KILL:
        return on_tracee(tid, kill);
    default:
        return stop_request(request, tid, addr, data);
    }
}
