/* kern/boot/start.S - from the boot loader's 32-bit mode to kmain() in long mode.
 *
 * Two doors, one house: QEMU's -kernel enters at pvh_start (the Xen note), GRUB at multiboot2_start (the header).
 * Both leave paging off, segments flat, and a physical address in %ebx that leads to everything else they know.
 * Other CPUs come through kern/cpu/trampoline.S to ap_start. The tables here are constant: they map the first
 * 4 GiB at 0 (to stand on while paging is switched on) and at DIRECT_MAP, and the first 1 GiB at KERNEL_BASE.
 * mm_init() replaces them for good on every CPU. */
#include "kern/cpu/asm.h"

#define KERNEL_BASE 0xffffffff80000000
#define PHYS(symbol) (symbol - KERNEL_BASE)

#define MULTIBOOT2_MAGIC 0xe85250d6
#define PVH_MAGIC        0x336ec578 /* xen/include/public/arch-x86/hvm/start_info.h: the first word there */
#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define CR0_PE 0x1
#define CR0_WP 0x10000
#define CR0_PG 0x80000000
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define MSR_GS_BASE 0xc0000101
#define PRESENT_WRITE 0x03
#define LARGE 0x80
#define BOOT_STACK_SIZE 16384

#define CPUID_EXTENDED 0x80000000
#define CPUID_LONG_MODE 0x20000000 /* leaf 0x80000001, %edx */
#define COM1 0x3f8
#define COM1_LINE_STATUS 0x3fd
#define COM1_TRANSMITTER_EMPTY 0x20
#define DEBUG_EXIT_PORT 0xf4
#define EXIT_STATUS 127

/* ---- what the loaders look for ---- */

    .section .multiboot2, "a"
    .balign 8
header: /* Multiboot2 specification 3.1 */
    .long MULTIBOOT2_MAGIC, 0, header_end - header
    .long -(MULTIBOOT2_MAGIC + header_end - header)
    .word 3, 0 /* entry address, 3.1.8 */
    .long 12, PHYS(multiboot2_start)
    .balign 8
    .word 6, 0 /* modules on page boundaries, 3.1.11 */
    .long 8
    .word 0, 0 /* the end */
    .long 8
header_end:

    .section .note.Xen, "a", @note
    .balign 4
    .long 4, 8, XEN_ELFNOTE_PHYS32_ENTRY
    .asciz "Xen"
    .quad PHYS(pvh_start)

/* ---- 32-bit, at physical addresses ---- */

    .text
    .code32
    .global pvh_start, multiboot2_start
pvh_start:
    movl $PVH_MAGIC, %edi
    jmp enter_long_mode
multiboot2_start:
    movl %eax, %edi
enter_long_mode: /* %edi: who called, %ebx: the physical address of what it says */
    cli
    cld
    movl $PHYS(boot_stack_top), %esp
    call require_long_mode
    movl $PHYS(start64), %esi
    jmp long_mode

require_long_mode: /* or one line on COM1, and the end; keeps %edi and %ebx */
    pushl %ebx
    movl $CPUID_EXTENDED, %eax
    cpuid
    cmpl $CPUID_EXTENDED, %eax
    jbe 1f
    movl $(CPUID_EXTENDED + 1), %eax
    cpuid
    testl $CPUID_LONG_MODE, %edx
    jz 1f
    popl %ebx
    ret
1:  movl $PHYS(no_long_mode), %esi
2:  movw $COM1_LINE_STATUS, %dx
    inb %dx, %al
    testb $COM1_TRANSMITTER_EMPTY, %al
    jz 2b
    movw $COM1, %dx
    lodsb
    outb %al, %dx
    cmpb $'\n', %al
    jne 2b
    movl $EXIT_STATUS, %eax
    outl %eax, $DEBUG_EXIT_PORT
3:  hlt
    jmp 3b

