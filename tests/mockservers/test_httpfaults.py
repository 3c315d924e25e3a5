"""What a client sees of each fault of HTTP: the bytes by a raw socket, and what curl and http.client make of them."""

import http.client
import socket
from collections.abc import Callable

import pytest
from support.foreign import run

from mockservers import HttpResponse, HttpServer, fault
from mockservers.families import faults, kinds_of
from mockservers.faultkinds import BadFault

LIMIT_S = 5.0
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
BODY = b"Hello from the mock server.\n"
LENGTH = b"Content-Length: 28\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
WHOLE = OK + LENGTH + b"\r\n" + BODY


def ask(server: HttpServer, *, then: bool) -> bytes:
    """What comes for a request; `then` another one follows, which has to be answered; else the server has to close."""
    with socket.create_connection((server.host, server.port), LIMIT_S) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        if then:
            plain.sendall(b"GET /status/299 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        told = b"".join(iter(lambda: plain.recv(65536), b""))
    if then:
        told, status, _ = told.partition(b"HTTP/1.1 299 ")
        assert status, told
    return told


def curl(server: HttpServer, *words: str) -> tuple[int, bytes]:
    done = run("curl", "-sS", "-m", "5", *words, f"{server.url}/")
    return done.code, done.stdout


def python(server: HttpServer) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=LIMIT_S)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def reply(server: HttpServer) -> None:
    assert ask(server, then=True) == b"HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n"
    assert curl(server, "-f") == (22, b"")


def raw(server: HttpServer) -> None:
    assert ask(server, then=False) == b"HTTP/1.1 200\n\n"
    assert python(server) == (200, b"")


def status(server: HttpServer) -> None:
    assert ask(server, then=True).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert curl(server, "-f") == (22, b"")


def redirect_loop(server: HttpServer) -> None:
    assert b"\r\nLocation: /\r\n" in ask(server, then=True)
    assert curl(server, "-L", "--max-redirs", "9")[0] == 47


def no_content_with_body(server: HttpServer) -> None:
    assert ask(server, then=True) == b"HTTP/1.1 204 No Content\r\n\r\n" + BODY
    assert (curl(server), python(server)) == ((0, b""), (204, b""))


def bad_gzip(server: HttpServer) -> None:
    assert ask(server, then=True) == (
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Type: text/plain; charset=utf-8\r\n"
        + LENGTH
        + b"\r\n"
        + BODY
    )
    assert curl(server, "--compressed") == (61, b"")


def long_length(server: HttpServer) -> None:
    assert ask(server, then=False) == OK + b"Content-Length: 38\r\n\r\n" + BODY
    assert curl(server) == (18, BODY)
    with pytest.raises(http.client.IncompleteRead, match="10 more expected"):
        python(server)


def short_length(server: HttpServer) -> None:
    assert ask(server, then=True) == OK + b"Content-Length: 18\r\n\r\n" + BODY
    assert (curl(server), python(server)) == ((0, BODY[:18]), (200, BODY[:18]))


def no_length(server: HttpServer) -> None:
    assert ask(server, then=False) == OK + b"\r\n" + BODY
    assert (curl(server), python(server)) == ((0, BODY), (200, BODY))


def double_length(server: HttpServer) -> None:
    assert ask(server, then=True) == OK + LENGTH + LENGTH + b"\r\n" + BODY
    assert (curl(server), python(server)) == ((0, BODY), (200, BODY))


def conflicting_lengths(server: HttpServer) -> None:
    assert ask(server, then=False) == OK + LENGTH + b"Content-Length: 38\r\n\r\n" + BODY
    assert (curl(server), python(server)) == ((18, BODY), (200, BODY))  # curl takes the last one, http.client the first


def bad_length(server: HttpServer) -> None:
    assert ask(server, then=False) == OK + b"Content-Length: -1\r\n\r\n" + BODY
    assert curl(server)[0] == 8


def length_and_chunks(server: HttpServer) -> None:
    assert ask(server, then=True) == OK + LENGTH + CHUNKED + b"\r\n1c\r\n" + BODY + b"\r\n0\r\n\r\n"
    assert (curl(server), python(server)) == ((0, BODY), (200, BODY))


def bad_chunk(server: HttpServer) -> None:
    assert ask(server, then=False) == OK + CHUNKED + b"\r\nzz\r\n" + BODY + b"\r\n0\r\n\r\n"
    assert curl(server) == (56, b"")
    with pytest.raises(http.client.IncompleteRead):
        python(server)


def no_last_chunk(server: HttpServer) -> None:
    assert ask(server, then=False) == OK + CHUNKED + b"\r\n1c\r\n" + BODY + b"\r\n"
    assert curl(server) == (18, BODY)
    with pytest.raises(http.client.IncompleteRead):
        python(server)


def header_bomb(server: HttpServer) -> None:
    told = ask(server, then=True)
    assert (told.count(b"\r\nX-Bomb-"), len(told)) == (10_000, 600_000 + len(WHOLE))
    assert told.endswith(WHOLE.partition(b"\r\n")[2])
    assert curl(server)[0] == 56
    with pytest.raises(http.client.HTTPException, match="got more than 100 headers"):
        python(server)


def interim_storm(server: HttpServer) -> None:
    told = ask(server, then=True)
    assert told.count(b"HTTP/1.1 103 Early Hints\r\nLink: ") == 1000
    assert told.endswith(b"\r\n\r\n" + WHOLE)
    assert curl(server) == (0, BODY)


