/* kern/proc/exec.c - execve: scripts lead to their interpreter, programs are loaded into a fresh address
 * space, and only when that is complete does the process change; until then every failure leaves it as it
 * was. */
#include "kern/proc/exec.h"
#include "kern/cpu/cpu.h"
#include "kern/fs/files.h"
#include "kern/fs/permission.h"
#include "kern/proc/futex.h"
#include "kern/proc/oom.h"
#include "kern/proc/posix_timer.h"
#include "kern/proc/ptrace.h"
#include "kern/proc/signals.h"
#include "kern/proc/task.h"
#include "kern/proc/vdso.h"
#include "lib/abi/stat.h"
#include "lib/string.h"

enum { SCRIPT_LINE = 256, MSR_FS_BASE = (int)0xc0000100, RFLAGS_START = 0x202 };

/* ---- which file ---- */

static int open_program(const char *path, struct file **out)
{
    struct inode *cwd = process_cwd(current_process());
    struct inode *inode;
    int err = path_lookup(cwd, path, &inode);

    inode_put(cwd);
    if (err)
        return err;
    err = S_ISREG(inode->mode) ? inode_permission(inode, MAY_EXEC) : -EACCES;
    if (!err)
        err = file_open_inode(inode, O_RDONLY, out);
    inode_put(inode);
    return err;
}

/* Cut "interpreter argument" out of a script's first line, NUL-terminated and ending in a newline. NULL
 * argument: there is none. */
static int parse_script_line(char *line, char **interpreter, char **argument)
{
    char *end = strchr(line, '\n');

    if (!end)
        return -ENOEXEC;
    while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
        end--;
    *end = 0;
    while (*line == ' ' || *line == '\t')
        line++;
    *interpreter = line;
    while (*line && *line != ' ' && *line != '\t')
        line++;
    while (*line == ' ' || *line == '\t')
        *line++ = 0;
    *argument = *line ? line : NULL;
    return **interpreter ? 0 : -ENOEXEC;
}

/* argv[0] becomes: interpreter, argument if there is one, the script's path. */
static int script_arguments(struct exec_strings *s, const char *script, const char *interpreter,
                            const char *argument)
{
    int err;

    exec_strings_drop_first(s);
    err = exec_strings_prepend(s, script);
    if (!err && argument)
        err = exec_strings_prepend(s, argument);
    return err ? err : exec_strings_prepend(s, interpreter);
}

/* If *file is a script, put its interpreter in its place, and in path. 1: it was, 0: it is not, or -errno. */
static int follow_script(char *path, struct file **file, struct exec_strings *s)
{
    char line[SCRIPT_LINE + 1], *interpreter, *argument;
    int64_t n = file_read_kernel(*file, line, SCRIPT_LINE, 0);
    int err;

    if (n < 2 || line[0] != '#' || line[1] != '!')
        return n < 0 ? (int)n : 0;
    line[n] = 0;
    err = parse_script_line(line + 2, &interpreter, &argument);
    if (!err)
        err = script_arguments(s, path, interpreter, argument);
    if (err)
        return err;
    memcpy(path, interpreter, strlen(interpreter) + 1);
    file_put(*file);
    *file = NULL;
    err = open_program(path, file);
    return err ? err : 1;
}

/* ---- the new address space ---- */

struct new_program {
    struct vm_space *vm;
    struct elf_image image;
    uint64_t rsp;
    struct cred cred;
};

static int map_vdso(struct new_program *new)
{
    int64_t at = vdso_map(new->vm);

    new->image.vdso = at < 0 ? 0 : (uint64_t)at;
    return at < 0 ? (int)at : 0;
}

