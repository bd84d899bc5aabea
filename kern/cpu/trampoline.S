/* kern/cpu/trampoline.S - the first instructions of every CPU but the boot CPU.
 * A STARTUP interrupt begins in real mode at a page below 1 MiB: smp.c copies these bytes to TRAMPOLINE. They only
 * reach flat 32-bit mode; ap_start (kern/boot/start.S) goes on from there. Addresses are relative to the copy. */
#include "kern/cpu/trampoline.h"

#define HERE(symbol) (symbol - trampoline + TRAMPOLINE)

    .section .rodata
    .balign 16
    .global trampoline, trampoline_end
    .code16
trampoline:
    cli
    cld
    xorw %ax, %ax
    movw %ax, %ds
    lgdtl HERE(trampoline_gdt_pointer)
    movl $1, %eax /* CR0.PE */
    movl %eax, %cr0
    ljmpl $0x08, $HERE(trampoline32)

    .code32
trampoline32:
    movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    movl $(ap_start - 0xffffffff80000000), %eax
    jmp *%eax

    .balign 8
trampoline_gdt:
    .quad 0
    .quad 0x00cf9a000000ffff /* 0x08: 32-bit code */
    .quad 0x00cf92000000ffff /* 0x10: data */
trampoline_gdt_pointer:
    .word trampoline_gdt_pointer - trampoline_gdt - 1
    .long HERE(trampoline_gdt)
trampoline_end:

    .section .note.GNU-stack, "", @progbits
