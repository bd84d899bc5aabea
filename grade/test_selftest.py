"""What only the kernel itself can try: memory, scheduling and timers on all processors, and its own reports of misuse."""
import re
import subprocess
from pathlib import Path

import pytest

from tools.qemu import Settings

LIMIT = 180
PASSED, GOES_ON = 0 << 1 | 1, 2 << 1 | 1  # what isa-debug-exit makes of the kernel's statuses


def boot(build: str, append: str, **choices: str) -> tuple[int, str]:
    """QEMU's status and the serial log of a kernel that ends by itself."""
    images = Path("build") / build
    settings = Settings(images / "towpath.elf", images / "initramfs.cpio", append=append, **choices)
    settings.check()
    done = subprocess.run(settings.argv("", ["stdio"]), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=LIMIT)
    return done.returncode, done.stdout


@pytest.mark.parametrize("build, smp, mem", [("debug", "1", "256M"), ("debug", "2", "64M"), ("debug", "4", "256M"),
                                             ("release", "2", "256M")])
def test_the_kernels_tests_of_itself_pass(build: str, smp: str, mem: str) -> None:
    status, log = boot(build, "selftest", smp=smp, mem=mem)
    summary = re.search(r"selftest: (\d+) passed, (\d+) failed", log)
    assert summary, log[-2000:]
    assert int(summary[1]) >= 20 and summary[2] == "0", log[-4000:]
    assert status == PASSED


@pytest.mark.parametrize("mistake, report", [
    ("double-free", r"panic: slab kmalloc-128: freed twice: .* allocated by (object|double_free)\S*, freed by double_free"),
    ("overrun", r"panic: slab kmalloc-128: overrun: object .*, size 100, .*allocated by (object|overrun)"),
    ("use-after-free", r"panic: slab kmalloc-128: written after it was freed: .* freed by use_after_free"),
    ("page-double-free", r"panic: page_free\(\w+\) by \w+: not an allocated page"),
    ("lock-order", r"panic: lock order: taking 'a socket' \(rank \d+\) while holding 'the routes'"
                   r"[^<]*being taken at take_socket.*[^<]*the held one was taken at take_route"),
    ("lock-order-seen", r"panic: lock order: taking 'a socket' .*[^<]*being taken at take_socket.*[^<]*the held one was taken"
                        r" at take_route.*[^<]*the other order was first seen with the outer one taken at "
                        r"lock_order_seen.*[^<]*and the inner one taken at lock_order_seen"),
    ("sleep-with-lock", r"panic: sleeping in atomic context: .*[^<]*sleeps at thread_sleep_until\S* < sleep_a_while"
                        r".*[^<]*'the routes' is held, taken at take_route\S* < sleep_with_lock"),
    ("sleep-without-preemption", r"panic: sleeping in atomic context: .*[^<]*sleeps at thread_sleep_until\S* < sleep_a_while"
                                 r".*[^<]*preemption was disabled at disable_preemption"),
    ("sleep-in-softirq", r"panic: sleeping in atomic context: .*[^<]*sleeps at sleeping_tasklet"
                         r".*[^<]*in a softirq, entered at run_round"),
    ("user-memory-with-lock", r"panic: sleeping in atomic context: .*[^<]*sleeps at touch_user_memory_with_lock"
                              r".*[^<]*'the routes' is held, taken at take_route"),
    ("unlock-by-another-cpu", r"panic: unlock by another owner: releasing 'a socket'.*[^<]*being released at drop_socket"
                              r".*[^<]*CPU \d holds it, thread \d+ 'holder'[^<]*taken at take_socket\S* < holder"),
    ("unlock-twice", r"panic: releasing 'a socket', which this CPU does not hold.*[^<]*being released at unlock_twice"
                     r".*[^<]*last released at drop_socket"),
    ("mutex-unlock-by-another", r"panic: unlock by another owner: mutex 'the first' .*[^<]*being released at drop_mutex"
                                r".*[^<]*'holder' holds it[^<]*taken at take_mutex\S* < mutex_holder"),
    ("mutex-unlock-twice", r"panic: releasing mutex 'the first', which nobody holds[^<]*being released at "
                           r"mutex_unlock_twice.*[^<]*last released at drop_mutex"),
    ("mutex-order", r"panic: lock order: taking mutex 'the first' while holding mutex 'the second'[^<]*being taken at "
                    r"two_mutexes.*[^<]*the held one was taken at take_mutex.*[^<]*'the first' was held before while "
                    r"taking 'the second'[^<]*the outer one taken at take_mutex.*[^<]*the inner one taken at two_mutexes"),
    ("mutex-circle", r"panic: lock order: taking mutex 'the first' while holding mutex 'the third'[^<]*being taken at "
                     r"two_mutexes.*[^<]*the held one was taken at take_mutex"),
    ("end-with-mutex", r"panic: thread \d+ '\w+' ends with mutex 'the first' held[^<]*taken at take_mutex\S* < end_with"),
    ("lock-twice", r"panic: lock order: taking 'a socket' \(rank \d+\) while holding 'a socket'"),
    ("wait-with-two-locks", r"panic: .*assertion failed"),
    ("stack-overflow", r"panic: kernel stack overflow"),
])
def test_a_mistake_of_the_kernel_is_named(mistake: str, report: str) -> None:
    status, log = boot("debug", f"selftest provoke={mistake}")
    assert re.search(report, log), log[-3000:]
    assert status not in (PASSED, GOES_ON)


def test_interrupts_that_stay_off_are_reported_with_both_places() -> None:
    """Three times in a row from one place: once alone might be the host that was busy elsewhere."""
    status, log = boot("debug", "selftest provoke=irqs-off")
    assert re.search(r"witness: interrupts were off for 1\d\d ms.*[^<]*went off at work_without_interrupts\S* < irqs_off"
                     r".*[^<]*came on at work_without_interrupts", log), log[-2000:]
    assert status == GOES_ON


def test_a_leak_is_reported_with_who_allocated_it() -> None:
    status, log = boot("debug", "selftest provoke=leak")
    assert len(re.findall(r"slab leaky: leaked: object \S+, size 100, allocated by leak", log)) == 2, log[-2000:]
    assert status == GOES_ON
