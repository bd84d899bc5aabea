"""sim/fuzz/run.py - run the fuzz targets that `make fuzz-targets` has built, each from its corpus.

usage: sim/fuzz/run.py [TARGET ...] --seconds 60      (or: --runs 20000 --seed 1, the same in every run)
What is found new is kept in build/fuzz/found/TARGET; an input that crashes, in build/fuzz/crash/, and the one command that
replays it is printed. --minimise: instead, let corpus/TARGET be the few small inputs that reach what all found ones do.
"""
import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT, CORPUS = ROOT / "build/fuzz", ROOT / "sim/fuzz/corpus"
INPUT_MOST, LONGEST, SLOWEST = 512, {"segments": 1024}, 20  # bytes; of those that need more; seconds
FILES_MOST, CANDIDATES = 24, 100  # of a corpus; the longest of what was found


@dataclass
class Outcome:
    target: str
    runs: int
    rate: int
    edges: int
    frames: int  # 0: the target sends none
    crash: str | None  # the command that replays it
    text: str

    def __str__(self) -> str:
        frames = f" of {self.frames} frames" if self.frames else ""
        line = f"{self.target}: {self.runs} runs{frames}, {self.rate} a second, {self.edges} edges"
        return f"{line}\n{self.text}\ncrashed; replay it with: {self.crash}" if self.crash else line


def targets() -> list[str]:
    return sorted(path.stem for path in (ROOT / "sim/fuzz").glob("*.c") if path.stem != "host")


def input_most(target: str) -> str:
    return f"-max_len={LONGEST.get(target, INPUT_MOST)}"


def number(pattern: str, text: str) -> int:
    found = re.findall(pattern, text)
    return int(found[-1]) if found else 0


def run(target: str, *options: str, found: Path | None = None, built: Path = BUILT) -> Outcome:
    """One target; new inputs go to the folder found."""
    found = found or built / "found" / target
    crashes = built / "crash"
    for folder in (found, crashes, CORPUS / target):
        folder.mkdir(parents=True, exist_ok=True)
    command = [str(built / target), input_most(target), f"-timeout={SLOWEST}", f"-artifact_prefix={crashes}/{target}-",
               "-print_final_stats=1", *options, str(found), str(CORPUS / target)]
    result = subprocess.run(command, capture_output=True, text=True, errors="replace")
    text = result.stderr
    written = re.search(r"Test unit written to (\S+)", text)
    name = os.path.relpath(written[1], ROOT) if written else ""
    crash = f"make fuzz-targets && build/fuzz/{target} {name}".strip() if result.returncode else None
    runs, rate = number(r"number_of_executed_units: (\d+)", text), number(r"average_exec_per_sec: +(\d+)", text)
    return Outcome(target, runs, rate, number(r"cov: (\d+)", text), number(r"frames_sent: (\d+)", text), crash, "\n".join(text.splitlines()[-60:]))


def reached(target: str, source: Path) -> set[str]:
    """The edges that one input reaches, as libFuzzer's merge of it alone notes them down."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "from").mkdir()
        (folder / "to").mkdir()
        shutil.copy(source, folder / "from")
        command = [str(BUILT / target), "-merge=1", input_most(target), "-use_counters=0",
                   f"-merge_control_file={folder}/notes", f"{folder}/to", f"{folder}/from"]
        subprocess.run(command, check=True, capture_output=True)
        rows = (line.split() for line in (folder / "notes").read_text().splitlines())
        return {edge for row in rows if row[:1] == ["FT"] for edge in row[2:]}


def merge(target: str) -> None:
    """Let corpus/TARGET be as few inputs as reach what all that was kept and found does, as libFuzzer chooses them."""
    with tempfile.TemporaryDirectory() as name:
        sources = [str(folder) for folder in (CORPUS / target, BUILT / "found" / target) if folder.exists()]
        subprocess.run([str(BUILT / target), "-set_cover_merge=1", input_most(target), "-use_counters=0", name, *sources],
                       check=True, capture_output=True)
        chosen = [path.read_bytes() for path in Path(name).iterdir()]
    keep(target, chosen)


def keep(target: str, chosen: list[bytes]) -> None:
    shutil.rmtree(CORPUS / target, ignore_errors=True)
    (CORPUS / target).mkdir(parents=True)
    for content in chosen:
        (CORPUS / target / hashlib.sha1(content).hexdigest()[:12]).write_bytes(content)


def minimise(target: str) -> None:
    """Let corpus/TARGET be, of what was kept and found, at most FILES_MOST inputs: each time the one that adds most."""
    if target in LONGEST:  # whose inputs are many
        merge(target)
        return
    sources = [folder for folder in (CORPUS / target, BUILT / "found" / target) if folder.exists()]
    inputs = sorted((path for folder in sources for path in folder.iterdir()), key=lambda path: -path.stat().st_size)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        table = dict(zip(inputs, pool.map(lambda path: reached(target, path), inputs[:CANDIDATES])))
    seen, chosen = set[str](), list[bytes]()
    while table and len(chosen) < FILES_MOST:
        best = max(table, key=lambda path: len(table[path] - seen))
        if not table[best] - seen:
            break
        seen |= table.pop(best)
        chosen.append(best.read_bytes())
    keep(target, chosen)


def main() -> int:
    parser = argparse.ArgumentParser(description="Run the fuzz targets.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(targets()))
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--runs", type=int)
    parser.add_argument("--seed", type=int, default=0, help="0: another one each time")
    parser.add_argument("--minimise", action="store_true")
    args = parser.parse_args()
    unknown = set(args.targets) - set(targets())
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}; there are {', '.join(targets())}")
    length = f"-runs={args.runs}" if args.runs else f"-max_total_time={args.seconds}"
    failed = 0
    for target in args.targets or targets():
        if args.minimise:
            minimise(target)
            continue
        outcome = run(target, length, f"-seed={args.seed}")
        print(outcome, flush=True)
        failed += outcome.crash is not None
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
