/* kern/debug/backtrace.c - who called whom, by frame pointers.
 * entry.S makes each trap look like a call from the interrupted instruction, so one chain leads through it.
 * Every word is read with safe_read(): a ruined stack ends the trace, not the kernel. */
#include "kern/boot/boot.h"
#include "kern/debug/debug.h"
#include "kern/debug/ksyms.h"
#include "kern/mm/mm.h"

enum { MAX_DEPTH = 32 };

static void show(uint64_t address)
{
    char symbol[96];
    ksym_format(symbol, sizeof symbol, address);
    klog_always("    %016llx %s", (unsigned long long)address, symbol);
}

static bool in_text(uint64_t address)
{
    return address >= (uint64_t)kernel_text_start && address < (uint64_t)kernel_text_end;
}

void backtrace(uint64_t rip, uint64_t rbp)
{
    if (rip)
        show(rip);
    for (int depth = 0; depth < MAX_DEPTH; depth++) {
        uint64_t caller_rbp, return_address;
        bool plausible = rbp >= DIRECT_MAP && rbp % 8 == 0;
        if (!plausible || !safe_read(rbp, &caller_rbp) || !safe_read(rbp + 8, &return_address))
            return;
        if (!in_text(return_address))
            return;
        show(return_address - 1); /* within the call: what follows it may be the next function */
        rbp = caller_rbp;
    }
}
