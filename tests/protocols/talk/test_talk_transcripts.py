"""Conversations in lock-step, each whole: what `inetcli talk` says, hears, and prints of it."""

from pathlib import Path

import pytest
from support.datagramscript import DatagramScript
from support.linescript import LineScript
from support.program import Finished, inetcli_here

from mockservers.certs import authority


@pytest.fixture
def lines(tmp_path: Path) -> str:
    """A file of two lines."""
    path = tmp_path / "lines"
    path.write_text("one\ntwo\n")
    return str(path)


def talk(server: LineScript | DatagramScript, path: str, *options: str) -> Finished:
    kind = "udp" if isinstance(server, DatagramScript) else "tcp"
    return inetcli_here("talk", kind, *options, server.address, path)


def test_a_line_goes_out_when_the_reply_to_the_one_before_is_here(lines: str) -> None:
    with LineScript("""
        C one
        S first
        C two
        S second
        E
    """) as server:
        done = talk(server, lines)
    assert (done.code, done.out, done.err) == (0, "first\nsecond\n", "")


def test_what_the_peer_says_behind_our_end_is_printed(lines: str) -> None:
    with LineScript(r"""
        C one
        S first
        C two
        S second
        E
        SR and\nthe rest
        X
    """) as server:
        done = talk(server, lines)
    assert (done.code, done.out) == (0, "first\nsecond\nand\nthe rest\n")


def test_a_reply_of_two_lines_is_the_reply_to_both(lines: str) -> None:
    with LineScript("""
        C one
        S first
        S second
        C two
        E
        X
    """) as server:
        done = talk(server, lines)
    assert (done.code, done.out) == (0, "first\nsecond\n")


def test_no_line_at_all_is_a_half_close_and_what_comes() -> None:
    with LineScript("""
        E
        S Sun Nov 22 18:04:11 2026
        X
    """) as server:
        done = talk(server, "/dev/null")
    assert (done.code, done.out) == (0, "Sun Nov 22 18:04:11 2026\n")


def test_every_turn_is_a_row(lines: str) -> None:
    with LineScript("""
        C one
        S first
        C two
        S second
        E
        S bye
        X
    """) as server:
        rows = talk(server, lines, "--json").rows
    assert [(row.get("sent"), row.get("received")) for row in rows[:3]] == [
        ("one", "first"),
        ("two", "second"),
        (None, "bye"),
    ]


@pytest.mark.parametrize(
    ("end", "code", "shown"),
    [("SR sec\n    X", 18, "first\nsec\n"), ("X", 52, "first\n"), ("R", 56, "first\n")],
    ids=["in the middle", "instead", "reset"],
)
def test_a_reply_that_is_cut_is_shown_as_far_as_it_came(end: str, code: int, shown: str, lines: str) -> None:
    with LineScript(f"""
        C one
        S first
        C two
        {end}
    """) as server:
        done = talk(server, lines)
    assert (done.code, done.out) == (code, shown)
    assert done.err.count("\n") == 1


def test_silence_is_waited_for_as_long_as_it_is_said(lines: str) -> None:
    with LineScript("""
        C one
        E
    """) as server:
        done = talk(server, lines, "--timeout", "0.1")
    assert (done.code, done.out) == (28, "")


def test_what_could_act_on_a_terminal_is_escaped(lines: str) -> None:
    with LineScript(r"""
        C one
        SR \x1b[2J\tx\xff\n
        C two
        SR \r\n
        E
        X
    """) as server:
        done = talk(server, lines)
    assert (done.code, done.out) == (0, "\\x1b[2J\tx\\xff\n\n")


def test_lines_may_end_in_crlf(tmp_path: Path) -> None:
    (tmp_path / "lines").write_bytes(b"one\n\nlast")
    with LineScript("""
        C one
        S 1
        C
        S 2
        C last
        S 3
        E
    """) as server:
        assert talk(server, str(tmp_path / "lines"), "--crlf").out == "1\n2\n3\n"


def test_over_tls(lines: str) -> None:
    with LineScript(
        """
        T
        C one
        S first
        C two
        S second
        E
        S bye
        X
        """,
        tls=authority().context(),
    ) as server:
        done = talk(server, lines, "--tls", "--ca", authority().ca_file)
    assert (done.code, done.out) == (0, "first\nsecond\nbye\n")


def test_a_datagram_has_its_reply(lines: str) -> None:
    with DatagramScript("""
        C one
        S first
        C two
        S second
    """) as server:
        done = talk(server, lines)
    assert (done.code, done.out, done.err) == (0, "first\nsecond\n", "")


def test_a_datagram_without_a_reply_is_not_sent_again(lines: str) -> None:
    with DatagramScript("""
        C one
        S first
        C two
    """) as server:
        done = talk(server, lines, "--timeout", "0.1")
    assert (done.code, done.out) == (28, "first\n")
