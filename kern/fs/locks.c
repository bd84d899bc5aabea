/* kern/fs/locks.c - who holds a lock on which part of which file, and who waits for one.
 *
 * One list of all that are held, one of all that are waited for, one lock. The locks of one owner on one file
 * do not overlap. A waiter looks again whenever something was released. Inodes count their locks, so that
 * closing a file without any costs one look. */
#include "kern/fs/locks.h"
#include "kern/mm/mm.h"
#include "kern/proc/process.h"
#include "lib/format.h"

enum { LOCKS_MAX = 4096 }; /* in all; the lists are walked with irqs off */
enum {
    DEADLOCK_STEPS = 10
}; /* owners in a row that wait for each other; a longer ring is not seen, as in Linux */

static struct spinlock lock = SPINLOCK_INIT("file locks", RANK_FILE_LOCKS);
static struct {
    struct list_head held, waiting; /* struct file_lock; set up at first use */
    struct waitq released;
    unsigned n; /* held */
} table;

static uint64_t table_lock(void)
{
    uint64_t flags = spin_lock(&lock);

    if (!table.held.next) {
        list_init(&table.held);
        list_init(&table.waiting);
        waitq_init(&table.released);
    }
    return flags;
}

struct file_lock lock_request(struct file *f, enum lock_kind kind, enum lock_type type, uint64_t start,
                              uint64_t end)
{
    return (struct file_lock){ .kind = kind,
                               .type = type,
                               .start = start,
                               .end = end,
                               .inode = f->inode,
                               .owner = kind == LOCK_KIND_POSIX ? (void *)current_files() : (void *)f,
                               .pid = kind == LOCK_KIND_OFD ? -1 : current_process()->pid };
}

/* ---- FILE_LOCKS lock held ---- */

static bool is_same_owner(const struct file_lock *a, const struct file_lock *b)
{
    return a->inode == b->inode && a->kind == b->kind && a->owner == b->owner;
}

static bool excludes(const struct file_lock *a, const struct file_lock *b)
{
    bool see_each_other = (a->kind == LOCK_KIND_FLOCK) == (b->kind == LOCK_KIND_FLOCK);

    return a->inode == b->inode && see_each_other && !is_same_owner(a, b) && a->start <= b->end &&
           b->start <= a->end && (a->type == LOCK_WRITE || b->type == LOCK_WRITE);
}

static struct file_lock *find_conflict(const struct file_lock *wanted)
{
    struct file_lock *l;

    if (wanted->type == LOCK_NONE)
        return NULL;
    list_for_each_entry (l, &table.held, link)
        if (excludes(l, wanted))
            return l;
    return NULL;
}

static struct file_lock *find_waiting(const void *owner)
{
    struct file_lock *l;

    list_for_each_entry (l, &table.waiting, link)
        if (l->kind == LOCK_KIND_POSIX && l->owner == owner)
            return l;
    return NULL;
}

/* Would wanted wait for somebody who waits for its owner? */
static bool would_deadlock(const struct file_lock *wanted)
{
    const struct file_lock *at = wanted;

    for (int i = 0; i < DEADLOCK_STEPS && at; i++) {
        const struct file_lock *blocker = find_conflict(at);
        if (!blocker || blocker->kind != LOCK_KIND_POSIX)
            return false;
        if (blocker->owner == wanted->owner)
            return true;
        at = find_waiting(blocker->owner);
    }
    return false;
}

static void add(struct file_lock *l)
{
    list_add_tail(&l->link, &table.held);
    table.n++;
    WRITE_ONCE(l->inode->locks, l->inode->locks + 1);
}

static void drop(struct file_lock *l)
{
    list_del(&l->link);
    table.n--;
    WRITE_ONCE(l->inode->locks, l->inode->locks - 1);
    kfree(l);
}

/* l and wanted are of one owner and type and touch or overlap: wanted takes l in. */
static bool swallow(struct file_lock *wanted, struct file_lock *l)
{
    bool touches = l->start <= wanted->end + 1 && wanted->start <= l->end + 1;

    if (l->type != wanted->type || !touches)
        return false;
    wanted->start = MIN(wanted->start, l->start);
    wanted->end = MAX(wanted->end, l->end);
    drop(l);
    return true;
}

/* Cut [start, end] out of l; what is left behind it goes to *spare, which is then used up. */
static void cut(struct file_lock *l, uint64_t start, uint64_t end, struct file_lock **spare)
{
    if (l->end < start || l->start > end)
        return;
    if (l->start < start && l->end > end) {
        **spare = *l;
        (*spare)->start = end + 1;
        add(*spare);
        *spare = NULL;
        l->end = start - 1;
    } else if (l->start < start) {
        l->end = start - 1;
    } else if (l->end > end) {
        l->start = end + 1;
    } else {
        drop(l);
    }
}

