/* kern/mm/selftest.c - memory under use by all CPUs at once, and address spaces from inside. */
#include "kern/sched/selftest.h"
#include "kern/cpu/cpu.h"
#include "kern/mm/pagetable.h"
#include "kern/mm/slab.h"
#include "kern/mm/vm.h"
#include "kern/sched/thread.h"
#include "lib/abi/errno.h"
#include "lib/string.h"

enum { SLOTS = 48, STEPS = 4000, MAILBOXES = 32 };
#define USER_ADDRESS 0x10000000ull

static uint64_t pages_free(void)
{
    struct mm_stats s;
    mm_get_stats(&s);
    return s.free;
}

/* ---- pages ---- */

struct held_block {
    uint64_t *p;
    unsigned order;
};

/* Its first and last word say whose it is: a block given out twice is seen. */
static void mark(const struct held_block *b, uint64_t value)
{
    b->p[0] = b->p[(PAGE_SIZE << b->order) / 8 - 1] = value;
}

static bool is_marked(const struct held_block *b, uint64_t value)
{
    return b->p[0] == value && b->p[(PAGE_SIZE << b->order) / 8 - 1] == value;
}

static bool pages_on_cpu(unsigned cpu)
{
    struct held_block blocks[SLOTS] = { 0 };
    uint32_t seed = cpu + 1;
    for (unsigned i = 0; i < STEPS + SLOTS; i++) { /* the last steps give everything back */
        struct held_block *b = &blocks[i < STEPS ? selftest_random(&seed) % SLOTS : i - STEPS];
        if (b->p) {
            EXPECT(is_marked(b, (uint64_t)b));
            page_free(b->p, b->order);
            b->p = NULL;
        } else if (i < STEPS) {
            b->order = selftest_random(&seed) % 4;
            b->p = page_alloc(b->order);
            EXPECT(b->p && (uint64_t)b->p % ((uint64_t)PAGE_SIZE << b->order) == 0);
            mark(b, (uint64_t)b);
        }
    }
    return true;
}

static bool pages_come_back(void)
{
    EXPECT(
        selftest_on_all_cpus(pages_on_cpu)); /* leaves what the threads' own stacks and structs keep cached */
    uint64_t before = pages_free();
    EXPECT(selftest_on_all_cpus(pages_on_cpu));
    EXPECT(pages_free() + SLOTS >= before);
    return true;
}

static bool references_keep_a_page(void)
{
    uint64_t *p = page_alloc(0);
    EXPECT(p && page_refs(p) == 1);
    page_get(p);
    page_put(p);
    EXPECT(page_refs(p) == 1);
    page_put(p);
    return true;
}

static bool exhaustion_is_null(void)
{
    void *first = NULL, **p;
    while ((p = page_alloc(MAX_ORDER))) { /* a chain through the blocks */
        *p = first;
        first = p;
    }
    EXPECT(!page_alloc(MAX_ORDER));
    while ((p = first)) {
        first = *p;
        page_free(p, MAX_ORDER);
    }
    return true;
}

/* ---- slab ---- */

static void *mailboxes[MAILBOXES]; /* atomic; objects on their way from one CPU to another */

static bool object_is(const uint32_t *p)
{
    uint32_t size = p[0];
    return size >= 8 && size <= 4096 && p[size / 4 - 1] == size;
}

static bool slab_on_cpu(unsigned cpu)
{
    uint32_t seed = cpu + 77;
    for (unsigned i = 0; i < STEPS; i++) {
        uint32_t size = 8 + selftest_random(&seed) % 3000 / 4 * 4;
        uint32_t *p = kmalloc(size);
        EXPECT(p && (uint64_t)p % 16 == 0);
        p[0] = p[size / 4 - 1] = size;
        uint32_t *other =
            __atomic_exchange_n(&mailboxes[selftest_random(&seed) % MAILBOXES], p, __ATOMIC_ACQ_REL);
        EXPECT(!other || object_is(other));
        kfree(other);
    }
    return true;
}

static bool objects_cross_cpus(void)
{
    bool ok = selftest_on_all_cpus(slab_on_cpu);
    for (unsigned i = 0; i < MAILBOXES; i++) {
        kfree(mailboxes[i]);
        mailboxes[i] = NULL;
    }
    return ok;
}

static bool a_cache_gives_all_back(void)
{
    void *objects[SLOTS];
    uint64_t before = slab_pages();
    struct kmem_cache *c = kmem_cache_create("selftest", 700, 64);
    EXPECT(c);
    for (unsigned i = 0; i < SLOTS; i++) {
        objects[i] = kmem_cache_alloc(c);
        EXPECT(objects[i] && (uint64_t)objects[i] % 64 == 0);
        memset(objects[i], (int)i, 700);
    }
    EXPECT(c->taken >= SLOTS);
    for (unsigned i = 0; i < SLOTS; i++)
        kmem_cache_free(c, objects[i]);
    kmem_cache_destroy(c);
    EXPECT(slab_pages() <= before + 4); /* a front, and the struct's own slab */
    return true;
}

