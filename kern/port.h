/* kern/port.h - what the kernel's side of net/port.h offers to the rest of the kernel. */
#pragma once
#include "lib/format.h"

/* The trace points' records, all CPUs' merged, oldest first: time, CPU, packet, point, length a line. */
void trace_show(struct textbuf *out);
