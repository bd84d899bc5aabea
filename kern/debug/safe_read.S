/* kern/debug/safe_read.S - bool safe_read(uint64_t address, uint64_t *value): a load that may fault. */
#include "kern/cpu/asm.h"

    .text
FUNCTION(safe_read)
1:  movq (%rdi), %rax
    movq %rax, (%rsi)
    movl $1, %eax
    ret
2:  xorl %eax, %eax
    ret
    EXTABLE(1b, 2b)
END(safe_read)

    .section .note.GNU-stack, "", @progbits
