"""The language of scripted tests itself (doc/scripts.md): what is wrong is found, and the difference told."""
import re
import subprocess
from pathlib import Path

import pytest

PLAIN, SANITIZED = "build/towpath-script", "build/towpath-script-asan"
SCRIPTS = sorted(Path("grade/scripts").rglob("*.script"))
TESTS = [path for path in SCRIPTS if path.parent.name != "setup"]


def run(*arguments: str | Path, program: str = PLAIN) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *arguments], capture_output=True, text=True, timeout=120)


@pytest.fixture
def script(tmp_path: Path):
    """Run a text as a script that may use the snippets: its whole output."""
    (tmp_path / "setup").symlink_to(Path("grade/scripts/setup").resolve())

    def run_text(text: str, *options: str) -> str:
        path = tmp_path / "a.script"
        path.write_text(text)
        return run(*options, path).stdout.replace(f"{tmp_path}/", "")

    return run_text


def test_all_scripts_pass_and_take_next_to_no_time() -> None:
    result = run("grade/scripts")
    assert result.returncode == 0, result.stdout
    figure = re.search(r"(\d+) scripts in (\d+) ms", result.stderr)
    assert figure and int(figure[1]) == len(TESTS)
    print(figure[0])


@pytest.mark.parametrize("isn", ["0", "0x7fffffff", "0xffffffff"])
def test_scripts_pass_wherever_the_numbers_begin(isn: str) -> None:
    result = run("--isn", isn, "--seed", "7", "grade/scripts")
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_each_script_names_its_rule(path: Path) -> None:
    first = path.read_text().splitlines()[0]
    named = re.fullmatch(r"# checklist (\d+(?:, \d+)*); (RFC \d+|POSIX|CVE|[a-z]+\(\d\)).*", first)
    assert named, first
    assert path.name.split("-")[0] in re.split(r", ", named[1])


WRONG = {
    "peer: ACK len 10\n+40ms host: ACK ack 9": "ack: expected 9, came 11",
    "peer: ACK len 10\n+40ms host: FIN ACK": "flags: expected FIN ACK, came ACK",
    "peer: ACK len 10\n+40ms host: ACK win 5": "win: expected 5, came 65535",
    "peer: ACK len 10\nhost: ACK": "nothing came between 0.000000 and 0.001000",
    "peer: ACK len 10\n+80ms host: ACK": "too early: expected between 0.079000 and 0.081000, came at 0.040000",
    "peer: ACK len 10\nsilence 1s": "expected silence, at 0.040000 came: ACK seq 1 ack 11",
    "write(c, 100)": "the script says no more, at 0.000000 came: PSH ACK seq 1 ack 1 len 100",
    "write(c, 100)\nhost: PSH ACK len 99": "len: expected 99, came 100",
    'write(c, "abc")\nhost: PSH ACK "abd"': "text: expected 0x64 at byte 2, came 0x63",
    "read(c, 10)": "read() waits",
    "nonblock(c)\nread(c, 10) = 0": "read() should return 0 and returned EAGAIN",
    "peer: ACK len 10\nread(c, 10) = 9": "read() should return 9 and returned 10",
    'peer: ACK len 5\nread(c, 10) = "hello"': "read() returned 5 bytes, not that text",
    'peer: ACK "hello"\nread(c, 10) = 5': "byte 0 of the stream is 0x68",
    "begin r: read(c, 10)\npeer: ACK len 5\n+1s end r = 5": "read() returned too early, at 0.000000",
    "begin r: read(c, 10)\nend r": "read() waits still",
    "end r": "no call named r has begun",
    "info(c): state CLOSED": "state should be 7 and is 1",
    'check counter("Tcp.PassiveOpens") == 2': "expected 2, it is 1",
    "set net.ipv4.no_such = 1": "net.ipv4.no_such cannot be set to 1: ENOENT",
    "getsockopt(c, SO_ERROR) = ECONNRESET": "should return ECONNRESET and returned 0",
    "peer: udp to 9 len 3\nhost: icmp 3/1 about { udp to 9 }": "code: expected 1, came 3",
    "peer: udp to 9 len 3\nhost: icmp 3/3 about { udp to 8 }": "quoted to: expected 8, came 9",
    "peer: udp to 9 len 3\nhost: icmp 3/3 badsum": "checksum: expected a wrong one, which is never right",
    "u = socket(udp)\nsendto(u, 5, peer:9)\nhost: udp nosum": "checksum: expected none, came one",
    'peer b: SYN\nhost b: SYN ACK <raw x"0204", ...>': "raw is for the peer",
    "write(c, x)": "x has no value",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text.splitlines()[-1])
