/* kern/proc/sigframe.c - a handler's frame on the user's stack, and the way back from it.
 *
 *     FPU registers   as FXSAVE or XSAVE writes them, 64-byte aligned
 *     rt_sigframe     return address (the C library's restorer), ucontext, siginfo; 16-byte aligned less 8
 *
 * What comes back from the user is untrusted: segments are ours, flags are masked, FPU state is made
 * loadable. */
#include "kern/cpu/cpu.h"
#include "kern/proc/signals.h"
#include "kern/proc/task.h"
#include "lib/string.h"

enum { RED_ZONE = 128, FPU_LEGACY = 512, FPU_HEADER_END = 576 };
/* CF PF AF ZF SF TF DF OF RF AC: what a program may set. */
enum { RFLAGS_USER = 0x50dd5, RFLAGS_DF = 0x400, RFLAGS_TF = 0x100, RFLAGS_ALWAYS = 0x202 };

static bool is_fault(int signo)
{
    return signo == SIGSEGV || signo == SIGBUS || signo == SIGILL || signo == SIGFPE || signo == SIGTRAP;
}

static void fill_child(const struct signal_info *info, siginfo_t *out)
{
    const uint64_t tick = 10000000; /* ns in 1/100 s */

    out->si_status = info->status;
    out->si_utime = (int64_t)(info->user_ns / tick);
    out->si_stime = (int64_t)(info->system_ns / tick);
}

void signal_fill_siginfo(int signo, const struct signal_info *info, siginfo_t *out)
{
    bool kernel = info->code > 0 && info->code != SI_KERNEL;

    memset(out, 0, sizeof *out);
    out->si_signo = signo;
    out->si_code = info->code;
    if (kernel && is_fault(signo)) {
        out->si_addr = info->addr;
        return;
    }
    out->si_pid = info->code == SI_TIMER ? info->timer : info->pid;
    out->si_uid = info->code == SI_TIMER ? (uint32_t)info->overrun : info->uid;
    if (kernel && signo == SIGCHLD)
        fill_child(info, out);
    else
        out->si_value = info->value;
}

void signal_read_siginfo(const siginfo_t *in, struct signal_info *info)
{
    *info = (struct signal_info){
        .code = in->si_code, .pid = in->si_pid, .uid = in->si_uid, .value = in->si_value
    };
}

static void save_registers(struct sigcontext *sc, const struct trapframe *tf)
{
    *sc = (struct sigcontext){ .r8 = tf->r8,
                               .r9 = tf->r9,
                               .r10 = tf->r10,
                               .r11 = tf->r11,
                               .r12 = tf->r12,
                               .r13 = tf->r13,
                               .r14 = tf->r14,
                               .r15 = tf->r15,
                               .rdi = tf->rdi,
                               .rsi = tf->rsi,
                               .rbp = tf->rbp,
                               .rbx = tf->rbx,
                               .rdx = tf->rdx,
                               .rax = tf->rax,
                               .rcx = tf->rcx,
                               .rsp = tf->rsp,
                               .rip = tf->rip,
                               .eflags = tf->rflags,
                               .cs = LINUX_USER_CS,
                               .ss = LINUX_USER_SS,
                               .err = tf->error,
                               .trapno = tf->vector };
}

void user_frame_sanitize(struct trapframe *tf)
{
    tf->cs = USER_CS;
    tf->ss = USER_SS;
    tf->rflags = (tf->rflags & RFLAGS_USER) | RFLAGS_ALWAYS;
}

static void load_registers(struct trapframe *tf, const struct sigcontext *sc)
{
    *tf = (struct trapframe){ .r8 = sc->r8,
                              .r9 = sc->r9,
                              .r10 = sc->r10,
                              .r11 = sc->r11,
                              .r12 = sc->r12,
                              .r13 = sc->r13,
                              .r14 = sc->r14,
                              .r15 = sc->r15,
                              .rdi = sc->rdi,
                              .rsi = sc->rsi,
                              .rbp = sc->rbp,
                              .rbx = sc->rbx,
                              .rdx = sc->rdx,
                              .rax = sc->rax,
                              .rcx = sc->rcx,
                              .rsp = sc->rsp,
                              .rip = sc->rip,
                              .rflags = sc->eflags };
    user_frame_sanitize(tf);
}

/* ---- FPU registers ---- */

static int push_fpu(uintptr_t to)
{
    void *area = current_thread()->fpu;

    preempt_disable();
    fpu_save(area);
    preempt_enable();
    return copy_to_user(to, area, fpu_area_size); /* a switch meanwhile saves the same registers there */
}

/* XRSTOR and FXRSTOR fault on reserved bits (SDM 1 10.5.1.1, 13.8.1): MXCSR's, and all of the header but the
 * parts that are there. */
