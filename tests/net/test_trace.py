import pytest

from inetcli.net.trace import MAIN, Event, EventKind, Trace


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def trace(clock, events: list[Event]) -> Trace:
    return Trace(clock, events.append)


def test_every_event_has_its_time_channel_and_bytes(trace: Trace, clock, events: list[Event]) -> None:
    clock.advance(0.5)
    trace.sent(MAIN, b"CMD\r\n")
    clock.advance(0.25)
    trace.received("data", memoryview(b"xyz"))
    trace.moved("data", 4096)
    trace.remark("TLSv1.3")
    assert events == [
        Event(0.5, EventKind.SENT, MAIN, b"CMD\r\n", 5),
        Event(0.75, EventKind.RECEIVED, "data", b"xyz", 3),
        Event(0.75, EventKind.RECEIVED, "data", b"", 4096),
        Event(0.75, EventKind.REMARK, MAIN, b"TLSv1.3", 7, whole=True),
    ]
    assert (trace.sent_bytes, trace.received_bytes) == (5, 4099)


def test_first_byte_counts_from_the_last_byte_of_the_request(trace: Trace, clock) -> None:
    trace.sent(MAIN, b"a")
    clock.advance(1)
    trace.sent(MAIN, b"b")
    clock.advance(0.125)
    trace.received(MAIN, b"x")
    clock.advance(1)
    trace.received(MAIN, b"y")
    assert trace.timing_ms() == {"first_byte": 125.0, "total": 2125.0}


def test_phases_are_timed_also_when_they_fail(trace: Trace, clock) -> None:
    with trace.phase("resolve"):
        clock.advance(0.010)
    connecting = trace.phase("connect")
    connecting.__enter__()
    clock.advance(0.020)
    assert not connecting.__exit__(ValueError, ValueError("refused"), None)
    with trace.phase("connect", "data"):
        clock.advance(5)
    assert trace.timing_ms() == {"resolve": 10.0, "connect": 20.0, "total": 5030.0}
    assert trace.phases["connect"].start == pytest.approx(0.010)


def test_what_follows_the_answer_is_not_part_of_its_times(trace: Trace, clock) -> None:
    trace.sent(MAIN, b"GET")
    clock.advance(1)
    trace.received(MAIN, b"200")
    trace.freeze_timing()
    clock.advance(1)
    trace.freeze_timing()
    trace.sent(MAIN, b"QUIT")
    clock.advance(1)
    trace.received(MAIN, b"221")
    assert trace.timing_ms() == {"first_byte": 1000.0, "total": 1000.0}


def test_nobody_has_to_listen(clock) -> None:
    trace = Trace(clock)
    trace.sent(MAIN, b"x")
    trace.received(MAIN, b"x")
    trace.remark("x")
    assert trace.timing_ms() == {"first_byte": 0.0, "total": 0.0}
