/* kern/fs/owner.c - whom an open file tells of events by signal (fcntl(2), F_SETOWN).
 * Sockets alone tell of anything: of urgent text, by SIGURG. The owner is kept as a number, with the users of
 * whoever named it: it may get only what they might send it. */
#include "kern/fs/socketfile.h"
#include "kern/proc/signals.h"

int file_set_owner(struct file *f, int32_t who)
{
    const struct cred *me = current_cred();
    const struct signal_owner owner = { who, me->uid.real, me->uid.effective };
    struct sock *sk = socket_of(f);

    if (who == INT32_MIN)
        return -EINVAL;
    struct process *p = who ? process_find(who < 0 ? -who : who) : NULL;
    if (who && !p)
        return -ESRCH;
    if (p)
        process_put(p);
    WRITE_ONCE(f->owner, who);
    if (sk)
        sock_set_owner(sk, &owner);
    return 0;
}

static bool may_tell(const struct signal_owner *owner, const struct process *p)
{
    const struct ids *uid = &p->cred.uid;

    return !owner->euid || owner->euid == uid->saved || owner->euid == uid->real ||
           owner->uid == uid->saved || owner->uid == uid->real;
}

/* process_lock held. */
static void tell(struct process *p, void *arg)
{
    const struct signal_owner *owner = arg;

    if ((p->pid == owner->who || p->pgid == -owner->who) && may_tell(owner, p))
        signal_send_locked(p, SIGURG, &(struct signal_info){ .code = SI_KERNEL });
}

void signal_urgent(const struct signal_owner *owner)
{
    struct signal_owner asker = *owner;
    uint64_t flags = spin_lock(&process_lock);

    process_for_each_locked(tell, &asker);
    spin_unlock(&process_lock, flags);
}
