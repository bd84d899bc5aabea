/* kern/fs/signalfd.c - signalfd: the signals of a mask that wait for whoever reads.
 * A signalfd has no queue of its own: it looks at those of the calling thread and its process, whoever made
 * it. So all of them hang on one wait queue that every signal wakes, and look whether it is theirs. */
#include "kern/fs/eventfd.h"
#include "kern/mm/mm.h"
#include "kern/proc/signals.h"
#include "lib/abi/fcntl.h"

struct signalfd {
    uint64_t mask; /* atomic */
};

static uint64_t mask_of(const struct file *f)
{
    const struct signalfd *s = f->private;

    return __atomic_load_n(&s->mask, __ATOMIC_RELAXED);
}

static int put_siginfo(int signo, const struct signal_info *info, struct iov_iter *it)
{
    siginfo_t si;
    struct signalfd_siginfo out;

    signal_fill_siginfo(signo, info, &si);
    out = (struct signalfd_siginfo){ .ssi_signo = (uint32_t)signo, .ssi_code = si.si_code };
    if (si.si_code > 0 && si.si_code != SI_KERNEL && signo != SIGCHLD) {
        out.ssi_addr = si.si_addr;
    } else {
        out.ssi_pid = (uint32_t)si.si_pid;
        out.ssi_uid = si.si_uid;
        out.ssi_status = signo == SIGCHLD ? si.si_status : 0;
    }
    return copy_to_iter(&out, sizeof out, it);
}

static int64_t signalfd_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    struct signal_info info;
    int64_t done = 0;
    int signo, err;

    (void)pos;
    if (it->count < sizeof(struct signalfd_siginfo))
        return -EINVAL;
    while (it->count >= sizeof(struct signalfd_siginfo)) {
        bool wait = !done && !file_nonblocking(f);
        err = wait ? wait_event(&signal_arrivals, signal_waits(mask_of(f)), TIME_NEVER) : 0;
        if (err)
            return err;
        signo = signal_dequeue(mask_of(f), &info);
        if (!signo && wait)
            continue; /* another thread took it */
        if (!signo)
            return done ? done : -EAGAIN;
        if (put_siginfo(signo, &info, it))
            return done ? done : -EFAULT;
        done += (int64_t)sizeof(struct signalfd_siginfo);
    }
    return done;
}

static int signalfd_poll(struct file *f)
{
    return signal_waits(mask_of(f)) ? POLLIN : 0;
}

static struct waitq *signalfd_waitq(struct file *f)
{
    (void)f;
    return &signal_arrivals;
}

static void signalfd_release(struct file *f)
{
    kfree(f->private);
}

static const struct file_ops signalfd_ops = { .ignores_seek = true,
                                              .read = signalfd_read,
                                              .poll = signalfd_poll,
                                              .waitq = signalfd_waitq,
                                              .release = signalfd_release };

int signalfd_set_mask(struct file *f, uint64_t mask)
{
    struct signalfd *s = f->private;

    if (f->ops != &signalfd_ops)
        return -EINVAL;
    __atomic_store_n(&s->mask, mask, __ATOMIC_RELAXED);
    waitq_wake(&signal_arrivals);
    return 0;
}

struct file *signalfd_create(uint64_t mask, uint32_t flags)
{
    struct signalfd *s = kzalloc(sizeof *s);
    struct file *f = s ? file_create(&signalfd_ops, NULL, O_RDWR | flags) : NULL;

    if (!f) {
        kfree(s);
        return NULL;
    }
    s->mask = mask;
    f->private = s;
    return f;
}
