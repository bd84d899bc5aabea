"""The shell is busybox's ash: pipes, redirection, jobs, line editing, as somebody at the console uses them."""
import random
import re

import pytest

from grade.machine import PROMPT, Machine, patience
from grade.plugin import Machines

CTRL_C, CTRL_D, CTRL_Z, BACKSPACE, UP, LEFT = "\x03", "\x04", "\x1a", "\x7f", "\x1b[A", "\x1b[D"


@pytest.fixture(scope="module")
def machine(shared_machines: Machines) -> Machine:
    return shared_machines.on_wire().machine


def type_and_see(machine: Machine, keys: str, pattern: str) -> None:
    """Wait for what comes behind the keys."""
    console = machine.console
    start = len(console.text)
    console.type(keys)
    console.wait(re.compile(pattern), patience(10), start)


SCRIPTS = {
    "a pipe of three": ("seq 1000 | grep 7 | wc -l", "271\n"),
    "a pipe that ends early": ("yes | head -n 2", "y\ny\n"),
    "output to a file and behind it": ("echo a > /tmp/f; echo b >> /tmp/f; cat /tmp/f", "a\nb\n"),
    "input from a file": ("seq 5 > /tmp/f; tail -n 1 < /tmp/f", "5\n"),
    "errors beside the output": ("ls /nowhere 2>&1 >/dev/null | grep -c nowhere", "1\n"),
    "text in place of a file": ("printf 'cat <<E\\nhere $((6 * 7))\\nE\\n' | sh", "here 42\n"),
    "a command's output as a word": ("echo $(echo one; echo two)", "one two\n"),
    "a group in the background": ("{ sleep 0.1; echo late; } & echo early; wait", "early\nlate\n"),
    "the status of a background job": ("sh -c 'exit 3' & wait $! || echo $?", "3\n"),
    "a loop, a case and a function": ("f() { case $1 in [ab]) echo $1;; *) return 1;; esac; }; "
                                      "for i in a b c; do f $i || echo no; done", "a\nb\nno\n"),
    "a trap": ("sh -c 'trap \"echo caught\" USR1; kill -USR1 $$; echo on'", "caught\non\n"),
    "a pattern": ("cd /etc; echo host[s] pass*", "hosts passwd\n"),
    "a program killed": ("sh -c 'kill -9 $$'; echo $?", "Killed\n137\n"),
}


@pytest.mark.parametrize("what", SCRIPTS)
def test_a_script_prints_what_it_prints_elsewhere(machine: Machine, what: str) -> None:
    line, printed = SCRIPTS[what]
    machine.run("cd /tmp")
    assert machine.run(line if "'" in line else f"sh -c '{line}'") == printed


def test_a_job_is_stopped_continued_and_ended(machine: Machine) -> None:
    """Ctrl-Z, jobs, bg, fg, Ctrl-C: the terminal's foreground group goes there and back."""
    type_and_see(machine, "sh -c 'echo go; exec sleep 1000'\n", "go\n")
    type_and_see(machine, CTRL_Z, r"Stopped .*sleep 1000.*\n.*# ")
    assert re.search(r"\[1\]\+ +Stopped .*sleep 1000", machine.run("jobs"))
    type_and_see(machine, "bg\n", r"sleep 1000.*\n.*# ")
    assert re.search(r"\[1\]\+ +Running .*sleep 1000", machine.run("jobs"))
    type_and_see(machine, "fg\n", r"sleep 1000.*\n")
    type_and_see(machine, CTRL_C, PROMPT.pattern)
    assert machine.run("jobs") == ""


def test_a_background_job_that_reads_the_terminal_is_stopped(machine: Machine) -> None:
    """SIGTTIN; in the foreground it reads on."""
    word = f"{random.getrandbits(48):x}"
    type_and_see(machine, "cat &\n", PROMPT.pattern)
    machine.run("until ps -o stat,comm | grep -q '^T.*cat'; do usleep 10000; done")
    type_and_see(machine, "fg\n", "cat\n")
    type_and_see(machine, f"{word}\n", f"{word}\n")
    type_and_see(machine, CTRL_D, PROMPT.pattern)


def test_ctrl_c_ends_a_whole_pipe(machine: Machine) -> None:
    type_and_see(machine, "sh -c 'echo go; yes | cat > /dev/null'\n", "go\n")
    type_and_see(machine, CTRL_C, PROMPT.pattern)
    assert "yes" not in machine.run("ps -o comm")


def test_the_shell_edits_its_line(machine: Machine) -> None:
    """ash puts the terminal into raw mode and moves the cursor itself; history comes back with a key."""
    type_and_see(machine, f"echo riht{LEFT}{LEFT}g-{BACKSPACE}\n", r"\nright\n(.*)# ")
    type_and_see(machine, f"{UP}-again\n", r"\nright-again\n.*# ")


def test_top_and_vi_use_the_whole_screen(machine: Machine) -> None:
    type_and_see(machine, "top\n", r"Mem: \d+K used(?s:.*)\btop\b")
    type_and_see(machine, "q", PROMPT.pattern)
    type_and_see(machine, "vi /tmp/note\n", r"/tmp/note")
    type_and_see(machine, "ihello\x1b", r"- /tmp/note \[Modified\]")
    type_and_see(machine, ":wq\n", PROMPT.pattern)
    assert machine.run("cat /tmp/note") == "hello\n"


def test_ps_shows_who_runs(machine: Machine) -> None:
    rows = [line.split(None, 4) for line in machine.run("ps -o pid,ppid,user,stat,args").splitlines()]
    assert ["1", "0", "root", "S", "/sbin/init"] in rows
    assert any(row[4] == "echod 7" for row in rows)


def test_the_everyday_commands(machine: Machine) -> None:
    machine.run("mkdir -p /tmp/d/e; cp /etc/passwd /tmp/d/e/p; ln -s e/p /tmp/d/link; mv /tmp/d/e /tmp/d/f; ln -sf f/p /tmp/d/link")
    assert machine.run("find /tmp/d | sort") == "/tmp/d\n/tmp/d/f\n/tmp/d/f/p\n/tmp/d/link\n"
    assert machine.run("cmp /etc/passwd /tmp/d/link; stat -c '%s %F' /tmp/d/link; readlink /tmp/d/link").splitlines() == [
        "3 symbolic link", "f/p"]
    assert machine.run("tar cz -C /tmp d | tar tz | sort") == "d/\nd/f/\nd/f/p\nd/link\n"
    assert machine.run("sed -n 's/:.*//p' /etc/passwd | sort | tr a-z A-Z | tr '\\n' ' '") == "NOBODY ROOT "
    assert machine.run("awk -F: '{ n += $3 } END { print n }' /etc/passwd") == "65534\n"
    assert machine.run("md5sum < /etc/passwd; rm -r /tmp/d; ls /tmp/d 2>/dev/null; id -un").split()[-1] == "root"
