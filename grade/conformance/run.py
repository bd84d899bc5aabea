"""grade/conformance/run.py - run items in a house, and scripts; what came of each.

An item on the virtual kernel runs in a child: a world of its own, and what crashes or hangs is a failure like another.
"""
import multiprocessing
import re
import subprocess
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from grade.conformance import items
from grade.conformance.items import Item
from grade.conformance.virtual import Virtual
from grade.machine import patience
from sim.towpath import LIBRARY

CHILD_LIMIT = 60.0  # seconds
SCRIPTS, INTERPRETER = Path("grade/scripts"), Path("build/towpath-script")
CITES = re.compile(r"checklist ((?:\d+)(?:\s*,\s*\d+)*)")


@dataclass(frozen=True)
class Outcome:
    number: str
    where: str
    why: str  # it failed; empty: it did not


def explain(error: BaseException) -> str:
    """One line: what was wrong and where in the items."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "/conformance/" in frame.filename]
    place = f" ({Path(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""
    what = str(error).splitlines()[0] if str(error) else f"{type(error).__name__} at `{frames[-1].line if frames else '?'}`"
    return what + place


def attempt(chosen: Item, make: Callable[[], Virtual]) -> str:
    """Why the item fails on a host of its own; empty if it does not."""
    try:
        host = make()
        items.run(chosen, host)
        host.close()
        return ""
    except Exception as error:  # whatever it is, it belongs into the report
        return explain(error)


def in_child(function: Callable[[], str]) -> str:
    """What it returns, or how its process ended."""
    def child(end: Connection) -> None:
        end.send(function())

    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=child, args=(theirs,))
    process.start()
    theirs.close()
    try:
        return ours.recv() if ours.poll(patience(CHILD_LIMIT)) else f"hangs for {CHILD_LIMIT:.0f} s"
    except EOFError:
        process.join()
        return f"the virtual kernel crashes (status {process.exitcode})"
    finally:
        process.kill()
        process.join()


def on_virtual(chosen: Item, library: str = LIBRARY) -> Outcome:
    return Outcome(chosen.number, "virtual", in_child(lambda: attempt(chosen, lambda: Virtual(library))))


# ---- scripts (doc/scripts.md): their first line says which items they are about

def scripts() -> Iterator[tuple[Path, list[str]]]:
    for path in sorted(SCRIPTS.glob("*/*")):
        first = path.read_text().partition("\n")[0] if path.is_file() else ""
        if cited := CITES.search(first):
            yield path, re.findall(r"\d+", cited[1])


def by_script() -> list[Outcome]:
    if not INTERPRETER.exists():
        return []
    outcomes = []
    for path, numbers in scripts():
        done = subprocess.run([INTERPRETER, path], capture_output=True, text=True, timeout=patience(CHILD_LIMIT))
        lines = (done.stdout + done.stderr).strip().splitlines()
        why = (lines[0] if lines else f"status {done.returncode}") if done.returncode else ""
        outcomes += [Outcome(number, f"script {path.parent.name}/{path.stem}", why) for number in numbers]
    return outcomes
