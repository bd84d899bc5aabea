/* kern/fs/tty.c - terminals as files: reading, writing, requests. What a typed byte does is ldisc.c's.
 *
 * The terminal's lock guards the input ring, the settings and whose terminal it is. */
#include "kern/fs/tty.h"
#include "kern/debug/console.h"
#include "kern/fs/ldisc.h"
#include "kern/proc/signals.h"
#include "lib/abi/fcntl.h"
#include "lib/abi/stat.h"
#include "lib/string.h"

static struct tty ttys[SERIAL_PORTS];

/* ---- reading ---- */

static bool readable(const struct tty *tty, size_t least)
{
    uint32_t ready = tty->commit_pos - tty->read_pos;

    return tty->termios.c_lflag & ICANON ? ready > 0 : ready >= least;
}

/* How long a read may wait (termios(3), "Canonical and noncanonical mode") and for how many bytes. */
static uint64_t read_deadline(const struct tty *tty, size_t n, size_t *least)
{
    const struct termios *t = &tty->termios;

    *least = MAX(MIN(n, (size_t)t->c_cc[VMIN]), (size_t)1);
    if ((t->c_lflag & ICANON) || t->c_cc[VMIN])
        return TIME_NEVER;
    return time_now() + ms(100) * t->c_cc[VTIME];
}

/* Take up to n bytes, in canonical mode not beyond the end of a line. *ended: the read is over. Lock held. */
static size_t take(struct tty *tty, uint8_t *dst, size_t n, bool *ended)
{
    bool canonical = tty->termios.c_lflag & ICANON;
    size_t got = 0;

    while (got < n && tty->read_pos != tty->commit_pos && !*ended) {
        uint16_t c = tty->ring[tty->read_pos++ % TTY_BUFFER];
        if (c != TTY_END_OF_FILE)
            dst[got++] = (uint8_t)c;
        *ended = canonical && (c == '\n' || c == TTY_END_OF_FILE);
    }
    if (tty->read_pos == tty->commit_pos)
        *ended = true;
    return got;
}

/* A background process that reads is stopped, unless it does not care: then -EIO. 0: it may read. */
static int check_foreground(struct tty *tty)
{
    struct process *p = current_process();
    const uint64_t ttin = SIGNAL_BIT(SIGTTIN);
    uint64_t flags = spin_lock(&process_lock);
    bool background = p->tty == tty && tty->pgid && p->pgid != tty->pgid;
    bool deaf = (current_task()->blocked & ttin) || p->action[SIGTTIN - 1].handler == SIG_IGN;
    int pgid = p->pgid;

    spin_unlock(&process_lock, flags);
    if (!background)
        return 0;
    if (deaf)
        return -EIO;
    signal_send_group(pgid, SIGTTIN, &(struct signal_info){ .code = SI_KERNEL });
    return -EINTR;
}

static int64_t wait_readable(struct tty *tty, size_t n, bool wait, uint64_t *flags)
{
    size_t least;
    uint64_t deadline = read_deadline(tty, n, &least);
    int err = 0;

    while (!readable(tty, least) && !err)
        err = wait ? waitq_wait_spin(&tty->wq, &tty->lock, flags, deadline) : -EAGAIN;
    return err;
}

/* One chunk: bytes, 0 at the end of the file or when time is up, or -errno. */
static int64_t read_chunk(struct tty *tty, struct iov_iter *it, bool wait, bool *ended)
{
    uint8_t chunk[128];
    size_t n = MIN(it->count, sizeof chunk);
    uint64_t flags = spin_lock(&tty->lock);
    int64_t err = wait_readable(tty, it->count, wait, &flags);

    n = err ? 0 : take(tty, chunk, n, ended);
    spin_unlock(&tty->lock, flags);
    if (err)
        return err == -ETIMEDOUT ? 0 : err;
    return n && copy_to_iter(chunk, n, it) ? -EFAULT : (int64_t)n;
}

