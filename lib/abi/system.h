/* lib/abi/system.h - Linux's ABI for questions about the machine: uname, sysinfo, reboot, arch_prctl. */
#pragma once
#if __STDC_HOSTED__
#include <asm/prctl.h>
#include <linux/reboot.h>
#include <sys/personality.h>
#include <sys/random.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#else
#include <stdint.h>

enum { UTS_LEN = 65 };
struct utsname {
    char sysname[UTS_LEN], nodename[UTS_LEN], release[UTS_LEN], version[UTS_LEN], machine[UTS_LEN],
        domainname[UTS_LEN];
};

struct sysinfo {
    int64_t uptime;
    uint64_t loads[3], totalram, freeram, sharedram, bufferram, totalswap, freeswap;
    uint16_t procs, pad;
    uint64_t totalhigh, freehigh;
    uint32_t mem_unit;
};
_Static_assert(sizeof(struct sysinfo) == 112, "the ABI's size");

enum { ARCH_SET_GS = 0x1001, ARCH_SET_FS = 0x1002, ARCH_GET_FS = 0x1003 };
enum { ADDR_NO_RANDOMIZE = 0x0040000 };
enum { GRND_NONBLOCK = 1, GRND_RANDOM = 2 };

#define LINUX_REBOOT_MAGIC1        0xfee1dead
#define LINUX_REBOOT_CMD_RESTART   0x01234567u
#define LINUX_REBOOT_CMD_HALT      0xcdef0123u
#define LINUX_REBOOT_CMD_POWER_OFF 0x4321fedcu
#endif
