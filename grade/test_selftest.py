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
    ("lock-order", r"panic: lock order: taking 'a socket' \(rank \d+\) while holding 'the routes'"),
    ("lock-twice", r"panic: lock order: taking 'a socket' \(rank \d+\) while holding 'a socket'"),
    ("wait-with-two-locks", r"panic: .*assertion failed"),
    ("stack-overflow", r"panic: kernel stack overflow"),
])
def test_a_mistake_of_the_kernel_is_named(mistake: str, report: str) -> None:
    status, log = boot("debug", f"selftest provoke={mistake}")
    assert re.search(report, log), log[-3000:]
    assert status not in (PASSED, GOES_ON)


def test_a_leak_is_reported_with_who_allocated_it() -> None:
    status, log = boot("debug", "selftest provoke=leak")
    assert len(re.findall(r"slab leaky: leaked: object \S+, size 100, allocated by leak", log)) == 2, log[-2000:]
    assert status == GOES_ON
