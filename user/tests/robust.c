/* user/tests/robust.c - mutexes whose owner dies, words that one call changes and wakes, barriers, orphaned
 * groups. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

/* linux/futex.h, which not every C library's headers have */
enum { FUTEX_WAIT_PRIVATE = 0 | 128, FUTEX_WAKE_OP_PRIVATE = 5 | 128 };
enum { FUTEX_OP_SET, FUTEX_OP_ADD, FUTEX_OP_OR, FUTEX_OP_ANDN, FUTEX_OP_XOR, FUTEX_OP_OPARG_SHIFT = 8 };
enum { FUTEX_OP_CMP_EQ, FUTEX_OP_CMP_LE = 3, FUTEX_OP_CMP_GT };
#define FUTEX_OP(op, arg, cmp, with)                                                                         \
    ((uint32_t)(op) << 28 | (uint32_t)(cmp) << 24 | ((uint32_t)(arg)&0xfff) << 12 | ((uint32_t)(with)&0xfff))
struct robust_list {
    struct robust_list *next;
};
struct robust_list_head {
    struct robust_list list;
    long futex_offset;
    struct robust_list *list_op_pending;
};

static pthread_mutex_t *shared_mutex(void)
{
    pthread_mutex_t *m = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t a;

    pthread_mutexattr_init(&a);
    pthread_mutexattr_setrobust(&a, PTHREAD_MUTEX_ROBUST);
    pthread_mutexattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(m, &a);
    return m;
}

static void *lock_and_end(void *m)
{
    pthread_mutex_lock(m);
    return NULL;
}

CASE(a_thread_dies_with_a_mutex)
{
    pthread_mutex_t *m = shared_mutex();
    pthread_t thread;

    pthread_create(&thread, NULL, lock_and_end, m);
    pthread_join(thread, NULL);
    printf("the owner died: %d\n", pthread_mutex_lock(m) == EOWNERDEAD);
    printf("%d\n", pthread_mutex_consistent(m));
    printf("%d\n", pthread_mutex_unlock(m));
    printf("%d\n", pthread_mutex_lock(m));
}

CASE(a_process_is_killed_with_a_mutex)
{
    pthread_mutex_t *m = shared_mutex();
    int status;
    pid_t pid = fork();

    if (!pid) {
        pthread_mutex_lock(m);
        raise(SIGKILL);
    }
    waitpid(pid, &status, 0);
    printf("the owner died: %d\n", pthread_mutex_lock(m) == EOWNERDEAD);
}

CASE(one_who_waits_is_woken_by_the_death)
{
    pthread_mutex_t *m = shared_mutex();
    int ready[2], status;
    char c;
    pid_t pid;

    pipe(ready);
    pid = fork();
    if (!pid) {
        pthread_mutex_lock(m);
        write(ready[1], "x", 1);
        usleep(30000);
        _exit(0);
    }
    read(ready[0], &c, 1);
    printf("the owner died: %d\n", pthread_mutex_lock(m) == EOWNERDEAD);
    waitpid(pid, &status, 0);
}

CASE(lists_that_lead_anywhere)
{
    struct robust_list_head head = { .futex_offset = 8 };
    struct robust_list loop = { &loop };
    int status;

    SHOW(syscall(SYS_set_robust_list, &head, 23));
    for (int i = 0; i < 4; i++) {
        pid_t pid = fork();
        if (!pid) {
            head.list.next = i == 0   ? (void *)8
                             : i == 1 ? &loop
                             : i == 2 ? &head.list
                                      : (void *)(uintptr_t)-16;
            head.list_op_pending = i == 2 ? (void *)(uintptr_t)0xffffffff80000000 : NULL;
            syscall(SYS_set_robust_list, i == 3 ? (void *)(uintptr_t)-4096 : &head, sizeof head);
            _exit(i);
        }
        waitpid(pid, &status, 0);
        printf("%d\n", WEXITSTATUS(status));
    }
}

static uint32_t word, other;

static void *sleep_on_other(void *arg)
{
    (void)arg;
    syscall(SYS_futex, &other, FUTEX_WAIT_PRIVATE, 5, NULL, NULL, 0);
    return NULL;
}

CASE(a_word_is_changed_and_sleepers_woken)
{
    pthread_t thread;
    long woken = 0;

    other = 5;
    pthread_create(&thread, NULL, sleep_on_other, NULL);
    for (int i = 0; i < 1000 && !woken; i++) { /* until it sleeps */
        other = 5;
        usleep(1000);
        woken = syscall(SYS_futex, &word, FUTEX_WAKE_OP_PRIVATE, 1, 1, &other,
                        FUTEX_OP(FUTEX_OP_ADD, 2, FUTEX_OP_CMP_EQ, 5));
    }
    printf("woken %ld, the word %u\n", woken, other);
    pthread_join(thread, NULL);
    SHOW(syscall(SYS_futex, &word, FUTEX_WAKE_OP_PRIVATE, 1, 1, &other,
                 FUTEX_OP(FUTEX_OP_SET, 9, FUTEX_OP_CMP_GT, 100)));
    SHOW(syscall(SYS_futex, &word, FUTEX_WAKE_OP_PRIVATE, 1, 1, &other,
                 FUTEX_OP(FUTEX_OP_OR, 6, FUTEX_OP_CMP_LE, -1)));
    SHOW(syscall(SYS_futex, &word, FUTEX_WAKE_OP_PRIVATE, 1, 1, &other, FUTEX_OP(FUTEX_OP_ANDN, 1, 0, 0)));
    SHOW(syscall(SYS_futex, &word, FUTEX_WAKE_OP_PRIVATE, 1, 1, &other,
                 FUTEX_OP(FUTEX_OP_XOR | FUTEX_OP_OPARG_SHIFT, 4, 0, 0)));
    printf("%u\n", other);
    SHOW(syscall(SYS_futex, &word, FUTEX_WAKE_OP_PRIVATE, 1, 1, &other, FUTEX_OP(7, 6, 0, 0)));
    SHOW(syscall(SYS_futex, &word, FUTEX_WAKE_OP_PRIVATE, 1, 1, (void *)8, FUTEX_OP(0, 6, 0, 0)));
}

/* Their leader's end orphans the group: who is stopped is hung up and goes on, and ^Z stops nobody any more.
 */
CASE(an_orphaned_group)
{
    int told[2];
    char c;
    pid_t middle;

    pipe(told);
    middle = fork();
    if (!middle) {
        pid_t pid = fork();
        if (!pid) {
            setpgid(0, 0);
            signal(SIGHUP, SIG_IGN);
            raise(SIGSTOP);
            write(told[1], "c", 1);
            signal(SIGTSTP, SIG_DFL);
            raise(SIGTSTP);
            write(told[1], "t", 1);
            _exit(0);
        }
        int status;
        waitpid(pid, &status, WUNTRACED);
        _exit(0);
    }
    waitpid(middle, NULL, 0);
    read(told[0], &c, 1);
    printf("%c: it goes on\n", c);
    read(told[0], &c, 1);
    printf("%c: and does not stop\n", c);
}
