/* kern/fs/job.c - job control: whose terminal it is, and who of a session may use it.
 * A terminal's session and foreground group are guarded by its lock, a process's terminal by process_lock,
 * which is taken inside. A process's terminal is no reference: tty_hangup() takes it away from all before the
 * terminal can go. */
#include "kern/fs/ldisc.h"
#include "kern/fs/tty.h"
#include "kern/proc/cred.h"
#include "kern/proc/signals.h"

static const struct signal_info from_kernel = { .code = SI_KERNEL };

struct tty *job_terminal(void)
{
    uint64_t flags = spin_lock(&process_lock);
    struct tty *tty = current_process()->tty;

    if (tty)
        refcount_get(&tty->refs);
    spin_unlock(&process_lock, flags);
    return tty;
}

static bool is_mine(const struct tty *tty)
{
    return READ_ONCE(current_process()->tty) == tty;
}

/* ---- who may ---- */

int job_check(struct tty *tty, int signo)
{
    struct process *p = current_process();
    uint64_t bit = SIGNAL_BIT(signo), flags = spin_lock(&process_lock);
    bool background = p->tty == tty && tty->pgid && p->pgid != tty->pgid;
    bool deaf = (current_task()->blocked & bit) || p->action[signo - 1].handler == SIG_IGN;
    bool orphaned = background && process_group_is_orphaned_locked(p->pgid);
    int pgid = p->pgid;

    spin_unlock(&process_lock, flags);
    if (!background || (deaf && signo == SIGTTOU))
        return 0;
    if (deaf || orphaned)
        return -EIO;
    signal_send_group(pgid, signo, &from_kernel);
    return -EINTR;
}

/* ---- whose ---- */

/* Both locks held. */
static void adopt_locked(struct tty *tty, struct process *p)
{
    p->tty = tty;
    tty->sid = p->sid;
    tty->pgid = p->pgid;
}

void job_adopt(struct tty *tty, unsigned hangups)
{
    struct process *p = current_process();
    uint64_t tty_flags = spin_lock(&tty->lock), flags = spin_lock(&process_lock);

    if (p->pid == p->sid && !p->tty && !tty->sid && tty->hangups == hangups)
        adopt_locked(tty, p);
    spin_unlock(&process_lock, flags);
    spin_unlock(&tty->lock, tty_flags);
}

static void forget_tty(struct process *p, void *tty)
{
    if (p->tty == tty)
        p->tty = NULL;
}

/* TIOCSCTTY; steal: from whatever session has it. */
static int adopt(struct tty *tty, unsigned hangups, bool steal)
{
    struct process *p = current_process();
    uint64_t tty_flags = spin_lock(&tty->lock), flags = spin_lock(&process_lock);
    int err = -EPERM;

    if (tty->hangups != hangups) {
        err = -EIO;
    } else if (p->pid == p->sid && p->tty == tty && tty->sid == p->sid) {
        err = 0;
    } else if (p->pid == p->sid && !p->tty && (!tty->sid || steal)) {
        process_for_each_locked(forget_tty, tty);
        adopt_locked(tty, p);
        err = 0;
    }
    spin_unlock(&process_lock, flags);
    spin_unlock(&tty->lock, tty_flags);
    return err;
}

/* Nobody's terminal any more; the group that was in front. */
static int disown(struct tty *tty, int sid)
{
    uint64_t tty_flags = spin_lock(&tty->lock), flags = spin_lock(&process_lock);
    int pgid = 0;

    if (tty->sid == sid) {
        pgid = tty->pgid;
        tty->sid = tty->pgid = 0;
        process_for_each_locked(forget_tty, tty);
    }
    spin_unlock(&process_lock, flags);
    spin_unlock(&tty->lock, tty_flags);
    return pgid;
}

/* TIOCNOTTY: a leader gives it up for all of its session. */
static int give_up(struct tty *tty)
{
    struct process *p = current_process();
    uint64_t flags;
    int pgid;

    if (!is_mine(tty))
        return -ENOTTY;
    if (p->pid == p->sid) {
        pgid = disown(tty, p->sid);
        if (pgid) {
            signal_send_group(pgid, SIGHUP, &from_kernel);
            signal_send_group(pgid, SIGCONT, &from_kernel);
        }
        return 0;
    }
    flags = spin_lock(&process_lock);
    p->tty = NULL;
    spin_unlock(&process_lock, flags);
    return 0;
}

