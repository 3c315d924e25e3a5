"""The HTTP server by http.client and by raw sockets: pages, routes, the record, framing, and requests that are none."""

import hashlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mockservers import HttpRequest, HttpResponse, HttpServer

LIMIT_S = 5.0
CLOSE = b"Host: x\r\nConnection: close\r\n\r\n"


@contextmanager
def client(server: HttpServer) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(server.host, server.port, timeout=LIMIT_S)
    try:
        yield connection
    finally:
        connection.close()


def get(server: HttpServer, target: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
    with client(server) as connection:
        connection.request(method, target, headers=headers)
        response = connection.getresponse()
        response.body = response.read()  # type: ignore[attr-defined]
        return response


def body(server: HttpServer, target: str, method: str = "GET", **headers: str) -> bytes:
    found: bytes = get(server, target, method, **headers).body  # type: ignore[attr-defined]
    return found


def say(server: HttpServer, *pieces: bytes) -> bytes:
    """Send it, and read to the end of the connection."""
    with socket.create_connection((server.host, server.port), LIMIT_S) as plain:
        for piece in pieces:
            plain.sendall(piece)
        return b"".join(iter(lambda: plain.recv(65536), b""))


# Pages


@pytest.mark.parametrize(
    ("target", "status", "data"),
    [
        ("/", 200, b"Hello from the mock server.\n"),
        ("/?a=b", 200, b"Hello from the mock server.\n"),
        ("/chunked", 200, b"onetwo, toothree"),
        ("/json", 200, b'{"hello": "world"}\n'),
        ("/status/200", 200, b"200\n"),
        ("/status/204", 204, b""),
        ("/status/304", 304, b""),
        ("/status/302", 302, b"302\n"),
        ("/status/599", 599, b"599\n"),
        ("/bytes/0", 200, b""),
        ("/bytes/300", 200, (bytes(range(256)) * 2)[:300]),
    ],
)
def test_pages(target: str, status: int, data: bytes) -> None:
    with HttpServer() as server:
        response = get(server, target)
        assert (response.status, response.body) == (status, data)  # type: ignore[attr-defined]
        head = get(server, target, "HEAD")
        assert (head.status, head.body) == (status, b"")  # type: ignore[attr-defined]
        assert response.getheaders() == head.getheaders()
        assert server.problems() == []


@pytest.mark.parametrize(
    "target", ["/nope", "/status/", "/status/199", "/status/600", "/bytes/x", "/bytes/67108865", "/json/1", "/status/²"]
)
def test_a_page_that_is_not_there_is_a_404_and_a_problem(target: str) -> None:
    with HttpServer() as server:
        assert say(server, f"GET {target} HTTP/1.1\r\n".encode() + CLOSE).startswith(b"HTTP/1.1 404 Not Found\r\n")
        (problem,) = server.problems()
    assert problem.startswith("no such page: GET /")


@pytest.mark.parametrize(
    ("wanted", "status", "data", "content_range"),
    [
        ("bytes=2-4", 206, b"\x02\x03\x04", "bytes 2-4/10"),
        ("bytes=7-", 206, b"\x07\x08\x09", "bytes 7-9/10"),
        ("bytes=-2", 206, b"\x08\x09", "bytes 8-9/10"),
        ("bytes=8-99", 206, b"\x08\x09", "bytes 8-9/10"),
        ("bytes=10-", 416, b"", "bytes */10"),
        ("bytes=-0", 416, b"", "bytes */10"),
        ("bytes=-", 200, bytes(range(10)), None),
        ("lines=1-2", 200, bytes(range(10)), None),
    ],
)
def test_ranges_of_bytes(wanted: str, status: int, data: bytes, content_range: str | None) -> None:
    with HttpServer() as server:
        response = get(server, "/bytes/10", Range=wanted)
    assert (response.status, response.body) == (status, data)  # type: ignore[attr-defined]
    assert response.getheader("Content-Range") == content_range


def test_upload_tells_what_it_understood() -> None:
    form = (
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="a"\r\nContent-Type: a/b\r\n\r\n\xff\r\n--B--\r\n'
    )
    with HttpServer() as server, client(server) as connection:
        connection.request("PUT", "/upload?x", form, {"Content-Type": "multipart/form-data; boundary=B"})
        response = connection.getresponse()
        assert response.getheader("Transfer-Encoding") == "chunked"
        told = json.loads(response.read())
    assert (told["method"], told["target"], told["bytes"]) == ("PUT", "/upload?x", len(form))
    assert told["sha256"] == hashlib.sha256(form).hexdigest()
    assert told["form"] == [
        {
            "name": "f",
            "filename": "a",
            "content_type": "a/b",
            "headers": [["Content-Disposition", 'form-data; name="f"; filename="a"'], ["Content-Type", "a/b"]],
            "bytes": 1,
            "sha256": hashlib.sha256(b"\xff").hexdigest(),
            "text": None,
        }
    ]
    with HttpServer() as server, client(server) as connection:
        connection.request("POST", "/upload", form[:-8], {"Content-Type": "multipart/form-data; boundary=B"})
        response = connection.getresponse()
        assert (response.status, response.read()) == (400, b"bad form: part 1 is cut: expected b'--B' after it\n")


# Routes


def test_routes_of_every_kind() -> None:
    raw = b"HTTP/1.1 299 Odd\r\nContent-Length: 3\r\n\r\nraw"

    async def late(request: HttpRequest) -> str:
        return request.query

    with HttpServer(
        {
            "/raw": raw,
            "/text": "plain é",
            "/made": HttpResponse(201, b"\0", [("X-A", "1"), ("X-A", "2")]),
            "/chunks": HttpResponse(chunks=["a", b"", b"bc"], pause=0.001, trailers=[("T", "1")]),
            "/call": lambda request: HttpResponse(200, request.method),
            "/await": late,
            "/files/*": lambda request: request.path,
            "/files/special": "exact",
            "/?page=2": "second",
            "/": "first",
        }
    ) as server:
        assert say(server, b"GET /raw HTTP/1.1\r\n" + CLOSE) == raw
        assert body(server, "/text") == "plain é".encode()
        made = get(server, "/made")
        assert (made.status, made.msg.get_all("X-A")) == (201, ["1", "2"])
        assert made.getheader("Content-Type") == "application/octet-stream"
        assert say(server, b"GET /chunks HTTP/1.1\r\n" + CLOSE) == (
            b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n"
            b"Connection: close\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\nT: 1\r\n\r\n"
        )
        assert body(server, "/call", "DELETE") == b"DELETE"
        assert body(server, "/await?a=1") == b"a=1"
        assert (body(server, "/files/a/b"), body(server, "/files/special")) == (b"/files/a/b", b"exact")
        assert (body(server, "/?page=2"), body(server, "/?page=3")) == (b"second", b"first")
        assert server.problems() == []


def test_a_route_may_name_its_method() -> None:
    with HttpServer({"GET /x": "got", "POST /x": "posted", "/y": "any", "PUT /y": "put"}) as server:
        assert (body(server, "/x"), body(server, "/x", "POST")) == (b"got", b"posted")
        assert (body(server, "/y"), body(server, "/y", "PUT")) == (b"any", b"put")
        assert get(server, "/x", "HEAD").getheader("Content-Length") == "3"
        assert server.problems() == []
        refused = get(server, "/x", "DELETE")
        assert (refused.status, refused.getheader("Allow")) == (405, "GET, POST")
        assert server.problems() == ["no such method: DELETE /x"]


def test_routes_may_change_while_the_server_runs() -> None:
    with HttpServer() as server:
        server.routes["/x"] = "one"
        assert body(server, "/x") == b"one"
        server.routes["/x"] = "two"
        assert body(server, "/x") == b"two"


def test_a_function_that_raises_is_a_problem() -> None:
    def broken(request: HttpRequest) -> str:
        raise ZeroDivisionError("oops")

    with HttpServer({"/x": broken}) as server:
        with pytest.raises((ConnectionResetError, http.client.RemoteDisconnected)):
            get(server, "/x")
        assert "ZeroDivisionError: oops" in server.problems()[0]


def test_a_delayed_response_holds_up_nobody_else() -> None:
    with HttpServer({"/slow": HttpResponse(200, "late", delay=600)}) as server, client(server) as slow:
        slow.request("GET", "/slow")
        server.wait_for_request("GET /slow", LIMIT_S)
        assert body(server, "/") == b"Hello from the mock server.\n"


def test_a_delayed_response_comes() -> None:
    with HttpServer({"/slow": HttpResponse(200, "late", delay=0.05)}) as server:
        assert body(server, "/slow") == b"late"


# The record


def test_requests_are_recorded_with_their_bytes() -> None:
    raw = (
        b"POST /a%20b?c=d HTTP/1.1\r\nHost: x\r\nX-One: 1\nx-one:  2 \r\nTransfer-Encoding: chunked\r\n"
        b"Connection: close\r\n\r\n3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n"
    )
    with HttpServer({"/a%20b": "ok"}) as server:
        say(server, raw)
        (request,) = server.requests
    assert request.raw == raw
    assert (request.method, request.target, request.version) == ("POST", "/a%20b?c=d", "HTTP/1.1")
    assert (request.path, request.query, request.body) == ("/a%20b", "c=d", b"abcde")
    assert request.headers[1:3] == (("X-One", "1"), ("x-one", "2"))
    assert (request.values("X-ONE"), request.value("x-one"), request.value("nope")) == (["1", "2"], "1, 2", None)
    assert request.trailers == (("T", "v"),)


def test_the_path_of_an_absolute_target() -> None:
    with HttpServer({"/x": "ok"}) as server:
        assert say(server, b"GET http://other.test/x?y HTTP/1.1\r\n" + CLOSE).endswith(b"ok")
        assert say(server, b"GET http://other.test HTTP/1.1\r\n" + CLOSE).endswith(b"server.\n")
        assert [request.path for request in server.requests] == ["/x", "/"]


def test_waiting_for_a_request() -> None:
    with HttpServer({"/x": "ok"}) as server:
        later = threading.Thread(target=body, args=(server, "/x", "POST"))
        later.start()
        assert server.wait_for_request("POST /x", LIMIT_S).method == "POST"
        later.join()
        with pytest.raises(TimeoutError, match=r"(?s)no GET /x within 0\.01 s; what happened:.*C> POST /x HTTP/1\.1"):
            server.wait_for_request("GET /x", 0.01)


# Connections


def test_a_connection_goes_on_and_pipelined_requests_are_answered_in_order() -> None:
    with HttpServer() as server:
        many = b"".join(b"GET /bytes/%d HTTP/1.1\r\nHost: x\r\n\r\n" % size for size in range(30))
        told = say(server, many + b"GET / HTTP/1.1\r\n" + CLOSE)
        with client(server) as connection:
            for size in (5, 7):
                connection.request("GET", f"/bytes/{size}")
                assert len(connection.getresponse().read()) == size
        opened = [event for event in server.log.events() if event.kind.value == "+>"]
    lengths = [line for line in told.split(b"\r\n") if line.startswith(b"Content-Length")]
    assert lengths == [b"Content-Length: %d" % size for size in [*range(30), 28]]
    assert len(opened) == 2


@pytest.mark.parametrize(
    ("head", "stays"),
    [
        ("HTTP/1.1\r\nHost: x", True),
        ("HTTP/1.1\r\nHost: x\r\nConnection: x, Close", False),
        ("HTTP/1.0", False),
        ("HTTP/1.0\r\nConnection: Keep-Alive", True),
    ],
)
def test_when_a_connection_ends(head: str, stays: bool) -> None:
    request = f"GET / {head}\r\n\r\n".encode()
    with HttpServer() as server:
        told = say(server, request, request if stays else b"", b"BROKEN\r\n\r\n" if stays else b"")
    assert told.count(b"HTTP/1.1 200 OK") == (2 if stays else 1)
    assert told.count(b"Connection: close") == 1
    assert told.count(b"Connection: keep-alive") == (2 if "1.0" in head and stays else 0)


def test_http_10_is_sent_no_chunks() -> None:
    with HttpServer() as server:
        assert say(server, b"GET /chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n") == (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\nonetwo, toothree"
        )


def test_a_client_that_expects_100_gets_it_before_its_body() -> None:
    with HttpServer() as server, socket.create_connection((server.host, server.port), LIMIT_S) as plain:
        plain.sendall(b"PUT /upload HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 3\r\n\r\n")
        assert plain.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        plain.sendall(b"abc")
        assert plain.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_raw_bytes_say_whether_the_connection_goes_on() -> None:
    head = b"HTTP/1.1 200 OK\r\n"
    raws = {
        "/open": head + b"Content-Length: 1\r\n\r\nx",
        "/204": b"HTTP/1.1 204 No Content\r\n\r\n",
        "/interim": b"HTTP/1.1 103 Early Hints\r\n\r\n" + head + b"Content-Length: 1\r\n\r\nx",
        "/interim-unframed": b"HTTP/1.1 103 Early Hints\r\n\r\n" + head + b"\r\nx",
        "/said": head + b"Content-Length: 1\r\nConnection: Close\r\n\r\nx",
        "/unframed": head + b"\r\nx",
        "/nothing": b"not http",
    }
    with HttpServer(raws) as server:
        for path, raw in raws.items():
            ask = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
            told = say(server, ask + b"GET / HTTP/1.1\r\n" + CLOSE)
            assert told.startswith(raw)
            assert told.endswith(b"server.\n") == (path in ("/open", "/204", "/interim")), path


# What is no request

LONG = b"x" * (64 << 10)


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"\r\n\r\n", 400, "expected METHOD TARGET HTTP/1.1, got ''"),
        (b"GET /\r\n\r\n", 400, "got 'GET /'"),
        (b"GET  / HTTP/1.1\r\n\r\n", 400, "got 'GET  / HTTP/1.1'"),
        (b"GET / http/1.1\r\n\r\n", 400, "got 'GET / http/1.1'"),
        (b"G\x00T / HTTP/1.1\r\n\r\n", 400, "got 'G\\x00T / HTTP/1.1'"),
        (b"\x16\x03\x01\x02\x00\x01\n", 400, "got"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "expected HTTP/1.0 or HTTP/1.1, got HTTP/2.0"),
        (b"GET / HTTP/1.1\r\n\r\n", 400, "expected one Host field, got 0"),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400, "expected one Host field, got 2"),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400, "expected NAME: VALUE, got 'Host : a'"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n", 400, "expected NAME: VALUE, got ' b'"),
        (b"GET / HTTP/1.1\r\nHost: a\0\r\n\r\n", 400, "expected NAME: VALUE"),
        (b"GET / HTTP/1.1\r\nHost\r\n\r\n", 400, "expected NAME: VALUE, got 'Host'"),
        (b"GET /" + LONG + b" HTTP/1.1\r\n\r\n", 431, "at most 65536 bytes"),
        (LONG * 2, 431, "at most 65536 bytes"),
        (b"GET / HTTP/1.1\r\nA: " + LONG + b"\r\n\r\n", 431, "at most 65536 bytes"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1001 + b"\r\n", 431, "at most 1000 fields"),
        (b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n", 400, "got '2, 2'"),
        (b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: +2\r\n\r\n", 400, "a number, got '+2'"),
        (b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 67108865\r\n\r\n", 413, "got 67108865"),
        (
            b"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "expected either",
        ),
        (b"PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "expected either"),
        (b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501, "got gzip, chunked"),
        (
            b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n",
            400,
            "chunk's size in hex, got '0x1'",
        ),
        (b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 400, "line end after a chunk"),
        (b"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4000001\r\n", 413, "at most 67108864"),
    ],
)
def test_what_is_no_request_is_told_why_and_the_connection_ends(data: bytes, status: int, words: str) -> None:
    with HttpServer() as server:
        told = say(server, data)
        assert server.problems() == []
        assert server.requests == []
    assert told.startswith(b"HTTP/1.1 %d " % status)
    assert b"\r\nConnection: close\r\n" in told
    assert words in told.decode()
    assert told.count(b"\n", told.index(b"\r\n\r\n") + 4) == 1


PIECES = [
    b"GET",
    b" ",
    b"/",
    b"/upload",
    b"HTTP/1.1",
    b"\r\n",
    b"\n",
    b"Host: x",
    b"Transfer-Encoding: chunked",
    b":",
    b"\0",
]
PIECES += [
    b"Content-Length: 3",
    b"Expect: 100-continue",
    b"3",
    b"abc",
    b"0",
    b"\r\n\r\n",
    b"Connection: close",
    b"\xff",
]


@settings(max_examples=150)
@given(st.lists(st.sampled_from(PIECES), max_size=30))
def test_any_bytes_are_answered_or_refused(pieces: list[bytes]) -> None:
    with HttpServer({"*": "ok"}) as server:
        with socket.create_connection((server.host, server.port), LIMIT_S) as plain:
            plain.sendall(b"".join(pieces))
            plain.shutdown(socket.SHUT_WR)
            told = b"".join(iter(lambda: plain.recv(65536), b""))
        assert told == b"" or told.startswith(b"HTTP/1.1 ")
        assert server.problems() == []


def test_a_client_that_leaves_within_a_request_is_no_problem() -> None:
    whole = b"PUT /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab"
    with HttpServer() as server:
        for end in range(len(whole) + 1):
            with socket.create_connection((server.host, server.port), LIMIT_S) as plain:
                plain.sendall(whole[:end])
                plain.shutdown(socket.SHUT_WR)
                assert plain.recv(10) == b""
        assert server.problems() == []
