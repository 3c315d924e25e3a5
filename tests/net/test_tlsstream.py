"""TLS on a connection: the results of a handshake, and the end of the stream."""

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from inetcli.errors import (
    Expired,
    InetError,
    NotYetValid,
    PinMismatch,
    ProtocolViolation,
    ReceiveFailed,
    TimedOut,
    TlsHandshake,
    Untrusted,
    WrongHost,
)
from inetcli.net.copy import Receiver, ReceiveSink
from inetcli.net.session import Network, Session, Timeouts
from inetcli.net.tlscontext import tls_error_text
from inetcli.net.tlsstream import TlsStream, start_tls
from inetcli.net.trust import Trust
from inetcli.net.wait import READ
from inetcli.wire.reader import Parser, Reader
from mockservers import TlsServer
from mockservers.certs import authority
from mockservers.core import Server


def a_line(reader: Reader) -> Parser[bytes]:
    return (yield from reader.line(1 << 16))


def all_of_it(reader: Reader) -> Parser[bytes]:
    return (yield from reader.rest(1 << 16))


def session_to(server: Server | None = None, silence_s: float = 20.0, **trust: object) -> Session:
    chosen = Trust(ca_file=server.ca_file if server else None, **trust)  # type: ignore[arg-type]
    return Network(timeouts=Timeouts(silence_s=silence_s), trust=chosen).session()


def open_tls(server: Server, name: str = "localhost", **trust: object) -> TlsStream:
    session = session_to(server, **trust)
    return start_tls(session, session.connect(server.host, server.port), name)


def test_lines_go_through_and_the_facts_are_those_of_the_handshake() -> None:
    with TlsServer() as server:
        stream = open_tls(server)
        stream.send(b"hello\n")
        assert stream.read(a_line) == b"hello"
        assert (stream.facts.version, stream.facts.session_reused, stream.can_splice) == ("TLSv1.3", False, False)
        stream.close()


@pytest.mark.parametrize(
    ("fault", "problem"),
    [
        ("expired", Expired),
        ("not_yet_valid", NotYetValid),
        ("wrong_host", WrongHost),
        ("untrusted", Untrusted),
        ("plaintext", TlsHandshake),
        ("alert", TlsHandshake),
        ("fin", TlsHandshake),
    ],
)
def test_a_handshake_that_fails_says_why(fault: str, problem: type[Exception]) -> None:
    with TlsServer(faults=[f"connect:{fault}"]) as server, pytest.raises(problem):
        open_tls(server)


@pytest.mark.parametrize("name", ["127.0.0.1", "::1", "localhost", "localhost."])
def test_names_and_addresses_of_the_certificate_fit(name: str) -> None:
    with TlsServer() as server:
        open_tls(server, name).close()


@pytest.mark.parametrize("name", ["127.0.0.2", "example.net", "a.localhost"])
def test_other_names_do_not(name: str) -> None:
    with TlsServer() as server, pytest.raises(WrongHost):
        open_tls(server, name)


@pytest.mark.parametrize("name", ["", ".", "a" * 300, "a..b", ".leading"])
def test_a_name_that_cannot_be_sent_is_a_failed_handshake(name: str, pair) -> None:
    with pytest.raises(TlsHandshake, match="cannot be sent as server name"):
        start_tls(session_to(insecure=True), pair.stream, name)
    assert pair.stream.sock.fileno() == -1


def test_a_peer_that_has_reset_already_is_a_failed_handshake(pair) -> None:
    """A socket without a peer is met by the constructor of Python's TLS socket, before any handshake."""
    pair.reset()
    pair.stream.limits.wait(pair.stream.sock.fileno(), READ)  # until the reset is there
    with pytest.raises(TlsHandshake, match="the peer reset the connection in the TLS handshake"):
        start_tls(session_to(insecure=True), pair.stream, "localhost")
    assert pair.stream.sock.fileno() == -1


def test_what_came_in_clear_before_the_handshake_is_a_violation(pair) -> None:
    pair.peer.sendall(b"220 go\r\n230 and you are in\r\n")
    assert pair.stream.read(a_line) == b"220 go"
    with pytest.raises(ProtocolViolation, match="230 and you are in"):
        start_tls(session_to(insecure=True), pair.stream, "localhost")
    assert pair.stream.sock.fileno() == -1


def test_a_peer_that_stalls_in_the_handshake_has_the_limit_of_silence(pair) -> None:
    with pytest.raises(TimedOut, match=r"no TLS handshake after 0\.05 s \(--timeout\)"):
        start_tls(session_to(silence_s=0.05, insecure=True), pair.stream, "localhost")


def test_an_end_without_close_notify_may_be_a_cut() -> None:
    with TlsServer(faults=["connect:truncate"]) as server:
        stream = open_tls(server)
        stream.send(b"hello\n")
        with pytest.raises(ReceiveFailed, match="without close_notify"):
            stream.read(all_of_it)
        stream.close()


