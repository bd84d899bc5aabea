/* kern/fs/tty.c - terminals as files: reading, writing, requests. What a typed byte does is ldisc.c's, whose
 * terminal it is job.c's, what carries the bytes a serial port's (here) or pty.c's.
 *
 * The terminal's lock guards the input ring, the settings and whose terminal it is. A file opened before the
 * last hang-up is dead: it reads an end, and fails to do anything else. */
#include "kern/fs/tty.h"
#include "kern/debug/console.h"
#include "kern/fs/ldisc.h"
#include "kern/mm/mm.h"
#include "kern/proc/signals.h"
#include "lib/abi/fcntl.h"
#include "lib/abi/stat.h"
#include "lib/string.h"

enum { CHUNK = 128 };

static struct tty ttys[SERIAL_PORTS];

static struct tty *tty_of(const struct file *f)
{
    const struct tty_file *tf = f->private;

    return tf->tty;
}

static bool is_dead(const struct file *f)
{
    const struct tty_file *tf = f->private;

    return READ_ONCE(tf->tty->hangups) != tf->hangups;
}

void tty_put(struct tty *tty)
{
    if (refcount_put(&tty->refs) && tty->driver->release)
        tty->driver->release(tty);
}

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
    if (tty->driver->drained)
        tty->driver->drained(tty);
    return got;
}

static int64_t wait_readable(struct file *f, size_t n, bool wait, uint64_t *flags)
{
    struct tty *tty = tty_of(f);
    size_t least;
    uint64_t deadline = read_deadline(tty, n, &least);
    int err = 0;

    while (!readable(tty, least) && !is_dead(f) && !err)
        err = wait ? waitq_wait_spin(&tty->wq, &tty->lock, flags, deadline) : -EAGAIN;
    return err;
}

/* One chunk: bytes, 0 at the end of the file or when time is up, or -errno. */
static int64_t read_chunk(struct file *f, struct iov_iter *it, bool wait, bool *ended)
{
    struct tty *tty = tty_of(f);
    uint8_t chunk[CHUNK];
    size_t n = MIN(it->count, sizeof chunk);
    uint64_t flags = spin_lock(&tty->lock);
    int64_t err = wait_readable(f, it->count, wait, &flags);

    n = err || is_dead(f) ? 0 : take(tty, chunk, n, ended);
    spin_unlock(&tty->lock, flags);
    if (err)
        return err == -ETIMEDOUT ? 0 : err;
    return n && copy_to_iter(chunk, n, it) ? -EFAULT : (int64_t)n;
}

static int64_t tty_read(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    int64_t done = 0;
    bool ended = false;
    int err = is_dead(f) ? 0 : job_check(tty_of(f), SIGTTIN);

    (void)pos;
    if (err)
        return err;
    while (it->count && !ended) {
        int64_t n = read_chunk(f, it, !file_nonblocking(f) && !done, &ended);
        if (n <= 0)
            return done ? done : n;
        done += n;
    }
    return done;
}

/* ---- writing ---- */

static bool has_room(const struct tty *tty)
{
    return !tty->stopped && tty->driver->room((struct tty *)tty) >= 2; /* a newline may become two bytes */
}

/* Send some of bytes, at least one, as soon as there is room: how many, or -EIO, -EAGAIN, -EINTR. */
static int64_t send_some(struct file *f, const char *bytes, size_t n)
{
    struct tty *tty = tty_of(f);
    uint64_t flags = spin_lock(&tty->lock);
    int64_t sent = 0;
    int err = 0;

    while (!err && !sent) {
        if (is_dead(f))
            err = -EIO;
        else if (!(sent = (int64_t)ldisc_output(tty, bytes, n)))
            err = file_nonblocking(f) ? -EAGAIN : waitq_wait_spin(&tty->wq, &tty->lock, &flags, TIME_NEVER);
    }
    spin_unlock(&tty->lock, flags);
    return sent ? sent : err;
}

/* TOSTOP: a background process that writes is stopped like one that reads. */
static int check_write(struct file *f)
{
    struct tty *tty = tty_of(f);

    if (is_dead(f))
        return -EIO;
    return READ_ONCE(tty->termios.c_lflag) & TOSTOP ? job_check(tty, SIGTTOU) : 0;
}

