/* kern/fs/pty.c - pseudo-terminals: a terminal (the slave, /dev/pts/N) whose line is a file (the master).
 *
 * Opening /dev/ptmx makes a pair. What is written to the master is typed on the slave; what goes out of the
 * slave is read from the master. When the master is closed the slave is hung up and its entry in /dev/pts
 * is gone; the pair lives on until the last file of the slave is closed, and its number with it.
 *
 * The slave's lock guards both directions. The table of pairs has a lock of its own: an entry of it is no
 * reference, but a pair leaves it before it is freed. */
#include "kern/fs/files.h"
#include "kern/fs/ldisc.h"
#include "kern/fs/tty.h"
#include "kern/mm/mm.h"
#include "kern/proc/signals.h"
#include "lib/abi/fcntl.h"
#include "lib/string.h"

enum { OUT_SIZE = 16384, CHUNK = 128 };
/* What the first byte of a read in packet mode says (ioctl_tty(2)). */
enum { PACKET_DATA = 0 };

struct pty {
    struct tty tty; /* the slave */
    unsigned index;
    struct inode *entry; /* of /dev/pts; the master's reference */
    struct waitq master_wq;

    /* tty.lock */
    char *out; /* OUT_SIZE bytes of the slave that the master has not read */
    size_t start, used;
    bool locked;       /* the slave cannot be opened yet */
    bool slave_closed; /* it was open, and is no more */
    bool packet;       /* TIOCPKT */

    /* ptys_lock */
    bool master_open;
};

static struct spinlock ptys_lock = SPINLOCK_INIT("ptys", RANK_PTYS);
static struct pty *ptys[PTYS_MAX]; /* ptys_lock */

static struct pty *pty_of(struct tty *tty)
{
    return container_of(tty, struct pty, tty);
}

/* ---- the slave's driver; its lock held ---- */

static size_t pty_room(struct tty *tty)
{
    return OUT_SIZE - pty_of(tty)->used;
}

static size_t pty_send(struct tty *tty, const char *bytes, size_t n)
{
    struct pty *p = pty_of(tty);
    size_t end = (p->start + p->used) % OUT_SIZE, first;

    n = MIN(n, pty_room(tty));
    first = MIN(n, OUT_SIZE - end);
    memcpy(p->out + end, bytes, first);
    memcpy(p->out, bytes + first, n - first);
    p->used += n;
    if (n)
        waitq_wake_events(&p->master_wq, POLLIN | POLLRDNORM);
    return n;
}

static size_t pty_unsent(struct tty *tty)
{
    return pty_of(tty)->used;
}

static void pty_drop(struct tty *tty)
{
    pty_of(tty)->used = 0;
}

static void pty_drained(struct tty *tty)
{
    waitq_wake_events(&pty_of(tty)->master_wq, POLLOUT | POLLWRNORM);
}

static void slave_last_close(struct tty *tty)
{
    struct pty *p = pty_of(tty);

    p->slave_closed = true;
    waitq_wake(&p->master_wq);
}

static void pty_free(struct pty *p)
{
    kfree(p->out);
    kfree(p);
}

static void pty_release(struct tty *tty)
{
    struct pty *p = pty_of(tty);
    uint64_t flags = spin_lock(&ptys_lock);

    ptys[p->index] = NULL;
    spin_unlock(&ptys_lock, flags);
    pty_free(p);
}

static const struct tty_driver pty_driver = { .write = pty_send,
                                              .room = pty_room,
                                              .unsent = pty_unsent,
                                              .drop = pty_drop,
                                              .drained = pty_drained,
                                              .last_close = slave_last_close,
                                              .release = pty_release };

/* ---- the slave's file ---- */

/* The pair with this number whose master is open, with a reference; NULL: none. */
static struct pty *pty_find(unsigned index)
{
    uint64_t flags = spin_lock(&ptys_lock);
    struct pty *p = index < PTYS_MAX ? ptys[index] : NULL;

    if (p && p->master_open)
        refcount_get(&p->tty.refs);
    else
        p = NULL;
    spin_unlock(&ptys_lock, flags);
    return p;
}

struct inode *pty_entry(unsigned index)
{
    uint64_t flags = spin_lock(&ptys_lock);
    struct pty *p = index < PTYS_MAX ? ptys[index] : NULL;
    struct inode *entry = p && p->master_open ? inode_get(p->entry) : NULL;

    spin_unlock(&ptys_lock, flags);
    return entry;
}

