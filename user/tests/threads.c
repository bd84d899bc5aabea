/* user/tests/threads.c - POSIX threads as musl makes them: clone, futexes, thread-local storage. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { THREADS = 4, TURNS = 2000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long counter;
static int turn;
static __thread int own;

static void *count(void *arg)
{
    own = (int)(long)arg;
    for (int i = 0; i < TURNS; i++) {
        pthread_mutex_lock(&mutex);
        counter++;
        pthread_mutex_unlock(&mutex);
        if (i % 100 == 0)
            sched_yield();
    }
    return (void *)(long)(own * 10);
}

CASE(counting)
{
    pthread_t t[THREADS];
    long sum = 0;
    void *result;

    for (long i = 0; i < THREADS; i++)
        SHOW(pthread_create(&t[i], NULL, count, (void *)i));
    for (int i = 0; i < THREADS; i++) {
        SHOW(pthread_join(t[i], &result));
        sum += (long)result;
    }
    printf("counted %ld, results %ld, own %d\n", counter, sum, own);
}

static void *take_turns(void *arg)
{
    int me = (int)(long)arg;

    for (int i = 0; i < 50; i++) {
        pthread_mutex_lock(&mutex);
        while (turn != me)
            pthread_cond_wait(&changed, &mutex);
        turn = !me;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&mutex);
    }
    return NULL;
}

CASE(ping_pong)
{
    pthread_t a, b;

    pthread_create(&a, NULL, take_turns, (void *)0);
    pthread_create(&b, NULL, take_turns, (void *)1);
    SHOW(pthread_join(a, NULL));
    SHOW(pthread_join(b, NULL));
    printf("turn %d\n", turn);
}

CASE(timing_out)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += 20000000;
    if (t.tv_nsec >= 1000000000)
        t.tv_sec++, t.tv_nsec -= 1000000000;
    pthread_mutex_lock(&mutex);
    printf("timed out: %d\n", pthread_cond_timedwait(&changed, &mutex, &t) == ETIMEDOUT);
    pthread_mutex_unlock(&mutex);
}

static void *sleep_long(void *arg)
{
    struct timespec t = { 100, 0 };

    nanosleep(&t, NULL);
    return arg;
}

HELPER(tell)
{
    printf("%s: tid is pid: %d\n", argv[argc - 1], syscall(SYS_gettid) == getpid());
    return 9;
}

static void *exec_echo(void *arg)
{
    char *argv[] = { arg, "tell", "from a thread", NULL };

    execv(arg, argv);
    return NULL;
}

/* A process with threads asleep ends at once, by exit, by a signal, by exec. */
CASE(endings)
{
    int status;
    pthread_t t;

    if (!fork()) {
        pthread_create(&t, NULL, sleep_long, NULL);
        exit(5);
    }
    wait(&status);
    printf("exit: %d\n", WEXITSTATUS(status));
    if (!fork()) {
        pthread_create(&t, NULL, sleep_long, NULL);
        raise(SIGTERM);
        sleep_long(NULL);
    }
    wait(&status);
    printf("signal: %d\n", WTERMSIG(status));
    if (!fork()) {
        pthread_create(&t, NULL, exec_echo, this_program);
        sleep_long(NULL);
    }
    wait(&status);
    printf("exec: %d\n", WEXITSTATUS(status));
}

CASE(identities)
{
    SHOW(syscall(SYS_gettid) == getpid());
    SHOW(syscall(SYS_tgkill, getpid(), getpid(), 0));
    SHOW(syscall(SYS_tgkill, getpid(), 99999, 0));
}
