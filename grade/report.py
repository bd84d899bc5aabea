"""grade/report.py - points: what each graded test gave, why one gave none, and the total.

    @pytest.mark.points(3, "the reply goes to all stations instead of to the one that asked")
    def test_arp_reply_is_unicast(guest): ...
"""
import pytest

PROPERTY = "points"


def remember(item: pytest.Item, result: pytest.TestReport) -> None:
    """Carry the mark with the result, which is all that comes back from a worker process."""
    mark = item.get_closest_marker("points")
    if mark and result.when in ("setup", "call"):
        points, why = mark.args
        result.user_properties.append((PROPERTY, (points, why)))


def marks(results: list[pytest.TestReport]) -> dict[str, tuple[int, str, bool]]:
    """Test -> points, why, whether it passed. A test fails with any of its phases."""
    found: dict[str, tuple[int, str, bool]] = {}
    for result in results:
        for name, value in result.user_properties:
            if name == PROPERTY:
                passed = result.passed and found.get(result.nodeid, (0, "", True))[2]
                found[result.nodeid] = (value[0], value[1], passed)
    return found


def sentence(nodeid: str) -> str:
    """`grade/test_x.py::test_arp_is_answered[5]` as `arp is answered [5]`."""
    name, _, case = nodeid.rsplit("::", 1)[-1].removeprefix("test_").partition("[")
    return name.replace("_", " ") + (f" [{case}" if case else "")


def table(results: list[pytest.TestReport]) -> list[str]:
    """A line a test, then `total: N of M points`."""
    rows = marks(results)
    lines = []
    for nodeid, (points, why, passed) in sorted(rows.items()):
        lines.append(f"{points if passed else 0:3} of {points:3}  {sentence(nodeid)}")
        if not passed:
            lines.append(f"            lost because {why}")
    got = sum(points for points, _, passed in rows.values() if passed)
    return [*lines, f"total: {got} of {sum(points for points, _, _ in rows.values())} points"]
