"""A panic: what every processor did, by function names, and an end that a script can see."""
import re

from grade.machine import PANIC_STATUS, patience
from grade.plugin import Machines

FRAME = re.compile(r"\b([a-z]\w+)\+0x[0-9a-f]+")


def test_a_panic_names_the_functions_of_every_processor_and_ends_the_machine(machines: Machines) -> None:
    """An NMI that nobody asked for: the one failure that can be provoked from outside."""
    machine = machines.on_wire().machine
    machine.monitor.ask("inject-nmi")
    assert machine.wait_end(30) == PANIC_STATUS << 1 | 1
    machine.console.reader.join(patience(5))
    log = machine.console.text[machine.console.text.index("panic: "):]
    machines.expect_panic()
    assert {f"CPU {number}" for number in range(2)} <= set(re.findall(r"CPU \d", log)), log
    assert len(FRAME.findall(log)) >= 4, f"hardly a function is named:\n{log}"
    assert "does not answer" not in log, log