static int64_t tty_write(struct file *f, struct iov_iter *it, uint64_t *pos)
{
    int64_t done = 0, sent = check_write(f);

    (void)pos;
    while (it->count && sent >= 0) {
        char chunk[CHUNK];
        size_t n = MIN(it->count, sizeof chunk), out = 0;
        if (copy_from_iter(chunk, n, it))
            return done ? done : -EFAULT;
        while (out < n && (sent = send_some(f, chunk + out, n - out)) > 0)
            out += (size_t)sent;
        done += (int64_t)out;
    }
    return done ? done : MIN(sent, (int64_t)0);
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
        ldisc_flush(tty);
    if (!(new.c_lflag &ICANON))
        tty->commit_pos = tty->write_pos; /* a line begun is input like any other now */
    tty->termios = new;
    if (!(new.c_iflag &IXON))
        tty->stopped = false;
    if (tty->driver->drained)
        tty->driver->drained(tty); /* without a line being typed there may be room */
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
    uint64_t flags;
    bool changed;
    int pgid;

    if (copy_from_user(&new, arg, sizeof new))
        return -EFAULT;
    flags = spin_lock(&tty->lock);
    changed = memcmp(&new, &tty->winsize, sizeof new) != 0;
    tty->winsize = new;
    pgid = tty->pgid;
    spin_unlock(&tty->lock, flags);
    if (changed && pgid)
        signal_send_group(pgid, SIGWINCH, &(struct signal_info){ .code = SI_KERNEL });
    return 0;
}

static int flush(struct tty *tty, uintptr_t what)
{
    uint64_t flags;

    if (what > TCIOFLUSH)
        return -EINVAL;
    flags = spin_lock(&tty->lock);
    if (what != TCOFLUSH)
        ldisc_flush(tty);
    if (what != TCIFLUSH)
        tty->driver->drop(tty);
    if (tty->driver->drained)
        tty->driver->drained(tty);
    spin_unlock(&tty->lock, flags);
    waitq_wake(&tty->wq);
    return 0;
}

static int stop_or_start(struct tty *tty, uintptr_t what)
{
    uint64_t flags;

    if (what > TCION)
        return -EINVAL;
    if (what > TCOON)
        return 0; /* nobody on the other side would understand */
    flags = spin_lock(&tty->lock);
    tty->stopped = what == TCOOFF;
    spin_unlock(&tty->lock, flags);
    waitq_wake(&tty->wq);
    return 0;
}

/* Requests that change the terminal: not from the background. 1: none of them. */
static int64_t change_ioctl(struct tty *tty, unsigned request, uintptr_t arg)
{
    int err;

    switch (request) {
    case TCSETS:
    case TCSETSW:
    case TCSETSF:
    case TCFLSH:
    case TCXONC:
    case TCSBRK:
        err = job_check(tty, SIGTTOU);
        if (err)
            return err;
        break;
    default:
        return 1;
    }
    if (request == TCFLSH)
        return flush(tty, arg);
    if (request == TCXONC)
        return stop_or_start(tty, arg);
    return request == TCSBRK ? 0 : set_termios(tty, arg, request == TCSETSF);
}

int64_t tty_common_ioctl(struct tty *tty, unsigned request, uintptr_t arg)
{
    int64_t result = change_ioctl(tty, request, arg);

    if (result <= 0)
        return result;
    switch (request) {
    case TCGETS:
        return get_termios(tty, arg);
    case TIOCGWINSZ:
        return copy_to_user(arg, &tty->winsize, sizeof tty->winsize);
    case TIOCSWINSZ:
        return set_winsize(tty, arg);
    default:
        return -ENOTTY;
    }
}

static int count_input(struct tty *tty, uintptr_t arg)
{
    uint64_t flags = spin_lock(&tty->lock);
    int32_t n = (int32_t)(tty->commit_pos - tty->read_pos);

    spin_unlock(&tty->lock, flags);
    return copy_to_user(arg, &n, sizeof n);
}

static int count_output(struct tty *tty, uintptr_t arg)
{
    uint64_t flags = spin_lock(&tty->lock);
    int32_t n = (int32_t)tty->driver->unsent(tty);

    spin_unlock(&tty->lock, flags);
    return copy_to_user(arg, &n, sizeof n);
}

