/* sim/script/values.h - expressions become numbers: variables, constants, and functions that the runner
 * knows. */
#pragma once
#include "sim/script/script.h"

struct values {
    struct variable *variables;
    struct arena *arena;
    /* isn(), counter(), now(), packets(): false if there is no such thing; and the names host, peer. */
    bool (*function)(void *arg, const char *name, const char *argument, int64_t *value);
    void *arg;
    bool failed; /* a name was not known: the first such */
    struct place failed_at;
    char why[160];
};

void values_set(struct values *v, const char *name, int64_t value);
bool values_get(const struct values *v, const char *name, int64_t *value);
/* What e is now; 0, with v->failed set, if that cannot be said. */
int64_t values_of(struct values *v, const struct expr *e);
/* Does got satisfy m? */
bool values_match(struct values *v, const struct match *m, int64_t got);
/* m in words, its numbers worked out: "1..5", ">= 200". style: of a field (names.h), 0: plain. */
void values_describe(struct values *v, const struct match *m, int style, char *text, size_t size);
/* A number in a style, as the script would write it. */
void value_text(int64_t value, int style, char *text, size_t size);
/* A time as a person would write it: 1.000500 for seconds. */
void time_text(int64_t ns, char *text, size_t size);
