"""Queries: retries, transports, and failure messages. Each test has a server of its own."""

import contextlib
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest
from support.program import environment, inetcli

from mockservers import DnsServer

PAIR = ("www.example.test", "A", "AAAA")


def at(server: DnsServer) -> str:
    return f"@{server.host}:{server.port}"


@pytest.mark.parametrize("tcp", [[], ["--tcp"]])
def test_servfail_is_asked_again_with_retries_only(tcp: list[str]) -> None:
    with DnsServer(faults=["*:rcode(SERVFAIL)x1"]) as server:
        done = inetcli("dns", "lookup", "--json", *tcp, "--retries", "1", "www.example.test", "A", at(server))
    assert (done.code, done.row["status"], done.row["tries"]) == (0, "NOERROR", 2)
    assert done.row["notes"] == [f"retried after: www.example.test. A: SERVFAIL from {at(server)[1:]}"]
    with DnsServer(faults=["*:rcode(SERVFAIL)"]) as server:
        done = inetcli("dns", "lookup", "--json", *tcp, "--retries", "2", "www.example.test", "A", at(server))
    assert (done.code, done.row["status"], done.row["tries"]) == (117, "SERVFAIL", 3)


def test_only_failed_questions_are_repeated() -> None:
    with DnsServer(faults=["www.example.test/A:rcode(SERVFAIL)x1"]) as server:
        done = inetcli("dns", "lookup", "--json", "--retries", "1", *PAIR, at(server))
    assert [row["tries"] for row in done.rows] == [2, 1]


def test_servfail_queries_the_next_server_before_a_pause() -> None:
    with DnsServer(faults=["*:rcode(SERVFAIL)"]) as first, DnsServer() as second:
        done = inetcli("dns", "lookup", "--json", "--retries", "9", "www.example.test", "A", at(first), at(second))
    assert (done.row["server"], done.row["tries"], done.row["notes"]) == (at(second)[1:], 2, [])


def test_max_time_ends_a_pause_and_keeps_name_type_and_failure() -> None:
    with DnsServer(faults=["*:rcode(SERVFAIL)"]) as server:
        done = inetcli("dns", "lookup", "--json", "--retries", "9", "--max-time", "0.6", *PAIR, at(server))
    assert done.code == 28
    assert [(row["name"], row["type"], row["status"]) for row in done.rows] == [
        ("www.example.test.", "A", "TIMEOUT"),
        ("www.example.test.", "AAAA", "TIMEOUT"),
    ]
    assert done.rows[0]["error"]["message"] == (
        "timed out: not done after 0.6 s (--max-time); the last failure: www.example.test. A: SERVFAIL from "
        f"{at(server)[1:]}"
    )


def test_a_full_backlog_is_one_connection_and_names_its_own_limit() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):  # the backlog is full
            done = inetcli("dns", "lookup", "--tcp", "--connect-timeout", "0.3", "--json", *PAIR, f"@127.0.0.1:{port}")
    assert done.code == 28
    assert [row["tries"] for row in done.rows] == [1, 1]
    assert done.rows[0]["timing_ms"]["total"] < 590
    assert done.rows[0]["error"]["message"] == (
        f"timed out: not connected after 0.3 s (--connect-timeout): 127.0.0.1:{port}: no answer"
    )


def test_the_questions_of_a_name_share_a_connection() -> None:
    with DnsServer() as server:
        done = inetcli("dns", "lookup", "--tcp", *PAIR, at(server))
        assert done.code == 0
        assert sum("connected" in line for line in server.transcript().splitlines()) <= 1
        assert len({event.connection for event in server.log.events()}) == 1
    with DnsServer() as server:
        err = inetcli("dns", "lookup", "--tcp", "-v", *PAIR, at(server)).err
    assert err.count("connected to") == 1


Play = Callable[[socket.socket, list[bytes]], None]


@contextlib.contextmanager
def tcp_server(*plays: Play) -> Iterator[tuple[str, list[int]]]:
    """A name server that plays one part on each connection, given the queries that came on it; and how many did."""
    counts: list[int] = []

    def serve() -> None:
        for play in plays:
            peer, _ = listener.accept()
            with peer, peer.makefile("rb") as file:
                peer.settimeout(20)
                queries = [file.read(int.from_bytes(file.read(2), "big"))]
                with contextlib.suppress(TimeoutError):
                    if not counts:
                        queries.append(file.read(int.from_bytes(file.read(2), "big")))
                counts.append(len(queries))
                play(peer, queries)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"@127.0.0.1:{listener.getsockname()[1]}", counts
        thread.join(20)


def reply(query: bytes) -> bytes:
    """NOERROR without a record, framed."""
    message = query[:2] + b"\x81\x80" + query[4:6] + bytes(6) + query[12 : query.index(b"\0", 12) + 5]
    return len(message).to_bytes(2, "big") + message


def in_reverse(peer: socket.socket, queries: list[bytes]) -> None:
    peer.sendall(b"".join(map(reply, reversed(queries))))


def only_the_first(peer: socket.socket, queries: list[bytes]) -> None:
    peer.sendall(reply(queries[0]))


def nothing(_peer: socket.socket, _queries: list[bytes]) -> None:
    pass


def half(peer: socket.socket, queries: list[bytes]) -> None:
    peer.sendall(reply(queries[0])[:20])


def reset(peer: socket.socket, _queries: list[bytes]) -> None:
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


