"""HTTP: our client against nginx; curl against our server."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from foreign import Running, program, run, serving
from program import inetcli

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


@pytest.mark.parametrize(
    ("fault", "code"), [("GET /:fin@80", 18), ("GET /:fin", 52), ("GET /:rst@80", 56), ("GET /:silent@80", 28)]
)
def test_what_curl_sees_of_our_faults(fault: str, code: int) -> None:
    with HttpServer(faults=[fault]) as mock:
        assert run("curl", "-sS", "-m", "1", f"{mock.url}/").code == code