/* ---- the kernel's tables ---- */

static unsigned count_writable_code(const uint64_t *table, unsigned level)
{
    unsigned found = 0;
    for (unsigned i = level == LEVEL_ROOT ? TABLE_ENTRIES / 2 : 0; i < TABLE_ENTRIES; i++) {
        uint64_t entry = table[i];
        if (!(entry & PTE_PRESENT))
            continue;
        if (level > LEVEL_PAGE && !(entry & PTE_LARGE))
            found += count_writable_code(pte_page(entry), level - 1);
        else if ((entry & PTE_WRITE) && !(entry & PTE_NX))
            found++;
    }
    return found;
}

static bool nothing_is_writable_and_executable(void)
{
    EXPECT(count_writable_code(kernel_root, LEVEL_ROOT) == 0);
    return true;
}

static bool stacks_have_guards(void)
{
    uint8_t *stack = kstack_alloc();
    EXPECT(stack);
    stack[0] = stack[KSTACK_SIZE - 1] = 1;
    EXPECT(kstack_guard_hit((uint64_t)stack - 1) && !kstack_guard_hit((uint64_t)stack));
    EXPECT(!pagetable_walk(kernel_root, (uint64_t)stack - 1, LEVEL_PAGE, NULL) ||
           !*pagetable_walk(kernel_root, (uint64_t)stack - 1, LEVEL_PAGE, NULL));
    kstack_free(stack);
    return true;
}

/* ---- address spaces ---- */

static void enter_space(struct vm_space *vm)
{
    uint64_t flags = irq_save();
    current_thread()->vm = vm;
    vm_activate(vm);
    irq_restore(flags);
}

static bool user_word_is(uint64_t addr, uint64_t value)
{
    uint64_t v;
    return copy_from_user(&v, addr, sizeof v) == 0 && v == value;
}

static bool set_user_word(uint64_t addr, uint64_t value)
{
    return copy_to_user(addr, &value, sizeof value) == 0;
}

static bool try_regions(struct vm_space *vm)
{
    EXPECT(vm_map(vm, USER_ADDRESS, 4 * PAGE_SIZE, VM_READ | VM_WRITE, false) == (int64_t)USER_ADDRESS);
    EXPECT(vm_map(vm, USER_ADDRESS + PAGE_SIZE, PAGE_SIZE, VM_READ, false) == -EEXIST);
    EXPECT(user_word_is(USER_ADDRESS, 0) && set_user_word(USER_ADDRESS, 4));
    EXPECT(set_user_word(USER_ADDRESS + PAGE_SIZE, 5));
    EXPECT(vm_resident(vm) == 2);
    EXPECT(vm_protect(vm, USER_ADDRESS + PAGE_SIZE, PAGE_SIZE, VM_READ) == 0);
    EXPECT(!set_user_word(USER_ADDRESS + PAGE_SIZE, 6) && user_word_is(USER_ADDRESS + PAGE_SIZE, 5));
    EXPECT(vm_write(vm, USER_ADDRESS + 2 * PAGE_SIZE - 4, "abcdefgh", 8) == 0);
    EXPECT(!set_user_word(USER_ADDRESS + PAGE_SIZE, 6));
    EXPECT(vm_protect(vm, USER_ADDRESS + PAGE_SIZE, PAGE_SIZE, 0) == 0);
    EXPECT(!user_word_is(USER_ADDRESS + PAGE_SIZE, 5));
    EXPECT(vm_protect(vm, USER_ADDRESS, 4 * PAGE_SIZE, VM_READ | VM_WRITE) == 0);
    EXPECT(user_word_is(USER_ADDRESS + PAGE_SIZE, 5));
    EXPECT(vm_discard(vm, USER_ADDRESS, PAGE_SIZE) == 0 && user_word_is(USER_ADDRESS, 0));
    EXPECT(vm_discard(vm, USER_ADDRESS, 5 * PAGE_SIZE) == -ENOMEM); /* what is mapped goes all the same */
    EXPECT(user_word_is(USER_ADDRESS + PAGE_SIZE, 0) && set_user_word(USER_ADDRESS + PAGE_SIZE, 7));
    EXPECT(vm_unmap(vm, USER_ADDRESS + 3 * PAGE_SIZE, PAGE_SIZE) == 0);
    EXPECT(!set_user_word(USER_ADDRESS + 3 * PAGE_SIZE, 1) && !set_user_word(USER_TOP - 4, 1));
    EXPECT(!set_user_word((uint64_t)kernel_root, 1) && !set_user_word(0, 1));
    return true;
}

