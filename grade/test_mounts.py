"""Mounts, /sys and another root, as programs in one guest see them; the host is not asked to mount anything."""
import os
import subprocess
import sys

import pytest

SCRIPT = r"""
say() { echo "## $1"; }
say table; cat /proc/mounts
say info; cat /proc/self/mountinfo
mkdir /tmp/a
say tmpfs; mount -t tmpfs -o mode=0750 mine /tmp/a && stat -c '%a %F' /tmp/a
mkdir -p /tmp/a/b/c; echo text > /tmp/a/b/file
say other; [ "$(stat -c %d /tmp)" != "$(stat -c %d /tmp/a)" ] && echo differs
say path; cd /tmp/a/b/c; pwd -P; cat ../../../a/b/file
say busy; umount /tmp/a 2>&1; cd /; mv /tmp/a /tmp/z 2>&1; rmdir /tmp/a 2>&1
say across; ln /tmp/a/b/file /tmp/link 2>&1
say ro; mount -o remount,ro /tmp/a; echo x 2>&1 > /tmp/a/b/file; chmod 700 /tmp/a 2>&1; cat /tmp/a/b/file
say rw; mount -o remount,rw /tmp/a; echo new > /tmp/a/b/file; cat /tmp/a/b/file
say over; mount -t tmpfs two /tmp/a; ls /tmp/a; umount /tmp/a; ls /tmp/a
say gone; umount /tmp/a; ls /tmp/a; umount /tmp/a 2>&1
say leak; free() { awk '/MemFree/ { print $2 }' /proc/meminfo; }
fill() { mount -t tmpfs t /tmp/a; mkdir -p /tmp/a/d/e/f; dd if=/dev/zero of=/tmp/a/d/e/f/big bs=1M count=8 2> /dev/null; umount /tmp/a; }
fill; before=$(free); for i in 1 2 3 4 5; do fill; done; after=$(free)
[ $((before - after)) -lt 2048 ] && echo none || echo "$before $after"
say types; mount -t proc proc /proc 2>&1; mount -t nothing x /tmp/a 2>&1; mount -t tmpfs x /nowhere 2>&1
say sys; umount /sys; ls /sys; mount -t sysfs sysfs /sys; ls /sys
say cpus; cat /sys/devices/system/cpu/online
say net; cat /sys/class/net/lo/mtu; ls /sys/class/net; cat /sys/class/net/lo/statistics/rx_fifo_errors
say chroot; mkdir -p /j/bin; cp /bin/busybox /j/bin; chroot /j /bin/busybox sh -c 'cd ..; /bin/busybox pwd; /bin/busybox ls ..'
say user; su nobody -s /bin/sh -c 'mount -t tmpfs x /tmp; umount /sys; chroot /j /bin/busybox' 2>&1
say end
"""


@pytest.fixture(scope="module")
def seen() -> dict[str, str]:
    """What the guest printed behind each '## name'."""
    command = [sys.executable, "tools/run_qemu.py", "run"]
    out = subprocess.run(command, env={**os.environ, "CMD": SCRIPT.strip()}, capture_output=True, text=True).stdout
    parts = out.replace("\r", "").split("## ")
    return {part.split("\n", 1)[0]: part.split("\n", 1)[1].strip() for part in parts[1:]}


def test_the_table_of_mounts_begins_with_the_root(seen: dict[str, str]) -> None:
    assert seen["table"].splitlines() == ["rootfs / rootfs rw 0 0", "proc /proc proc rw 0 0", "sysfs /sys sysfs rw 0 0"]
    assert seen["info"].splitlines()[1].split()[1:6] == ["1", "0:4", "/", "/proc", "rw"]


def test_a_tmpfs_is_a_tree_of_its_own(seen: dict[str, str]) -> None:
    assert seen["tmpfs"] == "750 directory"
    assert seen["other"] == "differs"
    assert seen["path"].splitlines() == ["/tmp/a/b/c", "text"]
    assert "Cross-device" in seen["across"] or "Invalid cross" in seen["across"]


def test_what_is_in_use_stays(seen: dict[str, str]) -> None:
    assert [line.rsplit(": ", 1)[1] for line in seen["busy"].splitlines()] == ["Device or resource busy"] * 3


def test_a_mount_can_be_read_only(seen: dict[str, str]) -> None:
    assert seen["ro"].count("Read-only file system") == 2 and seen["ro"].endswith("text")
    assert seen["rw"] == "new"


def test_mounts_stack_and_go(seen: dict[str, str]) -> None:
    assert seen["over"] == "b"
    assert "Invalid argument" in seen["gone"] and "file" not in seen["gone"]
    assert seen["leak"] == "none"


def test_errors_of_mount_are_linux_s(seen: dict[str, str]) -> None:
    ends = [line.rsplit(": ", 1)[1] for line in seen["types"].splitlines()]
    assert ends == ["Device or resource busy", "No such device", "No such file or directory"]
    assert ["denied" in line or "not permitted" in line for line in seen["user"].splitlines()] == [True] * 3


def test_sys_has_the_files_that_programs_read(seen: dict[str, str]) -> None:
    assert seen["sys"].split() == ["class", "devices", "kernel"]
    assert seen["cpus"] == "0-1"
    assert seen["net"].split() == ["65535", "eth0", "lo", "0"]


def test_a_process_does_not_leave_its_root(seen: dict[str, str]) -> None:
    assert seen["chroot"].splitlines() == ["/", "bin"]
