/* kern/sys/kernel_knobs.h - the kernel's knobs outside the network: their values. Numbers are read without a
 * lock wherever they act; kern/sys/sysctl_kernel.c has the table. */
#pragma once
#include "lib/compiler.h"

#define KERNEL_NAME    "Towpath"
#define KERNEL_RELEASE "5.10.0-towpath" /* C libraries refuse what is too old */
#define KERNEL_VERSION "#1 SMP PREEMPT"
enum { HOST_NAME_SIZE = 65 }; /* uts_name, with its NUL */

extern struct kernel_knobs {
    char hostname[HOST_NAME_SIZE], domainname[HOST_NAME_SIZE];
    int32_t threads_max, pid_max;
    int32_t overcommit; /* 0: no mapping larger than memory is given */
    uint64_t file_max;
    int32_t softirq_usecs; /* what softirqs take at once, before ksoftirqd has the rest */
    /* not knobs: counted where they happen, for what is shown */
    uint64_t files; /* atomic; open */
} kernel_knobs;
