"""user/tests/cases.h and its runner: a case that hangs is cut and named, a guest that dies has failed one case only."""
import subprocess
from pathlib import Path

import pytest

from grade.linux import WHOLE, Case, Program, Sorter, behind, cases_of, difference

PROGRAM = """
#include "user/tests/cases.h"
CASE(works) { say("fine"); }
CASE(hangs) { say("before"); for (;;) pause(); }
CASE(crashes) { raise(SIGSEGV); }
CASE(fails) { exit(3); }
CASE(leaves_files) { mkdir("d", 0700); close(open("d/f", O_CREAT | O_WRONLY, 0600)); printf("%s\\n", getcwd(NULL, 0)); }
HELPER(repeat) { printf("%s\\n", argv[argc - 1]); return 0; }
CASE(execs) { execl(this_program, this_program, "repeat", "a word", NULL); }
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cases") / "program"
    subprocess.run(["cc", "-I.", "-D_GNU_SOURCE", "-x", "c", "-", "-o", str(path)], input=PROGRAM, text=True, check=True)
    return path


def printed(program: Path, *words: str) -> list[str]:
    return subprocess.run([program, "--limit", "1", *words], capture_output=True, text=True).stdout.splitlines()


def test_each_case_says_how_it_ended(program: Path) -> None:
    assert printed(program, "crashes", "works", "fails") == [
        "== works", "fine", "== crashes", "-- killed by signal 11", "== fails", "-- exited with 3"]


def test_a_case_that_hangs_is_cut_and_the_next_one_runs(program: Path) -> None:
    assert printed(program, "hangs", "fails") == [
        "== hangs", "before", "-- cut after 1 seconds", "== fails", "-- exited with 3"]


def test_a_cases_directory_is_gone_afterwards(program: Path) -> None:
    _, directory = printed(program, "leaves_files")
    assert directory.startswith("/tmp/case-") and not Path(directory).exists()


def test_a_case_can_exec_a_helper(program: Path) -> None:
    assert printed(program, "execs") == ["== execs", "a word"]


def test_what_is_printed_is_sorted_by_cases() -> None:
    sorter = Sorter(Program("p", ["a", "b"]))
    for line in ["== a", "1", "== b", "2", "3"]:
        sorter.take(line)
    assert sorter.printed == {Case("p", "a"): ["1"], Case("p", "b"): ["2", "3"]}


def test_behind_a_case_that_broke_the_guest_the_rest_is_run() -> None:
    rest = behind(Case("p", "b"), [Program("p", ["a", "b", "c"]), Program("q", [WHOLE])])
    assert rest == [Program("p", ["c"], all_of_them=False), Program("q", [WHOLE])]
    assert behind(Case("q", WHOLE), [Program("q", [WHOLE])]) == []


def test_a_program_without_cases_is_one_case(tmp_path: Path) -> None:
    (tmp_path / "p.c").write_text("int main(void) { return 0; }\n")
    assert cases_of(tmp_path / "p.c") == [WHOLE]


def test_a_difference_shows_both_sides() -> None:
    assert difference(["same", "EPIPE"], ["same", "0"]).splitlines()[-3:] == [" same", "-EPIPE", "+0"]