void fpu_area_sanitize(uint8_t *area, const uint8_t *ours)
{
    uint32_t mxcsr, mask;
    uint64_t parts;

    memcpy(&mxcsr, area + 24, sizeof mxcsr);
    memcpy(&mask, ours + 28, sizeof mask);
    mxcsr &= mask ? mask : 0xffbf;
    memcpy(area + 24, &mxcsr, sizeof mxcsr);
    if (fpu_area_size <= FPU_LEGACY)
        return;
    memcpy(&parts, area + FPU_LEGACY, sizeof parts);
    parts &= fpu_area_size > FPU_HEADER_END ? 7 : 3;
    memset(area + FPU_LEGACY, 0, FPU_HEADER_END - FPU_LEGACY);
    memcpy(area + FPU_LEGACY, &parts, sizeof parts);
}

static int pop_fpu(uintptr_t from)
{
    uint8_t *area, *ours = current_thread()->fpu;
    int err = -ENOMEM;

    if (!from)
        return 0;
    area = task_fpu_alloc();
    if (area)
        err = copy_from_user(area, from, fpu_area_size);
    if (!err) {
        preempt_disable();
        fpu_save(ours);
        fpu_area_sanitize(area, ours);
        fpu_restore(area);
        preempt_enable();
    }
    task_fpu_free(area);
    return err;
}

/* ---- frames ---- */

/* With SS_AUTODISARM nobody is ever on it: a handler that began there has none (sigaltstack(2)). */
static bool on_altstack(const stack_t *s, uint64_t rsp)
{
    return !((uint32_t)s->ss_flags & (SS_DISABLE | SS_AUTODISARM)) && rsp > s->ss_sp &&
           rsp - s->ss_sp <= s->ss_size;
}

/* Where the frame's highest byte may go. */
static uint64_t choose_stack(const struct task *t, const struct trapframe *tf, uint64_t flags)
{
    const stack_t *s = &t->altstack;

    if ((flags & SA_ONSTACK) && !(s->ss_flags & SS_DISABLE) && !on_altstack(s, tf->rsp))
        return s->ss_sp + s->ss_size;
    return tf->rsp - RED_ZONE;
}

static void enter_handler(struct trapframe *tf, int signo, uintptr_t handler, uint64_t frame)
{
    tf->rip = handler;
    tf->rsp = frame;
    tf->rdi = (uint64_t)signo;
    tf->rsi = frame + offsetof(struct rt_sigframe, info);
    tf->rdx = frame + offsetof(struct rt_sigframe, uc);
    tf->rax = 0;
    tf->rflags &= ~(uint64_t)(RFLAGS_DF | RFLAGS_TF);
}

int sigframe_push(struct trapframe *tf, int signo, const struct signal_info *info,
                  const struct kernel_sigaction *action, uint64_t old_mask)
{
    struct task *t = current_task();
    uint64_t fpu = ROUND_DOWN(choose_stack(t, tf, action->flags) - fpu_area_size, 64ull);
    uint64_t at = ROUND_DOWN(fpu - sizeof(struct rt_sigframe), 16ull) - 8;
    struct rt_sigframe frame = { .pretcode = action->restorer };

    if (!(action->flags & SA_RESTORER) || at >= fpu)
        return -EFAULT;
    save_registers(&frame.uc.uc_mcontext, tf);
    frame.uc.uc_mcontext.fpstate = fpu;
    frame.uc.uc_mcontext.cr2 = info->addr;
    frame.uc.uc_stack = t->altstack;
    frame.uc.uc_sigmask = old_mask;
    signal_fill_siginfo(signo, info, &frame.info);
    if (push_fpu(fpu) || copy_to_user(at, &frame, sizeof frame))
        return -EFAULT;
    if ((uint32_t)t->altstack.ss_flags & SS_AUTODISARM)
        t->altstack = (stack_t){ .ss_flags = SS_DISABLE };
    enter_handler(tf, signo, action->handler, at);
    return 0;
}

int64_t sigframe_pop(struct trapframe *tf)
{
    struct ucontext uc;
    /* the handler's `ret` took the return address off */
    uint64_t at = tf->rsp - sizeof(uintptr_t) + offsetof(struct rt_sigframe, uc);

    if (copy_from_user(&uc, at, sizeof uc) || pop_fpu(uc.uc_mcontext.fpstate)) {
        signal_force(SIGSEGV, &(struct signal_info){ .code = SI_KERNEL });
        return 0;
    }
    if ((uint32_t)uc.uc_stack.ss_flags & SS_AUTODISARM)
        current_task()->altstack = uc.uc_stack;
    load_registers(tf, &uc.uc_mcontext);
    signal_set_blocked(uc.uc_sigmask);
    return (int64_t)tf->rax;
}
