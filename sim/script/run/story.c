/* sim/script/run/story.c */
#include "sim/script/run/story.h"
#include "sim/script/values.h"
#include <string.h>

struct story_line {
    struct story_line *next;
    uint64_t when;
    const char *who, *what;
};

void story_begin(struct story *s, struct arena *a)
{
    *s = (struct story){ .last = &s->first, .arena = a };
}

void story_tell(struct story *s, uint64_t when, const char *who, const char *what)
{
    struct story_line *l = arena_alloc(s->arena, sizeof *l);

    l->when = when;
    l->who = who;
    l->what = arena_copy(s->arena, what, strlen(what));
    *s->last = l;
    s->last = &l->next;
}

void story_print(const struct story *s, FILE *out)
{
    char time[32];

    for (const struct story_line *l = s->first; l; l = l->next) {
        time_text((int64_t)l->when, time, sizeof time);
        fprintf(out, "  %12s  %s%s%s\n", time, l->who, *l->who ? ": " : "", l->what);
    }
}
