"""/proc about the kernel itself, in the form that Linux's tools read."""
import re

from grade.plugin import Guest


def test_interrupts_have_a_column_for_each_processor(guest: Guest) -> None:
    header, *lines = guest.machine.run("cat /proc/interrupts").splitlines()
    assert header.split() == ["CPU0", "CPU1"]
    rows = {name: [int(count) for count in counts.split()] for name, counts in
            (re.match(r"\s*(\w+):((?:\s+\d+){2})\s", line).groups() for line in lines)}
    assert sum(rows["4"]) > 0 and any("COM1" in line and "IO-APIC" in line for line in lines)
    assert all(rows["LOC"]) and sum(rows["RES"]) > 0 and "TLB" in rows
    after = guest.machine.run("cat /proc/interrupts")
    assert sum(int(n) for n in re.search(r"LOC:\s+(\d+)\s+(\d+)", after).groups()) > sum(rows["LOC"])


def test_slabinfo_is_version_2_1(guest: Guest) -> None:
    version, columns, *lines = guest.machine.run("cat /proc/slabinfo").splitlines()
    assert version == "slabinfo - version: 2.1" and columns.startswith("# name")
    form = re.compile(r"^\S+ +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) : tunables +0 +0 +0 : slabdata +(\d+) +(\d+) +0$")
    for line in lines:
        active, objects, _, per_slab, _, _, slabs = (int(n) for n in form.match(line).groups())
        assert active <= objects == per_slab * slabs
    assert any(line.startswith("sk_buff ") for line in lines)


def test_timers_are_listed_by_function_and_time(guest: Guest) -> None:
    said = guest.machine.run("sleep 30 & sleep 0.2; cat /proc/timers; kill $!")
    assert "cpu: 0" in said and "cpu: 1" in said
    assert re.search(r"#\d+: alarm_rings\+0\s+# expires at \d+ nsecs \[in 2\d{10} nsecs\]", said), said
    for cpu in said.split("cpu: ")[1:]:
        times = [int(n) for n in re.findall(r"expires at (\d+)", cpu)]
        assert times == sorted(times)


def test_free_memory_is_the_sum_of_its_blocks(guest: Guest) -> None:
    blocks = [int(n) for n in guest.machine.run("cat /proc/buddyinfo").split()[4:]]
    free = guest.machine.table("/proc/vmstat")["nr_free_pages"]
    assert len(blocks) == 11 and abs(sum(n << order for order, n in enumerate(blocks)) - free) < 512


def test_schedstat_counts_on_every_processor(guest: Guest) -> None:
    said = guest.machine.run("cat /proc/schedstat")
    assert said.startswith("version 15\n") and re.search(r"^cpu1 0 0 [1-9]", said, re.M)