def test_a_wrong_expectation_fails_and_tells_the_difference(script, text: str) -> None:
    output = script(f"use accepted\n{text}\n")
    line = 2 + text.count("\n")
    assert output.startswith(f"FAILED a.script:{line}"), output
    assert WRONG[text] in output
    assert output.endswith("0 passed, 1 failed\n")


def test_the_story_marks_what_differs(script) -> None:
    output = script("use accepted\npeer: ACK len 10\n+40ms host: ACK ack 9 win 1..5\n")
    story = output.splitlines()
    came = next(i for i, line in enumerate(story) if "host: ACK seq 1 ack 11 win 65535" in line)
    marks = [story[came][m.start():m.end()].strip() for m in re.finditer(r"\^+", story[came + 1])]
    assert marks == ["ack 11", "win 65535"]
    assert "expected: +40ms host: ACK ack 9 win 1..5" in story[came + 2]
    assert any("peer: SYN seq 0 win 20000 <mss 1460>" in line for line in story)


ERRORS = {
    "peer: ACK lenn 5": "1:11: expected a field of the packet, or the end of the line, found 'lenn'",
    "peer ACK": "1:9: expected ':', and the line ends here",
    "peer: ACK len": "1:14: expected a value, and the line ends here",
    "peer: SYN <mss>": "1:15: expected a value, found '>'",
    "peer: [foo 1] ACK": "1:8: expected a field of the IP header",
    "+200 peer: ACK": "1:2: expected a time with its unit",
    "raed(c, 10)": "1:1: expected a step",
    "read(c)": "1:7: read() takes 2 to 2 arguments here, not 1",
    "let EINVAL = 1": "1:5: EINVAL is the name of a constant",
    "use nothing": "1:5: there is no setup/nothing.script here or above",
    'include "a.script"': "1:9: files include each other more than 8 deep",
    "within 1s peer: ACK": "1:1: 'within' is for what is awaited",
    'write(c, "abc': "1:10: expected a closing",
    "info(c): stat 1": "1:10: expected a member of TCP_INFO",
    "check 1": "1:8: expected ==, !=, >= or <=",
    "peer: icmp 3/3 about { any }": "1:24: only an IP packet of a known kind can be quoted",
    "repeat 3\npeer: ACK": "1:8: what is repeated has no end: 'again'",
    "repeat 0\npeer: ACK\nagain": "1:8: 'repeat 0' repeats nothing",
    "again": "1:1: expected a step",
    "wait 99999999999999999999s": "1:6: expected a number that is not so large",
    "wait 1.5": "1:6: expected a unit behind the fraction",
}


@pytest.mark.parametrize("text", ERRORS, ids=lambda text: text.splitlines()[0])
def test_an_error_is_reported_with_its_place(script, text: str) -> None:
    output = script(f"{text}\n")
    assert output.startswith(f"FAILED a.script:{ERRORS[text]}"), output


def test_a_crash_is_a_failure_of_that_script(script, tmp_path: Path) -> None:
    assert run(tmp_path / "missing.script").stdout.startswith(f"FAILED {tmp_path}/missing.script:0: cannot be read")


def test_a_capture_holds_what_was_said(script, tmp_path: Path) -> None:
    script("use accepted\n", "--capture", str(tmp_path / "x.pcapng"))
    assert (tmp_path / "x.pcapng").stat().st_size > 200