@pytest.mark.parametrize("waiting", [False, True])
def test_after_close_notify_comes_what_the_server_still_has_to_say(waiting: bool) -> None:
    """Half-closed (RFC 8446 section 6.1), also when its data was there before our close_notify went out."""
    with TlsServer() as server:
        stream = open_tls(server)
        stream.send(b"one\ntwo\n")
        if waiting:
            stream.limits.wait(stream.sock.fileno(), READ)
        stream.finish_sending()
        assert stream.read(all_of_it) == b"one\ntwo\n"
        stream.close()


def test_a_pin_is_that_of_the_leafs_key() -> None:
    with TlsServer() as server:
        with pytest.raises(PinMismatch, match=r"the server's key is sha256//\S+, expected sha256//AAAA=") as caught:
            open_tls(server, pins=("sha256//AAAA=",))
        (pin,) = [word.rstrip(",") for word in str(caught.value).split() if word.startswith("sha256//")][:1]
        open_tls(server, pins=("sha256//AAAA=", pin)).close()
        with pytest.raises(PinMismatch):  # also where the chain is not checked
            open_tls(server, pins=("sha256//AAAA=",), insecure=True)


def test_versions_before_1_2_are_not_spoken(pair, background: Callable[..., object]) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1

    def serve() -> None:
        with pytest.raises(OSError, match=r"(?i)unsupported.protocol|no.shared.cipher|version"):
            context.wrap_socket(pair.peer, server_side=True)

    background(serve)
    with pytest.raises(TlsHandshake):
        start_tls(session_to(insecure=True), pair.stream, "localhost")


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), "the peer closed the connection"),
        (TimeoutError(110, "Connection timed out"), "connection timed out"),
        (OSError(), ""),
    ],
)
def test_words_for_what_broke(error: OSError, words: str) -> None:
    assert tls_error_text(error) == words


def test_the_trace_hears_what_the_handshake_agreed_on() -> None:
    with TlsServer() as server:
        events: list[bytes] = []
        network = Network(timeouts=Timeouts(), trust=Trust(ca_file=server.ca_file))
        session = network.session(lambda event: events.append(event.data))
        stream = session.start_tls(session.connect(server.host, server.port), "localhost")
        stream.close()
    assert 0 < stream.facts.handshake_s <= session.trace.phases["tls"].duration
    assert any(data.startswith(b"TLSv1.3 TLS_") for data in events)
    assert set(session.trace.phases) >= {"resolve", "connect", "tls"}


OOPS = "500 OOPS: cannot change directory:/srv"


def speak_tls_for_a_line(peer: socket.socket, then: bytes) -> None:
    """A server that answers one line, and to the next one goes on in clear text, as vsftpd does when it dies."""
    with authority().context().wrap_socket(peer, server_side=True) as tls:
        tls.sendall(tls.recv(100).upper())
        tls.recv(100)
        os.write(tls.fileno(), then)
        with contextlib.suppress(OSError):  # an alert, or our end
            tls.recv(100)


@pytest.mark.parametrize(
    ("then", "problem", "said"),
    [
        (f"{OOPS}\r\n".encode(), ProtocolViolation, OOPS),
        (b"220 " + b"x" * 4000 + b"\r\n", ProtocolViolation, "220 " + "x" * 196 + "..."),
        (b"\x00\x01\x02\x03\x04\x05", ReceiveFailed, None),
    ],
)
def test_clear_text_in_the_midst_of_tls_is_shown(
    pair, background: Callable[..., object], then: bytes, problem: type[InetError], said: str | None
) -> None:
    background(speak_tls_for_a_line, pair.peer, then)
    stream = start_tls(session_to(insecure=True), pair.stream, "localhost")
    stream.send(b"hello\n")
    assert stream.read(a_line) == b"HELLO"
    stream.send(b"again\n")
    with pytest.raises(problem) as caught:
        stream.read(a_line)
    stream.close()
    assert type(caught.value) is problem
    assert caught.value.reply == said
    assert said is None or caught.value.message.endswith(f': the peer said "{said}" in clear text')


def test_clear_text_is_shown_also_when_our_half_close_met_it(pair, background: Callable[..., object]) -> None:
    background(speak_tls_for_a_line, pair.peer, f"{OOPS}\r\n".encode())
    stream = start_tls(session_to(insecure=True), pair.stream, "localhost")
    stream.send(b"hello\n")
    assert stream.read(a_line) == b"HELLO"
    stream.send(b"again\n")
    stream.limits.wait(stream.sock.fileno(), READ)
    stream.finish_sending()
    with pytest.raises(ProtocolViolation, match=OOPS):
        stream.read(a_line)
    stream.close()


def test_many_records_are_read_at_once_and_what_broke_behind_them_comes_after_them(
    pair, background: Callable[..., object]
) -> None:
    sent = threading.Event()

    def serve() -> None:
        with authority().context().wrap_socket(pair.peer, server_side=True) as tls:
            tls.recv(100)
            tls.sendall(bytes(40_000))
            os.write(tls.fileno(), f"{OOPS}\r\n".encode())
            sent.set()
            with contextlib.suppress(OSError):
                tls.recv(100)

    background(serve)
    stream = start_tls(session_to(insecure=True), pair.stream, "localhost")
    stream.send(b"go\n")
    assert sent.wait(10)
    buffer = memoryview(bytearray(1 << 18))
    assert stream.receive_into(buffer) == 40_000
    for _ in range(2):
        with pytest.raises(ProtocolViolation, match=OOPS):
            stream.receive_into(buffer)
    stream.close()


