"""`inetcli http raw` against honest and faulty servers."""

import socket
import threading

import pytest
from support.program import inetcli

from mockservers import HttpServer

OK = b"HTTP/1.1 200 OK\r\n"
ROUTES = {
    "/cl-and-te": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "/differ": OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nabc",
    "/early": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\nok",
    "/escape": b"HTTP/1.1 404 \x1b[31mred\r\nContent-Length: 0\r\n\r\n",
    "/html": b"<html>no head</html>",
}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/", 0),
        ("/chunked", 0),
        ("/json", 0),
        ("/status/204", 0),
        ("/status/404", 22),
        ("/status/500", 22),
        ("/early", 0),
    ],
)
def test_raw_prints_the_exact_received_bytes(path: str, code: int) -> None:
    with HttpServer(ROUTES) as server:
        with socket.create_connection((server.host, server.port)) as plain:
            plain.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            expected = b"".join(iter(lambda: plain.recv(65536), b""))
        done = inetcli("http", "raw", f"{server.url}{path}")
        assert (done.code, done.stdout) == (code, expected)
        assert done.err.count("\n") == (1 if code else 0)


def test_raw_of_a_large_body_is_exact() -> None:
    with HttpServer() as server:
        done = inetcli("http", "raw", "--body", f"{server.url}/bytes/3000000")
    assert done.stdout == (bytes(range(256)) * 11719)[:3000000]


def test_raw_over_tls() -> None:
    with HttpServer(tls=True) as server:
        assert server.ca_file
        done = inetcli("http", "raw", "--json", "--ca", server.ca_file, f"{server.url}/")
        untrusted = inetcli("http", "raw", f"{server.url}/")
        blind = inetcli("http", "raw", "--insecure", "--body", f"{server.url}/")
    assert done.row["tls"]["peer_verified"] is True
    assert untrusted.code == 60
    assert (blind.code, blind.stdout) == (0, b"Hello from the mock server.\n")
    assert blind.err == f"inetcli: {server.url}/: note: --insecure: 127.0.0.1: unable to get local issuer certificate\n"


def test_raw_json_has_the_keys_of_the_contract() -> None:
    with HttpServer(ROUTES) as server:
        row = inetcli("http", "raw", "--json", f"{server.url}/early").row
    assert set(row.pop("timing_ms")) == {"resolve", "connect", "first_byte", "total"}
    sent = row.pop("sent_bytes")
    assert sent > 60
    assert row == {
        "target": f"{server.url}/early",
        "responses": [
            {
                "status": 103,
                "reason": "Early Hints",
                "version": "HTTP/1.1",
                "headers": [["Link", "x"]],
                "framing": "none",
                "interim": True,
                "body_bytes": 0,
                "trailers": [],
                "start": 0,
                "end": 37,
            },
            {
                "status": 200,
                "reason": "OK",
                "version": "HTTP/1.1",
                "headers": [["Content-Length", "2"]],
                "framing": "content-length",
                "interim": False,
                "body_bytes": 2,
                "trailers": [],
                "start": 37,
                "end": 77,
            },
        ],
        "findings": [],
        "received_bytes": 77,
        "exit_code": 0,
        "notes": [],
    }


def test_json_text_is_utf_8_or_base64() -> None:
    fields = b"Location: /caf\xc3\xa9\r\nX-Latin: caf\xe9\r\nTransfer-Encoding: chunked\r\n\r\n"
    trailers = b"0\r\nT: \xe2\x82\xac\r\n\r\n"
    with HttpServer({"/": b"HTTP/1.1 302 D\xc3\xa9plac\xc3\xa9\r\n" + fields + trailers}) as server:
        (response,) = inetcli("http", "raw", "--json", f"{server.url}/").row["responses"]
    assert response["reason"] == "Déplacé"
    assert response["headers"][:2] == [["Location", "/café"], ["X-Latin", {"base64": "Y2Fm6Q=="}]]
    assert response["trailers"] == [["T", "€"]]


def test_a_message_shows_utf_8_and_the_bytes_that_are_none() -> None:
    with HttpServer({"/": b"HTTP/1.1 404 caf\xc3\xa9 caf\xe9\r\nContent-Length: 0\r\n\r\n"}) as server:
        done = inetcli("http", "raw", f"{server.url}/")
    assert done.err == f"inetcli: {server.url}/: status 404 café caf\\xe9\n"