static int build_program(struct new_program *new, struct file *file, const struct exec_strings *s,
                         const char *path)
{
    int err;

    new->vm = vm_create();
    if (!new->vm)
        return -ENOMEM;
    err = elf_load(new->vm, file, &new->image);
    new->image.secure = cred_for_exec(&new->cred, file->inode);
    new->image.cred = &new->cred;
    if (!err)
        err = map_vdso(new);
    if (!err)
        err = exec_build_stack(new->vm, &new->image, s, path, &new->rsp);
    if (!err)
        err = process_end_other_threads();
    if (err)
        vm_put(new->vm);
    else
        vm_set_brk_start(new->vm, new->image.brk);
    return err;
}

/* ---- the change ---- */

/* Its name is the path's last component. That exe is being run goes over to the process. */
static void set_names(struct process *p, const char *path, const struct new_program *new, struct file *exe)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    uint64_t flags = spin_lock(&process_lock);
    struct file *old = p->exe;

    memset(p->comm, 0, sizeof p->comm);
    memcpy(p->comm, name, strnlen(name, sizeof p->comm - 1));
    memcpy(current_task()->comm, p->comm, sizeof p->comm);
    p->places = new->image.places;
    memcpy(p->auxv, new->image.auxv, sizeof p->auxv);
    p->exe = file_get(exe);
    p->has_execed = true;
    p->exit_signal = SIGCHLD;
    spin_unlock(&process_lock, flags);
    process_end_run(old);
}

static void switch_vm(struct process *p, struct vm_space *vm)
{
    uint64_t flags = spin_lock(&process_lock);
    struct vm_space *old = p->vm;

    p->vm = vm;
    spin_unlock(&process_lock, flags);
    task_switch_vm(vm);
    if (old)
        vm_put(old);
}

static void reset_registers(struct thread *self, const struct new_program *new)
{
    *self->user = (struct trapframe){
        .rip = new->image.start, .cs = USER_CS, .rflags = RFLAGS_START, .rsp = new->rsp, .ss = USER_SS
    };
    self->fs_base = 0;
    wrmsr((uint32_t)MSR_FS_BASE, 0);
    preempt_disable();
    fpu_init_state(self->fpu);
    fpu_restore(self->fpu);
    preempt_enable();
}

static void become_program(const struct new_program *new, const char *path, struct file *exe)
{
    struct process *p = current_process();
    struct task *t = current_task();

    futex_thread_ends(t); /* it lets go of the memory that its locks are in */
    switch_vm(p, new->vm);
    reset_registers(current_thread(), new);
    set_names(p, path, new, exe);
    cred_commit(&new->cred);
    signal_reset_handlers(p);
    files_close_on_exec(p->files);
    t->clear_child_tid = 0;
    t->robust_list = 0;
    posix_timers_end(p);
    t->altstack = (stack_t){ .ss_flags = SS_DISABLE };
    process_vfork_done(p);
}

static int run_program(struct file *file, const char *name, const struct exec_strings *s)
{
    int former_tid = current_task()->tid;
    struct new_program new;
    int err = inode_begin_run(file->inode);

    if (err)
        return err;
    do {
        err = build_program(&new, file, s, name);
    } while (oom_try_again(err));
    if (err)
        inode_end_run(file->inode);
    else
        become_program(&new, name, file);
    if (!err && READ_ONCE(current_task()->trace))
        ptrace_exec(former_tid);
    return err;
}

/* at: PATH_MAX bytes that begin as name and follow the scripts. */
static int exec_path(const char *name, char *at, struct exec_strings *s)
{
    struct file *file;
    int depth = 0, err = open_program(at, &file);

    if (err)
        return err;
    do {
        err = ++depth > SCRIPT_DEPTH ? -ELOOP : follow_script(at, &file, s);
    } while (err > 0);
    if (!err)
        err = run_program(file, name, s);
    if (file)
        file_put(file);
    return err;
}

int process_exec(const char *path, struct exec_strings *s)
{
    char *at = kmalloc(PATH_MAX);
    int err;

    if (!at)
        return -ENOMEM;
    memcpy(at, path, strlen(path) + 1);
    err = exec_path(path, at, s);
    kfree(at);
    return err;
}
