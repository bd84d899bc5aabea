/* kern/cpu/cpu_private.h - what the files of kern/cpu share. */
#pragma once
#include "kern/cpu/cpu.h"
#include "kern/cpu/trap.h"

enum { IST_DOUBLE_FAULT = 1, IST_NMI = 2, IST_MACHINE_CHECK = 3, IST_STACKS = 3 };

/* GDT and TSS with its interrupt stacks, of the CPU that runs this. */
void gdt_init_cpu(struct cpu *c);
void idt_init(void);     /* the table, once */
void idt_init_cpu(void); /* let this CPU use it */
/* Control registers, EFER, the system call's MSRs, the FPU. */
void features_init_cpu(void);
bool cpu_has_xsave(void);
bool cpu_has_nx(void);
void fpu_init_cpu(void);

/* entry.S's ways into C. trap_paranoid: vectors with a stack of their own; syscall_handle: true if the way
 * back may be sysret. */
void trap_paranoid(struct trapframe *tf);
bool syscall_handle(struct trapframe *tf);
void syscall_entry(void);
extern const char trap_stubs[256][16];

/* start.S: the tables for the first steps of another CPU, and what it takes over there. */
extern uint64_t boot_pml4[512];
extern uint32_t ap_efer;
extern uint64_t ap_cr3, ap_stack_top;
extern struct cpu *ap_cpu;
_Noreturn void smp_ap_main(void);
void ap_start(void);
