"""The checklist over the wire, on a guest with an e1000: all of it in one boot."""
import pytest

from grade.conformance import items
from grade.conformance.guest import InQemu
from grade.conformance.items import Item
from grade.conformance.test_virtual import expected
from grade.plugin import Machines


@pytest.fixture(scope="module")
def host(shared_machines: Machines) -> InQemu:
    guest = shared_machines.on_wire(line=True)
    return InQemu("e1000", guest.machine, guest.wire)


@pytest.mark.parametrize("item", expected(items.items()))
def test_item(host: InQemu, item: Item) -> None:
    items.run(item, host)
