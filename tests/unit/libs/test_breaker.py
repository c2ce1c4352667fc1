"""The circuit breaker, by its clock."""

from libs.rpc.breaker import DEFAULT, Breaker
from libs.rpc.targets import target


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


def broken(clock: Clock) -> Breaker:
    """A circuit that has just opened."""
    breaker = Breaker(clock)
    for _ in range(DEFAULT.circuit_failures):
        assert breaker.admits()
        breaker.unanswered()
    return breaker


def test_calls_without_an_answer_open_the_circuit_and_fail_at_once() -> None:
    breaker = broken(Clock())
    assert breaker.is_open
    assert not breaker.admits()


def test_an_answer_in_between_keeps_it_closed() -> None:
    breaker = Breaker(Clock())
    for _ in range(DEFAULT.circuit_failures * 3):
        breaker.unanswered()
        breaker.answered()
    assert breaker.admits()


def test_past_the_open_time_one_call_is_let_through_and_the_others_wait_for_it() -> None:
    clock = Clock()
    breaker = broken(clock)
    clock.time += DEFAULT.circuit_seconds
    assert breaker.admits()
    assert not breaker.admits()


def test_the_trial_call_closes_or_opens_it_again() -> None:
    clock = Clock()
    breaker = broken(clock)
    clock.time += DEFAULT.circuit_seconds
    assert breaker.admits()
    breaker.unanswered()
    assert not breaker.admits()
    clock.time += DEFAULT.circuit_seconds
    assert breaker.admits()
    breaker.answered()
    assert all(breaker.admits() for _ in range(10))


def test_a_list_of_addresses_becomes_one_target() -> None:
    assert target("127.0.0.1:1") == "127.0.0.1:1"
    assert target("127.0.0.1:1, 127.0.0.1:2") == "ipv4:127.0.0.1:1,127.0.0.1:2"
    assert target("dns:///order:8420") == "dns:///order:8420"
