/* kern/debug/debug.h - what only the panic path, the traps and the log itself share. */
#pragma once
#include "lib/compiler.h"
#include <stdarg.h>

struct trapframe;

/* panic() with the registers of tf, and the backtrace from there. */
_Noreturn void panic_trap(const struct trapframe *tf, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* A CPU got a non-maskable interrupt: if another one panics, show where this one was and stop for good; else
 * somebody outside wants to see where all CPUs are, and this is a panic. */
_Noreturn void panic_nmi(const struct trapframe *tf);
/* From the first line of a panic on: nobody may wait for a lock that a stopped CPU holds. */
bool panicking(void);

/* One line a frame, from the frame whose %rbp is given; rip is printed first unless 0. Follows frame pointers
 * as long as they lead upwards in readable kernel memory. Any context. */
void backtrace(uint64_t rip, uint64_t rbp);
/* Read a word that may not be there. False if it is not. */
bool safe_read(uint64_t address, uint64_t *value);

/* A line to the console and the log whatever the log level. Any context. */
void klog_always(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Wait, within bounds, until both serial ports have sent all they were given. */
void serial_drain(void);
