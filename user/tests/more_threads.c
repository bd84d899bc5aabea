/* user/tests/more_threads.c - threads that wait for, interrupt and outlive each other. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { THREADS = 8 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int shared;

static void nap(int milliseconds)
{
    struct timespec t = { milliseconds / 1000, milliseconds % 1000 * 1000000L };

    nanosleep(&t, NULL);
}

static void run(void *(*fn)(void *), int n)
{
    pthread_t t[THREADS];

    for (long i = 0; i < n; i++)
        pthread_create(&t[i], NULL, fn, (void *)i);
    for (int i = 0; i < n; i++)
        pthread_join(t[i], NULL);
}

static void *atomically(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20000; i++)
        __atomic_fetch_add(&shared, 1, __ATOMIC_RELAXED);
    return NULL;
}

CASE(adding_atomically)
{
    run(atomically, THREADS);
    SHOW(shared);
}

static void *under_mutex(void *arg)
{
    (void)arg;
    for (int i = 0; i < 3000; i++) {
        pthread_mutex_lock(&mutex);
        shared++;
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

CASE(adding_under_a_mutex)
{
    run(under_mutex, THREADS);
    SHOW(shared);
}

CASE(kinds_of_mutexes)
{
    pthread_mutexattr_t attr;
    pthread_mutex_t m;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&m, &attr);
    SHOW(pthread_mutex_lock(&m));
    printf("%s\n", errno_name(pthread_mutex_lock(&m)));
    SHOW(pthread_mutex_unlock(&m));
    printf("%s\n", errno_name(pthread_mutex_unlock(&m)));
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&m, &attr);
    SHOW(pthread_mutex_lock(&m));
    SHOW(pthread_mutex_lock(&m));
    SHOW(pthread_mutex_unlock(&m));
    SHOW(pthread_mutex_unlock(&m));
    SHOW(pthread_mutex_trylock(&mutex));
    printf("%s\n", errno_name(pthread_mutex_trylock(&mutex)));
    struct timespec past = { 1, 0 };
    printf("%s\n", errno_name(pthread_mutex_timedlock(&mutex, &past)));
}

static void *await_change(void *arg)
{
    (void)arg;
    pthread_mutex_lock(&mutex);
    while (!shared)
        pthread_cond_wait(&changed, &mutex);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void *change(void *arg)
{
    if (arg) {
        nap(30);
        pthread_mutex_lock(&mutex);
        shared = 1;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
    } else {
        await_change(NULL);
    }
    return NULL;
}

CASE(woken_all_at_once)
{
    pthread_t t[5];

    for (long i = 0; i < 5; i++)
        pthread_create(&t[i], NULL, change, (void *)(long)(i == 4));
    for (int i = 0; i < 5; i++)
        SHOW(pthread_join(t[i], NULL));
}

static pthread_barrier_t barrier;
static int arrived, early;

static void *meet(void *arg)
{
    (void)arg;
    for (int i = 0; i < 20; i++) {
        __atomic_fetch_add(&arrived, 1, __ATOMIC_SEQ_CST);
        pthread_barrier_wait(&barrier);
        if (__atomic_load_n(&arrived, __ATOMIC_SEQ_CST) < 4 * (i + 1))
            early++;
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

CASE(meeting_at_a_barrier)
{
    pthread_barrier_init(&barrier, NULL, 4);
    run(meet, 4);
    SHOW(arrived);
    SHOW(early);
}

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static int pair[2], torn;

static void *read_or_write(void *arg)
{
    for (int i = 0; i < 2000; i++)
        if ((long)arg == 0) {
            pthread_rwlock_wrlock(&rw);
            pair[0]++;
            pair[1]++;
            pthread_rwlock_unlock(&rw);
        } else {
            pthread_rwlock_rdlock(&rw);
            torn += pair[0] != pair[1];
            pthread_rwlock_unlock(&rw);
        }
    return NULL;
}

CASE(readers_and_a_writer)
{
    run(read_or_write, 4);
    SHOW(pair[0]);
    SHOW(torn);
}

static sem_t items, room;
static int queue[4], put_at, get_at;

static void *produce(void *arg)
{
    (void)arg;
    for (int i = 1; i <= 500; i++) {
        sem_wait(&room);
        queue[put_at++ % 4] = i;
        sem_post(&items);
    }
    return NULL;
}

CASE(producer_and_consumer)
{
    pthread_t t;
    long sum = 0;

    sem_init(&items, 0, 0);
    sem_init(&room, 0, 4);
    pthread_create(&t, NULL, produce, NULL);
    for (int i = 0; i < 500; i++) {
        sem_wait(&items);
        sum += queue[get_at++ % 4];
        sem_post(&room);
    }
    pthread_join(t, NULL);
    SHOW(sum);
    SHOW(sem_trywait(&items));
    struct timespec past = { 1, 0 };
    SHOW(sem_timedwait(&items, &past));
}

static pthread_key_t key;
static int destroyed;

static void destroy(void *p)
{
    destroyed += (int)(long)p;
}

static void *own_value(void *arg)
{
    pthread_setspecific(key, (void *)((long)arg + 1));
    nap(5);
    return pthread_getspecific(key);
}

CASE(values_of_their_own)
{
    pthread_key_create(&key, destroy);
    run(own_value, 4);
    SHOW(destroyed);
    SHOW(pthread_getspecific(key) == NULL);
}

static void *own_errno(void *arg)
{
    close(arg ? -1 : open("/dev/null", O_RDONLY));
    if (!arg)
        open("/nothing", O_RDONLY);
    nap(20);
    return (void *)(long)errno;
}

CASE(errors_of_their_own)
{
    pthread_t a, b;
    void *one, *two;

    pthread_create(&a, NULL, own_errno, NULL);
    pthread_create(&b, NULL, own_errno, (void *)1);
    pthread_join(a, &one);
    pthread_join(b, &two);
    printf("%s %s\n", errno_name((int)(long)one), errno_name((int)(long)two));
}

static void *identity(void *arg)
{
    (void)arg;
    return (void *)(long)((getpid() == *(pid_t *)arg) * 2 + (syscall(SYS_gettid) != getpid()));
}

CASE(one_process_many_threads)
{
    pthread_t t;
    pid_t pid = getpid();
    void *result;

    pthread_create(&t, NULL, identity, &pid);
    pthread_join(t, &result);
    SHOW((long)result);
    SHOW(syscall(SYS_gettid) == getpid());
}

static __thread int signals_here;
static int took[2];

static void on_signal(int signo)
{
    (void)signo;
    signals_here++;
}

static void *take_signals(void *arg)
{
    for (int i = 0; i < 100 && !signals_here; i++)
        nap(10);
    took[(long)arg] = signals_here;
    return NULL;
}

CASE(a_signal_for_one_thread)
{
    pthread_t a, b;

    signal(SIGUSR1, on_signal);
    pthread_create(&a, NULL, take_signals, (void *)0);
    pthread_create(&b, NULL, take_signals, (void *)1);
    nap(20);
    SHOW(pthread_kill(b, SIGUSR1));
    pthread_join(b, NULL);
    pthread_kill(a, SIGUSR1);
    pthread_join(a, NULL);
    printf("%d %d %d\n", took[0], took[1], signals_here);
}

/* One for the process goes to a thread that does not block it. */
CASE(a_signal_for_whoever_takes_it)
{
    sigset_t block;
    pthread_t t;

    signal(SIGUSR1, on_signal);
    pthread_create(&t, NULL, take_signals, (void *)0);
    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &block, NULL);
    nap(20);
    kill(getpid(), SIGUSR1);
    pthread_join(t, NULL);
    printf("%d %d\n", took[0], signals_here);
}

