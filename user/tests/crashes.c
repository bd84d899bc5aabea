/* user/tests/crashes.c - what a program must not do: it dies by the right signal, the kernel goes on. */
#define _GNU_SOURCE
#include "user/tests/cases.h"
#include <signal.h>
#include <stdint.h>
#include <sys/wait.h>

static volatile uintptr_t kernel = 0xffffffff80100000, null = 0;
static volatile int zero = 0;

static void read_null(void)
{
    (void)*(volatile int *)null;
}

static void write_null(void)
{
    *(volatile int *)null = 1;
}

static void call_null(void)
{
    ((void (*)(void))null)();
}

static void read_kernel(void)
{
    (void)*(volatile int *)kernel;
}

static void write_kernel(void)
{
    *(volatile int *)kernel = 1;
}

static void jump_to_kernel(void)
{
    ((void (*)(void))kernel)();
}

static void write_text(void)
{
    *(volatile char *)(uintptr_t)main = 1;
}

static void run_stack(void)
{
    volatile unsigned char code[16] = { 0xc3 };

    ((void (*)(void))(uintptr_t)code)();
}

static void privileged(void)
{
    __asm__ volatile("cli");
}

static void halt(void)
{
    __asm__ volatile("hlt");
}

static void port(void)
{
    __asm__ volatile("outb %%al, $0xf4" : : "a"(0));
}

static void control_register(void)
{
    uint64_t v;
    __asm__ volatile("mov %%cr3, %0" : "=r"(v));
}

static void model_register(void)
{
    __asm__ volatile("wrmsr" : : "c"(0xc0000082), "a"(0), "d"(0));
}

static void undefined(void)
{
    __asm__ volatile("ud2");
}

static void divide(void)
{
    __asm__ volatile("idivl %0" : : "r"(zero), "a"(1), "d"(0));
}

static void breakpoint(void)
{
    __asm__ volatile("int3");
}

static void other_interrupt(void)
{
    __asm__ volatile("int $14");
}

static void odd_address(void)
{
    *(volatile int *)0x8000000000000000 = 1;
}

static void odd_jump(void)
{
    __asm__ volatile("push %0; ret" : : "r"(0x8000000000000000));
}

static void kernel_stack_pointer(void)
{
    __asm__ volatile("mov %0, %%rsp; mov $39, %%eax; syscall; push %%rax" : : "r"(kernel) : "rcx", "r11");
}

static void segments(void)
{
    __asm__ volatile("mov %0, %%ss" : : "r"(0x10));
}

static void return_to_ring_0(void)
{
    __asm__ volatile("pushq $0x10; pushq $0; pushq $2; pushq $8; pushq $0; iretq");
}

static int recurse(int n)
{
    volatile char block[4096];

    block[0] = (char)n;
    return n < zero ? 0 : recurse(n + 1) + block[0];
}

static void overflow_stack(void)
{
    recurse(0);
}

static void handler(int signo)
{
    (void)signo;
}

/* The stack is over, and a handler that would need it is set: killed all the same. */
static void overflow_with_handler(void)
{
    signal(SIGSEGV, handler);
    recurse(0);
}

/* Returning from the handler repeats the fault; ignoring it does not help either. */
static void ignored_fault(void)
{
    signal(SIGSEGV, SIG_IGN);
    write_null();
}

static void forged_sigreturn(void)
{
    __asm__ volatile("mov $15, %%eax; xor %%esp, %%esp; syscall" : : : "rcx", "r11");
}

static void abort_itself(void)
{
    abort();
}

CASE(read_null)
{
    read_null();
}

CASE(write_null)
{
    write_null();
}

CASE(call_null)
{
    call_null();
}

CASE(read_kernel)
{
    read_kernel();
}

CASE(write_kernel)
{
    write_kernel();
}

CASE(jump_to_kernel)
{
    jump_to_kernel();
}

CASE(write_text)
{
    write_text();
}

CASE(run_stack)
{
    run_stack();
}

CASE(privileged)
{
    privileged();
}

CASE(halt)
{
    halt();
}

CASE(port)
{
    port();
}

CASE(control_register)
{
    control_register();
}

CASE(model_register)
{
    model_register();
}

CASE(undefined)
{
    undefined();
}

CASE(divide)
{
    divide();
}

CASE(breakpoint)
{
    breakpoint();
}

CASE(other_interrupt)
{
    other_interrupt();
}

CASE(odd_address)
{
    odd_address();
}

CASE(odd_jump)
{
    odd_jump();
}

CASE(kernel_stack_pointer)
{
    kernel_stack_pointer();
}

CASE(segments)
{
    segments();
}

CASE(return_to_ring_0)
{
    return_to_ring_0();
}

CASE(overflow_stack)
{
    overflow_stack();
}

CASE(overflow_with_handler)
{
    overflow_with_handler();
}

CASE(ignored_fault)
{
    ignored_fault();
}

CASE(forged_sigreturn)
{
    forged_sigreturn();
}

CASE(abort_itself)
{
    abort_itself();
}
