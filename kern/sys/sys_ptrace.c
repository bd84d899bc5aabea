/* kern/sys/sys_ptrace.c - ptrace, and moving memory from and to another process. */
#include "kern/mm/vm.h"
#include "kern/proc/process.h"
#include "kern/proc/ptrace.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
#include "net/syscalls.h"

SYSCALL_DEFINE4(ptrace, int64_t, request, int, tid, uintptr_t, addr, uintptr_t, data)
{
    return ptrace_request(request, tid, addr, data);
}

/* ---- process_vm_readv, process_vm_writev ---- */

/* The address space of the process that has this thread, with a reference. 0, -ESRCH or -EPERM. */
static int vm_of_other(int tid, struct vm_space **vm)
{
    uint64_t flags = spin_lock(&process_lock);
    struct task *t = task_find_any_locked(tid);
    int err = !t || !t->process->vm ? -ESRCH : process_may_inspect(t->process) ? 0 : -EPERM;

    if (!err) {
        *vm = t->process->vm;
        vm_get(*vm);
    }
    spin_unlock(&process_lock, flags);
    return err;
}

/* Move at most a page between local memory and the other's at addr: bytes, 0 at the end, or -errno. */
static int64_t move_part(struct vm_space *vm, uint64_t addr, struct iov_iter *local, size_t n, uint8_t *chunk,
                         bool write)
{
    size_t most = MIN(n, local->count);
    int64_t got = (int64_t)MIN(most, (size_t)PAGE_SIZE);

    if (write && copy_from_iter(chunk, (size_t)got, local))
        return -EFAULT;
    if (write)
        return vm_write(vm, addr, chunk, (size_t)got) ? -EFAULT : got;
    got = got ? vm_read(vm, addr, chunk, (size_t)got) : 0;
    return got > 0 && copy_to_iter(chunk, (size_t)got, local) ? -EFAULT : got;
}

/* One stretch of the other's memory. *done counts; 0 or why it ended early. */
static int64_t move_stretch(struct vm_space *vm, struct io_vector remote, struct iov_iter *local,
                            uint8_t *chunk, bool write, int64_t *done)
{
    int64_t part = 0;

    while (remote.len && local->count) {
        part = move_part(vm, remote.base, local, remote.len, chunk, write);
        if (part <= 0)
            return part ? part : -EFAULT;
        remote.base += (uintptr_t)part;
        remote.len -= (size_t)part;
        *done += part;
    }
    return 0;
}

struct remote_move {
    uintptr_t local, remote; /* the user's arrays of struct iovec */
    size_t n_local, n_remote;
    bool write;
};

static int64_t move_all(struct vm_space *vm, const struct remote_move *m)
{
    struct io_vector *vectors, remote;
    struct iov_iter local;
    uint8_t *chunk = kmalloc(PAGE_SIZE);
    int64_t done = 0, err = chunk ? iovec_from_user(m->local, m->n_local, &vectors, &local) : -ENOMEM;

    if (err) {
        kfree(chunk);
        return err;
    }
    for (size_t i = 0; i < m->n_remote && !err; i++) {
        err = copy_from_user(&remote, m->remote + i * sizeof remote, sizeof remote);
        if (!err)
            err = move_stretch(vm, remote, &local, chunk, m->write, &done);
    }
    kfree(vectors);
    kfree(chunk);
    return done ? done : err;
}

static int64_t move_memory(int tid, const struct remote_move *m, uint64_t flags)
{
    struct vm_space *vm;
    int64_t done;
    int err;

    if (flags || m->n_remote > IO_VECTORS_MOST)
        return -EINVAL;
    err = vm_of_other(tid, &vm);
    if (err)
        return err;
    done = move_all(vm, m);
    vm_put(vm);
    return done;
}

SYSCALL_DEFINE6(process_vm_readv, int, tid, uintptr_t, local, size_t, n_local, uintptr_t, remote, size_t,
                n_remote, uint64_t, flags)
{
    return move_memory(tid, &(struct remote_move){ local, remote, n_local, n_remote, false }, flags);
}

SYSCALL_DEFINE6(process_vm_writev, int, tid, uintptr_t, local, size_t, n_local, uintptr_t, remote, size_t,
                n_remote, uint64_t, flags)
{
    return move_memory(tid, &(struct remote_move){ local, remote, n_local, n_remote, true }, flags);
}
