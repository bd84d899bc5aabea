"""The build's own programs: archive, symbol table, verdicts, captures, what is missing."""
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP
from scapy.utils import rdpcap

from grade.faults import Faults
from grade.pcapng import INBOUND, OUTBOUND, Capture
from grade.wire import checksum_error, to_guest
from tools.mkinitramfs import applets, archive
from tools.mkrootfs import Lacking, find
from tools.mksyms import functions, table
from tools.run_qemu import verdict
from tools.test import program


def test_the_archive_is_what_cpio_reads(tmp_path: Path) -> None:
    entries = {"bin/sh": (stat.S_IFREG | 0o755, b"program"), "etc/motd": (stat.S_IFREG | 0o644, b"hello\n"),
               "bin/link": (stat.S_IFLNK | 0o777, b"sh")}
    data = archive(entries)
    assert archive(dict(reversed(entries.items()))) == data
    subprocess.run(["cpio", "-id", "--quiet"], input=data, cwd=tmp_path, check=True)
    assert (tmp_path / "etc/motd").read_text() == "hello\n"
    assert (tmp_path / "bin/link").read_bytes() == b"program"
    assert (tmp_path / "bin/sh").stat().st_mode & 0o777 == 0o755


def test_the_applets_are_what_busybox_says() -> None:
    """They are read from the program, because it cannot be run everywhere; here it can."""
    busybox = shutil.which("busybox")
    assert busybox
    told = subprocess.run([busybox, "--list"], capture_output=True, text=True).stdout.split()
    assert applets(Path(busybox).read_bytes()) == told


@pytest.mark.parametrize("program", ["/bin/ls", "/no/such/file"])
def test_what_is_no_static_busybox_gives_one_line(tmp_path: Path, program: str) -> None:
    command = [sys.executable, "tools/mkinitramfs.py", str(tmp_path / "out"), "--busybox", program]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and program in done.stderr


def test_a_program_that_is_not_installed_is_named_with_the_command() -> None:
    with pytest.raises(Lacking, match=r"^no-such-program is not installed: .*tools/deps.sh rootfs"):
        find("no-such-program")


def test_the_symbol_table_has_code_in_order_once() -> None:
    lines = ["ffffffff80000020 t second", "ffffffff80000010 T first", "ffffffff80000010 T also_first",
             "ffffffff80001000 D data", "                 U other"]
    symbols = functions(lines)
    assert symbols == [(0xFFFFFFFF80000010, "first"), (0xFFFFFFFF80000020, "second")]
    assert ".quad 2" in table(symbols) and ".long 6" in table(symbols)


@pytest.mark.parametrize("status, log, result", [
    (1, b"exit status 0\n", 0),
    (255, b"[ 1.5] exit status 127\n", 127),
    (0x90 << 1 & 0xFF | 1, b"exit status 144\n", 144),
    (7, b"exit status 4\n", None),
    (255, b"panic: no\nexit status 127\n", None),
    (0, b"exit status 0\n", None),
    (-9, b"", None),
])
def test_a_status_counts_when_the_log_and_qemu_agree(status: int, log: bytes, result: int | None) -> None:
    assert verdict(status, log) == result


def test_a_capture_is_read_by_others(tmp_path: Path) -> None:
    capture = Capture(tmp_path / "a.pcapng")
    frames = [bytes(to_guest() / ICMP(id=number)) for number in range(3)]
    for frame in frames:
        capture.add(frame, INBOUND if frame is frames[0] else OUTBOUND, "a remark")
    capture.close()
    assert [bytes(packet) for packet in rdpcap(str(tmp_path / "a.pcapng"))] == frames


def test_the_same_seed_makes_the_same_faults() -> None:
    frames = [bytes([number]) * 60 for number in range(200)]
    runs = [[Faults(5, 0.1, 0.1, 0.1, 0.1)] * 200 for _ in range(2)]
    outcomes = [[faults(frame) for faults, frame in zip(run, frames)] for run in runs]
    assert outcomes[0] == outcomes[1]
    assert any(not out for out in outcomes[0]) and any(len(out) > 1 for out in outcomes[0])


def test_a_wrong_checksum_on_the_wire_is_seen() -> None:
    good = bytes(to_guest() / ICMP(id=1))
    assert checksum_error(good) is None
    assert checksum_error(good[:-1] + b"\x01") == "ICMP checksum wrong"
    assert checksum_error(good[:22] + b"\x01" + good[23:]) == "IP header checksum wrong"


GRADED = """
import pytest

@pytest.mark.points(3, "the frame is gone")
def test_a_frame_is_kept(): pass

@pytest.mark.points(4, "the byte is wrong")
def test_a_byte_is_right(): assert False

def test_nobody_grades_this(): assert False
"""


def test_points_are_shown_with_what_lost_them(tmp_path: Path) -> None:
    (tmp_path / "test_graded.py").write_text(GRADED)
    command = [sys.executable, "-m", "pytest", "-q", "-c", "grade/pytest.ini", "--rootdir", ".", "--points", str(tmp_path)]
    shown = subprocess.run(command, capture_output=True, text=True).stdout
    assert "  3 of   3  a frame is kept\n" in shown
    assert "  0 of   4  a byte is right\n            lost because the byte is wrong\n" in shown
    assert "total: 3 of 7 points\n" in shown and "nobody" not in shown


MANAGERS = {"dnf": "sudo dnf install", "pacman": "sudo pacman -S", "brew": "brew install"}


@pytest.mark.parametrize("manager", MANAGERS)
def test_what_is_missing_is_named_with_the_command(tmp_path: Path, manager: str) -> None:
    """A machine with a shell and one package manager, and none of what we need."""
    for name in ("sh", "dirname", "mkdir", "tr", "sed"):
        (tmp_path / name).symlink_to(f"/bin/{name}")
    (tmp_path / manager).write_text("#!/bin/sh\n")
    (tmp_path / manager).chmod(0o755)
    done = subprocess.run(["/bin/sh", "tools/deps.sh", "build", "run"], env={"PATH": str(tmp_path)}, text=True,
                          capture_output=True)
    assert done.returncode == 1
    command = done.stderr.splitlines()[-1]
    assert MANAGERS[manager] in command and "qemu" in command and "musl" in command


def test_nothing_is_said_when_nothing_is_missing() -> None:
    done = subprocess.run(["tools/deps.sh", "build"], capture_output=True, text=True, env=dict(os.environ))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_unit_test_that_cannot_run_counts_as_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without QEMU the drivers cannot meet its cards: neither passed nor failed, and said so."""
    unit_tests = Path("build/host/unit-tests")
    if not unit_tests.exists():
        pytest.skip("the unit tests are not built: `make test-host`")
    monkeypatch.setenv("PATH", "/nonexistent")
    passed, failed, skipped = program("on QEMU's card", [str(unit_tests), "virtio_net_on_qemu"])
    assert (passed, failed) == (0, 0) and skipped > 0


@pytest.mark.parametrize("closing, counts", [
    ("3 passed, 0 failed", (3, 0, 0)), ("3 passed, 0 failed, 2 skipped", (3, 0, 2)), ("1 passed, 2 failed", (1, 2, 0)),
    ("it crashed", (0, 1, 0)),
])
def test_what_a_program_counts_is_its_closing_line(closing: str, counts: tuple[int, int, int]) -> None:
    assert program("a program", ["echo", closing]) == counts
