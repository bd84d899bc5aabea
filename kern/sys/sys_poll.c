/* kern/sys/sys_poll.c - poll, ppoll, select, pselect6: their arguments to and from kern/fs/poll.c. */
#include "kern/fs/files.h"
#include "kern/fs/poll.h"
#include "kern/mm/mm.h"
#include "kern/proc/signals.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
#include "lib/string.h"

struct pollfd {
    int32_t fd;
    int16_t events, revents;
};
_Static_assert(sizeof(struct pollfd) == 8, "the ABI's size");

static void put_files(struct poll_entry *entries, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (entries[i].file)
            file_put(entries[i].file);
}

/* ---- poll ---- */

static void fill_entries(struct poll_entry *entries, const struct pollfd *fds, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct poll_entry *e = &entries[i];
        bool named = fds[i].fd >= 0; /* a negative one is passed over */
        e->events = (uint16_t)fds[i].events;
        e->file = named ? fd_get(fds[i].fd) : NULL;
        e->revents = named && !e->file ? POLLNVAL : 0;
    }
}

/* fds: n in kernel memory, answered in place. */
static int poll_all(struct pollfd *fds, size_t n, uint64_t deadline)
{
    struct poll_entry *entries =
        kmalloc(MAX(n, (size_t)1) * sizeof *entries); /* the rest is poll_files()'s */
    int ready;

    if (!entries)
        return -ENOMEM;
    fill_entries(entries, fds, n);
    ready = poll_files(entries, n, deadline);
    for (size_t i = 0; i < n; i++) {
        fds[i].revents = (int16_t)entries[i].revents;
        if (entries[i].file)
            file_put(entries[i].file);
    }
    kfree(entries);
    return ready;
}

static int64_t do_poll_until(uintptr_t user, size_t n, uint64_t deadline)
{
    struct pollfd *fds;
    int ready;

    if (n > (size_t)fd_limit())
        return -EINVAL;
    fds = kmalloc(MAX(n, (size_t)1) * sizeof *fds);
    if (!fds)
        return -ENOMEM;
    ready = copy_from_user(fds, user, n * sizeof *fds) ? -EFAULT : poll_all(fds, n, deadline);
    if (ready >= 0 && copy_to_user(user, fds, n * sizeof *fds))
        ready = -EFAULT;
    kfree(fds);
    return ready;
}

static int64_t poll_or_go_on(uintptr_t user, unsigned n, uint64_t deadline);

static int64_t go_on_polling(const struct restart *r)
{
    return poll_or_go_on(r->args[0], (unsigned)r->args[1], r->deadline);
}

static int64_t poll_or_go_on(uintptr_t user, unsigned n, uint64_t deadline)
{
    int64_t ready = do_poll_until(user, n, deadline);

    if (ready == -EINTR)
        current_task()->restart =
            (struct restart){ .fn = go_on_polling, .deadline = deadline, .args = { user, n } };
    return ready;
}

SYSCALL_DEFINE3(poll, uintptr_t, user, unsigned, n, int, timeout)
{
    return poll_or_go_on(user, n, deadline_of_ms(timeout));
}

/* The call's result; what is left of its time-out goes where it came from, so that it can be begun again. */
static int64_t tell_time_left(uintptr_t timeout, uint64_t deadline, int64_t result)
{
    uint64_t now = time_now();
    int lost = timeout ? timespec_to_user(timeout, deadline > now ? deadline - now : 0) : 0;

    (void)lost; /* memory that cannot be written is no error here (select(2)) */
    return result;
}

SYSCALL_DEFINE5(ppoll, uintptr_t, user, unsigned, n, uintptr_t, timeout, uintptr_t, mask, size_t, size)
{
    uint64_t deadline;
    int err = deadline_from_user(timeout, &deadline);

    if (!err)
        err = temporary_mask_from_user(mask, size);
    return err ? err
               : tell_time_left(timeout, deadline, temporary_mask_end(do_poll_until(user, n, deadline)));
}

/* ---- select ---- */

enum { SETS = 3 };
/* Which of poll's events each of the three sets means (select(2), "Correspondence with poll()"). */
static const int set_asks[SETS] = { POLLRDNORM | POLLRDBAND | POLLIN, POLLWRBAND | POLLWRNORM | POLLOUT,
                                    POLLPRI };
static const int set_means[SETS] = { POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR,
                                     POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR, POLLPRI };

/* Of one call; the bytes lie behind it. */
struct selection {
    uint8_t *asked[SETS], *ready[SETS];
};

/* Empty sets for n descriptors; NULL: memory is out. */
static struct selection *selection_alloc(int n)
{
    size_t bytes = ROUND_UP((size_t)n, 64) / 8;
    struct selection *s = kzalloc(sizeof *s + 2 * SETS * bytes);

    for (int i = 0; s && i < SETS; i++) {
        s->asked[i] = (uint8_t *)(s + 1) + (size_t)(2 * i) * bytes;
        s->ready[i] = s->asked[i] + bytes;
    }
    return s;
}

