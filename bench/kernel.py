"""bench/kernel.py - what the kernel's own operations cost beside a Linux guest in the same QEMU.

usage: bench/kernel.py [--repeat N] [--smp N] [--mem SIZE] [--towpath-only] [--functions N] [--linux-functions N] [OPERATION...]

Both guests run one static program (bench/guest/), which marks where an operation repeated many times begins and ends.
Two figures are taken between the marks: guest instructions, counted by bench/insncount.c, whoever executed them; and the
time of the host's CPU that emulated them, in machines of their own where nothing is counted. The runs of the two guests
alternate and each figure is a median. All virtual CPUs share one host thread.
"""
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from bench.beside import TIME, Bench, Guest

OPERATIONS = {
    "null": "null system call (getppid)",
    "clock_gettime": "clock_gettime, by call",
    "gettimeofday": "gettimeofday, by call",
    "signal": "signal to self, handled",
    "open": "open + close a file",
    "stat": "stat a file",
    "pread4k": "read 4 KiB of a file",
    "fork": "fork + exit + wait",
    "fork_exec": "fork + exec + exit + wait",
    "vfork_exec": "vfork + exec + exit + wait",
    "thread": "thread create + join",
    "futex": "two threads take turns (futex), round",
    "fault_anon": "page fault, anonymous",
    "fault_cow": "page fault, copy-on-write",
    "file_read": "file private: mapped, read, unmapped, a page",
    "file_write": "file private: mapped, written, unmapped, a page",
    "mmap_1": "mmap + munmap, 1 page",
    "mmap_1_touch": "mmap + touch + munmap, 1 page",
    "mmap_256_touch": "mmap + touch + munmap, 256 pages",
    "mmap_among_1000": "mmap + touch + munmap among 1,000 mappings",
    "mprotect": "mprotect 16 pages, there and back",
    "pipe_1": "pipe: write + read 1 byte",
    "pipe_64k": "pipe: write + read 64 KiB",
    "switch": "context switch: pipe round trip, two processes",
    "poll_10": "poll 10 pipes",
    "poll_100": "poll 100 pipes",
    "udp": "UDP round trip, loopback",
    "tcp": "TCP round trip, loopback",
}

if __name__ == "__main__":
    sys.exit(Bench("bench-kernel", OPERATIONS, Guest, TIME, repeat=5).main())
