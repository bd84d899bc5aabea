/* user/fuzz/fuzz.h - what the parts of user/fuzz.c share.
 *
 *     calls.c      which calls there are, what their arguments are meant to be, and what is left out
 *     arguments.c  an argument of a kind, by chance */
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    ARENA = 65536,
    DESCRIPTORS = 36 /* a batch begins with about so many */
};

/* A batch of calls; all that it does depends on chance_state. */
struct batch {
    uint64_t chance_state;
    uint8_t *arena;  /* ARENA bytes, then a page that is not there */
    uint8_t *window; /* where mappings come and go */
    pid_t leader;    /* of its session */
    int made_here;   /* calls this process has made */
};
extern struct batch batch;

uint64_t chance(void);
uint64_t below(uint64_t n);
#define PICK(array) (array)[below(sizeof(array) / sizeof(array)[0])]

/* ---- calls.c ---- */

/* kinds: what each argument is meant to be; any may be replaced by nonsense. */
struct call {
    short number;
    const char *kinds;
};
/* One of those that are known. */
const struct call *some_call(void);
/* Is the number known, or to be left alone? */
int is_known(long number);

/* ---- arguments.c ---- */

uint64_t nonsense(void);
/* One of that kind: a letter of struct call's kinds. */
uint64_t argument(char kind);
/* May that argument of the call not be nonsense? */
int must_stay(const struct call *call, char kind);
