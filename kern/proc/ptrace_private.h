/* kern/proc/ptrace_private.h - what the two sides of ptrace share: the life of a trace. process_lock held for
 * all whose name ends in _locked. */
#pragma once
#include "kern/proc/ptrace.h"

struct trace *trace_alloc(void); /* NULL: memory is out */
void trace_free(struct trace *tr);
/* t, which nobody traces, is traced by tracer; it has yet to be woken to notice. */
void trace_attach_locked(struct trace *tr, struct process *tracer, struct task *t);
/* End the stop; signo is the tracer's answer. */
void trace_let_go_locked(struct trace *tr, int signo);
/* Trace it no longer, and let it go. tr is gone, or will be when the tracee has left its stop. */
void trace_detach_locked(struct trace *tr, int signo);
