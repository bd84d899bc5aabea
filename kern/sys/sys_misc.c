/* kern/sys/sys_misc.c - system calls about the machine: its name, memory, limits, chance, end. */
#include "kern/debug/console.h"
#include "kern/fs/files.h"
#include "kern/mm/mm.h"
#include "kern/proc/exec.h"
#include "kern/proc/process.h"
#include "kern/sys/kernel_knobs.h"
#include "kern/sys/syscall.h"
#include "kern/sys/uaccess.h"
#include "lib/abi/system.h"
#include "lib/format.h"
#include "lib/string.h"

SYSCALL_DEFINE1(uname, uintptr_t, user)
{
    struct utsname name = {
        .sysname = KERNEL_NAME, .release = KERNEL_RELEASE, .version = KERNEL_VERSION, .machine = "x86_64"
    };

    memcpy(name.nodename, kernel_knobs.hostname, sizeof kernel_knobs.hostname);
    memcpy(name.domainname, kernel_knobs.domainname, sizeof kernel_knobs.domainname);
    return copy_to_user(user, &name, sizeof name);
}

SYSCALL_DEFINE3(getrandom, uintptr_t, user, size_t, size, unsigned, flags)
{
    size_t done = 0;

    if (flags & ~(unsigned)(GRND_NONBLOCK | GRND_RANDOM))
        return -EINVAL;
    size = MIN(size, (size_t)INT32_MAX);
    while (done < size) {
        uint8_t chunk[256];
        size_t n = MIN(size - done, sizeof chunk);
        random_bytes(chunk, n);
        if (copy_to_user(user + done, chunk, n))
            return done ? (int64_t)done : -EFAULT;
        done += n;
        if (READ_ONCE(current_thread()->signal_pending))
            break;
    }
    return (int64_t)done;
}

enum { SYSINFO_LOAD_ONE = 1 << 16 }; /* sysinfo(2): loads are in units of 1 / 65536 */

SYSCALL_DEFINE1(sysinfo, uintptr_t, user)
{
    struct mm_stats mm;
    struct sysinfo info = { .uptime = (int64_t)(time_now() / sec(1)),
                            .procs = (uint16_t)process_count(),
                            .mem_unit = 1 };
    uint64_t loads[3];

    load_averages(loads);
    for (unsigned i = 0; i < 3; i++)
        info.loads[i] = loads[i] * SYSINFO_LOAD_ONE / LOAD_ONE;
    mm_get_stats(&mm);
    info.totalram = mm.total * PAGE_SIZE;
    info.freeram = mm.free * PAGE_SIZE;
    return copy_to_user(user, &info, sizeof info);
}

SYSCALL_DEFINE2(getrusage, int, who, uintptr_t, user)
{
    struct process *p = current_process();
    struct resource_use use;

    switch (who) {
    case RUSAGE_SELF:
        use = process_use(p);
        break;
    case RUSAGE_THREAD:
        use = task_use(current_task());
        break;
    case RUSAGE_CHILDREN:
        use = process_children_use(p);
        break;
    default:
        return -EINVAL;
    }
    return rusage_to_user(user, &use);
}

/* ---- the log, the end ---- */

enum { SYSLOG_READ_ALL = 3, SYSLOG_SIZE_BUFFER = 10, LOG_MOST = 128 * 1024 };

static int64_t read_log(uintptr_t user, size_t size)
{
    struct textbuf text = { .buf = kmalloc(LOG_MOST), .size = LOG_MOST };
    size_t have, n;
    int err;

    if (!text.buf)
        return -ENOMEM;
    klog_show(&text);
    have = MIN(text.len, text.size - 1);
    n = MIN(have, size);
    err = copy_to_user(user, text.buf + have - n, n); /* the newest */
    kfree(text.buf);
    return err ? err : (int64_t)n;
}

SYSCALL_DEFINE3(syslog, int, action, uintptr_t, user, int, size)
{
    switch (action) {
    case SYSLOG_READ_ALL:
        return size < 0 ? -EINVAL : read_log(user, (size_t)size);
    case SYSLOG_SIZE_BUFFER:
        return LOG_MOST;
    default:
        return 0;
    }
}

SYSCALL_DEFINE4(reboot, unsigned, magic, unsigned, magic2, unsigned, command, uintptr_t, arg)
{
    (void)magic2, (void)arg;
    if (!capable(CAP_SYS_BOOT))
        return -EPERM;
    if (magic != LINUX_REBOOT_MAGIC1)
        return -EINVAL;
    switch (command) {
    case LINUX_REBOOT_CMD_RESTART:
        machine_reboot();
    case LINUX_REBOOT_CMD_HALT:
    case LINUX_REBOOT_CMD_POWER_OFF:
        machine_power_off();
    default:
        return -EINVAL;
    }
}

static int set_name(char field[HOST_NAME_SIZE], uintptr_t user, size_t size)
{
    char name[HOST_NAME_SIZE] = "";

    if (!capable(CAP_SYS_ADMIN))
        return -EPERM;
    if (size >= sizeof name)
        return -EINVAL;
    if (copy_from_user(name, user, size))
        return -EFAULT;
    memcpy(field, name, sizeof name);
    return 0;
}

SYSCALL_DEFINE2(sethostname, uintptr_t, user, size_t, size)
{
    return set_name(kernel_knobs.hostname, user, size);
}

SYSCALL_DEFINE2(setdomainname, uintptr_t, user, size_t, size)
{
    return set_name(kernel_knobs.domainname, user, size);
}

SYSCALL_DEFINE3(getcpu, uintptr_t, user_cpu, uintptr_t, user_node, uintptr_t, unused)
{
    uint32_t cpu = cpu_id(), node = 0;

    (void)unused;
    if (user_cpu && copy_to_user(user_cpu, &cpu, sizeof cpu))
        return -EFAULT;
    return user_node ? copy_to_user(user_node, &node, sizeof node) : 0;
}
