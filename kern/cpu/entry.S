/* kern/cpu/entry.S - into the kernel and out of it.
 *
 * Every way in pushes the same struct trapframe. %gs leads to this CPU's struct cpu whenever C code runs: a way in
 * from user mode swaps it first, a way out to user mode swaps it last, always with interrupts off. Non-maskable
 * interrupts, machine checks and double faults may come between an entry and its swap: they have stacks of their
 * own and find their CPU there (paranoid below), whatever %gs held. */
#include "kern/cpu/asm.h"

#define CPU_SYSCALL_USER_RSP 8
#define CPU_KERNEL_RSP 16
#define USER_SS 0x1b
#define USER_CS 0x23
#define VECTOR_SYSCALL 256
#define MSR_GS_BASE 0xc0000101
/* offsets in struct trapframe */
#define TF_RBP 32
#define TF_RIP 136
#define TF_CS 144
#define TF_SIZE 176

.macro push_registers /* behind error and vector */
    pushq %rdi
    pushq %rsi
    pushq %rdx
    pushq %rcx
    pushq %rax
    pushq %r8
    pushq %r9
    pushq %r10
    pushq %r11
    pushq %rbx
    pushq %rbp
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
.endm

.macro pop_registers
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbp
    popq %rbx
    popq %r11
    popq %r10
    popq %r9
    popq %r8
    popq %rax
    popq %rcx
    popq %rdx
    popq %rsi
    popq %rdi
.endm

/* function(trapframe), with a frame that makes it look called from the interrupted instruction: backtraces follow
 * %rbp through it. */
.macro call_with_frame function
    movq %rsp, %rdi
    pushq TF_RIP(%rdi)
    pushq TF_RBP(%rdi)
    movq %rsp, %rbp
    call \function
    addq $16, %rsp
.endm

/* ---- exceptions and interrupts: one stub of 16 bytes a vector, for idt.c ---- */

    .text
    .balign 16
    .global trap_stubs
trap_stubs:
    .set vector, 0
    .rept 256
    .balign 16
    .if (vector != 8) && (vector != 17) && (vector != 21) && ((vector < 10) || (vector > 14))
    pushq $0 /* the CPU pushes an error code for the others: SDM 3A 6.13 */
    .endif
    pushq $vector
    .if (vector == 2) || (vector == 8) || (vector == 18)
    jmp paranoid
    .else
    jmp trap_common
    .endif
    .set vector, vector + 1
    .endr

    .balign 16
trap_common:
    push_registers
    cld
    testb $3, TF_CS(%rsp)
    jz 1f
    swapgs
1:  call_with_frame trap_handle
restore: /* irqs off; %rsp: the trapframe */
    testb $3, TF_CS(%rsp)
    jz 1f
    swapgs
1:  pop_registers
    addq $16, %rsp
    iretq

/* idt.c left the address of our struct cpu just above the frame. */
paranoid:
    push_registers
    cld
    movl $MSR_GS_BASE, %ecx
    rdmsr
    movl %eax, %r12d
    movl %edx, %r13d
    movq TF_SIZE(%rsp), %rax
    movq %rax, %rdx
    shrq $32, %rdx
    wrmsr
    call_with_frame trap_paranoid
    movl $MSR_GS_BASE, %ecx
    movl %r12d, %eax
    movl %r13d, %edx
    wrmsr
    pop_registers
    addq $16, %rsp
    iretq

FUNCTION(trap_return)
    cli
    movq %rdi, %rsp
    jmp restore
END(trap_return)

/* ---- system calls: the CPU keeps rip in %rcx and rflags in %r11, masks irqs, leaves %rsp alone ---- */

FUNCTION(syscall_entry)
    swapgs
    movq %rsp, %gs:CPU_SYSCALL_USER_RSP
    movq %gs:CPU_KERNEL_RSP, %rsp
    pushq $USER_SS
    pushq %gs:CPU_SYSCALL_USER_RSP
    pushq %r11
    pushq $USER_CS
    pushq %rcx
    pushq %rax
    pushq $VECTOR_SYSCALL
    push_registers
    call_with_frame syscall_handle
    testb %al, %al
    jz restore
    pop_registers /* sysret takes rip from %rcx and rflags from %r11: syscall_handle saw that they agree */
    movq 40(%rsp), %rsp
    swapgs
    sysretq
END(syscall_entry)

    .section .note.GNU-stack, "", @progbits