@pytest.mark.parametrize(
    ("plays", "tries"),
    [
        ((in_reverse,), [1, 1]),
        ((only_the_first, only_the_first), [1, 2]),
        ((nothing, only_the_first, only_the_first), [2, 2]),
        ((half, only_the_first, only_the_first), [2, 2]),
        ((reset, only_the_first, only_the_first), [2, 2]),
    ],
)
def test_tcp_replies_in_any_order_over_several_connections(plays: tuple[Play, ...], tries: list[int]) -> None:
    with tcp_server(*plays) as (server, counts):
        done = inetcli("dns", "lookup", "--tcp", "--json", *PAIR, server)
    assert [(row["type"], row["status"]) for row in done.rows] == [("A", "NODATA"), ("AAAA", "NODATA")]
    assert [row["tries"] for row in done.rows] == tries
    assert counts == [2, *[1] * (len(plays) - 1)]


@pytest.mark.parametrize(("play", "code"), [(nothing, 52), (half, 18), (reset, 56)])
def test_a_server_that_never_answers_over_tcp_is_given_up(play: Play, code: int) -> None:
    with tcp_server(play, play) as (server, counts):
        done = inetcli("dns", "lookup", "--tcp", "--json", *PAIR, server)
    assert [row["exit_code"] for row in done.rows] == [code, code]
    assert counts == [2, 1]


def stranger(peer: socket.socket, queries: list[bytes]) -> None:
    query = bytes([queries[0][0] ^ 1]) + queries[0][1:]
    peer.sendall(reply(query))


def test_a_reply_over_tcp_to_another_question_is_a_violation() -> None:
    with tcp_server(stranger) as (server, _):
        done = inetcli("dns", "lookup", "--tcp", "--json", *PAIR, server)
    assert done.code == 8
    assert "matches no open question" in done.err


def test_edns_is_omitted_over_tcp_after_a_rejection() -> None:
    with DnsServer(faults=["*:no_edns"]) as server:
        done = inetcli("dns", "lookup", "--tcp", "--json", "www.example.test", "A", at(server))
    assert (done.code, done.row["tries"]) == (0, 2)
    assert done.row["notes"] == [f"{at(server)[1:]} does not support EDNS; retried without EDNS"]


def test_truncated_answer_with_failed_tcp_retry_reports_truncated() -> None:
    """Over UDP there is an answer with TC; TCP on the same port is refused."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        udp.bind(tcp.getsockname())
        udp.settimeout(20)

        def serve() -> None:
            query, peer = udp.recvfrom(4096)
            message = reply(query)[2:]
            udp.sendto(message[:2] + b"\x83" + message[3:], peer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        done = inetcli("dns", "lookup", "--json", "www.example.test", "A", f"@127.0.0.1:{tcp.getsockname()[1]}")
        thread.join(20)
    assert (done.code, done.row["truncated"], done.row["tries"]) == (7, True, 2)


@pytest.mark.parametrize("tcp", [[], ["--tcp"]])
def test_wait_continues_until_the_server_is_reachable(tcp: list[str]) -> None:
    with DnsServer() as server:
        arguments = [*tcp, "--short", "www.example.test", "A", at(server)]
        with server.down():
            assert inetcli("dns", "lookup", *arguments).code == 7
            child = subprocess.Popen(
                [sys.executable, "-m", "inetcli", "dns", "lookup", "-v", "--wait", "20", *arguments],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment(),
            )
            assert child.stderr is not None
            if not tcp:
                assert b">" in child.stderr.readline()  # the first question is out, and was refused
        out, _ = child.communicate(timeout=20)
    assert (child.returncode, out) == (0, b"192.0.2.1\n")


@pytest.mark.parametrize("tcp", [[], ["--tcp"]])
def test_wait_ends_with_the_last_failure(tcp: list[str]) -> None:
    with socket.socket() as held, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        held.bind(("127.0.0.1", 0))
        udp.bind(held.getsockname())
        udp.connect(("127.0.0.1", 9))  # ours, and closed to everybody else
        server = f"@127.0.0.1:{held.getsockname()[1]}"
        done = inetcli("dns", "lookup", *tcp, "--wait", "0.4", "--json", *PAIR, server)
    assert done.code == 7
    assert done.rows[0]["timing_ms"]["total"] >= 400


def test_nxdomain_names_the_missing_alias_target() -> None:
    zone = {
        "a.test.": ["60 SOA a. b. 1 2 3 4 5"],
        "one.a.test.": ["60 CNAME gone.a.test."],
        "two.a.test.": ["60 CNAME one.a.test."],
    }
    with DnsServer(zone) as server:
        where = at(server)[1:]
        one = inetcli("dns", "lookup", "one.a.test", "A", at(server))
        two = inetcli("dns", "lookup", "two.a.test", "A", at(server))
        gone = inetcli("dns", "lookup", "gone.a.test", "A", at(server))
    kept = "(kept 5 s by a.test.)"
    assert one.err == (
        f"inetcli: one.a.test.: NXDOMAIN from {where}: alias of gone.a.test., which does not exist {kept}\n"
    )
    assert two.err == (
        f"inetcli: two.a.test.: NXDOMAIN from {where}: alias (via one.a.test.) of gone.a.test., "
        f"which does not exist {kept}\n"
    )
    assert gone.err == f"inetcli: gone.a.test.: NXDOMAIN from {where} {kept}\n"
    assert (one.code, two.code, gone.code) == (116, 116, 116)
