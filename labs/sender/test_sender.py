"""The graded tests of the lab `sender`: each rule alone, then a whole connection under virtual time, then the wire."""
import random
import subprocess

import pytest

from grade.faults import Faults
from grade.machine import patience
from grade.plugin import Guest
from grade.tcp_peer import TcpPeer

UNIT_TESTS = "build/host/unit-tests"
ECHO = 7


def rule(name: str, points: int, why: str) -> object:
    return pytest.param(name, id=name, marks=pytest.mark.points(points, why))


@pytest.mark.parametrize("name", [
    rule("rto_of_the_first_sample_is_three_times_it", 4, "RFC 6298 2.2: SRTT is R, RTTVAR half of it, RTO = SRTT + 4 RTTVAR"),
    rule("rto_follows_the_second_sample", 5, "RFC 6298 2.3: the variance is taken before SRTT moves"),
    rule("rto_never_falls_below_200_ms", 3, "the time-out stays above r->least, and r->min remembers the least sample"),
    rule("rto_stays_between_the_bounds_it_was_given", 3, "the time-out stays between r->least and r->most"),
    rule("many_samples_in_a_round_trip_count_for_as_much_as_one", 3, "RFC 7323 appendix G: many samples a round trip, each counts less"),
    rule("rto_doubles_and_stops_at_two_minutes", 5, "RFC 6298 5.5: doubled for each time-out, never beyond r->most, whatever backoff is"),
    rule("the_plan_obeys_the_windows", 10, "RFC 9293 3.8.6: nothing beyond snd_una + snd_wnd, nothing that cwnd has no room for"),
    rule("the_plan_obeys_nagle", 8, "RFC 9293 3.7.4: a small segment waits while another small one is out, unless TCP_NODELAY"),
    rule("the_plan_avoids_silly_windows", 6, "RFC 9293 3.8.6.2.1: a sliver of window waits for more of it, or for the timer"),
    rule("the_plan_puts_the_fin_last", 8, "the FIN stands behind the last byte and needs room in the window as a byte does"),
    rule("slow_start_doubles_in_a_round_trip", 6, "RFC 5681 equation 2: an ACK adds what it acknowledges, a segment at most"),
    rule("congestion_avoidance_adds_a_segment_in_a_round_trip", 6, "RFC 5681 3.1: a segment more when a whole cwnd is acknowledged"),
    rule("a_loss_halves_what_was_in_flight", 5, "RFC 5681 equation 4: half the flight, two segments at least"),
    rule("slow_start_begins_with_ten_and_doubles", 4, "a connection under virtual time: 10 segments, then 20"),
    rule("small_writes_wait_for_the_ack_and_leave_together", 4, "a connection under virtual time: Nagle's rule"),
    rule("a_time_out_begins_again_with_one_segment", 4, "a connection under virtual time: nobody answers, and the sender backs off"),
    rule("tcp_survives_loss", 6, "a transfer under virtual time does not end, or ends wrong, when the wire loses frames"),
])
def test_rule(name: str) -> None:
    run = subprocess.run([UNIT_TESTS, name], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert run.returncode == 0, run.stdout


def echoed(guest: Guest, port: int, size: int, timeout: float) -> None:
    data = random.Random().randbytes(size)
    peer = TcpPeer(guest.wire, ECHO, port).connect(patience(10))
    peer.send(data)
    assert peer.expect(size, timeout) == data, "what came back is not what was sent"
    peer.close(patience(10))


@pytest.mark.points(5, "the guest's echo service does not send back what it was sent, over a wire that loses nothing")
def test_echo(guest: Guest) -> None:
    echoed(guest, 30000, 64 * 1024, patience(10))
    guest.machine.skbs_at_rest()


@pytest.mark.points(5, "the guest's echo service does not repair what the wire loses: one frame in twenty, each way")
def test_echo_with_loss(guest: Guest) -> None:
    guest.wire.to_guest, guest.wire.from_guest = Faults(seed=1, loss=0.05), Faults(seed=2, loss=0.05)
    echoed(guest, 30001, 64 * 1024, patience(15))
    guest.wire.to_guest, guest.wire.from_guest = Faults(), Faults()
    guest.machine.skbs_at_rest()
