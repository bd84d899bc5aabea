/* bench/guest/processes.c - processes and threads made and ended. */
#define _GNU_SOURCE
#include "bench/guest/op.h"
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static char *const nothing[] = { "/bin/kbench", "nothing", NULL };
static char *const no_environment[] = { NULL };

static void wait_for(pid_t pid)
{
    int status;
    must(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0, "child");
}

static void fork_once(void)
{
    pid_t pid = fork();
    if (!pid)
        _exit(0);
    wait_for(pid);
}

static void fork_exit_wait(unsigned n)
{
    fork_once();
    region_begin();
    while (n--)
        fork_once();
    region_end();
}

/* The program is this one, static, where bench/kernel.py puts it. */
static void fork_exec_once(void)
{
    pid_t pid = fork();
    if (!pid) {
        execve(nothing[0], nothing, no_environment);
        _exit(1);
    }
    wait_for(pid);
}

static void fork_exec_wait(unsigned n)
{
    fork_exec_once();
    region_begin();
    while (n--)
        fork_exec_once();
    region_end();
}

static void vfork_exec_once(void)
{
    pid_t pid = vfork();
    if (!pid) {
        execve(nothing[0], nothing, no_environment);
        _exit(1);
    }
    wait_for(pid);
}

static void vfork_exec_wait(unsigned n)
{
    vfork_exec_once();
    region_begin();
    while (n--)
        vfork_exec_once();
    region_end();
}

static void *thread_main(void *arg)
{
    return arg;
}

static void thread_once(void)
{
    pthread_t thread;
    must(!pthread_create(&thread, NULL, thread_main, NULL), "pthread_create");
    pthread_join(thread, NULL);
}

static void thread_create_join(unsigned n)
{
    thread_once();
    region_begin();
    while (n--)
        thread_once();
    region_end();
}

/* ---- two threads that take turns ---- */

enum { WAIT = 128, WAKE = 129 }; /* futex(2), private; musl has no header for it */
static uint32_t turn;
static unsigned turns;

static void pass_to(uint32_t other)
{
    __atomic_store_n(&turn, other, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &turn, WAKE, 1, NULL);
}

static void await(uint32_t mine)
{
    while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) != mine)
        syscall(SYS_futex, &turn, WAIT, !mine, NULL);
}

static void *partner(void *arg)
{
    for (unsigned i = 0; i < turns; i++) {
        await(1);
        pass_to(0);
    }
    return arg;
}

static void futex_turns(unsigned n)
{
    pthread_t thread;
    turns = n + 1;
    must(!pthread_create(&thread, NULL, partner, NULL), "pthread_create");
    for (unsigned i = 0; i < turns; i++) {
        if (i == 1)
            region_begin();
        pass_to(1);
        await(0);
    }
    region_end();
    pthread_join(thread, NULL);
}

const struct op process_ops[] = {
    { "fork", 300, fork_exit_wait },        { "fork_exec", 100, fork_exec_wait },
    { "vfork_exec", 100, vfork_exec_wait }, { "thread", 300, thread_create_join },
    { "futex", 1000, futex_turns },         { 0 },
};