@pytest.mark.parametrize("path", ["%zz", "a%", "%0A", "a?b=%0d", "%00", "a%0D%0AX:%20y"])
def test_a_path_that_no_target_may_have_is_refused_before_anything_is_sent(path: str) -> None:
    with HttpServer() as server:
        done = inetcli("http", "raw", f"{server.url}/{path}")
        assert server.log.events() == []
    assert (done.code, done.stdout, done.err.count("\n")) == (3, b"", 1)


def test_findings_are_reported_without_changing_the_output() -> None:
    with HttpServer(ROUTES) as server:
        done = inetcli("http", "raw", f"{server.url}/cl-and-te")
        row = inetcli("http", "raw", "--json", f"{server.url}/cl-and-te").row
    assert (done.code, done.stdout) == (0, ROUTES["/cl-and-te"])
    assert done.err.startswith("error @0  cl-and-te  Content-Length beside Transfer-Encoding")
    assert [finding["id"] for finding in row["findings"]] == ["cl-and-te"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("GET /:fin@10", 18),
        ("GET /:fin@80", 18),
        ("GET /:rst@10", 56),
        ("GET /:fin", 52),
        ("GET /:silent@80", 28),
        ("GET /:garbage(100)", 8),
        ("GET /:long_line(300000)", 8),
        ("connect:refuse", 7),
    ],
)
def test_exit_codes_of_raw_after_printing_the_received_bytes(fault: str, code: int) -> None:
    with HttpServer(faults=[fault]) as server:
        done = inetcli("http", "raw", "--timeout", "0.5" if code == 28 else "10", f"{server.url}/")
        sent = b"".join(event.data for event in server.log.events() if event.kind.value == "S>")
    assert done.code == code, done.err
    # What is beyond the limit of a head is not taken any more.
    assert sent.startswith(done.stdout)
    assert len(done.stdout) == len(sent) or len(sent) > 256 << 10
    assert done.err.count("\n") == 1


def test_a_keep_alive_server_is_not_waited_for() -> None:
    """The end of the message is the end, whether or not the server closes."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def serve() -> None:
        client, _ = listener.accept()
        with client:
            client.recv(65536)
            client.sendall(OK + b"Content-Length: 2\r\n\r\nokSURPLUS")
            done.wait(20)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        shown = inetcli("http", "raw", f"http://127.0.0.1:{listener.getsockname()[1]}/")
    finally:
        done.set()
        thread.join()
        listener.close()
    assert shown.code == 0
    assert shown.stdout == OK + b"Content-Length: 2\r\n\r\nokSURPLUS"


def test_expectations() -> None:
    with HttpServer() as server:
        assert inetcli("http", "raw", "--expect-status", "404", f"{server.url}/status/404").code == 0
        assert inetcli("http", "raw", "--expect-status", "200", f"{server.url}/status/404").code == 121
        assert inetcli("http", "raw", "--no-fail", f"{server.url}/status/404").code == 0


def test_the_reason_is_escaped_in_messages_and_exact_on_standard_output() -> None:
    with HttpServer(ROUTES) as server:
        done = inetcli("http", "raw", f"{server.url}/escape")
    assert done.stdout == ROUTES["/escape"]
    assert "status 404 \\x1b[31mred" in done.err
    assert "\x1b" not in done.err


def test_six_targets_come_in_order_and_the_first_failure_counts() -> None:
    paths = ["/status/200", "/status/404", "/", "/status/500", "/json", "/chunked"]
    with HttpServer() as server:
        lines = "".join(f"{server.url}{path}\n" for path in paths).encode()
        done = inetcli("http", "raw", "--json", "-i", "-", "-j", "6", stdin=lines)
    assert [row["target"].removeprefix(server.url) for row in done.rows] == paths
    assert [row["exit_code"] for row in done.rows] == [0, 22, 0, 22, 0, 0]
    assert done.code == 22
    assert [line.split(": ")[1].removeprefix(server.url) for line in done.err.splitlines()] == [
        "/status/404",
        "/status/500",
    ]


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["ftp://h/"], 3), (["http://h/a b"], 3), (["http://h:0/"], 3), (["--head", "--body", "http://h/"], 2), ([], 2)],
)
def test_wrong_usage_and_malformed_targets(arguments: list[str], code: int) -> None:
    done = inetcli("http", "raw", *arguments)
    assert done.code == code
    assert done.err.count("\n") == 1
