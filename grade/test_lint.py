"""The linter finds what it is there to find: a small tree, clean, then one planted violation at a time."""
import subprocess
from pathlib import Path

import pytest

from tools import lint
from tools.lint import Proof, Tree

GCC = {"kernel": ["gcc", "-I.", "-Wall", "-Werror", "-ffreestanding"], "hosted": ["gcc", "-I.", "-Wall", "-Werror"]}
CLEAN = {
    "lib/bytes.h": "#pragma once\n#include <stdint.h>\nuint16_t swap(uint16_t v);\n",
    "lib/bytes.c": '#include "lib/bytes.h"\n\nuint16_t swap(uint16_t v)\n{\n    return v >> 8 | v << 8;\n}\n',
    "net/port.h": "#pragma once\nvoid *mem_alloc(unsigned long size);\n",
    "net/core/skbuff.h": '#pragma once\n#include "net/port.h"\nint skb_len(int v);\n',
    "net/core/skbuff.c": '#include "net/core/skbuff.h"\n#include "lib/bytes.h"\n\nstatic const int one = 1;\n\n'
                         "int skb_len(int v)\n{\n    return mem_alloc(1) ? swap(v) : one;\n}\n",
    "net/tcp/tcp.h": '#pragma once\n#include "net/core/skbuff.h"\nint tcp(void);\n',
    "dev/dev.h": '#pragma once\n#include "net/port.h"\nvoid udelay(unsigned us);\n',
    "dev/e1000/e1000.c": '#include "dev/dev.h"\n#include "net/core/skbuff.h"\n\nint e1000(void);\n'
                         "int e1000(void)\n{\n    udelay(skb_len(1));\n    return 0;\n}\n",
    "kern/main.c": '#include "dev/dev.h"\n#include "net/port.h"\n',
    "net/core/skbuff_test.c": '#include <stdio.h>\n#include "net/core/skbuff.h"\n',
    "doc/path.md": "The buffer: `net/core/skbuff.h:/int skb_len/`.\n",
    ".clang-format": "BasedOnStyle: LLVM\nIndentWidth: 4\nBreakBeforeBraces: Linux\nSortIncludes: false\nAllowShortFunctionsOnASingleLine: None\n",
}


def plant(root: Path, files: dict[str, str]) -> Tree:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    tree = Tree(root, root / "build")
    for source in tree.files(".c"):
        made = (tree.objects / source).with_suffix(".o")
        made.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["gcc", "-c", "-I.", "-ffreestanding", source, "-o", made], cwd=root, check=True)
    return tree


def every_proof(tree: Tree) -> list[Proof]:
    return [lint.include_table(tree), lint.narrow_waist(tree), lint.no_writable_globals(tree), lint.no_conditionals(tree),
            lint.headers_alone(tree, GCC), lint.layout(tree), lint.citations(tree)]


def test_a_clean_tree_has_no_violation(tmp_path: Path) -> None:
    assert [proof.violations for proof in every_proof(plant(tmp_path, CLEAN))] == [[]] * 7


PLANTED = {
    "lib includes net": ("lib/bytes.c", '#include "net/port.h"\n', "include table"),
    "net includes kern": ("net/core/skbuff.c", '#include "kern/mm.h"\n', "include table"),
    "net includes libc": ("net/tcp/tcp.h", "#include <string.h>\n", "include table"),
    "core includes a protocol": ("net/core/skbuff.c", '#include "net/tcp/tcp.h"\n', "include table"),
    "a driver includes net.h": ("dev/e1000/e1000.c", '#include "net/net.h"\n', "include table"),
    "a driver includes a private header": ("dev/e1000/e1000.c", '#include "net/tcp/tcp.h"\n', "include table"),
    "kern includes a private header": ("kern/main.c", '#include "net/tcp/tcp.h"\n', "include table"),
    "net calls libc": ("net/core/skbuff.c", "int puts(const char *);\nint f(void) { return puts(\"\"); }\n", "narrow waist"),
    "net calls a driver": ("net/core/skbuff.c", "int e1000(void);\nint f(void) { return e1000(); }\n", "narrow waist"),
    "a global in net": ("net/core/skbuff.c", "int packets = 1;\n", "no writable globals"),
    "a static in a driver": ("dev/e1000/e1000.c", "int f(void) { static int n; return n++; }\n", "no writable globals"),
    "#if in net": ("net/core/skbuff.c", "#if 1\n#endif\n", "no conditional compilation"),
    "#ifdef in a driver": ("dev/e1000/e1000.c", "# ifdef X\n#endif\n", "no conditional compilation"),
    "a header that needs another": ("net/tcp/tcp.h", "int f(uint32_t v);\n", "every header compiles alone"),
    "a line laid out otherwise": ("net/core/skbuff.c", "int  f ( void );\n", "laid out"),
    "a citation of nothing": ("doc/path.md", "`net/core/skbuff.h:/int skb_tail/`\n", "documents cite"),
    "a citation of no file": ("doc/path.md", "`net/core/gone.h:/skb/`\n", "documents cite"),
}


@pytest.mark.parametrize("what", PLANTED)
def test_a_planted_violation_is_found(tmp_path: Path, what: str) -> None:
    file, text, claim = PLANTED[what]
    headers = {"kern/mm.h": "#pragma once\n", "net/net.h": "#pragma once\n"}
    plant(tmp_path, CLEAN | headers)
    spoiled = CLEAN[file] + text
    compiles = claim not in ("every header compiles alone",)
    tree = plant(tmp_path, {file: spoiled}) if compiles else respoil(tmp_path, file, spoiled)
    found = [proof for proof in every_proof(tree) if proof.violations]
    assert claim in {name for proof in found for name in [proof.claim[:len(claim)]]}
    assert file in " ".join(line for proof in found for line in proof.violations)


def respoil(root: Path, file: str, text: str) -> Tree:
    """Change a file behind the compiler's back: its objects stay."""
    (root / file).write_text(text)
    return Tree(root, root / "build")
