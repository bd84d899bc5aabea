"""tools/mksyms.py - `nm -n` on stdin, the kernel's symbol table as assembly on stdout.

kern/debug/ksyms.h declares the three arrays: addresses, offsets of names, names. Everything is in section .ksyms,
which the linker script puts behind all code: so the table may grow and no function moves.
"""
import sys


def functions(lines: list[str]) -> list[tuple[int, str]]:
    """Code symbols in the order of their addresses; of several names for one address the first."""
    found: dict[int, str] = {}
    for line in lines:
        fields = line.split()
        if len(fields) == 3 and fields[1] in "tTwW" and not fields[2].startswith("."):
            found.setdefault(int(fields[0], 16), fields[2])
    return sorted(found.items())


def table(symbols: list[tuple[int, str]]) -> str:
    offsets, strings, at = [], [], 0
    for _, name in symbols:
        offsets.append(at)
        strings.append(f'    .asciz "{name}"')
        at += len(name) + 1
    return "\n".join([
        '    .section .ksyms, "a"', "    .balign 8",
        "    .global ksyms_count, ksyms_addresses, ksyms_names, ksyms_strings",
        "ksyms_count:", f"    .quad {len(symbols)}",
        "ksyms_addresses:", *(f"    .quad {address:#x}" for address, _ in symbols),
        "ksyms_names:", *(f"    .long {offset}" for offset in offsets),
        "ksyms_strings:", *strings, '    .section .note.GNU-stack, "", @progbits', ""])


if __name__ == "__main__":
    sys.stdout.write(table(functions(sys.stdin.read().splitlines())))
