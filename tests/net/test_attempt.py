"""The notes of a target, and whether another try is allowed."""

from inetcli.net.attempt import Attempt
from inetcli.net.session import Network
from inetcli.net.trace import Event, EventKind


def test_a_note_is_added_once() -> None:
    attempt = Attempt()
    assert [attempt.add_note(text) for text in ("one", "two", "one")] == [True, True, False]
    assert attempt.notes == ["one", "two"]


def test_a_note_of_a_session_is_traced_once() -> None:
    events: list[Event] = []
    session = Network().session(events.append)
    session.note("EPSV refused: PASV \udce9")
    session.note("EPSV refused: PASV \udce9")
    assert session.attempt.notes == ["EPSV refused: PASV \udce9"]
    assert [(event.kind, event.data) for event in events] == [(EventKind.REMARK, b"EPSV refused: PASV \xe9")]


def test_a_retry_is_allowed_until_it_is_forbidden_and_again_afterwards() -> None:
    attempt = Attempt()
    assert attempt.retry_forbidden is None
    attempt.forbid_retry("upload begun")
    assert attempt.retry_forbidden == "upload begun"
    attempt.allow_retry()
    assert attempt.retry_forbidden is None