/* Switch this CPU to 64 bits on the boot tables and go to the physical address in %esi; keeps %edi and %ebx. */
long_mode:
    movl $CR4_PAE, %eax
    movl %eax, %cr4
    movl $PHYS(boot_pml4), %eax
    movl %eax, %cr3
    movl $MSR_EFER, %ecx
    rdmsr
    orl $EFER_LME, %eax
    wrmsr
    movl $(CR0_PG | CR0_WP | CR0_PE), %eax
    movl %eax, %cr0
    lgdt PHYS(boot_gdt_pointer)
    ljmp $0x08, $PHYS(long_mode_64)

    .global ap_start
ap_start: /* from the trampoline, flat 32-bit protected mode, one CPU at a time */
    movl $PHYS(ap_start64), %esi
    jmp long_mode

/* ---- 64-bit ---- */

    .code64
long_mode_64:
    movl $0x10, %eax
    movl %eax, %ds
    movl %eax, %es
    movl %eax, %ss
    xorl %eax, %eax
    movl %eax, %fs
    movl %eax, %gs
    movl %esi, %esi
    addq $KERNEL_BASE, %rsi
    jmp *%rsi

start64: /* at the address it is linked at, from here on */
    movq $boot_stack_top, %rsp
    movq $cpus, %rax
    call set_gs
    xorl %ebp, %ebp /* where backtraces end */
    movl %edi, %edi
    movl %ebx, %esi
    pushq $0
    jmp kmain /* kmain(loader's magic, physical address) */

ap_start64: /* smp.c says in ap_* whose registers these will be */
    movl $MSR_EFER, %ecx
    rdmsr
    orl ap_efer, %eax
    wrmsr
    movq ap_cr3, %rax
    movq %rax, %cr3
    movq ap_stack_top, %rsp
    movq ap_cpu, %rax
    call set_gs
    xorl %ebp, %ebp
    pushq $0
    jmp smp_ap_main

set_gs: /* %gs base = %rax = this_cpu(), and cpu->self with it */
    movq %rax, (%rax)
    movq %rax, %rdx
    shrq $32, %rdx
    movl $MSR_GS_BASE, %ecx
    wrmsr
    ret

/* ---- tables ---- */

    .data
    .balign 4096
    .global boot_pml4
boot_pml4:
    .quad PHYS(boot_pdpt) + PRESENT_WRITE          /* 0: identity, while paging is switched on */
    .fill 272, 8, 0
    .quad PHYS(boot_pdpt) + PRESENT_WRITE          /* 273: DIRECT_MAP */
    .fill 237, 8, 0
    .quad PHYS(boot_pdpt_image) + PRESENT_WRITE    /* 511: KERNEL_BASE */
boot_pdpt:
    .quad PHYS(boot_pd) + 0x0000 + PRESENT_WRITE
    .quad PHYS(boot_pd) + 0x1000 + PRESENT_WRITE
    .quad PHYS(boot_pd) + 0x2000 + PRESENT_WRITE
    .quad PHYS(boot_pd) + 0x3000 + PRESENT_WRITE
    .fill 508, 8, 0
boot_pdpt_image:
    .fill 510, 8, 0
    .quad PHYS(boot_pd) + PRESENT_WRITE
    .quad 0
boot_pd: /* 2 MiB pages: 0 .. 4 GiB */
    .set address, 0
    .rept 2048
    .quad address + LARGE + PRESENT_WRITE
    .set address, address + 0x200000
    .endr

    .balign 8
boot_gdt:
    .quad 0
    .quad 0x00af9a000000ffff /* 0x08: 64-bit code */
    .quad 0x00cf92000000ffff /* 0x10: data */
boot_gdt_pointer:
    .word boot_gdt_pointer - boot_gdt - 1
    .quad PHYS(boot_gdt)

no_long_mode:
    .ascii "panic: this is a 64-bit kernel, and this CPU has no 64-bit mode\r\n"

    .bss
    .balign 4096
    .global boot_stack, boot_stack_top
boot_stack:
    .skip BOOT_STACK_SIZE
boot_stack_top:

    .section .note.GNU-stack, "", @progbits
