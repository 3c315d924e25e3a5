"""DNS over HTTPS, by curl, and by a client of HTTP/2 where windows and broken frames are the point."""

import base64
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, StreamEnded
from h2.settings import SettingCodes, Settings
from support.foreign import run
from support.program import Finished
from support.questions import LIMIT_S, header, question

from mockservers import DnsServer
from mockservers.missing import Missing

QUERY = question(number=0)
GOOD = b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4\xc0\0\2\1"
POST = ["-H", "Content-Type: application/dns-message"]


def curl(server: DnsServer, *words: str, path: str = "", stdin: bytes = b"") -> Finished:
    url = server.url.removesuffix("/dns-query") + path if path else server.url
    return run("curl", "-sS", "--cacert", str(server.ca_file), *words, url, stdin=stdin)


def get(data: bytes) -> str:
    return "/dns-query?dns=" + base64.urlsafe_b64encode(data).decode().rstrip("=")


def test_get_and_post_have_the_same_reply() -> None:
    with DnsServer(https=True) as server:
        assert server.url == f"https://127.0.0.1:{server.port}/dns-query"
        assert server.env()["MOCK_DOH_URL"] == server.url
        posted = curl(server, *POST, "--data-binary", "@-", stdin=QUERY).stdout
        assert posted.endswith(GOOD)
        assert curl(server, path=get(QUERY)).stdout == posted
        assert server.problems() == []
        said = [event.text for event in server.log.events() if event.channel == "query"]
    assert said == ["www.example.test/A over HTTPS"] * 2


@pytest.mark.parametrize(
    ("query", "age"),
    [(QUERY, 300), (question("nope.example.test"), 60), (question("other.test"), 0)],
)
def test_a_response_says_how_long_it_may_be_kept(query: bytes, age: int) -> None:
    with DnsServer(https=True) as server:
        told = curl(server, "-i", path=get(query)).stdout
    head, _, body = told.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/2 200 ",
        b"content-type: application/dns-message",
        b"content-length: %d" % len(body),
        b"cache-control: max-age=%d" % age,
    ]


@pytest.mark.parametrize(
    ("words", "path", "stdin", "status", "told"),
    [
        ([], "/", b"", 404, "expected /dns-query"),
        ([], "/dns-query", b"", 400, "expected one dns=BASE64URL, got 0"),
        ([], "/dns-query?dns=AAAA&dns=AAAA", b"", 400, "expected one dns=BASE64URL, got 2"),
        ([], "/dns-query?dns=AA==", b"", 400, "expected base64url without padding"),
        ([], "/dns-query?dns=A", b"", 400, "expected base64url"),
        ([], "/dns-query?dns=!!!!", b"", 400, "expected base64url"),
        ([], "/dns-query?dns=AAAA", b"", 400, "expected a DNS query"),
        (["-X", "PUT"], "", b"", 405, "expected GET or POST"),
        (["--data-binary", "@-"], "", QUERY, 415, "expected application/dns-message"),
        ([*POST, "--data-binary", "@-"], "", bytes(70000), 413, "expected at most 65535 bytes"),
        ([*POST, "--data-binary", "@-"], "", b"", 400, "expected a DNS query"),
    ],
)
def test_what_is_no_query_has_a_status(words: list[str], path: str, stdin: bytes, status: int, told: str) -> None:
    with DnsServer(https=True) as server:
        done = curl(server, *words, "-w", "%{http_code}", path=path, stdin=stdin)
        assert server.problems() == []
    assert done.out.startswith(told)
    assert done.out.endswith(f"\n{status}")


def test_what_dns_has_to_say_comes_with_200() -> None:
    with DnsServer(https=True, faults=["www.example.test/A:rcode(SERVFAIL)"]) as server:
        for query, rcode in ((QUERY, 2), (question("nope.example.test"), 3), (question()[:20], 1)):
            done = curl(server, "-f", path=get(query))
            assert (done.code, header(done.stdout).rcode) == (0, rcode)