static void *await_signal(void *arg)
{
    int signo = 0;

    sigwait(arg, &signo);
    return (void *)(long)signo;
}

CASE(a_thread_that_waits_for_signals)
{
    sigset_t set;
    pthread_t t;
    void *result;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    pthread_create(&t, NULL, await_signal, &set);
    nap(20);
    kill(getpid(), SIGUSR2);
    pthread_join(t, &result);
    SHOW((long)result);
}

static int pipe_ends[2];

static void *read_for_ever(void *arg)
{
    char c;

    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, NULL);
    read(pipe_ends[0], &c, 1);
    return arg;
}

CASE(a_cancelled_thread)
{
    pthread_t t;
    void *result;

    pipe(pipe_ends);
    pthread_create(&t, NULL, read_for_ever, NULL);
    nap(30);
    SHOW(pthread_cancel(t));
    SHOW(pthread_join(t, &result));
    SHOW(result == PTHREAD_CANCELED);
}

static void *fork_here(void *arg)
{
    int status;
    pid_t pid = fork();

    (void)arg;
    if (!pid)
        _exit(syscall(SYS_gettid) == getpid() ? 4 : 5); /* alone in the child */
    waitpid(pid, &status, 0);
    return (void *)(long)WEXITSTATUS(status);
}

CASE(a_thread_forks)
{
    pthread_t t;
    void *result;

    pthread_create(&t, NULL, fork_here, NULL);
    pthread_join(t, &result);
    SHOW((long)result);
}

