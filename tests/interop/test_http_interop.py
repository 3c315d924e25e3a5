"""HTTP: our client against nginx; curl against our server."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.foreign import Running, program, run, serving
from support.program import inetcli

from mockservers import HttpServer
from mockservers.certs import write_certs

NGINX = """daemon off;
master_process off;
worker_processes 1;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  gzip on; gzip_types text/plain; gzip_min_length 1;
  server {{
    listen 127.0.0.1:{port}{ssl};
    {certificate}
    root {folder}/www;
    location /redirect {{ return 302 /index.txt; }}
  }}
}}
"""
PAGE = b"a page\n" * 1000


@pytest.fixture(params=["plain", "tls"])
def nginx(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Running, list[str], str]]:
    name = program("nginx")
    secure = request.param == "tls"
    (tmp_path / "www").mkdir()
    (tmp_path / "www" / "index.txt").write_bytes(PAGE)
    write_certs(str(tmp_path / "certs"))
    pem = tmp_path / "certs" / "server.pem"
    certificate = f"ssl_certificate {pem}; ssl_certificate_key {pem};" if secure else ""

    def command(port: int) -> list[str]:
        text = NGINX.format(folder=tmp_path, port=port, ssl=" ssl" if secure else "", certificate=certificate)
        (tmp_path / "nginx.conf").write_text(text)
        return [name, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]

    with serving(tmp_path, command) as running:
        options = ["--ca", str(tmp_path / "certs" / "ca.pem")] if secure else []
        yield running, options, f"{'https' if secure else 'http'}://localhost:{running.port}"


def test_our_client_reads_what_nginx_sends(nginx: tuple[Running, list[str], str]) -> None:
    _, options, url = nginx
    row = inetcli("http", "raw", "--json", *options, f"{url}/index.txt").row
    assert row["exit_code"] == 0, row
    (response,) = row["responses"]
    assert (response["status"], response["framing"], response["body_bytes"]) == (200, "content-length", len(PAGE))
    assert (row["findings"], response["end"]) == ([], row["received_bytes"])
    body = inetcli("http", "raw", "--body", *options, f"{url}/index.txt")
    assert (body.code, body.stdout) == (0, PAGE)
    assert inetcli("http", "raw", *options, f"{url}/nope").code == 22
    assert inetcli("http", "raw", "--expect-status", "302", *options, f"{url}/redirect").code == 0


@pytest.mark.parametrize("nginx", ["plain"], indirect=True)
def test_the_bytes_are_those_of_the_wire(nginx: tuple[Running, list[str], str]) -> None:
    running, _, url = nginx
    shown = inetcli("http", "raw", f"{url}/index.txt")
    with socket.create_connection(("127.0.0.1", running.port)) as plain:
        plain.sendall(b"GET /index.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        wire = b"".join(iter(lambda: plain.recv(65536), b""))

    def without_date(data: bytes) -> list[bytes]:
        return [line for line in data.split(b"\r\n") if not line.startswith(b"Date:")]

    assert without_date(shown.stdout) == without_date(wire)


def test_what_curl_gets_from_our_server(tmp_path: Path) -> None:
    with HttpServer(tls=True) as secure, HttpServer() as plain:
        assert run("curl", "-sS", "--cacert", str(secure.ca_file), f"{secure.url}/").stdout.startswith(b"Hello")
        assert run("curl", "-sS", f"{secure.url}/").code == 60
        assert run("curl", "-sS", f"{plain.url}/chunked").stdout == b"onetwo, toothree"
        assert len(run("curl", "-sS", f"{plain.url}/bytes/70000").stdout) == 70000
        assert run("curl", "-sSf", f"{plain.url}/status/404").code == 22
        two = run("curl", "-sS", "-w", "%{num_connects} ", f"{plain.url}/json", f"{plain.url}/json").out
        assert two.count("hello") == 2
        assert two.rstrip().endswith("0")  # the second one took the same connection
        parsed = json.loads(run("curl", "-sS", "-T", "-", f"{plain.url}/upload", stdin=b"x" * 5000).stdout)
        assert (parsed["method"], parsed["bytes"]) == ("PUT", 5000)
        (tmp_path / "f").write_bytes(b"form file")
        parsed = json.loads(run("curl", "-sS", "-F", "a=b", "-F", f"f=@{tmp_path}/f", f"{plain.url}/upload").stdout)
        assert parsed["fields"]["content-type"].startswith("multipart/form-data")
        assert [(part["name"], part["filename"], part["text"]) for part in parsed["form"]] == [
            ("a", None, "b"),
            ("f", "f", "form file"),
        ]
        parsed = json.loads(run("curl", "-sS", "-d", "a=b c", "--data-urlencode", "d=é&", f"{plain.url}/upload").stdout)
        assert [(part["name"], part["text"]) for part in parsed["form"]] == [("a", "b c"), ("d", "é&")]
        assert secure.problems() == plain.problems() == []


def test_curl_sends_a_large_body_only_when_it_may(tmp_path: Path) -> None:
    (tmp_path / "large").write_bytes(bytes(3 << 20))
    with HttpServer() as mock:
        shown = run("curl", "-sSv", "-T", str(tmp_path / "large"), f"{mock.url}/upload")
        assert "100 Continue" in shown.err
        assert json.loads(shown.stdout)["bytes"] == 3 << 20
        assert mock.requests[0].body == bytes(3 << 20)


def test_curl_goes_on_where_a_download_was_cut(tmp_path: Path) -> None:
    with HttpServer(faults=["GET /bytes/5000:fin@2000x1"]) as mock:
        command = ["curl", "-sS", "-C", "-", "-o", str(tmp_path / "data"), f"{mock.url}/bytes/5000"]
        assert run(*command).code == 18
        assert run(*command).code == 0
    assert (tmp_path / "data").read_bytes() == (bytes(range(256)) * 20)[:5000]


def test_what_wget_gets_from_our_server(tmp_path: Path) -> None:
    with HttpServer(tls=True) as secure, HttpServer() as plain:
        base = ["wget", "-nv", "-O", "-", "--tries=1"]
        assert run(*base, f"--ca-certificate={secure.ca_file}", f"{secure.url}/").stdout.startswith(b"Hello")
        assert run(*base, f"{secure.url}/").code == 5
        assert run(*base, f"{plain.url}/chunked").stdout == b"onetwo, toothree"
        assert run(*base, f"{plain.url}/status/302").stdout.startswith(b"Hello")
        assert run(*base, f"{plain.url}/status/404").code == 8
        assert json.loads(run(*base, "--post-data=a=b", f"{plain.url}/upload").stdout)["form"][0]["text"] == "b"
    with HttpServer(faults=["GET /bytes/5000:fin@2000x1"]) as mock:
        assert run("wget", "-nv", "-O", str(tmp_path / "data"), f"{mock.url}/bytes/5000").code == 0
        assert [request.value("Range") for request in mock.requests] == [None, "bytes=1897-"]
    assert (tmp_path / "data").read_bytes() == (bytes(range(256)) * 20)[:5000]


def test_what_httpie_gets_from_our_server(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"form file")
    with HttpServer() as mock:
        base = ["http", "--ignore-stdin", "--check-status", "--body"]
        assert run(*base, f"{mock.url}/json").stdout == b'{"hello": "world"}\n'
        assert run(*base, f"{mock.url}/chunked").stdout == b"onetwo, toothree"
        assert run(*base, f"{mock.url}/status/404").code == 4
        assert run(*base, "HEAD", f"{mock.url}/").code == 0
        parsed = json.loads(run(*base, "--form", f"{mock.url}/upload", "a=b", f"f@{tmp_path}/f").stdout)
        assert [(part["name"], part["text"]) for part in parsed["form"]] == [("a", "b"), ("f", "form file")]
        assert mock.problems() == []


@pytest.mark.parametrize(
    ("fault", "code"), [("GET /:fin@80", 18), ("GET /:fin", 52), ("GET /:rst@80", 56), ("GET /:silent@80", 28)]
)
def test_what_curl_sees_of_our_faults(fault: str, code: int) -> None:
    with HttpServer(faults=[fault]) as mock:
        assert run("curl", "-sS", "-m", "1", f"{mock.url}/").code == code
