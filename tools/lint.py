"""tools/lint.py - prove the architecture: who includes whom, which symbols cross, what state there is.

Each check is a function from the tree to a Proof: one line that says what was looked at, and the violations.
The include table is the one of doc/; grade/test_lint.py plants a violation of each kind and sees it found.
"""
import argparse
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

FOLDERS = ("lib", "net", "dev", "kern", "sim", "user")
FREESTANDING = {"stdarg.h", "stdbool.h", "stddef.h", "stdint.h"}
PUBLIC = {"net/net.h", "net/syscalls.h", "net/port.h", "net/core/netdevice.h", "net/core/skbuff.h"}
# What a folder may include: prefixes (ending in a slash) and single headers.
MAY_INCLUDE = {
    "lib": ("lib/",),
    "net": ("lib/", "net/"),
    "dev": ("lib/", "dev/", *(PUBLIC - {"net/net.h", "net/syscalls.h"})),
    "kern": ("lib/", "kern/", "dev/dev.h", *PUBLIC),
    "host": ("lib/", "net/", "dev/", "kern/", "sim/"),
    "user": ("lib/abi/", "user/", "kern/sys/table.h"),  # the list of calls is the ABI, too
}
HOSTED = ("host", "user", "abi")


@dataclass
class Proof:
    claim: str
    violations: list[str] = field(default_factory=list)

    def show(self) -> None:
        print(f"{self.claim}, {len(self.violations)} violations", *self.violations, sep="\n    ")


@dataclass
class Tree:
    root: Path
    objects: Path
    nm: str = "nm"

    def files(self, *suffixes: str, folders: Iterable[str] = FOLDERS) -> list[str]:
        """Paths from the root, sorted."""
        found = (path for folder in folders for path in (self.root / folder).rglob("*") if path.suffix in suffixes)
        return sorted(str(path.relative_to(self.root)) for path in found if path.is_file())

    def lines(self, file: str) -> list[str]:
        return (self.root / file).read_text(errors="replace").splitlines()

    def symbols(self, folder: str) -> dict[str, list[tuple[str, str]]]:
        """Source file -> (kind, name) of every symbol of its object."""
        table = {}
        for source in self.files(".c", folders=[folder]):
            if source.endswith("_test.c"):
                continue
            made = (self.objects / source).with_suffix(".o")
            rows = subprocess.run([self.nm, str(made)], capture_output=True, text=True, check=True).stdout.splitlines()
            table[source] = [(row.split()[-2], row.split()[-1]) for row in rows]
        return table


def side(file: str) -> str:
    """Which row of the include table a file is under."""
    if file.startswith("sim/") or file.endswith(("_test.c", "_test.h")):
        return "host"
    return file.split("/")[0]


def includes(tree: Tree, file: str) -> list[tuple[int, str, bool]]:
    """(line, header, whether in quotes)."""
    pattern = re.compile(r'\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')
    matches = ((number, pattern.match(line)) for number, line in enumerate(tree.lines(file), 1))
    return [(number, m[1] or m[2], m[1] is not None) for number, m in matches if m]


def allowed(file: str, header: str, quoted: bool) -> bool:
    row = side(file)
    if not quoted:
        return row in HOSTED or file.startswith("lib/abi/") or header in FREESTANDING
    if file.startswith("net/core/") and row == "net":
        return header.startswith(("lib/", "net/core/")) or header.count("/") == 1 and header.startswith("net/")
    return any(header == may or may.endswith("/") and header.startswith(may) for may in MAY_INCLUDE[row])


def include_table(tree: Tree) -> Proof:
    files = tree.files(".c", ".h", ".S")
    found = [(file, *include) for file in files for include in includes(tree, file)]
    bad = [f"{file}:{line}: may not include {header}"
           for file, line, header, quoted in found if not allowed(file, header, quoted)]
    return Proof(f"include table: {len(files)} files, {len(found)} includes", bad)


def no_conditionals(tree: Tree) -> Proof:
    files = tree.files(".c", ".h", folders=["net", "dev"])
    pattern = re.compile(r"\s*#\s*(if|ifdef|ifndef|elif|else)\b")
    bad = [f"{file}:{number}: {line.strip()}" for file in files
           for number, line in enumerate(tree.lines(file), 1) if pattern.match(line)]
    return Proof(f"no conditional compilation in net/ and dev/: {len(files)} files", bad)


def no_writable_globals(tree: Tree) -> Proof:
    table = tree.symbols("net") | tree.symbols("dev")
    bad = [f"{file}: {name} is writable" for file, symbols in table.items()
           for kind, name in symbols if kind in "dDbBcCsSgG"]
    return Proof(f"no writable globals in net/ and dev/: {len(table)} objects", bad)


def declared(tree: Tree, header: str) -> set[str]:
    """Names that a header declares as functions (or macros that look like them)."""
    if not (tree.root / header).exists():
        return set()
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", "\n".join(tree.lines(header)), flags=re.S)
    return set(re.findall(r"\b([a-z_]\w*)\(", text))