static void *end_later(void *arg)
{
    (void)arg;
    nap(50);
    say("the last thread");
    _exit(6);
}

CASE(the_first_thread_ends_first)
{
    pthread_t t;

    pthread_create(&t, NULL, end_later, NULL);
    syscall(SYS_exit, 0);
}

static void *exit_all(void *arg)
{
    (void)arg;
    nap(20);
    _exit(7);
}

CASE(any_thread_ends_the_process)
{
    pthread_t t;
    int status;

    if (!fork()) {
        pthread_create(&t, NULL, exit_all, NULL);
        for (;;)
            pause();
    }
    wait(&status);
    SHOW(WEXITSTATUS(status));
}

static void *crash(void *arg)
{
    *(volatile int *)arg = 1;
    return NULL;
}

CASE(any_threads_fault_ends_the_process)
{
    pthread_t t;
    int status;

    if (!fork()) {
        pthread_create(&t, NULL, crash, NULL);
        for (;;)
            pause();
    }
    wait(&status);
    SHOW(WTERMSIG(status));
}

static void *do_nothing(void *arg)
{
    return arg;
}

CASE(many_short_threads)
{
    int failed = 0;

    for (int i = 0; i < 500; i++) {
        pthread_t t;
        void *result;
        failed += pthread_create(&t, NULL, do_nothing, (void *)(long)i) || pthread_join(t, &result) ||
                  (long)result != i;
    }
    SHOW(failed);
}

CASE(many_threads_at_once)
{
    static pthread_t t[100];
    int made = 0;

    for (int i = 0; i < 100; i++)
        made += !pthread_create(&t[i], NULL, await_change, NULL);
    SHOW(made);
    nap(20);
    pthread_mutex_lock(&mutex);
    shared = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    for (int i = 0; i < made; i++)
        pthread_join(t[i], NULL);
    say("all ended");
}

CASE(detached)
{
    pthread_attr_t attr;
    pthread_t t;

    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    for (int i = 0; i < 50; i++)
        if (pthread_create(&t, &attr, do_nothing, NULL))
            say("no more");
    nap(50);
    say("all gone");
}

/* A futex in memory that two processes share. */
CASE(a_mutex_between_processes)
{
    struct {
        pthread_mutex_t m;
        int n;
    } *both = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_mutexattr_t attr;

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutex_init(&both->m, &attr);
    for (int i = 0; i < 2; i++)
        if (!fork()) {
            for (int j = 0; j < 3000; j++) {
                pthread_mutex_lock(&both->m);
                both->n++;
                pthread_mutex_unlock(&both->m);
            }
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    SHOW(both->n);
}
