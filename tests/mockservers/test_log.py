"""What happened: typed events, a transcript without secrets, and waiting for something."""

import threading

import pytest

from mockservers import log as logs
from mockservers.faultkinds import Rst
from mockservers.log import Closed, Kind, Log, Reason


@pytest.fixture
def log() -> Log:
    return Log()


def lines(log: Log) -> list[str]:
    """The transcript without its times."""
    return [line if line.startswith("!>") else line.partition(" ")[2] for line in log.transcript().splitlines()]


def test_a_transcript_has_a_line_for_each_event(log: Log) -> None:
    log.add(Kind.OPENED, connection=1)
    log.secured(1, "main", "TLSv1.3", "TLS_AES_256_GCM_SHA384", "h2", True)
    log.add(Kind.TO_CLIENT, b"220-one\r\n220 two\r\n", connection=1)
    log.add(Kind.FROM_CLIENT, b"RETR a.bin", connection=1)
    log.add(Kind.OPENED, connection=2)
    log.add(Kind.TO_CLIENT, b"x" * 300, connection=1, channel="data")
    log.add(Kind.UPLOAD, b"12345", connection=2, channel="data")
    log.add(Kind.FROM_CLIENT, b"\0\xff", channel="udp")
    log.fault(Rst(3), None, connection=1, channel="main")
    log.closed(1, "main", Reason.CLIENT_RESET, 12, 345)
    log.add(Kind.TO_CLIENT, b"no carriage return\n", connection=1)
    log.add(Kind.PROBLEM, "no route: GET /x")
    assert lines(log) == [
        "+>",
        "=> TLSv1.3 TLS_AES_256_GCM_SHA384 h2 session reused",
        "S> 220-one\\r\\n220 two",
        "C> RETR a.bin",
        "+> [2]",
        f"S> [data] {'x' * 200}... (300 bytes)",
        "C> [2 data] (5 bytes)",
        "C> [udp] \\x00\\\\xff",
        "!> rst at=3 fired",
        "-> client reset, 12 bytes in, 345 out",
        "S> no carriage return\\n",
        "?> no route: GET /x",
    ]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (b"PASS canary", "PASS ***"),
        (b"pass  canary canary", "pass  ***"),
        (b"ACCT canary", "ACCT ***"),
        (b"AUTHINFO PASS canary", "AUTHINFO PASS ***"),
        (b"authinfo pass canary", "authinfo pass ***"),
        (b"AUTHINFO SASL PLAIN canary", "AUTHINFO SASL PLAIN ***"),
        (b"Authorization: Basic canary", "Authorization: ***"),
        (b"proxy-authorization:canary", "proxy-authorization:***"),
        (b"Cookie: id=canary; b=canary", "Cookie: ***"),
        (b"PASS", "PASS"),
        (b"PASV", "PASV"),
        (b"BYPASS it", "BYPASS it"),
        (b"AUTHINFO USER ada", "AUTHINFO USER ada"),
        (b"AUTHINFO SASL PLAIN", "AUTHINFO SASL PLAIN"),
    ],
)
def test_secrets_are_masked_and_commands_are_the_truth(log: Log, said: bytes, shown: str) -> None:
    log.add(Kind.FROM_CLIENT, said, connection=1)
    assert lines(log) == [f"C> {shown}"]
    assert log.commands() == [said.decode()]
    with pytest.raises(TimeoutError) as raised:
        log.wait_for(lambda _: False, 0)
    assert "canary" not in str(raised.value)


def test_a_sasl_response_has_no_verb_and_is_masked_all_the_same(log: Log) -> None:
    log.add(Kind.FROM_CLIENT, b"AUTHINFO SASL PLAIN", connection=1)
    log.add(Kind.TO_CLIENT, b"383 =\r\n", connection=1)
    log.add(Kind.FROM_CLIENT, b"DATE", connection=2)
    log.add(Kind.FROM_CLIENT, b"AGFkYQBjYW5hcnk=", connection=1)
    log.add(Kind.TO_CLIENT, b"281 in\r\n", connection=1)
    log.add(Kind.FROM_CLIENT, b"DATE", connection=1)
    assert lines(log)[2:] == ["C> [2] DATE", "C> ***", "S> 281 in", "C> DATE"]


def test_waiting_looks_back_counts_and_is_woken(log: Log) -> None:
    log.add(Kind.FROM_CLIENT, b"one")
    assert log.wait_for(lambda event: event.text == "one", 0).text == "one"
    with pytest.raises(TimeoutError, match=r"(?s)not seen within 0 s; what happened:\n\+0\.000 C> one"):
        log.wait_for(lambda event: event.text == "one", 0, count=2)
    later = threading.Thread(target=lambda: [log.add(Kind.FROM_CLIENT, text) for text in (b"two", b"one")])
    later.start()
    assert log.wait_for(lambda event: event.text == "one", 5, count=2).text == "one"
    later.join()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Log:
    monkeypatch.setattr(logs, "KEPT", 3)
    monkeypatch.setattr(logs, "KEPT_BYTES", 100)
    return Log()


def test_the_oldest_events_go_first(small: Log) -> None:
    for number in range(5):
        small.add(Kind.FROM_CLIENT, str(number))
    assert small.commands() == ["2", "3", "4"]
    assert small.transcript().startswith("(2 earlier events are not kept)\n")
    small.add(Kind.TO_CLIENT, b"x" * 90)
    small.add(Kind.TO_CLIENT, b"y" * 20)
    assert [event.data[:1] for event in small.events()] == [b"y"]
    assert small.wait_for(lambda event: event.data[:1] == b"y", 0)


def test_an_end_has_its_reason_and_the_bytes_both_ways(log: Log) -> None:
    log.closed(3, "data", Reason.FAULT, 1, 2)
    (event,) = log.events(Kind.CLOSED)
    assert isinstance(event, Closed)
    assert (event.connection, event.channel, event.reason, event.received, event.sent) == (
        3,
        "data",
        Reason.FAULT,
        1,
        2,
    )
