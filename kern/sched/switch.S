/* kern/sched/switch.S - from one kernel stack to another.
 * A thread that is not running has its callee-saved registers and its place in the code on its own stack. */
#include "kern/cpu/asm.h"

    .text
/* void switch_stacks(uint64_t *save_rsp, uint64_t rsp) */
FUNCTION(switch_stacks)
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
END(switch_stacks)

/* Where a new thread's first switch returns to: %rbp is 0, so that backtraces end here. */
FUNCTION(thread_entry)
    pushq $0
    pushq $0
    movq %rsp, %rbp
    call thread_main
    ud2
END(thread_entry)

    .section .note.GNU-stack, "", @progbits
