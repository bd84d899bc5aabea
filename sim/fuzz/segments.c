/* sim/fuzz/segments.c - fuzz target: a TCP connection in any state, and what a peer, a program and bad luck
 * do to it (segments/story.h). Mutated by whole actions (segments/mutate.c). */
#include "sim/fuzz/fuzz.h"
#include "sim/fuzz/segments/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct story story;

    story_read(&story, data, size);
    story_happens(&story);
    return 0;
}
