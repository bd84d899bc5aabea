/* kern/proc/init.c - the first process. */
#include "kern/boot/boot.h"
#include "kern/debug/console.h"
#include "kern/fs/files.h"
#include "kern/fs/fs.h"
#include "kern/proc/exec.h"
#include "kern/proc/limits.h"
#include "kern/proc/task.h"
#include "kern/proc/vdso.h"
#include "kern/sys/kernel_knobs.h"

enum { PATH_ROOM = 256 };

/* Standard input, output and errors: the console, as Linux gives them to init. */
static void open_console(void)
{
    struct file *f;

    if (path_open(fs_root, "/dev/console", O_RDWR | O_NOCTTY, 0, &f))
        return;
    for (int fd = 0; fd < 3; fd++)
        fd_install(file_get(f), 0, false);
    file_put(f);
}

static int exec_init(const char *path)
{
    struct exec_strings s;
    int err = exec_strings_init(&s);

    if (err)
        return err;
    s.argc = 1;
    err = exec_strings_add(&s, path);
    if (!err)
        err = process_exec(path, &s);
    exec_strings_free(&s);
    return err;
}

static void init_main(void *arg)
{
    struct task *t = arg;
    char path[PATH_ROOM] = "/sbin/init";
    int err;

    t->thread->user = &t->start;
    cmdline_get("init", path, sizeof path);
    open_console();
    err = exec_init(path);
    if (err) {
        klog(LOG_ERROR, "init: cannot run %s: error %d; is it in the initramfs?", path, -err);
        machine_exit(1);
    }
    trap_return(&t->start);
}

void process_start_init(void)
{
    struct process *p;
    struct task *t;

    task_init();
    vdso_init();
    kernel_knobs.threads_max = (int32_t)limit_threads_max();
    p = process_create(NULL);
    if (!p)
        panic("init: no memory for the first process");
    p->pgid = p->sid = p->pid;
    p->cwd = inode_get(fs_root);
    p->umask = 022;
    limits_init(p);
    p->files = files_create();
    t = p->files ? task_create_with(p, init_main) : NULL;
    if (!t)
        panic("init: no memory for the first process");
    process_publish(p);
    kernel_threads_publish();
    task_start(t);
}