def test_a_record_that_cannot_be_decrypted_is_named_after_the_good_one_before_it(
    pair, background: Callable[..., object]
) -> None:
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = authority().context().wrap_bio(incoming, outgoing, server_side=True)

    def record(text: bytes) -> bytes:
        tls.write(text)
        return outgoing.read()

    def serve() -> None:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                pair.peer.sendall(outgoing.read())
                incoming.write(pair.peer.recv(1 << 16))
        good, bad = record(b"good"), record(b"bad")
        pair.peer.sendall(good + bad[:-1] + bytes([bad[-1] ^ 1]))

    background(serve)
    stream = start_tls(session_to(insecure=True), pair.stream, "localhost")
    buffer = memoryview(bytearray(100))
    assert stream.receive_into(buffer) == 4
    with pytest.raises(ReceiveFailed, match=r"the TLS connection broke: .*bad record mac"):
        stream.receive_into(buffer)
    stream.close()


@pytest.mark.parametrize("exact", [1, 5000, 16_384, 40_000])
def test_an_exact_length_may_end_in_the_middle_of_a_record(
    pair, background: Callable[..., object], tmp_path: Path, exact: int
) -> None:
    data = bytes(range(250)) * 200

    def serve() -> None:
        with authority().context().wrap_socket(pair.peer, server_side=True) as tls:
            tls.recv(100)
            tls.sendall(data)
            with contextlib.suppress(OSError):
                tls.recv(100)

    background(serve)
    stream = start_tls(session_to(insecure=True), pair.stream, "localhost")
    stream.send(b"go\n")
    with (tmp_path / "body").open("wb") as file:
        assert Receiver(stream, ReceiveSink(file.fileno(), "body"), exact=exact).run() == exact
    assert (tmp_path / "body").read_bytes() == data[:exact]
    assert stream.reader.position == exact
    assert stream.read(lambda reader: reader.exact(len(data) - exact)) == data[exact:]
    stream.close()


def test_the_limit_of_the_handshake_is_no_limit_of_what_follows() -> None:
    with TlsServer() as server:
        session = session_to(server)
        plain = session.connect(server.host, server.port)
        stream = start_tls(session, plain, "localhost", deadline=session.connect_deadline())
        assert stream.limits == plain.limits
        stream.close()


def test_a_silent_peer_is_waited_for_no_longer_than_one_call_says(pair, background: Callable[..., object]) -> None:
    over = threading.Event()

    def serve() -> None:
        with authority().context().wrap_socket(pair.peer, server_side=True) as tls:
            over.wait(10)
            tls.sendall(b"late\n")
            with contextlib.suppress(OSError):
                tls.recv(100)

    background(serve)
    stream = start_tls(session_to(insecure=True), pair.stream, "localhost")
    with pytest.raises(TimedOut, match=r"silent for 0\.01 s"):
        stream.read(a_line, silence_s=0.01)
    over.set()
    assert stream.read(a_line) == b"late"
    stream.close()


def test_a_server_that_greets_in_clear_text_is_quoted(pair) -> None:
    pair.peer.sendall(b"220-ftp.example.net\r\n220 ready\r\n")
    with pytest.raises(TlsHandshake) as caught:
        start_tls(session_to(insecure=True), pair.stream, "localhost")
    assert caught.value.message.endswith('does not speak TLS here: the peer said "220-ftp.example.net" in clear text')
    assert (caught.value.reply, caught.value.transient) == ("220-ftp.example.net", False)


@pytest.mark.parametrize("reset", [True, False])
def test_a_handshake_that_is_cut_may_be_tried_again(pair, background: Callable[..., object], reset: bool) -> None:
    def cut() -> None:
        pair.peer.recv(1)  # the first byte of our hello
        if reset:
            pair.reset()
        else:
            pair.peer.shutdown(socket.SHUT_WR)

    background(cut)
    with pytest.raises(TlsHandshake) as caught:
        start_tls(session_to(insecure=True), pair.stream, "localhost")
    assert caught.value.transient


def test_the_trace_keeps_what_tls_agreed_on_for_the_answer() -> None:
    with TlsServer() as server:
        session = session_to(server)
        start_tls(session, session.connect(server.host, server.port), "localhost").close()
        assert session.attempt.tls is not None
        assert (session.attempt.tls["version"], session.attempt.tls["peer_verified"]) == ("TLSv1.3", True)
        session.connect(server.host, server.port).close()
        assert session.attempt.tls is None
        with pytest.raises(WrongHost):
            start_tls(session, session.connect(server.host, server.port), "example.net")
        assert session.attempt.tls is not None
        assert session.attempt.tls["peer_verified"] is False