def test_http_1_is_told_what_is_wrong() -> None:
    with DnsServer(https=True) as server:
        told = curl(server, "--http1.1", "-i").out
    assert told.startswith("HTTP/1.1 505 ")
    assert told.endswith("\r\n\r\nexpected HTTP/2, agreed to by ALPN\n")


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("*:drop", 28),
        ("*:tc_refused", 56),
        ("*:fin", 56),
        ("*:rst@5", 56),
        ("*:silent@20", 28),
        ("connect:expired", 60),
        ("connect:fin", 35),
    ],
)
def test_faults_that_end_it(fault: str, code: int) -> None:
    with DnsServer(https=True, faults=[fault]) as server:
        done = curl(server, "-m", "1", path=get(QUERY))
        assert server.problems() == []
    # What curl says to an end within HTTP/2 depends on what it was doing when it heard of it.
    assert done.code in ({16, 18, 55, 56} if code == 56 else {code}), done.err


def test_faults_that_are_in_the_message() -> None:
    with DnsServer(https=True, faults=["*:wrong_idx1", "*:tc", "*:duplicate", "*:forge_first"]) as server:
        assert curl(server, path=get(QUERY)).stdout[:2] == b"\xff\0"
        assert curl(server, path=get(QUERY)).stdout.endswith(GOOD)
        assert len(server.problems()) == 3  # a request has one response, and there is nothing to cut


@contextmanager
def plain_tls(server: DnsServer) -> Iterator[ssl.SSLSocket]:
    context = ssl.create_default_context(cafile=server.ca_file)
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection((server.host, server.port), LIMIT_S) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as client,
    ):
        yield client


def test_a_small_window_is_kept_to() -> None:
    """The client takes 10 bytes at a time; questions on other streams wait for nobody."""
    with DnsServer(https=True) as server, plain_tls(server) as client:
        h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        h2.local_settings = Settings(client=True, initial_values={SettingCodes.INITIAL_WINDOW_SIZE: 10})
        h2.initiate_connection()
        authority = f"127.0.0.1:{server.port}"
        for number, name in ((1, "big.example.test"), (3, "www.example.test")):
            fields = [(":method", "GET"), (":scheme", "https"), (":authority", authority)]
            h2.send_headers(number, [*fields, (":path", get(question(name)))], end_stream=True)
        client.sendall(h2.data_to_send())
        bodies, sizes, ended = {1: b"", 3: b""}, set(), 0
        while ended < 2:
            for event in h2.receive_data(client.recv(65536)):
                if isinstance(event, DataReceived):
                    assert event.stream_id
                    assert event.data is not None
                    bodies[event.stream_id] += event.data
                    sizes.add(len(event.data))
                    h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id)
                ended += isinstance(event, StreamEnded)
            client.sendall(h2.data_to_send())
    assert header(bodies[1]).counts[1] == 60
    assert bodies[3].endswith(GOOD)
    assert max(sizes) <= 10


@pytest.mark.parametrize(
    "data", [b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\1" + bytes(6) + b"x"]
)
def test_what_is_no_http2_ends_the_connection(data: bytes) -> None:
    with DnsServer(https=True) as server:
        with plain_tls(server) as client:
            client.sendall(data)
            assert b"".join(iter(lambda: client.recv(65536), b""))
        assert server.problems() == []


def test_without_h2_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockservers.dns.server.find_spec", lambda name: None)
    with pytest.raises(Missing, match=r"needs h2: pip install 'inetcli\[doh\]'"):
        DnsServer(https=True)


def test_a_zone_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "zone").write_text("$ORIGIN own.test.\n@ SOA ns x 1 2 3 4 5\nwww A 192.0.2.9\n")
    with DnsServer(tmp_path / "zone", https=True) as server:
        assert curl(server, path=get(question("www.own.test"))).stdout.endswith(b"\xc0\0\2\x09")
