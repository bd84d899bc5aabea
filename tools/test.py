"""tools/test.py - run the tests and add them up: the last line is `N passed, N failed`, and `, N skipped` if any were.

usage: tools/test.py [--jobs N] [-k EXPRESSION] all|qemu|long|grade [-- command of the linter]
"""
import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path

SUMMARY = Path("build/grade/summary.json")
CLOSING = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$")
Counts = tuple[int, int, int]  # passed, failed, skipped
WHICH = {"all": ["-m", "not long"], "qemu": ["-m", "not long"], "long": ["-m", "long"], "grade": ["--points"]}


def pytest(which: str, args: argparse.Namespace) -> Counts:
    """Run the grader; the tests of a module share a machine, so a module stays with one worker."""
    SUMMARY.unlink(missing_ok=True)
    folders = [folder for folder in ("grade", "labs") if any(Path(folder).rglob("test_*.py"))]
    if which == "grade" and "labs" in folders:
        folders = ["labs"]
    command = [sys.executable, "-m", "pytest", "-q", "-c", "grade/pytest.ini", "--rootdir", ".", *WHICH[which], *folders]
    if args.jobs > 1:
        command += ["-n", str(args.jobs), "--dist", "loadfile"]
    if args.k:
        command += ["-k", args.k]
    status = subprocess.run(command).returncode
    if not SUMMARY.exists():
        return 0, 1, 0
    counts = json.loads(SUMMARY.read_text())
    passed, failed = counts["passed"], counts["failed"]
    failed = failed or (1 if status not in (0, 5) else 0)  # 5: no test was chosen
    return passed, failed, counts["skipped"]


def program(name: str, command: list[str]) -> Counts:
    """A program that counts for itself: its closing line says how many."""
    print(f"== {name}", flush=True)
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    print(run.stdout, end="", flush=True)
    closing = CLOSING.search(run.stdout.rstrip())
    passed, failed, skipped = map(int, closing.groups("0")) if closing else (0, 1, 0)
    return passed, failed or (1 if run.returncode else 0), skipped


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("which", choices=WHICH)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("-k", default="")
    parser.add_argument("lint", nargs="*", help="the linter's command, for `all`")
    args = parser.parse_args()
    start, counts = time.monotonic(), []
    if args.which == "all":
        counts += [program("unit tests on the host", ["build/host/unit-tests"]),
                   program("scripts", ["build/towpath-script-asan", "grade/scripts"]), program("lint", args.lint)]
        print("== the grader", flush=True)
    counts.append(pytest(args.which, args))
    passed, failed, skipped = map(sum, zip(*counts))
    print(f"({time.monotonic() - start:.0f} s)")
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