static int64_t tty_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    struct tty *tty = f->private;
    int64_t done = 0;
    bool ended = false;
    int err = check_foreground(tty);

    (void)pos;
    if (err)
        return err;
    while (it->count && !ended) {
        int64_t n = read_chunk(tty, it, !file_nonblocking(f) && !done, &ended);
        if (n <= 0)
            return done ? done : n;
        done += n;
    }
    return done;
}

/* ---- writing ---- */

static int64_t tty_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    struct tty *tty = f->private;
    int64_t done = 0;

    (void)pos;
    while (it->count) {
        char chunk[128];
        size_t n = MIN(it->count, sizeof chunk);
        if (copy_from_iter(chunk, n, it))
            return done ? done : -EFAULT;
        ldisc_output(tty, chunk, n);
        done += (int64_t)n;
    }
    return done;
}

/* ---- whose terminal ---- */

/* A session's leader without a terminal gets this one, if it is nobody's. */
static void become_controlling(struct tty *tty, struct process *p)
{
    uint64_t tty_flags = spin_lock(&tty->lock), flags = spin_lock(&process_lock);

    if (p->pid == p->sid && !p->tty && !tty->sid) {
        p->tty = tty;
        tty->sid = p->sid;
        tty->pgid = p->pgid;
    }
    spin_unlock(&process_lock, flags);
    spin_unlock(&tty->lock, tty_flags);
}

static void forget_tty(struct process *p, void *tty)
{
    if (p->tty == tty)
        p->tty = NULL;
}

void tty_leave(struct tty *tty, int sid)
{
    uint64_t tty_flags = spin_lock(&tty->lock), flags = spin_lock(&process_lock);

    if (tty->sid == sid) {
        tty->sid = tty->pgid = 0;
        process_for_each_locked(forget_tty, tty);
    }
    spin_unlock(&process_lock, flags);
    spin_unlock(&tty->lock, tty_flags);
}

static struct tty *controlling_tty(void)
{
    uint64_t flags = spin_lock(&process_lock);
    struct tty *tty = current_process()->tty;

    spin_unlock(&process_lock, flags);
    return tty;
}

int tty_foreground(const struct tty *tty)
{
    return tty->pgid;
}

int tty_number(const struct tty *tty)
{
    return 4 << 8 | (64 + (int)tty->port);
}

static int set_foreground(struct tty *tty, uintptr_t arg)
{
    uint64_t flags;
    int32_t pgid;

    if (copy_from_user(&pgid, arg, sizeof pgid))
        return -EFAULT;
    if (controlling_tty() != tty)
        return -ENOTTY;
    if (pgid <= 0)
        return -EINVAL;
    flags = spin_lock(&tty->lock);
    tty->pgid = pgid;
    spin_unlock(&tty->lock, flags);
    return 0;
}

static int put_int(uintptr_t arg, int32_t value)
{
    return copy_to_user(arg, &value, sizeof value);
}

static int64_t job_ioctl(struct tty *tty, unsigned request, uintptr_t arg)
{
    switch (request) {
    case TIOCSCTTY:
        become_controlling(tty, current_process());
        return controlling_tty() == tty ? 0 : -EPERM;
    case TIOCNOTTY:
        tty_leave(tty, current_process()->sid);
        return 0;
    case TIOCGPGRP:
        return controlling_tty() == tty ? put_int(arg, tty->pgid) : -ENOTTY;
    case TIOCGSID:
        return controlling_tty() == tty ? put_int(arg, tty->sid) : -ENOTTY;
    case TIOCSPGRP:
        return set_foreground(tty, arg);
    default:
        return -ENOTTY;
    }
}

/* ---- settings ---- */

