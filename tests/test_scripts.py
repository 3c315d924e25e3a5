"""The scripted servers of the tests: what a client does otherwise than the script has it stands in the transcript."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from support.datagramscript import DatagramScript, udp_socket
from support.dnsscript import DnsOverUdp
from support.ftpdata import FtpScript
from support.linescript import LineScript

from mockservers.certs import authority


def connect(server: LineScript) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), 5)


def read_to_the_end(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(1 << 16), b""))


@contextmanager
def found_out(server: LineScript | DatagramScript) -> Iterator[None]:
    """Run a conversation that the script has to complain of."""
    try:
        with server:
            yield
    except AssertionError:
        return
    pytest.fail("the script has not complained")


SCRIPT = """
    S 200 hello
    C GROUP *
    S 211 one
    SR two\\x21
    C QUIT
"""
SEEN = ["S 200 hello", "C GROUP *", "S 211 one", r"SR two\x21", "C QUIT"]


def test_a_conversation_that_keeps_to_the_script() -> None:
    with LineScript(SCRIPT) as server, connect(server) as client:
        assert client.recv(100) == b"200 hello\r\n"
        client.sendall(b"GROUP misc.test\r\n")
        assert client.recv(100) == b"211 one\r\ntwo!"
        client.sendall(b"QUIT\n")
    assert server.seen == [SEEN]


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ([b"HELP\r\n"], ["S 200 hello", "C HELP"]),
        ([b"GROUP x\r\nQUIT\r\n"], ["S 200 hello", "C GROUP *", "(too early) b'QUIT\\r\\n'", *SEEN[2:]]),
        ([b"GROUP x\r\n", b""], [*SEEN[:4], "(the end)"]),
        ([b"GROUP x\r\n", b"QU"], [*SEEN[:4], "(cut) b'QU'", "(the end)"]),
        ([b"GROUP x\r\n", b"QUIT\r\nHELP\r\n"], [*SEEN, "C HELP"]),
    ],
    ids=["another line", "before its turn", "too little", "half a line", "too much"],
)
def test_a_client_that_does_otherwise_is_found(said: list[bytes], seen: list[str]) -> None:
    server = LineScript(SCRIPT)
    with found_out(server), connect(server) as client:
        for data in said:
            client.recv(100)
            client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        read_to_the_end(client)
    assert server.seen == [seen]


def test_a_connection_too_many_is_found() -> None:
    server = LineScript("S 200 hello\nX")
    with found_out(server), connect(server) as client:
        read_to_the_end(client)
        connect(server).close()
    assert server.seen == [["S 200 hello", "X"], ["(a connection without a script)"]]


def test_a_client_that_never_comes_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("support.linescript.LIMIT_S", 0.01)
    server = LineScript("S 200 hello")
    with found_out(server):
        pass
    assert server.seen == []


def test_the_end_of_the_clients_side_is_part_of_a_script() -> None:
    with LineScript("C one\nE\nS bye\nX") as server, connect(server) as client:
        client.sendall(b"one\n")
        client.shutdown(socket.SHUT_WR)
        assert read_to_the_end(client) == b"bye\r\n"
    wrong = LineScript("C one\nE")
    with found_out(wrong), connect(wrong) as client:
        client.sendall(b"one\ntwo\n")
    assert wrong.seen == [["C one", "C two"]]


@pytest.mark.parametrize(("end", "error"), [("X", None), ("F", ssl.SSLEOFError)])
def test_tls_and_the_ways_in_which_it_ends(end: str, error: type[Exception] | None) -> None:
    trust = ssl.create_default_context(cafile=authority().ca_file)
    with (
        LineScript(
            f"S 200 hello\nC STARTTLS\nS 382 go\nT\nC ping\nS pong\nC bye\n{end}", tls=authority().context()
        ) as server,
        connect(server) as plain,
    ):
        plain.recv(100)
        plain.sendall(b"STARTTLS\r\n")
        plain.recv(100)
        with trust.wrap_socket(plain, server_hostname="localhost", suppress_ragged_eofs=False) as client:
            client.sendall(b"ping\n")
            assert client.recv(100) == b"pong\r\n"
            client.sendall(b"bye\n")
            if error:
                with pytest.raises(error):
                    client.recv(100)
            else:
                assert client.recv(100) == b""


def test_a_reset_is_one() -> None:
    with LineScript("C bye\nR") as server, connect(server) as client:
        client.sendall(b"bye\n")
        with pytest.raises(ConnectionResetError):
            client.recv(100)


def test_a_handshake_that_is_broken_off_is_part_of_a_script() -> None:
    with LineScript("TX", tls=authority().context("expired")) as server, connect(server) as plain:
        trust = ssl.create_default_context(cafile=authority().ca_file)
        with pytest.raises(ssl.SSLCertVerificationError):
            trust.wrap_socket(plain, server_hostname="localhost")
    wrong = LineScript("T\nE", tls=authority().context())
    with found_out(wrong), connect(wrong) as plain:
        plain.sendall(b"not TLS\r\n")
        with suppress(ConnectionResetError):  # it overtakes the alert, or does not
            read_to_the_end(plain)
    assert wrong.seen == [["(SSLError in the handshake)"]]


def test_data_connections_both_ways() -> None:
    with (
        FtpScript("""
        S 229 (|||{port}|)
        D listing
        C EPRT |1|127.0.0.1|*|
        D more
    """) as server,
        connect(server) as client,
        socket.create_server(("127.0.0.1", 0)) as active,
    ):
        port = int(client.recv(100).split(b"|")[3])
        with socket.create_connection(("127.0.0.1", port)) as data:
            assert read_to_the_end(data) == b"listing"
        client.sendall(f"EPRT |1|127.0.0.1|{active.getsockname()[1]}|\r\n".encode())
        with active.accept()[0] as data:
            assert read_to_the_end(data) == b"more"


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ([b"one", b"other"], ["C one", "S 1", "C other"]),
        ([b"one", b"two", b"three"], ["C one", "S 1", "C two", "C three"]),
    ],
)
def test_datagrams_that_are_not_in_the_script_are_found(said: list[bytes], seen: list[str]) -> None:
    server = DatagramScript("C one\nS 1\nC two")
    with found_out(server), udp_socket() as client:
        for data in said:
            client.sendto(data, ("127.0.0.1", server.port))
            if data == b"one":
                assert client.recv(100) == b"1"
    assert server.seen == seen


def test_a_name_server_reads_queries_and_writes_replies() -> None:
    query = bytes.fromhex("123401000001000000000000") + b"\3www\7example\4test\0\0\1\0\1"
    script = "C www.example.test/A\nS NOERROR tc id=other; www.example.test. 1 A 192.0.2.1"
    with DnsOverUdp(script) as server, udp_socket() as client:
        client.sendto(query, ("127.0.0.1", server.port))
        reply = client.recv(100)
    assert reply[:4] == bytes.fromhex("12358300")
    assert reply.endswith(bytes.fromhex("c0000201"))
