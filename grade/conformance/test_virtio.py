"""The checklist over the wire, on a guest with virtio-net: all in one boot but what waits for seconds, which the card has no part in."""
import pytest

from grade.conformance import items
from grade.conformance.guest import InQemu
from grade.conformance.items import Item
from grade.conformance.test_virtual import expected
from grade.plugin import Machines


@pytest.fixture(scope="module")
def host(shared_machines: Machines) -> InQemu:
    guest = shared_machines.on_wire(line=True, nic="virtio")
    return InQemu("virtio", guest.machine, guest.wire)


@pytest.mark.parametrize("item", expected([item for item in items.items() if not item.slow]))
def test_item(host: InQemu, item: Item) -> None:
    items.run(item, host)
