/* user/tests/shared_stress.c - mapping, touching, truncating, forking and unmapping the same file from
 * several processes and threads at once: nothing may be lost or left over. */
#define _GNU_SOURCE
#include "user/tests/show.h"
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { PAGE = 4096, RW = PROT_READ | PROT_WRITE, PAGES = 24, ROUNDS = 150, WORKERS = 3 };

static _Thread_local sigjmp_buf back;
static int fd;

static void caught(int signo)
{
    siglongjmp(back, signo);
}

static unsigned chance(unsigned *seed)
{
    *seed = *seed * 1103515245 + 12345;
    return *seed >> 16;
}

/* Write to a page that may be gone at any moment. */
static void touch(char *p)
{
    if (!sigsetjmp(back, 1))
        for (int i = 0; i < PAGES; i++)
            p[i * PAGE]++;
}

static void *mapper(void *arg)
{
    unsigned seed = (unsigned)(size_t)arg;

    for (int i = 0; i < ROUNDS; i++) {
        int kind = chance(&seed) % 3 ? MAP_SHARED : MAP_PRIVATE;
        char *p = mmap(NULL, PAGES * PAGE, RW, kind, fd, 0);
        touch(p);
        mprotect(p + 4 * PAGE, 4 * PAGE, PROT_READ);
        munmap(p + chance(&seed) % PAGES * PAGE, PAGE);
        munmap(p, PAGES * PAGE);
    }
    return NULL;
}

static void *truncater(void *arg)
{
    unsigned seed = (unsigned)(size_t)arg;
    char text[100] = "text";

    for (int i = 0; i < ROUNDS; i++) {
        ftruncate(fd, chance(&seed) % (PAGES * PAGE));
        pwrite(fd, text, sizeof text, chance(&seed) % (PAGES * PAGE));
        pread(fd, text, sizeof text, chance(&seed) % (PAGES * PAGE));
    }
    return NULL;
}

static void *forker(void *arg)
{
    char *p = mmap(NULL, PAGES * PAGE, RW, MAP_SHARED, fd, 0);

    for (int i = 0; i < ROUNDS / 10; i++) {
        if (!fork()) {
            touch(p);
            _exit(0);
        }
        touch(p);
        wait(NULL);
    }
    munmap(p, PAGES * PAGE);
    return arg;
}

static void work(int worker)
{
    void *(*const parts[])(void *) = { mapper, truncater, forker };
    pthread_t threads[3];

    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, parts[i], (void *)(size_t)(worker * 3 + i));
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    char path[] = "stress-XXXXXX";
    int status, failed = 0;

    fd = mkstemp(path);
    unlink(path);
    signal(SIGBUS, caught);
    for (int i = 0; i < WORKERS; i++)
        if (!fork()) {
            work(i);
            _exit(0);
        }
    for (int i = 0; i < WORKERS; i++) {
        wait(&status);
        failed += status != 0;
    }
    printf("failed %d\n", failed);
    ftruncate(fd, 0);
    ftruncate(fd, PAGE);
    char *p = mmap(NULL, PAGE, RW, MAP_SHARED, fd, 0);
    printf("empty %d\n", p[0]);
    return failed;
}
