"""The states of a control connection, when another target may use it, when the server rejects it, and its clean-up."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.cutting import session_for
from support.ftpdata import FtpScript

from inetcli.errors import LoginDenied, Refused, TimedOut
from inetcli.net.session import Session
from inetcli.protocols.ftp.connect import open_control
from inetcli.protocols.ftp.connection import _NEXT, ControlEvent, ControlState
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.server_state import ServerKey, ServerState
from inetcli.protocols.ftp.wire import Command

LOGIN = """
    S 220 hello
    C USER anonymous
    C PASS anonymous@
    S 230 in
    S 230 in
"""


@contextmanager
def logged_in(rest: str, session: Session | None = None) -> Iterator[Control]:
    """Return a connection after its login; `rest` is the script before QUIT."""
    with FtpScript(f"{LOGIN}{rest}\nC QUIT") as server:
        control = open_control(session or session_for(), ServerKey("127.0.0.1", server.port), ServerState())
        control.ask_all([])
        yield control
        control.quit()


def test_every_state_is_in_the_table_and_every_event_is_used() -> None:
    assert set(_NEXT) == set(ControlState)
    assert {event for events in _NEXT.values() for event in events} == set(ControlEvent)
    reached = {state for events in _NEXT.values() for state in events.values()}
    assert reached | {ControlState.GREETED} == set(ControlState)


@pytest.mark.parametrize("end", [ControlState.BROKEN, ControlState.REJECTED])
def test_final_states_have_no_transitions(end: ControlState) -> None:
    assert _NEXT[end] == {}


@pytest.mark.parametrize(
    ("state", "event"), list(itertools.product([ControlState.GREETED, ControlState.LOGGING_IN], ControlEvent))
)
def test_only_a_login_makes_a_new_connection_reusable(state: ControlState, event: ControlEvent) -> None:
    after = _NEXT[state].get(event, state)
    assert after is not ControlState.READY
    assert (after is ControlState.AWAITING) == (state is ControlState.LOGGING_IN and event is ControlEvent.LOGGED_IN)


def test_connection_is_reusable_without_outstanding_replies() -> None:
    with logged_in("C STAT\nS 213 fine\nC RETR a\nS 150 here\nS 226 done") as control:
        assert control.usable
        control.ask("STAT")
        assert control.usable
        control.send([Command("RETR", "a")])
        assert not control.usable
        assert control.read_reply().code == 150
        assert not control.usable
        assert control.read_reply().code == 226
        assert control.usable


def test_forbid_reuse_lasts_after_all_replies() -> None:
    with logged_in("C REST 5\nS 350 fine") as control:
        control.send([Command("REST", "5")])
        control.forbid_reuse()
        control.read_reply()
        assert (control.usable, control.rejected) == (False, False)


@pytest.mark.parametrize(
    ("text", "rejected"),
    [
        ("S 220 hello\nC USER anonymous\nC PASS anonymous@\nC STAT\nS 421 too many\nC QUIT", True),
        (f"{LOGIN}C STAT\nS 421 idle\nC QUIT", False),
    ],
)
def test_421_before_the_login_counts_as_too_many_users(text: str, rejected: bool) -> None:
    with FtpScript(text) as server:
        control = open_control(session_for(), ServerKey("127.0.0.1", server.port), ServerState())
        if not rejected:
            control.ask_all([])
        with pytest.raises(Refused, match="the server closes the connection"):
            control.ask("STAT")
        assert (control.usable, control.rejected) == (False, rejected)
        control.quit()


@pytest.mark.parametrize(("others", "error"), [(True, Refused), (False, LoginDenied)])
def test_denied_login_after_a_successful_one_counts_as_too_many_users(others: bool, error: type[Exception]) -> None:
    with FtpScript(
        "S 220 hello\nC USER anonymous\nC PASS anonymous@\nS 530 too many\nS 530 too many\nC QUIT"
    ) as server:
        state = ServerState()
        if others:
            state.accept_login()
        control = open_control(session_for(), ServerKey("127.0.0.1", server.port), state)
        with pytest.raises(error):
            control.ask_all([])
        assert (control.usable, control.rejected, state.denied is None) == (False, others, others)
        control.quit()


def test_clean_up_reads_outstanding_replies_first() -> None:
    with logged_in("C STOR a\nS 150 here\nS 426 cut\nC DELE a\nS 250 gone") as control:
        control.send([Command("STOR", "a")])
        control.read_reply()
        reply = control.clean_up(Command("DELE", "a"), 10)
        assert reply is not None
        assert (reply.code, control.usable) == (250, True)


def test_clean_up_has_its_own_time_limit() -> None:
    with logged_in("C DELE a\nS 250 gone") as control:
        usual = control.stream.limits
        control.stream.limits = over = usual.override(deadline=usual.deadline.within(0, "over"))
        with pytest.raises(TimedOut, match="over"):
            control.ask("NOOP")
        control.resynchronise()  # nothing was sent
        reply = control.clean_up(Command("DELE", "a"), 10)
        assert reply is not None
        assert reply.code == 250
        assert control.stream.limits is over
        control.stream.limits = usual


def test_clean_up_times_out() -> None:
    with logged_in("C STOR a\nC DELE a") as control:
        control.send([Command("STOR", "a")])
        with pytest.raises(TimedOut):
            control.clean_up(Command("DELE", "a"), 0.01)
        control.stream.send(b"DELE a\r\n")


def test_clean_up_skips_a_broken_connection() -> None:
    with logged_in("") as control:
        control.forbid_reuse()
        assert control.clean_up(Command("DELE", "a"), 10) is None
