/* kern/sys/sysctl_kernel.c - the kernel's own table of knobs: names, threads, memory, files. */
#include "kern/fs/files.h"
#include "kern/fs/pipe.h"
#include "kern/fs/sysctlfs.h"
#include "kern/mm/fail_alloc.h"
#include "kern/proc/process.h"
#include "kern/sys/kernel_knobs.h"
#include "lib/format.h"
#include "lib/string.h"
#include "net/port.h"

enum { PID_LEAST = 301, UUID_SIZE = 37 };

struct kernel_knobs kernel_knobs = {
    .hostname = "towpath",
    .domainname = "(none)",
    .threads_max = PID_MAX,
    .pid_max = PID_MAX,
    .file_max = INT32_MAX,
    .softirq_usecs = 2000,
};

/* ---- what is shown only ---- */

static int show_ostype(const void *base, char *buf, size_t size)
{
    (void)base;
    return ksnprintf(buf, size, KERNEL_NAME);
}

static int show_osrelease(const void *base, char *buf, size_t size)
{
    (void)base;
    return ksnprintf(buf, size, KERNEL_RELEASE);
}

static int show_version(const void *base, char *buf, size_t size)
{
    (void)base;
    return ksnprintf(buf, size, KERNEL_VERSION);
}

static int show_ngroups(const void *base, char *buf, size_t size)
{
    (void)base;
    return ksnprintf(buf, size, "%d", GROUPS_MAX);
}

/* A random UUID, RFC 9562 5.4. */
static int show_uuid(const void *base, char *buf, size_t size)
{
    uint8_t b[16];
    (void)base;
    random_bytes(b, sizeof b);
    b[6] = (b[6] & 0x0f) | 0x40;
    b[8] = (b[8] & 0x3f) | 0x80;
    int len = 0;
    for (unsigned i = 0; i < sizeof b; i++) {
        bool dash = i == 4 || i == 6 || i == 8 || i == 10;
        len += ksnprintf(buf + len, size - (size_t)len, "%s%02x", dash ? "-" : "", b[i]);
    }
    return len;
}

/* The same until the machine ends. */
static int show_boot_id(const void *base, char *buf, size_t size)
{
    static char id[UUID_SIZE];
    uint64_t flags = spin_lock(&process_lock);
    if (!id[0])
        show_uuid(base, id, sizeof id);
    spin_unlock(&process_lock, flags);
    return ksnprintf(buf, size, "%s", id);
}

static int show_file_nr(const void *base, char *buf, size_t size)
{
    const struct kernel_knobs *k = base;
    return ksnprintf(buf, size, "%llu\t0\t%llu", (unsigned long long)READ_ONCE(k->files),
                     (unsigned long long)k->file_max);
}

static int show_nr_open(const void *base, char *buf, size_t size)
{
    (void)base;
    return ksnprintf(buf, size, "%d", FILES_MAX);
}

static int show_pipe_size(const void *base, char *buf, size_t size)
{
    (void)base;
    return ksnprintf(buf, size, "%d", PIPE_SIZE);
}

/* ---- the table ---- */

static const struct sysctl sysctls[] = {
    { SYSCTL_U64("fs/file-max", struct kernel_knobs, file_max, 64, INT64_MAX,
                 "open files in the whole system; more get ENFILE") },
    { SYSCTL_SHOW("fs/file-nr", show_file_nr, "files open now, 0, and file-max") },
    { SYSCTL_SHOW("fs/nr_open", show_nr_open, "descriptors that a process may have") },
    { SYSCTL_SHOW("fs/pipe-max-size", show_pipe_size, "bytes that a pipe holds") },
    { SYSCTL_TEXT("kernel/domainname", struct kernel_knobs, domainname, HOST_NAME_SIZE,
                  "NIS domain, as uname() has it") },
    { SYSCTL_TEXT("kernel/hostname", struct kernel_knobs, hostname, HOST_NAME_SIZE, "the machine's name") },
    { SYSCTL_SHOW("kernel/ngroups_max", show_ngroups, "supplementary groups that a process may have") },
    { SYSCTL_SHOW("kernel/osrelease", show_osrelease, "the kernel's release, as uname() has it") },
    { SYSCTL_SHOW("kernel/ostype", show_ostype, "the kernel's name") },
    { SYSCTL_INT("kernel/pid_max", struct kernel_knobs, pid_max, PID_LEAST, PID_MAX,
                 "pids are below this; then they begin anew") },
    { SYSCTL_SHOW("kernel/random/boot_id", show_boot_id, "a random id, the same until the machine ends") },
    { SYSCTL_SHOW("kernel/random/uuid", show_uuid, "a random id, another at each reading") },
    { SYSCTL_INT("kernel/threads-max", struct kernel_knobs, threads_max, 1, PID_MAX,
                 "threads of all processes together; more get EAGAIN") },
    { SYSCTL_SHOW("kernel/version", show_version, "the kernel's version, as uname() has it") },
    { SYSCTL_INT("net/core/netdev_budget_usecs", struct kernel_knobs, softirq_usecs, 100, 1000000,
                 "time that softirqs take at once, microseconds; the rest is ksoftirqd's") },
    { SYSCTL_INT("vm/overcommit_memory", struct kernel_knobs, overcommit, 0, 1,
                 "0: a private mapping larger than all memory is refused; 1: none is") },
    { .path = NULL },
};

const struct sysctl_table kernel_sysctls[] = { { .entries = sysctls, .base = &kernel_knobs },
                                               { .entries = CONFIG_DEBUG ? fail_alloc_sysctls : NULL,
                                                 .base = CONFIG_DEBUG ? &fail_alloc_knobs : NULL },
                                               { .entries = NULL } };