def narrow_waist(tree: Tree) -> Proof:
    tables = {folder: tree.symbols(folder) for folder in ("lib", "net", "dev")}
    defined = {folder: {name for symbols in table.values() for kind, name in symbols if kind not in "Uw"}
               for folder, table in tables.items()}
    below = {"net": defined["lib"] | defined["net"] | declared(tree, "net/port.h")}
    below["dev"] = below["net"] | defined["dev"] | declared(tree, "dev/dev.h")
    uses = [(folder, file, name) for folder in below for file, symbols in tables[folder].items()
            for kind, name in symbols if kind in "Uw"]
    bad = [f"{file}: {name} is beyond the waist" for folder, file, name in uses if name not in below[folder]]
    return Proof(f"narrow waist: {len(uses)} uses of {len({name for *_, name in uses})} outside names", bad)


def compile_alone(tree: Tree, header: str, flags: dict[str, list[str]]) -> str | None:
    command = flags["hosted" if side(header) in HOSTED or header.startswith("lib/abi/") else "kernel"]
    run = subprocess.run([*command, "-fsyntax-only", "-x", "c", "-"], input=f'#include "{header}"\n', text=True,
                         cwd=tree.root, capture_output=True)
    return None if run.returncode == 0 else f"{header}: does not compile alone: {run.stderr.splitlines()[0]}"


def headers_alone(tree: Tree, flags: dict[str, list[str]]) -> Proof:
    headers = [header for header in tree.files(".h") if not header.startswith("lib/config/")]  # one is in the command
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda header: compile_alone(tree, header, flags), headers)
    return Proof(f"every header compiles alone: {len(headers)} headers", [bad for bad in results if bad])


def layout(tree: Tree) -> Proof:
    files = tree.files(".c", ".h", folders=(*FOLDERS, "bench"))
    run = subprocess.run(["clang-format", "--dry-run", "-Werror", *files], cwd=tree.root, capture_output=True, text=True)
    bad = {line.split(":")[0] for line in run.stderr.splitlines() if "error:" in line}
    return Proof(f"laid out by .clang-format: {len(files)} files", [f"{file}: run `make format`" for file in sorted(bad)])


def other_compiler(tree: Tree, command: list[str]) -> Proof:
    """The whole kernel with the compiler that `make all` did not use; warnings are errors."""
    run = subprocess.run(command, cwd=tree.root, capture_output=True, text=True)
    bad = [line for line in run.stderr.splitlines() if "error" in line] or run.stderr.splitlines()[-3:]
    return Proof(f"no warning from the other compiler: {' '.join(command[1:])}", bad if run.returncode else [])


def citations(tree: Tree) -> Proof:
    """`path:/regex/` in a document names a line that is there."""
    pattern = re.compile(r"`([\w./-]+):/(.+?)/`")
    pages = [page for page in (tree.root / "README.md", *sorted((tree.root / "doc").rglob("*.md"))) if page.exists()]
    cites = [(page, m[1], m[2]) for page in pages for m in pattern.finditer(page.read_text())]
    bad = [f"{page.relative_to(tree.root)}: {path}:/{regex}/ is nowhere" for page, path, regex in cites
           if not resolves(tree, path, regex)]
    return Proof(f"documents cite lines that exist: {len(pages)} pages, {len(cites)} citations", bad)


def resolves(tree: Tree, path: str, regex: str) -> bool:
    return (tree.root / path).is_file() and any(re.search(regex, line) for line in tree.lines(path))


def generated_pages(tree: Tree) -> Proof:
    """A page made from the source says what the source says now."""
    makers = sorted((tree.root / "tools").glob("gen-*.py"))
    stale = [maker for maker in makers
             if subprocess.run([sys.executable, maker, "--check"], cwd=tree.root, capture_output=True).returncode]
    return Proof(f"generated pages are up to date: {len(makers)} pages", [f"{maker.name}: run it" for maker in stale])


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--objects", type=Path, required=True, help="where the kernel's objects are")
    parser.add_argument("--nm", default="nm")
    parser.add_argument("--kernel-compile", required=True, help="the kernel's compile command")
    parser.add_argument("--hosted-compile", required=True)
    parser.add_argument("--other-build", required=True, help="the command that builds with the other compiler")
    args = parser.parse_args()
    tree = Tree(Path("."), args.objects, args.nm)
    flags = {"kernel": args.kernel_compile.split(), "hosted": args.hosted_compile.split()}
    checks: list[Callable[[], Proof]] = [
        lambda: include_table(tree), lambda: narrow_waist(tree), lambda: no_writable_globals(tree),
        lambda: no_conditionals(tree), lambda: headers_alone(tree, flags), lambda: layout(tree),
        lambda: citations(tree), lambda: generated_pages(tree), lambda: other_compiler(tree, args.other_build.split())]
    proofs = [check() for check in checks]
    for proof in proofs:
        proof.show()
    failed = sum(bool(proof.violations) for proof in proofs)
    print(f"lint: {len(proofs) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
