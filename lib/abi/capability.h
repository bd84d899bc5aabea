/* lib/abi/capability.h - Linux's ABI for what a process may do beyond its user's rights (capabilities(7)). */
#pragma once
#include <stdint.h>

/* Those that something here asks for; the others are kept and told. */
enum {
    CAP_CHOWN = 0,
    CAP_DAC_OVERRIDE = 1,
    CAP_DAC_READ_SEARCH = 2,
    CAP_FOWNER = 3,
    CAP_FSETID = 4,
    CAP_KILL = 5,
    CAP_SETGID = 6,
    CAP_SETUID = 7,
    CAP_SETPCAP = 8,
    CAP_LINUX_IMMUTABLE = 9,
    CAP_NET_BIND_SERVICE = 10,
    CAP_NET_ADMIN = 12,
    CAP_NET_RAW = 13,
    CAP_SYS_CHROOT = 18,
    CAP_SYS_PTRACE = 19,
    CAP_SYS_ADMIN = 21,
    CAP_SYS_BOOT = 22,
    CAP_SYS_RESOURCE = 24,
    CAP_SYS_TIME = 25,
    CAP_MKNOD = 27,
    CAP_MAC_OVERRIDE = 32,
    CAP_SYSLOG = 34,
    CAP_LAST_CAP = 40
};

/* capget(2): 64 bits as two halves, one half in version 1. */
enum {
    CAPABILITY_VERSION_1 = 0x19980330,
    CAPABILITY_VERSION_2 = 0x20071026,
    CAPABILITY_VERSION_3 = 0x20080522
};
struct cap_header {
    uint32_t version;
    int32_t pid;
};
struct cap_data {
    uint32_t effective, permitted, inheritable;
};

enum {
    PR_GET_KEEPCAPS = 7,
    PR_SET_KEEPCAPS = 8,
    PR_CAPBSET_READ = 23,
    PR_CAPBSET_DROP = 24,
    PR_GET_SECUREBITS = 27,
    PR_SET_SECUREBITS = 28,
    PR_SET_NO_NEW_PRIVS = 38,
    PR_GET_NO_NEW_PRIVS = 39,
    PR_CAP_AMBIENT = 47
};
enum {
    PR_CAP_AMBIENT_IS_SET = 1,
    PR_CAP_AMBIENT_RAISE = 2,
    PR_CAP_AMBIENT_LOWER = 3,
    PR_CAP_AMBIENT_CLEAR_ALL = 4
};
