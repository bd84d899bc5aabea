/* lib/abi/event.h - Linux's ABI for eventfd, timerfd and signalfd (x86-64). */
#pragma once
#if __STDC_HOSTED__
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#else
#include "lib/abi/time.h"

enum { EFD_SEMAPHORE = 1, EFD_NONBLOCK = 04000, EFD_CLOEXEC = 02000000 };
enum { SFD_NONBLOCK = 04000, SFD_CLOEXEC = 02000000 };
enum { TFD_NONBLOCK = 04000, TFD_CLOEXEC = 02000000 };
enum { TFD_TIMER_ABSTIME = 1, TFD_TIMER_CANCEL_ON_SET = 2 };

struct signalfd_siginfo {
    uint32_t ssi_signo;
    int32_t ssi_errno, ssi_code;
    uint32_t ssi_pid, ssi_uid;
    int32_t ssi_fd;
    uint32_t ssi_tid, ssi_band, ssi_overrun, ssi_trapno;
    int32_t ssi_status, ssi_int;
    uint64_t ssi_ptr, ssi_utime, ssi_stime, ssi_addr;
    uint8_t pad[48];
};
_Static_assert(sizeof(struct signalfd_siginfo) == 128, "the ABI's size");
#endif
