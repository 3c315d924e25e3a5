"""Conversations with TLS servers, each whole: what `inetcli tls hello` says, hears, and makes of it."""

import pytest
from support.linescript import LineScript
from support.program import Finished, inetcli_here

from mockservers.certs import authority


def hello(server: LineScript, *options: str) -> Finished:
    return inetcli_here("tls", "hello", "--ca", authority().ca_file, *options, server.address)


def tls_script(text: str, kind: str = "good") -> LineScript:
    return LineScript(text, tls=authority().context(kind))


def test_without_something_to_send_the_handshake_is_all() -> None:
    with tls_script("T\nE") as server:
        done = hello(server)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"OK  127.0.0.1:{server.port} (127.0.0.1)  TLSv1.3  ")
    assert "reply" not in done.out


def test_a_greeting_is_not_waited_for() -> None:
    with tls_script("T\nS 220 hello") as server:
        assert hello(server).code == 0


REPLIES = {
    "line": ("S 250 hello back\nX", "250 hello back\r\n"),
    "lines": ("S 250-one\nS 250 two\nX", "250-one\r\n250 two\r\n"),
    "raw": (r"SR \x00\x01" + "\nX", "\x00\x01"),
}


@pytest.mark.parametrize("kind", REPLIES)
def test_what_is_sent_has_a_reply_up_to_the_close(kind: str) -> None:
    said, reply = REPLIES[kind]
    with tls_script(f"T\nC EHLO me\n{said}") as server:
        done = hello(server, "--json", "--send", r"EHLO me\r\n")
    assert (done.code, done.row["reply"], done.row["verdict"]) == (0, reply, "ok")


@pytest.mark.parametrize(
    ("said", "options", "reply"),
    [
        ("S 0123456789", ["--reply-bytes", "4"], "0123"),
        ("SR 0123", ["--reply-bytes", "4"], "0123"),
        ("SR pong", ["--timeout", "0.2"], "pong"),
    ],
    ids=["the bytes that are wanted", "no more than these is waited for", "silence"],
)
def test_a_reply_ends_also_without_a_close(said: str, options: list[str], reply: str) -> None:
    with tls_script(f"T\nC ping\n{said}\nE") as server:
        done = hello(server, "--json", "--send", "ping", *options)
    assert (done.code, done.row["reply"]) == (0, reply)


def test_silence_before_a_reply_is_a_failure() -> None:
    with tls_script("T\nC ping\nE") as server:
        done = hello(server, "--json", "--send", "ping", "--timeout", "0.2")
    assert (done.code, done.row["error"]["kind"]) == (28, "timeout")


@pytest.mark.parametrize(("end", "code"), [("X", 52), ("F", 56), ("R", 56)], ids=["close_notify", "fin", "rst"])
def test_a_server_that_ends_without_a_reply(end: str, code: int) -> None:
    with tls_script(f"T\nC ping\n{end}") as server:
        assert hello(server, "--send", "ping").code == code


@pytest.mark.parametrize(
    ("kind", "verdict"), [("expired", "expired"), ("wrong_host", "wrong_host"), ("untrusted", "incomplete_chain")]
)
def test_nothing_is_sent_where_the_certificate_is_not_good(kind: str, verdict: str) -> None:
    with tls_script("TX", kind) as server:
        done = hello(server, "--json", "--send", "secret")
    assert (done.row["verdict"], done.row["reply"]) == (verdict, None)


def test_under_insecure_it_is_sent_all_the_same() -> None:
    with LineScript("TX", "T\nC ping\nS pong\nX", tls=authority().context("expired")) as server:
        done = hello(server, "--json", "--insecure", "--send", "ping")
    assert (done.row["verdict"], done.row["reply"]) == ("expired", "pong\r\n")


@pytest.mark.parametrize("reply", ["S 220 no TLS here", r"SR \x15\x03\x03\0\2\2\x28"], ids=["clear text", "alert"])
def test_a_server_that_does_not_shake_hands(reply: str) -> None:
    with LineScript(f"CR\n{reply}\nA") as server:
        done = hello(server, "--json", "--send", "ping")
    assert (done.code, done.row["error"]["kind"]) == (35, "tls_handshake")


def test_a_server_that_stalls_in_the_handshake() -> None:
    with LineScript("A") as server:
        assert hello(server, "--timeout", "0.2").code == 28