/* Nobody is in the way: the owner's locks become what is wanted. */
static void apply(const struct file_lock *wanted, struct file_lock **fresh, struct file_lock **spare)
{
    struct file_lock now = *wanted, *l, *next;

    list_for_each_entry_safe (l, next, &table.held, link)
        if (is_same_owner(l, wanted) && !swallow(&now, l))
            cut(l, wanted->start, wanted->end, spare);
    if (now.type != LOCK_NONE) {
        **fresh = now;
        add(*fresh);
        *fresh = NULL;
    }
    waitq_wake(&table.released);
}

/* flock() to another type lets the old one go before it asks for the new one. */
static void let_go_of_flock(const struct file_lock *wanted)
{
    struct file_lock *l, *next;

    list_for_each_entry_safe (l, next, &table.held, link)
        if (is_same_owner(l, wanted) && l->type != wanted->type) {
            drop(l);
            waitq_wake(&table.released);
        }
}

/* Until nobody is in the way. */
static int wait_for_turn(struct file_lock *wanted, bool wait, uint64_t *flags)
{
    int err = 0;

    while (!err && find_conflict(wanted)) {
        if (!wait)
            return -EAGAIN;
        if (wanted->kind == LOCK_KIND_POSIX && would_deadlock(wanted))
            return -EDEADLK;
        list_add_tail(&wanted->link, &table.waiting);
        err = waitq_wait_spin(&table.released, &lock, flags, TIME_NEVER);
        list_del(&wanted->link);
    }
    return err;
}

/* ---- not held ---- */

int lock_set(struct file_lock *wanted, bool wait)
{
    struct file_lock *fresh = kmalloc(sizeof *fresh), *spare = kmalloc(sizeof *spare);
    int err = fresh && spare ? 0 : -ENOLCK;
    uint64_t flags = table_lock();
    if (!err && wanted->type != LOCK_NONE && table.n >= LOCKS_MAX)
        err = -ENOLCK;
    if (!err && wanted->kind == LOCK_KIND_FLOCK)
        let_go_of_flock(wanted);
    if (!err)
        err = wait_for_turn(wanted, wait, &flags);
    if (!err)
        apply(wanted, &fresh, &spare);
    spin_unlock(&lock, flags);
    kfree(fresh);
    kfree(spare);
    return err;
}

bool lock_conflict(const struct file_lock *wanted, struct file_lock *found)
{
    uint64_t flags = table_lock();
    const struct file_lock *l = find_conflict(wanted);

    if (l)
        *found = *l;
    spin_unlock(&lock, flags);
    return l;
}

static void release(struct inode *inode, const void *owner)
{
    struct file_lock *l, *next;
    uint64_t flags;

    if (!inode || !READ_ONCE(inode->locks))
        return;
    flags = table_lock();
    list_for_each_entry_safe (l, next, &table.held, link)
        if (l->inode == inode && l->owner == owner)
            drop(l);
    waitq_wake(&table.released);
    spin_unlock(&lock, flags);
}

void lock_release_file(struct file *f)
{
    release(f->inode, f);
}

void lock_release_posix(struct files *files, struct file *f)
{
    release(f->inode, files);
}

/* ---- /proc/locks ---- */

static void show_one(struct textbuf *out, unsigned n, const struct file_lock *l, const char *arrow)
{
    static const char *const kinds[] = { "FLOCK ", "POSIX ", "OFDLCK" };

    textbuf_printf(out, "%u: %s%s ADVISORY  %s %d 00:%02x:%llu %llu ", n, arrow, kinds[l->kind],
                   l->type == LOCK_WRITE ? "WRITE" : "READ ", l->pid, inode_device(l->inode),
                   (unsigned long long)l->inode->ino, (unsigned long long)l->start);
    if (l->end == LOCK_END)
        textbuf_printf(out, "EOF\n");
    else
        textbuf_printf(out, "%llu\n", (unsigned long long)l->end);
}

static void show_waiting(struct textbuf *out, unsigned n, const struct file_lock *held)
{
    const struct file_lock *l;

    list_for_each_entry (l, &table.waiting, link)
        if (find_conflict(l) == held)
            show_one(out, n, l, "-> ");
}

void lock_show(struct textbuf *out)
{
    uint64_t flags = table_lock();
    const struct file_lock *l;
    unsigned n = 0;

    list_for_each_entry (l, &table.held, link) {
        show_one(out, ++n, l, "");
        show_waiting(out, n, l);
    }
    spin_unlock(&lock, flags);
}
