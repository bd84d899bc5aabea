"""Seeing what a program asks of the kernel: our truss, and Debian's own strace, unmodified, on the same ptrace."""
import re
import shutil

import pytest

from grade.machine import Machine
from grade.plugin import Machines
from tools.mkrootfs import gather


@pytest.fixture(scope="module")
def machine(shared_machines: Machines) -> Machine:
    if not shutil.which("strace"):
        pytest.skip("strace is not installed")
    entries, _ = gather(("strace", "date"))
    return shared_machines.on_user_network(files=entries)


def test_truss_shows_the_calls_of_a_client(machine: Machine) -> None:
    shown = machine.run("truss wget -q -O /dev/null http://127.0.0.1/")
    assert re.search(r"\] socket\(AF_INET, SOCK_STREAM(\|\w+)*, \d+\) = (\d+)", shown), shown
    assert re.search(r"\] connect\(\d+, 127\.0\.0\.1:80, 16\) = 0", shown)
    assert re.search(r'\] write\(\d+, "GET / HTTP', shown)
    assert re.search(r'\] read\(\d+, "HTTP/1\.1 200', shown)
    assert re.search(r"\] ended with status 0\s*$", shown)


def test_truss_follows_children_and_gives_their_status(machine: Machine) -> None:
    command = machine.console.command("truss sh -c 'sh -c \"exit 3\"; exit 4'")
    assert command.status == 4
    assert re.search(r"\] ended with status 3", command.printed)
    assert len(set(re.findall(r"^\[(\d+)\]", command.printed, re.M))) == 2


def test_strace_shows_a_program_from_its_exec_to_its_end(machine: Machine) -> None:
    shown = machine.run("strace /bin/busybox true 2>&1")
    assert shown.startswith('execve("/bin/busybox", ["/bin/busybox", "true"]'), shown
    assert re.search(r"^exit_group\(0\) += \?$", shown, re.M) and "+++ exited with 0 +++" in shown


def test_strace_follows_threads_and_forks(machine: Machine) -> None:
    shown = machine.run("strace -f -e trace=execve,write,exit sh -c 'burn 0.1 any any; ls / | wc -l' 2>&1")
    assert len(set(re.findall(r"Process (\d+) attached", shown))) == 5, shown  # burn and its two threads, ls, wc
    assert len(re.findall(r"\+\+\+ exited with 0 \+\+\+", shown)) == 6


def test_strace_counts(machine: Machine) -> None:
    shown = machine.run("strace -c ls / 2>&1 >/dev/null")
    assert re.search(r"\s1\s+execve$", shown, re.M) and re.search(r"\d+(\s+\d+)?\s+total$", shown, re.M), shown


def test_strace_attaches_to_what_runs_and_sees_its_signals(machine: Machine) -> None:
    shown = machine.run("sleep 100 & P=$!; strace -p $P 2>&1 & sleep 1; kill -STOP $P; sleep 1; kill -CONT $P; sleep 1;"
                        " kill $P; wait")
    for line in (r"--- SIGSTOP \{si_signo=SIGSTOP, si_code=SI_USER", r"--- stopped by SIGSTOP ---",
                 r"--- SIGCONT \{", r"restart_syscall\(", r"\+\+\+ killed by SIGTERM \+\+\+"):
        assert re.search(line, shown), shown


def test_a_killed_strace_leaves_its_program_running(machine: Machine) -> None:
    shown = machine.run("sleep 100 & P=$!; strace -o /dev/null -p $P & S=$!; sleep 1; grep TracerPid /proc/$P/status;"
                        " kill -9 $S; wait $S; grep -E 'TracerPid|State' /proc/$P/status; kill $P; wait $P; true")
    pids = [int(pid) for pid in re.findall(r"TracerPid:\s+(\d+)", shown)]
    assert len(pids) == 2 and pids[0] and not pids[1], shown
    assert "S (sleeping)" in shown


def test_c_libraries_read_clocks_without_a_call(machine: Machine) -> None:
    """glibc in Debian's date, musl in ours: both find the code that the kernel lends (doc/processes.md)."""
    clocks = "trace=clock_gettime,gettimeofday,time"
    for command in ("/usr/bin/date", "burn 0.1 any"):
        shown = machine.run(f"strace -f -e {clocks} {command} 2>&1")
        assert "exited with 0" in shown and not re.search(r"(time|gettimeofday)\((?!CLOCK_THREAD)", shown), shown