static int64_t tty_ioctl(struct file *f, unsigned request, uintptr_t arg)
{
    const struct tty_file *tf = f->private;
    int64_t result;

    if (is_dead(f))
        return request == TIOCSPGRP ? -ENOTTY : -EIO;
    if (request == FIONREAD)
        return count_input(tf->tty, arg);
    if (request == TIOCOUTQ)
        return count_output(tf->tty, arg);
    result = tty_common_ioctl(tf->tty, request, arg);
    return result == -ENOTTY ? job_ioctl(tf->tty, tf->hangups, true, request, arg) : result;
}

/* ---- files ---- */

static int tty_poll(struct file *f)
{
    struct tty *tty = tty_of(f);
    const struct termios *t = &tty->termios;
    uint64_t flags = spin_lock(&tty->lock);
    int events = has_room(tty) ? POLLOUT | POLLWRNORM : 0;

    if (readable(tty, t->c_cc[VTIME] ? 1 : MAX(t->c_cc[VMIN], (uint8_t)1)))
        events |= POLLIN | POLLRDNORM;
    if (is_dead(f))
        events = POLLIN | POLLRDNORM | POLLOUT | POLLWRNORM | POLLERR | POLLHUP;
    spin_unlock(&tty->lock, flags);
    return events;
}

static struct waitq *tty_waitq(struct file *f)
{
    return &tty_of(f)->wq;
}

int tty_open_file(struct file *f, struct tty *tty)
{
    struct tty_file *tf = kmalloc(sizeof *tf);
    uint64_t flags;

    if (!tf) {
        tty_put(tty);
        return -ENOMEM;
    }
    flags = spin_lock(&tty->lock);
    *tf = (struct tty_file){ tty, tty->hangups };
    tty->opens++;
    spin_unlock(&tty->lock, flags);
    f->private = tf;
    if (!(f->flags & O_NOCTTY))
        job_adopt(tty, tf->hangups);
    return 0;
}

static void tty_release(struct file *f)
{
    struct tty *tty = tty_of(f);
    uint64_t flags = spin_lock(&tty->lock);

    if (!--tty->opens && tty->driver->last_close)
        tty->driver->last_close(tty);
    spin_unlock(&tty->lock, flags);
    kfree(f->private);
    tty_put(tty);
}

static int open_port(struct file *f, unsigned port)
{
    refcount_get(&ttys[port].refs);
    return tty_open_file(f, &ttys[port]);
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
    struct tty *tty = job_terminal();

    return tty ? tty_open_file(f, tty) : -ENXIO;
}

#define TTY_FILE_OPS(open_)                                                                                  \
    {                                                                                                        \
        .open = (open_), .read = tty_read, .write = tty_write, .ioctl = tty_ioctl, .poll = tty_poll,         \
        .waitq = tty_waitq, .release = tty_release                                                           \
    }
const struct file_ops tty_ops = TTY_FILE_OPS(NULL);
const struct file_ops tty_serial0_ops = TTY_FILE_OPS(open_serial0);
const struct file_ops tty_serial1_ops = TTY_FILE_OPS(open_serial1);
const struct file_ops tty_controlling_ops = TTY_FILE_OPS(open_controlling);

int tty_foreground(const struct tty *tty)
{
    return READ_ONCE(tty->pgid);
}

int tty_number(const struct tty *tty)
{
    return tty->number;
}

/* ---- serial ports ---- */

static size_t serial_send(struct tty *tty, const char *bytes, size_t n)
{
    serial_write(tty->port, bytes, n);
    return n;
}

static size_t serial_room(struct tty *tty)
{
    (void)tty;
    return SIZE_MAX;
}

static size_t serial_unsent(struct tty *tty)
{
    (void)tty;
    return 0;
}

static void serial_drop(struct tty *tty)
{
    (void)tty;
}

static const struct tty_driver serial_driver = {
    .write = serial_send, .room = serial_room, .unsent = serial_unsent, .drop = serial_drop
};

static void received(unsigned port, const uint8_t *bytes, size_t n)
{
    ldisc_input(&ttys[port], bytes, n, true);
}

void tty_init(void)
{
    for (unsigned port = 0; port < SERIAL_PORTS; port++) {
        struct tty *tty = &ttys[port];
        ldisc_init(tty, &serial_driver);
        tty->port = port;
        tty->number = 4 << 8 | (64 + (int)port);
        tty->winsize = (struct winsize){ .ws_row = 24, .ws_col = 80 };
        tty->termios.c_cflag = B115200 | CS8 | CREAD | CLOCAL;
        serial_set_receiver(port, received);
    }
}
