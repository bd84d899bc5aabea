"""The system-call interface: each case of user/tests prints on Towpath, line by line, what it prints on Linux."""
import platform
from dataclasses import dataclass

import pytest

from grade import linux
from grade.linux import Case, Outcome

CASES = linux.all_cases()


@dataclass
class Both:
    linux: dict[Case, list[str]]
    towpath: Outcome


@pytest.fixture(scope="module")
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Both:
    """All cases that were chosen, run on both."""
    chosen = [item.callspec.params["case"] for item in request.session.items
              if item.path == request.path and isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    programs = linux.programs([case for case in CASES if case in set(chosen)])
    return Both(linux.on_linux(programs, tmp_path_factory.mktemp("linux")), linux.in_guests(programs))


@pytest.mark.skipif(platform.system() != "Linux" or platform.machine() != "x86_64", reason="the host is not x86-64 Linux")
@pytest.mark.parametrize("case", CASES, ids=str)
def test_linux_and_towpath_print_the_same(both: Both, case: Case) -> None:
    if case in both.towpath.broken:
        pytest.fail(f"{case}: {both.towpath.broken[case]}", pytrace=False)
    wanted, got = both.linux.get(case), both.towpath.printed.get(case)
    assert wanted is not None and got is not None, f"{case} did not run on {'Linux' if wanted is None else 'Towpath'}"
    if wanted != got:
        pytest.fail(f"{case} differs:\n{linux.difference(wanted, got)}", pytrace=False)
    assert not any(line.startswith("-- cut") for line in wanted), f"{case} is cut on Linux, too"