static bool bit(const uint8_t *set, int fd)
{
    return set[fd / 8] >> (fd % 8) & 1;
}

static int read_sets(struct selection *s, const uintptr_t user[SETS], int n)
{
    for (int i = 0; i < SETS; i++)
        if (user[i] && copy_from_user(s->asked[i], user[i], ROUND_UP((size_t)n, 64) / 8))
            return -EFAULT;
    return 0;
}

static int write_sets(const struct selection *s, const uintptr_t user[SETS], int n)
{
    for (int i = 0; i < SETS; i++)
        if (user[i] && copy_to_user(user[i], s->ready[i], ROUND_UP((size_t)n, 64) / 8))
            return -EFAULT;
    return 0;
}

/* An entry for each descriptor, empty for those in no set. */
static int fill_selected(struct poll_entry *entries, const struct selection *s, int n)
{
    for (int fd = 0; fd < n; fd++) {
        for (int i = 0; i < SETS; i++)
            entries[fd].events |= bit(s->asked[i], fd) ? set_asks[i] : 0;
        if (!entries[fd].events)
            continue;
        entries[fd].file = fd_get(fd);
        if (!entries[fd].file)
            return -EBADF;
    }
    return 0;
}

/* How many bits are set in the answer. */
static int mark_ready(struct selection *s, const struct poll_entry *entries, int n)
{
    int count = 0;

    for (int fd = 0; fd < n; fd++) {
        for (int i = 0; i < SETS; i++) {
            if (!bit(s->asked[i], fd) || !(entries[fd].revents & set_means[i]))
                continue;
            s->ready[i][fd / 8] |= (uint8_t)(1 << (fd % 8));
            count++;
        }
    }
    return count;
}

static int64_t select_in(struct selection *s, struct poll_entry *entries, int n, const uintptr_t user[SETS],
                         uint64_t deadline)
{
    int ready = read_sets(s, user, n);

    if (!ready)
        ready = fill_selected(entries, s, n);
    if (!ready)
        ready = poll_files(entries, (size_t)n, deadline);
    if (ready >= 0) {
        ready = mark_ready(s, entries, n);
        if (write_sets(s, user, n))
            ready = -EFAULT;
    }
    put_files(entries, (size_t)n);
    return ready;
}

static int64_t select_until(int n, const uintptr_t user[SETS], uint64_t deadline)
{
    struct poll_entry *entries;
    struct selection *s;
    int64_t ready = -ENOMEM;

    if (n < 0)
        return -EINVAL;
    n = MIN(n, fd_table_size()); /* as Linux: what lies beyond is not looked at */
    entries = kzalloc((size_t)MAX(n, 1) * sizeof *entries);
    s = selection_alloc(n);
    if (entries && s)
        ready = select_in(s, entries, n, user, deadline);
    kfree(entries);
    kfree(s);
    return ready;
}

/* Linux tells how much of the time was left. */
static void time_left(uint64_t deadline, struct timeval *tv)
{
    uint64_t now = time_now(), left = deadline > now ? deadline - now : 0;

    *tv = (struct timeval){ (int64_t)(left / sec(1)), (int64_t)(left % sec(1) / us(1)) };
}

SYSCALL_DEFINE5(select, int, n, uintptr_t, readable, uintptr_t, writable, uintptr_t, exceptional, uintptr_t,
                timeout)
{
    const uintptr_t sets[SETS] = { readable, writable, exceptional };
    uint64_t deadline = TIME_NEVER;
    struct timeval tv;
    int64_t ready;

    if (timeout) {
        if (copy_from_user(&tv, timeout, sizeof tv))
            return -EFAULT;
        if (tv.tv_sec < 0 || tv.tv_usec < 0)
            return -EINVAL;
        const struct timespec ts = { MIN(tv.tv_sec, INT64_MAX / 2) + tv.tv_usec / 1000000,
                                     tv.tv_usec % 1000000 * 1000 };
        deadline = deadline_after(timespec_ns(&ts));
    }
    ready = select_until(n, sets, deadline);
    time_left(deadline, &tv);
    return timeout && copy_to_user(timeout, &tv, sizeof tv) ? -EFAULT : ready;
}

SYSCALL_DEFINE6(pselect6, int, n, uintptr_t, readable, uintptr_t, writable, uintptr_t, exceptional, uintptr_t,
                timeout, uintptr_t, user_mask)
{
    const uintptr_t sets[SETS] = { readable, writable, exceptional };
    uint64_t deadline, mask[2] = { 0, 0 }; /* the address of a mask and its size */
    int err = deadline_from_user(timeout, &deadline);

    if (!err && user_mask && copy_from_user(mask, user_mask, sizeof mask))
        err = -EFAULT;
    if (!err)
        err = temporary_mask_from_user(mask[0], mask[1]);
    return err ? err : tell_time_left(timeout, deadline, temporary_mask_end(select_until(n, sets, deadline)));
}
