"""`make run` and `make ports`, as a script uses them: statuses, ports, one clear line for what cannot be."""
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

RUN = [sys.executable, "tools/run_qemu.py"]


def run(command: str, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "CMD": command, **variables}
    return subprocess.run([*RUN, *options, "run"], env=env, capture_output=True, text=True)


@pytest.mark.parametrize("command, status, output", [
    ("echo one; echo two", 0, "one\ntwo\n"),
    ("exit 7", 7, ""),
    ("exit 200", 200, ""),
    ("no-such-program", 127, None),
])
def test_a_command_gives_its_output_and_its_status(command: str, status: int, output: str | None) -> None:
    done = run(command)
    assert done.returncode == status, done.stderr
    assert output is None or done.stdout == output


def test_the_script_builds_runs_and_has_the_commands_status() -> None:
    """tools/run, because make ends with 2 whatever its recipe ended with."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    done = subprocess.run(["tools/run", "echo", "two  words;", "exit", "9"], env=outside, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (9, "two words\n"), done.stderr


def test_with_rootfs_debians_programs_are_there() -> None:
    """Linked with the libraries that came along, and with memory enough without being told."""
    if not Path("build/debug/initramfs-rootfs.cpio").exists():
        pytest.skip("not made: `make rootfs`")
    done = run("iperf3 -v && curl -V && redis-cli -v", ROOTFS="1")
    assert done.returncode == 0 and "cJSON" in done.stdout and "libcurl" in done.stdout, done.stderr


def test_a_machine_that_ends_otherwise_is_125() -> None:
    done = run("reboot")
    assert done.returncode == 125, done.stderr
    assert "ended by itself" in done.stderr and "command line: run" in done.stderr


def test_a_command_that_does_not_end_is_124() -> None:
    done = run("sleep 1000", "--timeout", "10")
    assert done.returncode == 124, done.stderr


@pytest.mark.parametrize("option, value", [
    ("--nic", "token-ring"), ("--accel", "magic"), ("--smp", "0"), ("--smp", "two"), ("--mem", "lots"),
    ("--http-port", "70000"), ("--timeout", "soon"), ("--elf", "no/such/kernel")])
def test_a_setting_that_cannot_be_gives_one_line(option: str, value: str) -> None:
    done = run("true", option, value)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and value in done.stderr


@pytest.mark.parametrize("option, kind", [("--http-port", socket.SOCK_STREAM), ("--udp-echo-port", socket.SOCK_DGRAM)])
def test_a_port_in_use_gives_one_line(option: str, kind: int) -> None:
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        port = str(taken.getsockname()[1])
        done = run("true", option, port)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and port in done.stderr


def test_two_services_on_one_port_give_one_line() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    done = run("true", "--http-port", port, "--echo-port", port)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 and f"ECHO_PORT={port}" in done.stderr


def test_ports_tells_the_ports_of_the_machine_that_runs(tmp_path: Path) -> None:
    """The machine leaves the file locked while it runs, and takes it away when it ends."""
    checkout = second_checkout(tmp_path)
    ports = [*RUN, "ports"]
    machine = subprocess.Popen([*RUN, *absolute_images(), "terminal"], cwd=checkout, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    assert machine.stdout and machine.stdin
    announced = machine.stdout.readline()
    told = subprocess.run(ports, cwd=checkout, capture_output=True, text=True)
    machine.stdin.write("\x01x")
    machine.stdin.flush()
    machine.wait()
    rows = dict(line.split() for line in told.stdout.splitlines())
    assert list(rows) == ["http", "echo", "udp-echo"] and told.returncode == 0
    assert all(port in announced for port in rows.values())
    gone = subprocess.run(ports, cwd=checkout, capture_output=True, text=True)
    assert gone.returncode == 1 and len(gone.stderr.splitlines()) == 1


def test_two_checkouts_run_at_once_on_different_ports(tmp_path: Path) -> None:
    machines = []
    for name in ("one", "two"):
        checkout = second_checkout(tmp_path / name)
        machines.append(subprocess.Popen([*RUN, *absolute_images(), "terminal"], cwd=checkout, stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True))
    lines = [machine.stdout.readline() for machine in machines if machine.stdout]
    for machine in machines:
        machine.communicate("\x01x")
    assert len(set(lines)) == 2 and all("http://localhost:" in line for line in lines)


def second_checkout(folder: Path) -> Path:
    """A folder with the tools and a build/ of its own."""
    (folder / "build").mkdir(parents=True)
    (folder / "tools").symlink_to(Path("tools").resolve())
    return folder


def absolute_images() -> list[str]:
    build = Path("build/debug").resolve()
    return ["--elf", str(build / "towpath.elf"), "--initrd", str(build / "initramfs.cpio")]