def surplus(server: HttpServer) -> None:
    assert ask(server, then=True) == WHOLE + b"x" * 16
    assert (curl(server), python(server)) == ((0, BODY), (200, BODY))


def sudden_close(server: HttpServer) -> None:
    assert ask(server, then=False) == WHOLE
    shown = run("curl", "-sS", "-w", "%{num_connects}", f"{server.url}/", f"{server.url}/")
    assert (shown.code, shown.stdout) == (0, BODY + b"1" + BODY + b"1")


CONTRACTS: dict[str, Callable[[HttpServer], None]] = {
    check.__name__: check
    for check in (
        reply,
        raw,
        status,
        redirect_loop,
        no_content_with_body,
        bad_gzip,
        long_length,
        short_length,
        no_length,
        double_length,
        conflicting_lengths,
        bad_length,
        length_and_chunks,
        bad_chunk,
        no_last_chunk,
        header_bomb,
        interim_storm,
        surplus,
        sudden_close,
    )
}


def test_every_fault_of_http_has_a_contract() -> None:
    assert {kind.name for _, kind in kinds_of(("http",))} == set(CONTRACTS)


@pytest.mark.parametrize("name", CONTRACTS)
def test_what_a_client_sees(name: str) -> None:
    (example,) = [text for text in faults("http") if text.partition(":")[2].partition("(")[0] == name]
    with HttpServer(faults=[example]) as server:
        CONTRACTS[name](server)
        assert server.problems() == []


def test_an_honest_response_in_comparison() -> None:
    with HttpServer() as server:
        assert ask(server, then=True) == WHOLE
        assert (curl(server), python(server)) == ((0, BODY), (200, BODY))


@pytest.mark.parametrize(
    ("text", "at", "code"),
    [("fin@80", 80, 18), ("rst@100", 100, 56), ("fin", 0, 52), ("silent@80", 80, 28), ("half_close@80", 80, 18)],
)
def test_faults_of_the_transport_count_from_the_response(text: str, at: int, code: int) -> None:
    with HttpServer(faults=[f"GET /:{text}x1"]) as server:
        assert curl(server, "-m", "1") == (code, WHOLE[:at].partition(b"\r\n\r\n")[2])
        assert curl(server) == (0, BODY)
        assert server.problems() == []


def test_raw_bytes_from_python_and_as_text() -> None:
    every = bytes(range(256))
    with HttpServer() as server:
        server.on("GET /").send(every, times=1)
        assert ask(server, then=False) == every
        assert ask(server, then=True) == WHOLE
        assert server.problems() == []
    with HttpServer(faults=["GET /:raw(HTTP/1.1 200 OK\\r\\n\\r\\n\\xff)"]) as server:
        assert ask(server, then=False) == b"HTTP/1.1 200 OK\r\n\r\n\xff"
    with HttpServer(faults=["GET /:raw(HTTP/1.1 200 OK\\r\\nContent-Length: 1\\r\\n\\r\\nx)"]) as server:
        assert ask(server, then=True) == b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"


@pytest.mark.parametrize(
    ("trigger", "hit"),
    [
        ("GET", True),
        ("GET /", True),
        ("get /", True),
        ("GET /?q=1", True),
        ("GET /*", True),
        ("*", True),
        ("POST", False),
        ("GET /x", False),
        ("GET /?q=2", False),
    ],
)
def test_requests_as_triggers(trigger: str, hit: bool) -> None:
    with (
        HttpServer(faults=[f"{trigger}:status(500)"]) as server,
        socket.create_connection((server.host, server.port), LIMIT_S) as plain,
    ):
        plain.sendall(b"GET /?q=1 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert plain.recv(65536).startswith(b"HTTP/1.1 500 " if hit else b"HTTP/1.1 200 ")
        assert (server.problems() == []) == hit


def test_a_fault_of_framing_makes_what_it_needs_of_a_response() -> None:
    """Of chunks a length, of a length chunks; and of several faults the first."""
    pages = {"/": HttpResponse(chunks=["ab", "c"])}
    with HttpServer(pages, faults=["GET /:long_length(2)"]) as server:
        assert ask(server, then=False) == OK + b"Content-Length: 5\r\n\r\nabc"
    with HttpServer(pages, faults=["GET /:bad_length(3;)", "GET /:no_last_chunkx1"]) as server:
        assert ask(server, then=False) == OK + b"Content-Length: 3;\r\n\r\nabc"
        (problem,) = server.problems()
        assert problem.startswith("fault never fired: GET /:no_last_chunkx1 (its trigger came, but not its moment")


def test_where_there_is_no_body_no_fault_of_framing_fires() -> None:
    with HttpServer({"/": HttpResponse(204)}, faults=["GET /:short_length", "GET /:bad_gzip"]) as server:
        assert ask(server, then=True) == b"HTTP/1.1 204 No Content\r\n\r\n"
        assert len(server.problems()) == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("GET /:raw(€)", "expected characters up to"),
        ("GET /:status(100)", "expected 200 to 999, got 100"),
        ("GET /:header_bomb(1000001)", "expected up to 1000000 fields"),
        ("GET /:interim_storm(1000001)", "expected up to 1000000 responses"),
    ],
)
def test_what_no_fault_can_be(text: str, why: str) -> None:
    with pytest.raises(BadFault, match=why):
        HttpServer(faults=[text])


def test_faults_by_name() -> None:
    with HttpServer(faults=[]) as server:
        server.on("GET /").fault(fault.status(code=404), times=1)
        assert python(server)[0] == 404
        assert python(server)[0] == 200
