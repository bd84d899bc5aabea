"""What CI proves of every lab: DESIGN's promise that a handout is fair.

A lab's tree is made once and goes through its life: as a student gets it, with the reference's bodies put back, and
with each planted bug in turn.
"""
from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from grade import trees
from labs import handout

ROOT = Path(__file__).resolve().parent.parent
LABS = sorted(path.parent.name for path in ROOT.glob("labs/*/README.md"))
BUG_HEAD = re.compile(r"/\* in (?P<stub>[\w.-]+), caught by (?P<test>\w+): (?P<what>.*?) \*/", re.S)
POINTS = re.compile(r"^ *(?P<got>\d+) of +(?P<of>\d+) {2}(?P<test>\S.*)$", re.M)
TOTAL = re.compile(r"^total: (\d+) of (\d+) points$", re.M)
TRIVIAL = re.compile(r"^(\W*|return( [\w>-]+)?;|else|break;|continue;)$")


@dataclass
class Tree:
    """A handout on disk, and the regions that its student has to write."""

    lab: str
    path: Path
    regions: list[handout.Region]

    def make(self, *words: str) -> subprocess.CompletedProcess[str]:
        return trees.run(self.path, "make", "--no-print-directory", "-j2", *words)

    def write(self, bodies: dict[str, str]) -> None:
        """Put these texts (by stub name) where the stubs were, and the reference's own in all other regions."""
        for name in {region.path for region in self.regions}:
            lines = (ROOT / name).read_text().splitlines(keepends=True)
            for region in reversed(list(handout.regions(name, lines))):
                if region.lab == self.lab and region.stub in bodies:
                    lines[region.start:region.end] = bodies[region.stub].splitlines(keepends=True)
            (self.path / name).write_text("".join(lines))

    def unit_test(self, name: str) -> subprocess.CompletedProcess[str]:
        built = self.make("build/host/unit-tests")
        assert built.returncode == 0, built.stdout[-4000:]
        return trees.run(self.path, "build/host/unit-tests", name)


@pytest.fixture(scope="module", params=LABS)
def tree(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tree:
    path = tmp_path_factory.mktemp("labs") / request.param
    return Tree(request.param, path, handout.make(ROOT, request.param, path))


def solution_lines(tree: Tree) -> set[str]:
    """Lines of the regions that say something and stand nowhere else in the reference."""
    inside, outside = set(), set()
    for name in handout.tracked(ROOT):
        if Path(name).suffix not in handout.SOURCES or not handout.belongs(name, tree.lab):
            continue
        lines = (ROOT / name).read_text().splitlines()
        numbers = {n for r in tree.regions if r.path == name for n in range(r.start, r.end)}
        for number, line in enumerate(lines):
            (inside if number in numbers else outside).add(line.strip())
    return {line for line in inside - outside if not TRIVIAL.match(line)}


def test_the_handout_has_no_line_of_a_solution(tree: Tree) -> None:
    secret = solution_lines(tree)
    assert secret, "the lab takes nothing out"
    for file in tree.path.rglob("*"):
        if file.is_file() and not file.is_symlink() and "build" not in file.relative_to(tree.path).parts[:1]:
            text = {line.strip() for line in file.read_text(errors="replace").splitlines()}
            assert not text & secret, f"{file.relative_to(tree.path)} shows {sorted(text & secret)}"


def test_the_handout_builds_without_warnings_and_boots(tree: Tree) -> None:
    built = tree.make("all", "build/host/unit-tests")
    assert built.returncode == 0 and "warning:" not in built.stdout, built.stdout[-4000:]
    ran = tree.make("run", "CMD=echo it boots")
    assert (ran.returncode, ran.stdout.splitlines()[-1:]) == (0, ["it boots"]), ran.stdout[-4000:]


def test_every_graded_test_fails_in_the_handout_and_says_why(tree: Tree) -> None:
    graded = tree.make("grade").stdout
    rows = POINTS.findall(graded)
    assert rows and all(got == "0" for got, _, _ in rows), graded[-4000:]
    assert graded.count("lost because") == len(rows), graded[-4000:]


def test_the_reference_scores_full(tree: Tree) -> None:
    tree.write({})
    graded = tree.make("grade").stdout
    total = TOTAL.search(graded)
    assert total and total[1] == total[2] != "0", graded[-4000:]


def test_every_planted_bug_is_caught_by_the_test_it_names(tree: Tree) -> None:
    bugs = sorted((ROOT / "labs" / tree.lab / "bugs").glob("*.c"))
    assert bugs, "no bug is planted"
    for bug in bugs:
        text = bug.read_text()
        head = BUG_HEAD.match(text)
        assert head, f"{bug.name} does not begin by saying where it goes and what catches it"
        tree.write({head["stub"]: text[head.end():]})
        result = tree.unit_test(head["test"])
        assert result.returncode != 0, f"{bug.name} passes {head['test']}: {head['what']}"
    tree.write({})
    for bug in bugs:
        test = BUG_HEAD.match(bug.read_text())["test"]  # type: ignore[index]
        assert tree.unit_test(test).returncode == 0, f"{test} fails without a bug"
