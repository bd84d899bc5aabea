"""grade/conformance/report.py - run the whole checklist everywhere and print it: `make conformance`.

usage: report.py [--only virtual|e1000|virtio|scripts] [ITEM ...]
"""
import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grade.conformance import items, run
from grade.conformance.guest import InQemu
from grade.conformance.items import Item
from grade.conformance.run import Outcome
from grade.conformance.table import table
from grade.machine import GuestFailed, Machine
from grade.plugin import wait_until_it_serves
from grade.wire import Wire
from tools.qemu import NICS, Settings

OUT = Path("build/grade")
BUILD = Path("build/debug")


def on_guest(nic: str, chosen: list[Item]) -> list[Outcome]:
    """All items in one boot; when the guest dies, those that are left have failed."""
    folder = OUT / f"conformance-{nic}"
    wire = Wire(folder / "wire.pcapng")
    machine = Machine(Settings(elf=BUILD / "towpath.elf", initrd=BUILD / "initramfs.cpio", nic=nic), folder, wire, line=True)
    outcomes: list[Outcome] = []
    try:
        machine.boot()
        wait_until_it_serves(wire)
        host = InQemu(nic, machine, wire)
        for item in chosen:
            outcomes.append(Outcome(item.number, nic, in_guest(item, host)))
    except GuestFailed as error:
        done = {outcome.number for outcome in outcomes}
        outcomes += [Outcome(item.number, nic, str(error).splitlines()[0]) for item in chosen if item.number not in done]
    machine.stop()
    return outcomes


def in_guest(item: Item, host: InQemu) -> str:
    try:
        items.run(item, host)
        return ""
    except GuestFailed:
        raise
    except Exception as error:
        return run.explain(error)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", choices=["virtual", *NICS, "scripts"])
    parser.add_argument("numbers", nargs="*", metavar="ITEM")
    args = parser.parse_args()
    chosen = [item for item in items.items() if not args.numbers or item.number in args.numbers]
    outcomes: list[Outcome] = []
    if args.only in (None, "virtual"):
        outcomes += [run.on_virtual(item) for item in chosen]
    with ThreadPoolExecutor(len(NICS)) as pool:
        for found in pool.map(lambda nic: on_guest(nic, chosen), [nic for nic in NICS if args.only in (None, nic)]):
            outcomes += found
    if args.only in (None, "scripts"):
        outcomes += [outcome for outcome in run.by_script() if not args.numbers or outcome.number in args.numbers]
    rules = [rule for rule in items.rules() if not args.numbers or rule.number in args.numbers]
    print(*table(rules, outcomes), sep="\n")
    return any(outcome.why for outcome in outcomes)


if __name__ == "__main__":
    sys.exit(main())
