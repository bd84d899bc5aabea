/* kern/proc/futex_owner.c - words that name their owner: robust lists, and the changes of a word that the
 * kernel makes.
 *
 * A robust mutex's word has the tid of its owner, a bit that says that somebody waits, and one that says that
 * its owner died holding it (set_robust_list(2)). A thread that ends walks the list of those it holds: each
 * word that still names it gets the last bit, and one who waits is woken to find it. The list is the user's:
 * it may lead anywhere, so it is cut at ROBUST_MOST, and what cannot be read ends it. */
#include "kern/mm/vm.h"
#include "kern/proc/futex.h"
#include "lib/abi/process.h"

enum { ROBUST_MOST = 2048 };
struct robust_list_head { /* linux/futex.h */
    uint64_t next;
    int64_t offset;   /* from an entry to its word */
    uint64_t pending; /* being taken or let go of */
};
_Static_assert(sizeof(struct robust_list_head) == ROBUST_HEAD_SIZE, "the ABI's size");

/* Set the word's bit for the death of its owner tid, if it is that. */
static void owner_died(uintptr_t word, int tid)
{
    struct vm_space *vm = current_process()->vm;
    uint32_t old, seen;

    if (word % sizeof old || copy_from_user(&old, word, sizeof old))
        return;
    for (;;) {
        if ((old & FUTEX_TID_MASK) != (uint32_t)tid)
            return;
        if (user_compare_exchange(word, old, (old & FUTEX_WAITERS) | FUTEX_OWNER_DIED, &seen))
            return;
        if (seen == old)
            break;
        old = seen;
    }
    if (old & FUTEX_WAITERS)
        futex_wake(vm, word, false, 1, UINT32_MAX);
}

/* An entry's lowest bit says that priorities are inherited; that makes no difference here. */
static uintptr_t word_of(const struct robust_list_head *head, uint64_t entry)
{
    return (entry & ~1ull) + (uint64_t)head->offset;
}

void futex_thread_ends(struct task *t)
{
    struct robust_list_head head;
    uint64_t entry, next;

    if (!t->robust_list || copy_from_user(&head, t->robust_list, sizeof head))
        return;
    entry = head.next;
    for (unsigned n = 0; n < ROBUST_MOST && (entry & ~1ull) != t->robust_list; n++) {
        bool more = !copy_from_user(&next, entry & ~1ull, sizeof next);
        if (entry != head.pending)
            owner_died(word_of(&head, entry), t->tid);
        if (!more)
            break;
        entry = next;
    }
    if (head.pending)
        owner_died(word_of(&head, head.pending), t->tid);
}

/* ---- FUTEX_WAKE_OP ---- */

static bool changed_word(unsigned op, uint32_t old, uint32_t arg, uint32_t *new)
{
    switch (op) {
    case FUTEX_OP_SET:
        *new = arg;
        return true;
    case FUTEX_OP_ADD:
        *new = old + arg;
        return true;
    case FUTEX_OP_OR:
        *new = old | arg;
        return true;
    case FUTEX_OP_ANDN:
        *new = old & ~arg;
        return true;
    case FUTEX_OP_XOR:
        *new = old ^ arg;
        return true;
    default:
        return false;
    }
}

/* 1 or 0, -1: there is no such comparison. */
static int compares(unsigned cmp, int32_t old, int32_t arg)
{
    switch (cmp) {
    case FUTEX_OP_CMP_EQ:
        return old == arg;
    case FUTEX_OP_CMP_NE:
        return old != arg;
    case FUTEX_OP_CMP_LT:
        return old < arg;
    case FUTEX_OP_CMP_LE:
        return old <= arg;
    case FUTEX_OP_CMP_GT:
        return old > arg;
    case FUTEX_OP_CMP_GE:
        return old >= arg;
    default:
        return -1;
    }
}

/* The 12 bits of an encoded argument, as a signed number. */
static int32_t argument(uint32_t bits)
{
    return (int32_t)(bits << 20) >> 20;
}

/* Change the word by op and arg in one step; what it was. 0, -EFAULT or -ENOSYS. */
static int change_word(uintptr_t addr, unsigned op, uint32_t arg, uint32_t *old)
{
    uint32_t seen, new;

    if (copy_from_user(old, addr, sizeof *old))
        return -EFAULT;
    for (;;) {
        if (!changed_word(op, *old, arg, &new))
            return -ENOSYS;
        if (user_compare_exchange(addr, *old, new, &seen))
            return -EFAULT;
        if (seen == *old)
            return 0;
        *old = seen;
    }
}

int futex_wake_op(uintptr_t addr, uintptr_t addr2, bool private, unsigned n, unsigned n2, uint32_t encoded)
{
    struct vm_space *vm = current_process()->vm;
    unsigned op = encoded >> 28 & 7, cmp = encoded >> 24 & 15;
    uint32_t arg = (uint32_t)argument(encoded >> 12 & 0xfff), old;
    int err, woken, second;

    if (encoded >> 28 & FUTEX_OP_OPARG_SHIFT)
        arg = 1u << (arg & 31);
    if (addr2 % sizeof old)
        return -EINVAL;
    err = change_word(addr2, op, arg, &old);
    if (err)
        return err;
    second = compares(cmp, (int32_t)old, argument(encoded & 0xfff));
    if (second < 0)
        return -ENOSYS;
    woken = futex_wake(vm, addr, private, n, UINT32_MAX);
    return second ? woken + futex_wake(vm, addr2, private, n2, UINT32_MAX) : woken;
}