static bool try_brk_and_places(struct vm_space *vm)
{
    vm_set_brk_start(vm, 0x20000000);
    EXPECT(vm_brk(vm, 0x20000000 + 100) == 0x20000000 + 100 && set_user_word(0x20000000, 1));
    EXPECT(vm_brk(vm, 0x20000000 + 3 * PAGE_SIZE) == 0x20000000 + 3 * PAGE_SIZE);
    EXPECT(vm_brk(vm, 0x20000000) == 0x20000000 && !user_word_is(0x20000000, 1));
    int64_t a = vm_map(vm, 0, 3 * PAGE_SIZE, VM_READ | VM_WRITE, false), b = vm_map(vm, 0, 1, VM_READ, false);
    EXPECT(a > 0 && b > 0 && b + PAGE_SIZE <= a);
    EXPECT(vm_map(vm, USER_TOP - PAGE_SIZE, 2 * PAGE_SIZE, VM_READ, false) == -EINVAL);
    EXPECT(vm_unmap(vm, a, 3 * PAGE_SIZE) == 0 && vm_unmap(vm, b, PAGE_SIZE) == 0);
    return true;
}

static bool try_fork(struct vm_space *vm)
{
    struct vm_space *child = vm_fork(vm);
    EXPECT(child && vm_resident(child) == vm_resident(vm));
    EXPECT(set_user_word(USER_ADDRESS + PAGE_SIZE, 8)); /* the parent takes a copy */
    enter_space(child);
    bool old = user_word_is(USER_ADDRESS + PAGE_SIZE, 7) && set_user_word(USER_ADDRESS + PAGE_SIZE, 9);
    enter_space(vm);
    vm_put(child);
    EXPECT(old && user_word_is(USER_ADDRESS + PAGE_SIZE, 8));
    return true;
}

static bool a_space_keeps_its_promises(void)
{
    struct vm_space *vm = vm_create();
    EXPECT(vm);
    enter_space(vm);
    bool ok = try_regions(vm) && try_brk_and_places(vm) && try_fork(vm);
    enter_space(NULL);
    vm_put(vm);
    return ok;
}

static bool strings_are_measured(void)
{
    struct vm_space *vm = vm_create();
    char buf[16];
    EXPECT(vm);
    enter_space(vm);
    bool ok = vm_map(vm, USER_ADDRESS, PAGE_SIZE, VM_READ | VM_WRITE, false) > 0 &&
              vm_write(vm, USER_ADDRESS + PAGE_SIZE - 8, "towpath", 8) == 0 &&
              copy_string_from_user(buf, USER_ADDRESS + PAGE_SIZE - 8, sizeof buf) == 7 &&
              strcmp(buf, "towpath") == 0 &&
              copy_string_from_user(buf, USER_ADDRESS + PAGE_SIZE - 8, 7) == -ENAMETOOLONG &&
              clear_user(USER_ADDRESS + PAGE_SIZE - 1, 1) == 0 &&
              clear_user(USER_ADDRESS + PAGE_SIZE - 1, 2) == -EFAULT &&
              vm_write(vm, USER_ADDRESS + PAGE_SIZE - 1, "x", 1) == 0 &&
              copy_string_from_user(buf, USER_ADDRESS + PAGE_SIZE - 1, sizeof buf) == -EFAULT;
    enter_space(NULL);
    vm_put(vm);
    return ok;
}

static bool fork_on_cpu(unsigned cpu)
{
    (void)cpu;
    for (unsigned i = 0; i < 20; i++)
        if (!a_space_keeps_its_promises())
            return false;
    return true;
}

static bool spaces_on_all_cpus(void)
{
    EXPECT(selftest_on_all_cpus(fork_on_cpu));
    uint64_t before = pages_free();
    EXPECT(selftest_on_all_cpus(fork_on_cpu));
    EXPECT(pages_free() + SLOTS >= before);
    return true;
}

const struct selftest mm_selftests[] = {
    { "pages given out are nobody else's, and come back", pages_come_back },
    { "references keep a page", references_keep_a_page },
    { "no memory left is NULL, not an end", exhaustion_is_null },
    { "objects may be freed by another CPU", objects_cross_cpus },
    { "a destroyed cache gives its pages back", a_cache_gives_all_back },
    { "no page is both writable and executable", nothing_is_writable_and_executable },
    { "below a kernel stack nothing is mapped", stacks_have_guards },
    { "an address space keeps regions, heap and fork apart", a_space_keeps_its_promises },
    { "user strings end at a NUL, the room, or a fault", strings_are_measured },
    { "address spaces come and go on all CPUs", spaces_on_all_cpus },
    { 0 },
};
