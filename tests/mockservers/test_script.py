"""The engine under every server: which rule fires, how often, and what never did."""

import pytest

from mockservers import fault
from mockservers.faultkinds import Delay, Garbage, Reply, Rst
from mockservers.faulttext import parse_fault
from mockservers.log import FaultFired, Kind, Log
from mockservers.script import Script, rank


def script(*texts: str) -> Script:
    made = Script(Log())
    for text in texts:
        made.arm(parse_fault(text))
    return made


def replies(made: Script, *occasions: tuple[str, ...]) -> list[str | None]:
    return [made.happened("*", *names).reply for names in occasions]


A = ("RETR", "RETR a.bin")
B = ("RETR", "RETR b.bin")


@pytest.mark.parametrize(
    ("trigger", "names", "expected"),
    [
        ("*", ("*", "RETR"), True),
        ("*", ("connect",), False),
        ("*", ("data",), False),
        ("connect", ("connect",), True),
        ("retr", ("*", "RETR"), True),
        ("RETR a.bin", ("*", *A), True),
        ("retr a.bin", ("*", *A), True),
        ("RETR A.bin", ("*", *A), False),
        ("RETR b.bin", ("*", *A), False),
        ("RETR *.bin", ("*", *A), True),
        ("R*", ("*", "RETR"), True),
        ("GET /api/*", ("*", "GET", "GET /api/x/y"), True),
        ("GET /api/*", ("*", "GET", "GET /other"), False),
        ("WWW.Example.test/a", ("*", "www.example.test/A"), True),
        ("*.example.test/A", ("*", "www.example.test/A"), True),
        ("[a-z]", ("*", "x"), False),
    ],
)
def test_a_trigger_means(trigger: str, names: tuple[str, ...], expected: bool) -> None:
    assert (rank(trigger, names) > 0) is expected


def test_the_most_particular_rule_goes_first_whatever_the_order() -> None:
    for texts in (
        ("*:reply(1)", "RETR:reply(2)", "RETR *.bin:reply(3)", "RETR a.bin:reply(4)"),
        ("RETR a.bin:reply(4)", "RETR *.bin:reply(3)", "RETR:reply(2)", "*:reply(1)"),
    ):
        assert replies(script(*texts), A, B, ("RETR", "RETR c"), ("SIZE",)) == ["4", "3", "2", "1"]


def test_equals_follow_one_another_when_they_are_used_up() -> None:
    made = script("RETR:reply(450)x2", "RETR:reply(426)x1", "RETR:reply(550)")
    assert replies(made, A, A, A, A, A) == ["450", "450", "426", "550", "550"]


def test_a_particular_rule_that_is_used_up_leaves_it_to_the_general_one() -> None:
    assert replies(script("RETR a.bin:reply(4)x1", "RETR:reply(2)"), A, A, B) == ["4", "2", "2"]


def test_skip_counts_occasions_and_times_counts_fires() -> None:
    assert replies(script("RETR+2:reply(no)x1"), A, ("SIZE",), B, A, A) == [None, None, None, "no", None]
    # An occasion counts for every rule that it fits, also when a more particular one has it.
    assert replies(script("RETR+1:reply(2)", "RETR a.bin:reply(4)x1"), A, A) == ["4", "2"]


def test_faults_of_several_kinds_fire_together() -> None:
    shots = script("RETR:delay(1)", "*:garbage(3)", "*:delay(2)").happened("*", *A)
    assert list(shots) == [Delay(1.0), Garbage(3)]
    assert not script("SIZE:rst").happened("*", *A)


def test_a_fault_has_fired_when_it_was_carried_out_and_not_before() -> None:
    made = script("RETR:rst@9", "SIZE:reply(550 no)x1")
    shots = made.happened("*", *A)
    assert shots.has(Rst)
    first, second = made.unmet()
    assert first.startswith("fault never fired: RETR:rst@9 (its trigger came, but not its moment: ")
    assert second == "fault never fired: SIZE:reply(550 no)x1"
    assert shots.first(Rst) == Rst(9)
    assert shots.first(Reply) is None
    assert replies(made, ("SIZE",)) == ["550 no"]
    assert made.unmet() == []


def test_a_skip_that_was_never_over_is_told() -> None:
    made = script("RETR+3:rst")
    made.happened("*", *A)
    assert made.unmet() == ["fault never fired: RETR+3:rst@0 (its trigger came 1 times)"]


def test_what_fires_is_logged_once_with_its_rule() -> None:
    log = Log()
    made = Script(log)
    made.arm(parse_fault("RETR:delay(1)x2"))
    for _ in range(3):
        shots = made.happened("*", *A, connection=7, channel="data")
        shots.all(Delay)
        shots.all(Delay)
    events = [event for event in log.events(Kind.FAULT) if isinstance(event, FaultFired)]
    assert [(event.text, event.connection, event.channel) for event in events] == [
        ("delay seconds=1.0 fired", 7, "data")
    ] * 2
    assert events[0].armed == parse_fault("RETR:delay(1)x2")
    assert events[0].fault == fault.delay(seconds=1.0)


def test_expectations() -> None:
    made = script()
    made.expect("QUIT")
    made.expect("RETR a.bin", 2)
    made.expect("DELE", 0)
    assert made.unmet() == ["expected QUIT at least once, came 0 times", "expected RETR a.bin 2 times, came 0 times"]
    for names in (A, A, B, ("QUIT",)):
        made.happened("*", *names)
    assert made.unmet() == []
    made.happened("*", "DELE", "DELE a.bin")
    made.happened("*", *A)
    assert made.unmet() == ["expected RETR a.bin 2 times, came 3 times", "expected DELE 0 times, came 1 times"]
