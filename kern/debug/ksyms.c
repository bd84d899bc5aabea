/* kern/debug/ksyms.c - from an address to the function it lies in. */
#include "kern/debug/ksyms.h"
#include "kern/boot/boot.h"
#include "lib/format.h"

/* The last symbol at or below address; the table is not empty and address not below it. */
static uint64_t find(uint64_t address)
{
    uint64_t low = 0, high = ksyms_count; /* the answer is in [low, high) */
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (ksyms_addresses[middle] <= address)
            low = middle;
        else
            high = middle;
    }
    return low;
}

int ksym_format(char *buf, size_t size, uint64_t address)
{
    bool in_text = address >= (uint64_t)kernel_text_start && address < (uint64_t)kernel_text_end;
    if (!in_text || ksyms_count == 0 || address < ksyms_addresses[0])
        return ksnprintf(buf, size, "%#llx", (unsigned long long)address);
    uint64_t i = find(address);
    return ksnprintf(buf, size, "%s+%#x", ksyms_strings + ksyms_names[i],
                     (unsigned)(address - ksyms_addresses[i]));
}
