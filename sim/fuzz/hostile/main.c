/* sim/fuzz/hostile/main.c - hostile stories by chance, one after the other: what `make hostile` runs.
 *
 * usage: hostile [COUNT] [SEED]
 * Each is a TCP connection in some state and what a peer does to it that means no good (sim/fuzz/segments/),
 * in a world of its own, with all that the fuzz target checks; but it needs no libFuzzer. A child runs them;
 * of one that kills it, the story is left in a file that build/fuzz/segments can play again. */
#include "sim/fuzz/segments/world.h"
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct shared {
    struct story story; /* the one that happens now */
    unsigned done;
    unsigned long actions, states[START_STATES];
} * shared;

static void run_all(unsigned count, uint64_t seed)
{
    for (; shared->done < count; shared->done++) {
        uint64_t chance = seed + shared->done;
        story_chance(&shared->story, &chance);
        story_happens(&shared->story);
        shared->actions += shared->story.n;
        shared->states[shared->story.start.state % START_STATES]++;
    }
}

static int keep_story(uint64_t seed)
{
    static uint8_t bytes[RECORD * (ACTIONS_MOST + 1)];
    size_t n = story_write(&shared->story, bytes, sizeof bytes);
    char name[64];
    FILE *file;

    snprintf(name, sizeof name, "build/hostile-%llu", (unsigned long long)(seed + shared->done));
    file = fopen(name, "wb");
    if (file) {
        fwrite(bytes, 1, n, file);
        fclose(file);
    }
    printf("story %llu FAILED; play it again: TELL=1 build/fuzz/segments %s\n",
           (unsigned long long)(seed + shared->done), name);
    return EXIT_FAILURE;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned states_begun(void)
{
    unsigned n = 0;

    for (unsigned i = 0; i < START_STATES; i++)
        n += shared->states[i] != 0;
    return n;
}

int main(int argc, char **argv)
{
    unsigned count = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 0) : 1000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    double start = now();
    int status;
    pid_t child;

    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        abort();
    child = fork();
    if (!child) {
        run_all(count, seed);
        exit(EXIT_SUCCESS);
    }
    if (waitpid(child, &status, 0) != child || status)
        return keep_story(seed);
    printf("%u hostile stories, %lu actions, from %u states, in %.1f s: nothing broke (seed %llu)\n",
           shared->done, shared->actions, states_begun(), now() - start, (unsigned long long)seed);
    return EXIT_SUCCESS;
}
