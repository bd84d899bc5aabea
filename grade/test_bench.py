"""The benches measure what they say; their figures are nobody's verdict here."""
import subprocess
import sys
from pathlib import Path

import pytest

from bench import linux_guest
from grade.namespace import Namespace

KBENCH = Path("build/release/bench/kbench")


@pytest.fixture(scope="module")
def built() -> None:
    subprocess.run(["make", "-s", "build/bench/insncount.so", str(KBENCH)], check=True)
    subprocess.run(["make", "-s", "BUILD=release", "all"], check=True)


def rows_of(bench: str, *arguments: str) -> list[list[str]]:
    """The words of each row that a bench prints about this kernel alone, run once."""
    run = subprocess.run([sys.executable, f"bench/{bench}.py", "--towpath-only", "--repeat", "1", *arguments],
                         capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    return [line.replace(",", "").split() for line in run.stdout.splitlines()[2:]]


def test_every_operation_runs_on_linux(built: None) -> None:
    names = subprocess.run([KBENCH], capture_output=True, text=True, check=True).stdout.split()
    for name in (name for name in names if not name.startswith(("udp_", "tcp_"))):  # they need a peer: bench/udp.py, bench/tcp.py
        run = subprocess.run([KBENCH, name, "256"], capture_output=True, text=True, timeout=60)
        assert "exec" in name or run.stdout == "done 256\n", f"{name}: {run.stderr}"


def test_operations_are_counted_between_their_marks(built: None) -> None:
    null, fault = (float(row[-1]) for row in rows_of("kernel", "--untimed", "null", "fault_cow"))
    assert 50 < null < 2000, "a call is hundreds of instructions"
    assert fault > 512, "a page is 512 words"


def test_without_apt_the_guest_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(linux_guest.Unavailable, match="apt-get is not here"):
        linux_guest.kernel()


def test_a_module_names_what_it_needs() -> None:
    assert linux_guest.needs(b"license=GPL\0depends=virtio,virtio_ring\0retpoline=Y\0") == ["virtio", "virtio_ring"]
    assert linux_guest.needs(b"license=GPL\0depends=\0name=e1000\0") == []


def test_look_ups_are_measured_in_a_small_table() -> None:
    run = subprocess.run(["make", "-s", "bench-route", "ARGS=20000 7"], capture_output=True, text=True, timeout=600)
    lines = run.stdout.splitlines()
    assert run.returncode == 0 and lines[0].startswith("20000 prefixes, 64 next hops"), run.stdout + run.stderr
    traffic = next(line for line in lines if line.startswith("  traffic"))
    assert traffic.split()[-2:] == ["100", "%"], "all traffic goes to prefixes that are there"


def test_datagrams_are_counted_on_a_wire(built: None) -> None:
    rows = rows_of("udp", "udp_receive", "udp_send", "udp_forward", "udp_echo")
    assert [row[0] for row in rows] == ["received", "sent", "forwarded", "echoed"]
    received, sent, _forwarded, echoed = (float(row[-2]) for row in rows)
    assert 1000 < received < 10000 and 1000 < sent < 10000
    assert max(received, sent) < echoed < 1.2 * (received + sent), "an echo is one of each"


def test_tcp_is_counted_beside_the_hosts_linux(built: None, linux: Namespace) -> None:
    subprocess.run(["make", "-s", "BUILD=release", "ROOTFS=1", "all"], check=True)
    rows = rows_of("tcp", "--untimed", "receive", "round_trip", "accept", "nginx", "page")
    received, round_trip, accepted, request, page = (float(row[-1]) for row in rows)
    assert 181 < received < 20000, "a segment has 181 words"
    assert 2000 < round_trip < accepted, "a round trip is a segment each way; a connection is three and more"
    assert round_trip < request < page, "a request is a round trip, and a page is a connection besides"
