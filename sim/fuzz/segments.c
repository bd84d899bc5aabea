/* sim/fuzz/segments.c - fuzz target: a TCP connection in any state, and what a peer, a program and bad luck
 * do to it (segments/story.h). Mutated by whole actions (segments/mutate.c). */
#include "sim/fuzz/fuzz.h"
#include "sim/fuzz/segments/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct story story;
    static struct world world;

    story_read(&story, data, size);
    world_begin(&world, &story);
    story_start(&world);
    world_check(&world);
    for (unsigned i = 0; i < story.n; i++) {
        story_act(&world, &story.actions[i]);
        world_check(&world);
    }
    world_end(&world);
    return 0;
}