void tty_session_ends(struct process *leader)
{
    struct tty *tty = job_terminal();
    int pgid = READ_ONCE(leader->old_foreground);

    if (tty)
        pgid = disown(tty, leader->sid);
    if (pgid)
        signal_send_group(pgid, SIGHUP, &from_kernel);
    if (pgid && !tty)
        signal_send_group(pgid, SIGCONT, &from_kernel);
    if (tty)
        tty_put(tty);
}

struct farewell {
    struct tty *tty;
    int pgid;
};

static void say_farewell(struct process *p, void *arg)
{
    struct farewell *f = arg;

    if (p->tty != f->tty)
        return;
    p->tty = NULL;
    if (p->pid != p->sid)
        return;
    p->old_foreground = f->pgid;
    signal_send_locked(p, SIGHUP, &from_kernel);
    signal_send_locked(p, SIGCONT, &from_kernel);
}

void tty_hangup(struct tty *tty)
{
    uint64_t tty_flags = spin_lock(&tty->lock), flags;
    struct farewell farewell = { tty, tty->pgid };

    tty->hangups++;
    tty->sid = tty->pgid = 0;
    tty->stopped = tty->literal = false;
    ldisc_flush(tty);
    flags = spin_lock(&process_lock);
    process_for_each_locked(say_farewell, &farewell);
    spin_unlock(&process_lock, flags);
    spin_unlock(&tty->lock, tty_flags);
    waitq_wake(&tty->wq);
}

/* ---- the foreground ---- */

struct group_search {
    int pgid, sid; /* sid: of the group that was found, 0: there is none */
};

static void search_group(struct process *p, void *arg)
{
    struct group_search *g = arg;

    if (p->pgid == g->pgid)
        g->sid = p->sid;
}

/* The session of a group; 0: there is no such group. */
static int session_of_group(int pgid)
{
    struct group_search g = { .pgid = pgid };
    uint64_t flags = spin_lock(&process_lock);

    process_for_each_locked(search_group, &g);
    spin_unlock(&process_lock, flags);
    return g.sid;
}

static int set_foreground(struct tty *tty, uintptr_t arg)
{
    int err = job_check(tty, SIGTTOU), sid = current_process()->sid, group_sid;
    uint64_t flags;
    int32_t pgid;

    if (err)
        return err == -EIO ? -ENOTTY : err;
    if (copy_from_user(&pgid, arg, sizeof pgid))
        return -EFAULT;
    if (pgid < 0)
        return -EINVAL;
    if (!is_mine(tty) || READ_ONCE(tty->sid) != sid)
        return -ENOTTY;
    group_sid = session_of_group(pgid);
    if (group_sid != sid)
        return group_sid ? -EPERM : -ESRCH;
    flags = spin_lock(&tty->lock);
    if (tty->sid == sid)
        tty->pgid = pgid;
    spin_unlock(&tty->lock, flags);
    return 0;
}

static int put_int(uintptr_t arg, int32_t value)
{
    return copy_to_user(arg, &value, sizeof value);
}

int64_t job_ioctl(struct tty *tty, unsigned hangups, bool slave, unsigned request, uintptr_t arg)
{
    switch (request) {
    case TIOCSCTTY:
        return adopt(tty, hangups, arg == 1 && capable(CAP_SYS_ADMIN));
    case TIOCNOTTY:
        return give_up(tty);
    case TIOCGPGRP:
        return slave && !is_mine(tty) ? -ENOTTY : put_int(arg, READ_ONCE(tty->pgid));
    case TIOCGSID:
        return (slave && !is_mine(tty)) || !tty->sid ? -ENOTTY : put_int(arg, READ_ONCE(tty->sid));
    case TIOCSPGRP:
        return set_foreground(tty, arg);
    default:
        return -ENOTTY;
    }
}
