/* sim/script/run/story.h - what has happened so far, line by line, for whoever has to find out why a script
 * failed. */
#pragma once
#include "sim/script/script.h"
#include <stdio.h>

struct story {
    struct story_line *first, **last;
    struct arena *arena;
};

void story_begin(struct story *s, struct arena *a);
/* At a time (ns), who ("peer", "host", or "" for a call), what. */
void story_tell(struct story *s, uint64_t when, const char *who, const char *what);
/* All of it. */
void story_print(const struct story *s, FILE *out);
