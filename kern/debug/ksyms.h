/* kern/debug/ksyms.h - the kernel's own symbol table, made from the first link pass and linked in by the
 * second. */
#pragma once
#include "lib/compiler.h"

extern const uint64_t ksyms_count;
extern const uint64_t ksyms_addresses[]; /* ascending */
extern const uint32_t ksyms_names[];     /* offsets into ksyms_strings */
extern const char ksyms_strings[];
/* "tcp_v4_rcv+0x1c", or the bare address. */
int ksym_format(char *buf, size_t size, uint64_t address);