/* Takes the caller's reference to p. */
static int open_slave_of(struct file *f, struct pty *p)
{
    uint64_t flags = spin_lock(&p->tty.lock);
    bool locked = p->locked;

    if (!locked)
        p->slave_closed = false;
    spin_unlock(&p->tty.lock, flags);
    if (!locked)
        return tty_open_file(f, &p->tty);
    tty_put(&p->tty);
    return -EIO;
}

static int open_slave(struct file *f)
{
    struct pty *p = pty_find((unsigned)f->inode->rdev & 0xff);

    if (!p)
        return -EIO;
    f->ops = &tty_ops;
    return open_slave_of(f, p);
}

const struct file_ops pty_slave_ops = { .open = open_slave };

/* ---- the master's file ---- */

static struct pty *master_of(const struct file *f)
{
    return f->private;
}

/* Take up to n bytes the slave sent. Lock held. */
static size_t take(struct pty *p, char *dst, size_t n)
{
    size_t first;

    n = MIN(n, p->used);
    first = MIN(n, OUT_SIZE - p->start);
    memcpy(dst, p->out + p->start, first);
    memcpy(dst + first, p->out, n - first);
    p->start = (p->start + n) % OUT_SIZE;
    p->used -= n;
    return n;
}

/* Bytes as soon as there are some: how many, -EIO when the slave is closed, -EAGAIN, -EINTR. */
static int64_t master_take(struct pty *p, char *chunk, size_t n, bool wait)
{
    uint64_t flags = spin_lock(&p->tty.lock);
    int64_t result = 0;

    while (!p->used && !p->slave_closed && !result)
        result = wait ? waitq_wait_spin(&p->master_wq, &p->tty.lock, &flags, TIME_NEVER) : -EAGAIN;
    if (p->used)
        result = (int64_t)take(p, chunk, n);
    else if (p->slave_closed)
        result = -EIO;
    spin_unlock(&p->tty.lock, flags);
    if (result > 0)
        waitq_wake_events(&p->tty.wq, POLLOUT | POLLWRNORM);
    return result;
}

static int64_t master_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    struct pty *p = master_of(f);
    const uint8_t header = PACKET_DATA;
    int64_t done = 0, n = 1;
    bool packet = READ_ONCE(p->packet);
    size_t skipped = packet;

    (void)pos;
    while (it->count > skipped && n > 0) {
        char chunk[CHUNK];
        n = master_take(p, chunk, MIN(it->count - skipped, sizeof chunk), !file_nonblocking(f) && !done);
        if (n > 0 && skipped && copy_to_iter(&header, 1, it))
            n = -EFAULT;
        if (n > 0 && copy_to_iter(chunk, (size_t)n, it))
            n = -EFAULT;
        done += n > 0 ? n + (int64_t)skipped : 0;
        skipped = n > 0 ? 0 : skipped;
    }
    return done ? done : MIN(n, (int64_t)0);
}

/* Type bytes as soon as the slave has room: how many, -EAGAIN, -EINTR. */
static int64_t type(struct file *f, const uint8_t *bytes, size_t n)
{
    struct pty *p = master_of(f);
    size_t typed;
    int err = 0;

    while (!(typed = ldisc_input(&p->tty, bytes, n, false)) && !err)
        err = file_nonblocking(f) ? -EAGAIN : wait_event(&p->master_wq, ldisc_room(&p->tty), TIME_NEVER);
    return typed ? (int64_t)typed : err;
}

static int64_t master_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    int64_t done = 0, typed = 0;

    (void)pos;
    while (it->count && typed >= 0) {
        uint8_t chunk[CHUNK];
        size_t n = MIN(it->count, sizeof chunk), in = 0;
        if (copy_from_iter(chunk, n, it))
            return done ? done : -EFAULT;
        while (in < n && (typed = type(f, chunk + in, n - in)) > 0)
            in += (size_t)typed;
        done += (int64_t)in;
    }
    return done ? done : MIN(typed, (int64_t)0);
}

static int master_poll(struct file *f)
{
    struct pty *p = master_of(f);
    uint64_t flags = spin_lock(&p->tty.lock);
    int events = (p->used ? POLLIN | POLLRDNORM : 0) | (p->slave_closed ? POLLHUP : 0) |
                 (ldisc_room(&p->tty) ? POLLOUT | POLLWRNORM : 0);

    spin_unlock(&p->tty.lock, flags);
    return events;
}

static struct waitq *master_waitq(struct file *f)
{
    return &master_of(f)->master_wq;
}

/* ---- the master's requests ---- */

static int set_flag(struct pty *p, bool *flag, uintptr_t arg)
{
    uint64_t flags;
    int32_t on;

    if (copy_from_user(&on, arg, sizeof on))
        return -EFAULT;
    flags = spin_lock(&p->tty.lock);
    *flag = on;
    spin_unlock(&p->tty.lock, flags);
    return 0;
}

