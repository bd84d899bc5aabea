/* sim/fuzz/segments/story.c - stories from bytes and back. */
#include "sim/fuzz/segments/story.h"
#include "lib/compiler.h"
#include <string.h>

void story_read(struct story *s, const uint8_t *data, size_t n)
{
    memset(s, 0, sizeof *s);
    if (n)
        memcpy(&s->start, data, MIN(n, (size_t)RECORD));
    if (n < 2 * RECORD)
        return;
    s->n = (unsigned)MIN(n / RECORD - 1, (size_t)ACTIONS_MOST);
    memcpy(s->actions, data + RECORD, (size_t)s->n * RECORD);
}

size_t story_write(const struct story *s, uint8_t *data, size_t most)
{
    size_t records = MIN((size_t)s->n + 1, most / RECORD);

    if (!records)
        return 0;
    memcpy(data, &s->start, RECORD);
    memcpy(data + RECORD, s->actions, (records - 1) * RECORD);
    return records * RECORD;
}
