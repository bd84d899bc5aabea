"""IP reassembly at length: the unit test's random datagrams, twenty times as many as it takes by itself."""
import os
import subprocess

import pytest

from grade.machine import patience

DATAGRAMS = 100_000
UNIT_TESTS = "build/host/unit-tests"
TEST = "reassembly_delivers_exactly_what_was_sent_or_nothing"


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_hundred_thousand_datagrams_arrive_exactly_or_not_at_all(seed: int) -> None:
    """RFC 791 3.2, RFC 8200 4.5; checklist 17-22: shuffled, twice, overlapping, forged, lost; nothing is left behind."""
    subprocess.run(["make", "-s", UNIT_TESTS], check=True)
    limit = patience(300)
    outcome = subprocess.run([UNIT_TESTS, "--seed", str(seed), "--timeout", str(int(limit)), TEST], text=True,
                             capture_output=True, timeout=limit + 10,
                             env=os.environ | {"REASSEMBLY_DATAGRAMS": str(DATAGRAMS)})
    assert outcome.returncode == 0 and "1 passed, 0 failed" in outcome.stdout, outcome.stdout + outcome.stderr
