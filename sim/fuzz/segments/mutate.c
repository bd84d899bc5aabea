/* sim/fuzz/segments/mutate.c - libFuzzer's mutator and crossover for stories: whole actions come, go, move
 * and are repeated; one field of one changes; or libFuzzer itself changes the bytes of one, which is how what
 * it has seen compared finds its way in. */
#include "lib/compiler.h"
#include "sim/fuzz/fuzz.h"
#include "sim/fuzz/segments/story.h"
#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t most, unsigned seed);

static void insert(struct story *s, unsigned at, struct action a)
{
    if (s->n == ACTIONS_MOST)
        return;
    memmove(&s->actions[at + 1], &s->actions[at], (s->n - at) * sizeof a);
    s->actions[at] = a;
    s->n++;
}

static void take_out(struct story *s, unsigned at, unsigned n)
{
    n = MIN(n, s->n - at);
    memmove(&s->actions[at], &s->actions[at + n], (s->n - at - n) * sizeof s->actions[0]);
    s->n -= n;
}

/* A run of actions once more, somewhere. */
static void repeat(struct story *s, unsigned from, unsigned n, unsigned to)
{
    struct action run[8];

    n = MIN(n, s->n - from);
    n = MIN(n, (unsigned)ARRAY_SIZE(run));
    memcpy(run, &s->actions[from], n * sizeof run[0]);
    for (unsigned i = 0; i < n; i++)
        insert(s, to, run[n - 1 - i]);
}

static void swap(struct story *s, unsigned i, unsigned j)
{
    struct action a = s->actions[i];

    s->actions[i] = s->actions[j];
    s->actions[j] = a;
}

/* One field of the start as another start has it. */
static void change_start(struct start *start, uint64_t *chance)
{
    struct start other = story_chance_start(chance);
    unsigned at = chance_next(chance) % sizeof other;

    memcpy((uint8_t *)start + at, (uint8_t *)&other + at, 1);
}

static void change(struct story *s, uint64_t *chance)
{
    unsigned i = s->n ? chance_next(chance) % s->n : 0, j = s->n ? chance_next(chance) % s->n : 0;

    switch (s->n ? chance_next(chance) % 12 : chance_next(chance) % 2) {
    case 0:
    case 2:
    case 3:
        insert(s, i, story_chance_action(chance));
        break;
    case 1:
        change_start(&s->start, chance);
        break;
    case 4:
        take_out(s, i, 1 + chance_next(chance) % 4);
        break;
    case 5:
        repeat(s, i, 1 + chance_next(chance) % 8, j);
        break;
    case 6:
        swap(s, i, j);
        break;
    case 7:
        LLVMFuzzerMutate((uint8_t *)&s->actions[i], RECORD, RECORD);
        break;
    case 8:
        insert(s, s->n, story_chance_action(chance)); /* where the story had ended */
        break;
    default:
        story_change_action(&s->actions[i], chance);
    }
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    static struct story s;
    uint64_t chance = seed;

    story_read(&s, data, size);
    for (unsigned n = 1 + chance_next(&chance) % 4; n; n--)
        change(&s, &chance);
    return story_write(&s, data, most);
}

/* The start of either; the beginning of one and the end of the other. */
size_t LLVMFuzzerCustomCrossOver(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size,
                                 uint8_t *out, size_t most, unsigned seed)
{
    static struct story first, second;
    uint64_t chance = seed;
    unsigned from;

    story_read(&first, a, a_size);
    story_read(&second, b, b_size);
    if (chance_next(&chance) & 1)
        first.start = second.start;
    first.n = chance_next(&chance) % (first.n + 1);
    from = chance_next(&chance) % (second.n + 1);
    for (unsigned i = from; i < second.n; i++)
        insert(&first, first.n, second.actions[i]);
    return story_write(&first, out, most);
}
