/* kern/proc/futex.c - futexes: a thread sleeps while a word of its memory has a value (futex(2)).
 *
 * A sleeper hangs itself in its bucket first and reads the word then; whoever changes the word looks into the
 * bucket afterwards. So either the sleeper sees the new value or the waker sees the sleeper, and user memory
 * is read without a lock. A word is known by address space and address, or by object and offset where it is
 * shared: an object's id is never used again, so a key may outlive what it names. */
#include "kern/proc/futex.h"
#include "kern/mm/vm.h"

enum { BUCKETS = 64 };

/* Which word. */
struct key {
    const struct vm_space *vm; /* NULL: a shared one */
    uint64_t object, at;
};

struct sleeper {
    struct list_head link;
    struct key key; /* FUTEX lock */
    uint32_t bits;
    struct thread *thread;
    bool woken;
};

static struct spinlock futex_lock = SPINLOCK_INIT("futex", RANK_FUTEX);
static struct list_head buckets[BUCKETS]; /* futex_lock; set up at first use */

static struct key key_of(struct vm_space *vm, uintptr_t addr, bool private)
{
    struct key k = { .vm = vm, .at = addr };

    if (!private && vm_shared_place(vm, addr, &k.object, &k.at))
        k.vm = NULL;
    return k;
}

/* FUTEX lock held. */
static struct list_head *bucket_of(const struct key *k)
{
    struct list_head *b = &buckets[(k->at / sizeof(uint32_t) + k->object) * 0x9e3779b97f4a7c15ull >> 58];

    if (!b->next)
        list_init(b);
    return b;
}

static void hang_in(struct sleeper *s)
{
    uint64_t flags = spin_lock(&futex_lock);

    list_add_tail(&s->link, bucket_of(&s->key));
    spin_unlock(&futex_lock, flags);
}

static bool take_out(struct sleeper *s)
{
    uint64_t flags = spin_lock(&futex_lock);

    list_del(&s->link);
    spin_unlock(&futex_lock, flags);
    return s->woken;
}

int futex_wait(uintptr_t addr, bool private, uint32_t value, uint32_t bits, uint64_t deadline)
{
    struct sleeper s = { .bits = bits, .thread = current_thread() };
    uint32_t now;
    int err;

    if (addr % sizeof value || !bits)
        return -EINVAL;
    s.key = key_of(current_process()->vm, addr, private);
    hang_in(&s);
    err = copy_from_user(&now, addr, sizeof now);
    if (!err && now != value)
        err = -EAGAIN;
    while (!err && !READ_ONCE(s.woken))
        err = wait_sleep(&s.woken, deadline);
    return take_out(&s) ? 0 : err;
}

/* futex_lock held. */
static bool matches(const struct sleeper *s, const struct key *k, uint32_t bits)
{
    return s->key.vm == k->vm && s->key.object == k->object && s->key.at == k->at && (s->bits & bits);
}

static void wake(struct sleeper *s)
{
    struct thread *thread = s->thread;

    list_del(&s->link);
    WRITE_ONCE(s->woken, true); /* the sleeper may be gone from here on; its thread is woken under the lock */
    thread_wake(thread);
}

int futex_wake(struct vm_space *vm, uintptr_t addr, bool private, unsigned n, uint32_t bits)
{
    const struct key k = key_of(vm, addr, private);
    uint64_t flags = spin_lock(&futex_lock);
    struct sleeper *s, *next;
    unsigned woken = 0;

    list_for_each_entry_safe (s, next, bucket_of(&k), link) {
        if (woken == n)
            break;
        if (!matches(s, &k, bits))
            continue;
        wake(s);
        woken++;
    }
    spin_unlock(&futex_lock, flags);
    return (int)woken;
}

int futex_requeue(uintptr_t addr, uintptr_t target, bool private, unsigned n, unsigned max)
{
    struct vm_space *vm = current_process()->vm;
    const struct key from = key_of(vm, addr, private), to = key_of(vm, target, private);
    uint64_t flags = spin_lock(&futex_lock);
    struct list_head movers; /* apart until the end: target may be in the same bucket, or addr itself */
    struct sleeper *s, *next;
    unsigned woken = 0, moved = 0;

    list_init(&movers);
    list_for_each_entry_safe (s, next, bucket_of(&from), link) {
        if (!matches(s, &from, UINT32_MAX))
            continue;
        if (woken < n) {
            wake(s);
            woken++;
        } else if (moved < max) {
            list_del(&s->link);
            s->key = to;
            list_add_tail(&s->link, &movers);
            moved++;
        }
    }
    list_splice_tail(&movers, bucket_of(&to));
    spin_unlock(&futex_lock, flags);
    return (int)(woken + moved);
}
