/* kern/debug/console.h - the serial ports: the kernel's log, and the terminals' bytes. */
#pragma once
#include "lib/compiler.h"

enum { SERIAL_PORTS = 2, SERIAL_COM1 = 0, SERIAL_COM2 = 1 };
void console_init(void);    /* COM1 and COM2, 115200 8N1, polled; before anything else prints */
void serial_irq_init(void); /* interrupt-driven input from here on; irq_init has run */
/* Write n bytes to a port as they are. Any context; waits for the port, never sleeps. */
void serial_write(unsigned port, const char *s, size_t n);
/* Called in softirq with bytes that arrived; the terminal (kern/fs/tty.c) sets it. NULL: bytes are thrown
 * away. */
void serial_set_receiver(unsigned port, void (*fn)(unsigned port, const uint8_t *bytes, size_t n));
/* Leave QEMU through isa-debug-exit (port 0xf4) with (status << 1) | 1; where that device is absent, power
 * off by ACPI or halt. Logs "exit status N" first. */
_Noreturn void machine_exit(int status);
_Noreturn void machine_power_off(void);
_Noreturn void machine_reboot(void);
/* The kernel log kept in memory, oldest first (dmesg). */
struct textbuf;
void klog_show(struct textbuf *out);
/* Obey quiet and loglevel=; before that the console shows LOG_INFO and above. */
void klog_init(void);