static int put_int(uintptr_t arg, int32_t value)
{
    return copy_to_user(arg, &value, sizeof value);
}

/* TIOCGPTPEER: a descriptor of the slave that no path was walked for, and which yet has its name: ttyname()
 * looks. */
static int64_t open_peer(struct pty *p, uint32_t flags)
{
    struct file *f;
    int err;

    if (flags & ~(uint32_t)(O_ACCMODE | O_NOCTTY | O_CLOEXEC | O_NONBLOCK))
        return -EINVAL;
    err = file_open_inode(p->entry, flags & ~(uint32_t)O_CLOEXEC, &f);
    if (err)
        return err;
    f->dir = devpts_directory();
    return fd_install(f, 0, flags & O_CLOEXEC);
}

static int signal_slave(struct pty *p, uintptr_t signo)
{
    uint64_t flags;
    int pgid;

    if (signo < 1 || signo > NSIG)
        return -EINVAL;
    flags = spin_lock(&p->tty.lock);
    pgid = p->tty.pgid;
    spin_unlock(&p->tty.lock, flags);
    if (pgid)
        signal_send_group(pgid, (int)signo, &(struct signal_info){ .code = SI_KERNEL });
    return 0;
}

static int64_t master_ioctl(struct file *f, unsigned request, uintptr_t arg)
{
    struct pty *p = master_of(f);
    int64_t result;

    switch (request) {
    case TIOCGPTN:
        return put_int(arg, (int32_t)p->index);
    case TIOCSPTLCK:
        return set_flag(p, &p->locked, arg);
    case TIOCGPTLCK:
        return put_int(arg, p->locked);
    case TIOCPKT:
        return set_flag(p, &p->packet, arg);
    case TIOCGPKT:
        return put_int(arg, p->packet);
    case TIOCGPTPEER:
        return open_peer(p, (uint32_t)arg);
    case TIOCSIG:
        return signal_slave(p, arg);
    case FIONREAD:
        return put_int(arg, (int32_t)READ_ONCE(p->used));
    case TIOCOUTQ:
        return put_int(arg, 0);
    default:
        result = tty_common_ioctl(&p->tty, request, arg);
        return result == -ENOTTY ? job_ioctl(&p->tty, 0, false, request, arg) : result;
    }
}

/* ---- pairs come and go ---- */

/* A number and a place in the table. 0 or -ENOSPC. */
static int enter(struct pty *p)
{
    uint64_t flags = spin_lock(&ptys_lock);

    while (p->index < PTYS_MAX && ptys[p->index])
        p->index++;
    if (p->index < PTYS_MAX)
        ptys[p->index] = p;
    spin_unlock(&ptys_lock, flags);
    return p->index < PTYS_MAX ? 0 : -ENOSPC;
}

static struct pty *pty_alloc(void)
{
    struct pty *p = kzalloc(sizeof *p);

    if (!p)
        return NULL;
    p->out = kmalloc(OUT_SIZE);
    if (!p->out) {
        kfree(p);
        return NULL;
    }
    ldisc_init(&p->tty, &pty_driver);
    waitq_init(&p->master_wq);
    p->locked = true;
    return p;
}

/* Make the pair known: from here on it can be found. */
static int appear(struct pty *p)
{
    uint64_t flags;

    p->entry = devpts_create_entry(p->index);
    if (!p->entry)
        return -ENOMEM;
    p->tty.number = (int)p->entry->rdev;
    flags = spin_lock(&ptys_lock);
    p->master_open = true;
    spin_unlock(&ptys_lock, flags);
    return 0;
}

static int open_master(struct file *f)
{
    struct pty *p = pty_alloc();
    int err = p ? enter(p) : -ENOMEM;

    if (err) {
        if (p)
            pty_free(p);
        return err;
    }
    err = appear(p);
    if (err)
        tty_put(&p->tty);
    else
        f->private = p;
    return err;
}

static void master_release(struct file *f)
{
    struct pty *p = master_of(f);
    uint64_t flags = spin_lock(&ptys_lock);

    p->master_open = false;
    spin_unlock(&ptys_lock, flags);
    tty_hangup(&p->tty);
    inode_put(p->entry);
    tty_put(&p->tty);
}

const struct file_ops ptmx_ops = { .open = open_master,
                                   .read = master_read,
                                   .write = master_write,
                                   .ioctl = master_ioctl,
                                   .poll = master_poll,
                                   .waitq = master_waitq,
                                   .release = master_release };