static int set_termios(struct tty *tty, uintptr_t arg, bool flush)
{
    struct termios new;
    uint64_t flags;

    if (copy_from_user(&new, arg, sizeof new))
        return -EFAULT;
    flags = spin_lock(&tty->lock);
    if (flush)
        tty->read_pos = tty->commit_pos = tty->write_pos;
    if (!(new.c_lflag &ICANON))
        tty->commit_pos = tty->write_pos; /* a line begun is input like any other now */
    tty->termios = new;
    spin_unlock(&tty->lock, flags);
    waitq_wake(&tty->wq);
    return 0;
}

static int get_termios(struct tty *tty, uintptr_t arg)
{
    uint64_t flags = spin_lock(&tty->lock);
    struct termios copy = tty->termios;

    spin_unlock(&tty->lock, flags);
    return copy_to_user(arg, &copy, sizeof copy);
}

static int set_winsize(struct tty *tty, uintptr_t arg)
{
    struct winsize new;

    if (copy_from_user(&new, arg, sizeof new))
        return -EFAULT;
    tty->winsize = new;
    signal_send_group(tty->pgid, SIGWINCH, &(struct signal_info){ .code = SI_KERNEL });
    return 0;
}

static int64_t tty_ioctl(struct file *f, unsigned request, uintptr_t arg)
{
    struct tty *tty = f->private;

    switch (request) {
    case TCGETS:
        return get_termios(tty, arg);
    case TCSETS:
    case TCSETSW:
        return set_termios(tty, arg, false);
    case TCSETSF:
        return set_termios(tty, arg, true);
    case TCFLSH:
        ldisc_flush(tty);
        return 0;
    case TIOCGWINSZ:
        return copy_to_user(arg, &tty->winsize, sizeof tty->winsize);
    case TIOCSWINSZ:
        return set_winsize(tty, arg);
    case FIONREAD:
        return put_int(arg, (int32_t)(READ_ONCE(tty->commit_pos) - READ_ONCE(tty->read_pos)));
    default:
        return job_ioctl(tty, request, arg);
    }
}

/* ---- files ---- */

static int tty_poll(struct file *f)
{
    struct tty *tty = f->private;
    uint64_t flags = spin_lock(&tty->lock);
    bool input = readable(tty, 1);

    spin_unlock(&tty->lock, flags);
    return POLLOUT | POLLWRNORM | (input ? POLLIN | POLLRDNORM : 0);
}

static struct waitq *tty_waitq(struct file *f)
{
    struct tty *tty = f->private;

    return &tty->wq;
}

static int open_port(struct file *f, unsigned port)
{
    f->private = &ttys[port];
    if (!(f->flags & O_NOCTTY))
        become_controlling(f->private, current_process());
    return 0;
}

static int open_serial0(struct file *f)
{
    return open_port(f, SERIAL_COM1);
}

static int open_serial1(struct file *f)
{
    return open_port(f, SERIAL_COM2);
}

static int open_controlling(struct file *f)
{
    f->private = controlling_tty();
    return f->private ? 0 : -ENXIO;
}

const struct file_ops tty_serial0_ops = { .open = open_serial0,
                                          .read = tty_read,
                                          .write = tty_write,
                                          .ioctl = tty_ioctl,
                                          .poll = tty_poll,
                                          .waitq = tty_waitq };
const struct file_ops tty_serial1_ops = { .open = open_serial1,
                                          .read = tty_read,
                                          .write = tty_write,
                                          .ioctl = tty_ioctl,
                                          .poll = tty_poll,
                                          .waitq = tty_waitq };
const struct file_ops tty_controlling_ops = { .open = open_controlling,
                                              .read = tty_read,
                                              .write = tty_write,
                                              .ioctl = tty_ioctl,
                                              .poll = tty_poll,
                                              .waitq = tty_waitq };

static void received(unsigned port, const uint8_t *bytes, size_t n)
{
    ldisc_input(&ttys[port], bytes, n);
}

void tty_init(void)
{
    for (unsigned port = 0; port < SERIAL_PORTS; port++) {
        ldisc_init(&ttys[port], port);
        serial_set_receiver(port, received);
    }
}
