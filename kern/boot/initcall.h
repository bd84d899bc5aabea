/* kern/boot/initcall.h - the kernel's start as a table of calls, in the order in which they are made.
 *
 * There are no linker sets: the table (kern/boot/main.c) is the order, and each call may use what stands
 * above it. A level says how far the kernel is; levels never fall from one line to the next. A line may stand
 * for a table of another folder, such as the protocols of net/init.c: its parts are made in that table's
 * order and named one by one. */
#pragma once
#include "lib/compiler.h"

enum init_level {
    INIT_EARLY,   /* irqs off, boot tables; the console */
    INIT_CORE,    /* memory */
    INIT_IRQ,     /* the machine: interrupt controllers, clock */
    INIT_SCHED,   /* threads, softirqs, timers; at its end interrupts come */
    INIT_SMP,     /* the other CPUs and a thread on each */
    INIT_NET,     /* the network and its protocols */
    INIT_DRIVERS, /* what the network's cards hang on */
    INIT_FS,      /* files */
    INIT_LATE,    /* the first program */
    INIT_LEVELS
};

/* Of run, call and part exactly one is set. */
struct initcall {
    enum init_level level;
    const char *name;
    void (*run)(void);               /* cannot fail, or panics with words of its own */
    int (*call)(void);               /* 0, or -errno: the end, with the call's name */
    const char *(*part)(unsigned i); /* the name of the i-th part, NULL behind the last ... */
    int (*call_part)(unsigned i);    /* ... and its call */
};

/* Make all calls of a table that ends with a NULL name. Panics, naming it, at the first that fails. */
void initcalls_run(const struct initcall *table);
/* A call itself: from here on each is reported, if the command line says initcall_debug. */
void initcall_debug_init(void);
/* The name of the call that runs now, NULL when none does; for panic(). */
const char *initcall_running(void);
/* A line for each call made: level, name, microseconds. /proc/initcalls. */
struct textbuf;
void initcalls_show(struct textbuf *out);
