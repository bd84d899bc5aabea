/* kern/cpu/asm.h - what assembly files share. */
#pragma once

/* clang-format off */
/* A function that C calls; frame pointers stay the caller's. */
#define FUNCTION(name)                                                                                       \
    .global name;                                                                                            \
    .type name, @function;                                                                                   \
    .balign 16;                                                                                              \
    name:
#define END(name) .size name, .- name
/* If the instruction at from faults on its memory operand, go on at to (kern/cpu/trap.c). */
#define EXTABLE(from, to)                                                                                    \
    .pushsection .extable, "a";                                                                               \
    .balign 8;                                                                                               \
    .quad from, to;                                                                                          \
    .popsection
/* clang-format on */
