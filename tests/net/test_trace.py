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
    trace.received_size("data", 4096)
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


def test_freeze_timing_excludes_later_events(trace: Trace, clock) -> None:
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


def conversation(trace: Trace, clock, *steps: tuple[str, str, float]) -> None:
    """What is sent and received on a channel, and how long that took; each time is a power of two."""
    for kind, channel, seconds in steps:
        clock.advance(seconds)
        (trace.sent if kind == ">" else trace.received)(channel, b"x")


def connected(trace: Trace, clock) -> None:
    with trace.phase("resolve"):
        clock.advance(1)
    with trace.phase("connect"):
        clock.advance(2)


def test_phases_follow_one_another_without_a_gap(trace: Trace, clock) -> None:
    connected(trace, clock)
    conversation(trace, clock, ("<", MAIN, 4), (">", MAIN, 8), ("<", MAIN, 16))
    trace.end_phase("login")
    trace.begin_phase("commands")
    conversation(trace, clock, (">", MAIN, 32), ("<", MAIN, 64), (">", MAIN, 128), ("<", MAIN, 256))
    spans = {"resolve": 1, "connect": 2, "login": 28, "commands": 224, "first_byte": 256}
    assert {name: span.duration for name, span in trace.phases.items()} == spans
    assert [trace.phases[name].start for name in spans] == [0, 1, 3, 31, 255]
    assert list(trace.timing_ms()) == [*spans, "total"]
    assert sum(spans.values()) == trace.elapsed()


def test_a_login_on_both_sides_of_a_handshake_is_one_phase(trace: Trace, clock) -> None:
    connected(trace, clock)
    conversation(trace, clock, ("<", MAIN, 4), (">", MAIN, 8), ("<", MAIN, 16))
    trace.end_phase("login")
    with trace.phase("tls"):
        clock.advance(32)
    conversation(trace, clock, (">", MAIN, 64), ("<", MAIN, 128))
    trace.end_phase("login")
    durations = {name: span.duration for name, span in trace.phases.items()}
    assert durations == {"resolve": 1, "connect": 2, "tls": 32, "login": 28 + 192}
    assert sum(durations.values()) == trace.elapsed()


def test_request_sent_with_the_login_counts_from_the_end_of_the_login(trace: Trace, clock) -> None:
    connected(trace, clock)
    conversation(trace, clock, (">", MAIN, 4), ("<", MAIN, 8))
    trace.end_phase("login")
    trace.begin_phase("commands")
    conversation(trace, clock, ("<", MAIN, 16), ("<", MAIN, 32))
    assert {name: span.duration for name, span in trace.phases.items()} == {
        "resolve": 1,
        "connect": 2,
        "login": 12,
        "first_byte": 16,
    }


def test_on_a_shared_connection_the_commands_count_from_the_targets_start(trace: Trace, clock) -> None:
    trace.begin_phase("commands")
    conversation(trace, clock, (">", MAIN, 1), ("<", MAIN, 2), (">", MAIN, 4), ("<", MAIN, 8))
    assert trace.timing_ms() == {"commands": 7000.0, "first_byte": 8000.0, "total": 15_000.0}


def test_the_first_byte_of_data_ends_the_phases(trace: Trace, clock) -> None:
    trace.begin_phase("commands")
    conversation(trace, clock, (">", MAIN, 1), ("<", MAIN, 2), ("<", "data", 4))
    expected = {"commands": 1000.0, "first_byte": 6000.0}
    assert trace.timing_ms() == {**expected, "total": 7000.0}
    conversation(trace, clock, ("<", "data", 8), ("<", MAIN, 16), (">", MAIN, 32), ("<", MAIN, 64))
    assert trace.timing_ms() == {**expected, "total": 127_000.0}


def test_data_that_goes_out_ends_the_phases_too(trace: Trace, clock) -> None:
    trace.begin_phase("commands")
    conversation(trace, clock, (">", MAIN, 1), ("<", MAIN, 2), (">", "data", 4), (">", MAIN, 8), ("<", MAIN, 16))
    assert trace.timing_ms() == {"commands": 1000.0, "first_byte": 2000.0, "total": 31_000.0}


@pytest.mark.parametrize("how", ["another connection", "another try"])
def test_phases_of_an_earlier_connection_are_discarded(trace: Trace, clock, how: str) -> None:
    connected(trace, clock)
    trace.end_phase("login")
    trace.begin_phase("commands")
    conversation(trace, clock, (">", MAIN, 4), ("<", "data", 8))
    if how == "another try":
        trace.resume()
        assert trace.phases == {}
        trace.begin_phase("commands")
    else:
        connected(trace, clock)
        trace.begin_phase("commands")
    conversation(trace, clock, (">", MAIN, 4), ("<", "data", 8))
    assert (trace.phases["commands"].duration, trace.phases["first_byte"].duration) == (4, 8)
    assert set(trace.phases) - {"resolve", "connect"} == {"commands", "first_byte"}


def test_end_phase_after_freeze_timing_has_no_effect(trace: Trace, clock) -> None:
    trace.freeze_timing()
    clock.advance(1)
    trace.end_phase("login")
    assert trace.phases == {}


def test_trace_without_listener(clock) -> None:
    trace = Trace(clock)
    trace.sent(MAIN, b"x")
    trace.received(MAIN, b"x")
    trace.remark("x")
    assert trace.timing_ms() == {"first_byte": 0.0, "total": 0.0}
