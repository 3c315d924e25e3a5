"""The contract of every TLS fault: what Python's `ssl`, openssl and curl see, on every way to TLS."""

import ftplib
import io
import re
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.foreign import run
from support.probe import LIMIT_S, SECURE, connect, everything, exactly, line, opened

from mockservers import FtpServer, NntpServer, TlsServer, fault
from mockservers.core import Server
from mockservers.log import Closed, Kind, Reason, Secured
from mockservers.registry import make_server

SLOW_S = 0.1


@dataclass(frozen=True)
class Contract:
    """What is seen: by Python (None = the handshake goes well), by openssl's verification, by curl's exit code."""

    python: str | None
    openssl: str = ""
    curl: tuple[int, ...] = (60,)
    args: str = ""


CONTRACTS = {
    "expired": Contract("certificate has expired", "num=10:"),
    "not_yet_valid": Contract("certificate is not yet valid", "num=9:"),
    "wrong_host": Contract("certificate is not valid for 'localhost'", "num=62:"),
    "untrusted": Contract("unable to get local issuer certificate", "num=20:"),
    "self_signed": Contract("self.signed certificate", "num=18:"),
    "no_chain": Contract("unable to get local issuer certificate", "num=20:"),
    "expired_intermediate": Contract("certificate has expired", "num=10:"),
    "weak_key": Contract("key too weak", "num=66:"),
    "no_san": Contract("certificate is not valid for 'localhost'", "", (0,)),
    "wrong_purpose": Contract("unsuitable certificate purpose", "num=26:"),
    "client_certificate": Contract(None, "alert certificate required", (56,)),
    "old_version": Contract("(?i)alert protocol.version", "legacy sigalg|protocol version|unsupported protocol", (35,)),
    "alert": Contract("(?i)alert handshake.failure", "alert handshake failure", (35,)),
    "plaintext": Contract("(?i)wrong.version.number", "wrong version number|packet length too long", (35,)),
    "slow_handshake": Contract(None, "", (0,), f"({SLOW_S})"),
    "truncate": Contract(None, "unexpected eof while reading", (0, 56)),
}


def serve(name: str, *faults: str) -> Server:
    if name == "nntp+starttls":
        return NntpServer(tls="starttls", faults=faults)
    server = make_server(name, faults=faults)
    assert isinstance(server, Server)
    return server


def strict(server: Server) -> ssl.SSLContext:
    """A client that goes by RFC 9525: the subject's name is nobody's name."""
    context = ssl.create_default_context(cafile=server.ca_file)
    context.hostname_checks_common_name = False
    return context


@pytest.mark.parametrize("way", SECURE)
@pytest.mark.parametrize("name", [name for name, contract in CONTRACTS.items() if contract.python])
def test_a_handshake_that_python_refuses(name: str, way: str) -> None:
    with serve(way, f"connect:{name}") as server:
        with (
            pytest.raises(ssl.SSLError, match=str(CONTRACTS[name].python)),
            opened(server, SECURE[way], context=strict(server)),
        ):
            pass
        assert server.problems() == []
        (fired,) = server.log.events(Kind.FAULT)
        assert fired.text == f"{name} fired"


@pytest.mark.parametrize("way", SECURE)
def test_a_client_certificate_is_required(way: str) -> None:
    probe = SECURE[way]
    with serve(way, "connect:client_certificate") as server:
        with opened(server, probe) as client, pytest.raises(ssl.SSLError, match=r"(?i)certificate.required"):
            client.recv(1)
        assert server.problems() == []


@pytest.mark.parametrize("way", SECURE)
def test_a_slow_handshake_is_one_that_succeeds_late(way: str) -> None:
    with serve(way, f"connect:slow_handshake({SLOW_S})") as server:
        started = time.monotonic()
        with opened(server, SECURE[way]) as client:
            assert time.monotonic() - started >= SLOW_S
            client.sendall(SECURE[way].ask)
            assert client.recv(1)
        assert server.problems() == []


ENDS = {"ftpes": b"QUIT\r\n", "ftps": b"QUIT\r\n", "nntps": b"QUIT\r\n", "nntp+starttls": b"QUIT\r\n"}
"""What makes a server end; of the others the reply is the end, or there is none."""


@pytest.mark.parametrize("way", sorted({*SECURE} - {"dot"}))
@pytest.mark.parametrize("ending", ["truncate", ""])
def test_truncate_ends_without_close_notify_and_an_honest_end_does_not(ending: str, way: str) -> None:
    if way == "tls" and not ending:
        pytest.skip("an honest echo never ends")
    with serve(way, *([f"connect:{ending}"] if ending else [])) as server:
        with opened(server, SECURE[way]) as client:
            client.sendall(ENDS.get(way, SECURE[way].ask))
            got = b""
            try:
                while piece := client.recv(65536):
                    got += piece
                ended: object = None
            except ssl.SSLEOFError as error:
                ended = type(error)
        assert got
        assert ended is (ssl.SSLEOFError if ending else None)
        assert server.problems() == []


def test_truncate_on_dns_over_tls() -> None:
    """It ends a connection after a message that cannot be one."""
    with serve("dot", "connect:truncate", "connect:fin@7") as server, opened(server, SECURE["dot"]) as client:
        client.sendall(SECURE["dot"].ask)
        assert len(exactly(client, 7)) == 7
        with pytest.raises(ssl.SSLEOFError):
            client.recv(1)


# Programs


@pytest.mark.parametrize("name", CONTRACTS)
def test_what_openssl_sees(name: str) -> None:
    contract = CONTRACTS[name]
    with TlsServer(faults=[f"connect:{name}{contract.args}"]) as server:
        address = ["-connect", f"{server.host}:{server.port}", "-servername", "localhost"]
        trust = ["-CAfile", server.ca_file or "", "-verify_hostname", "localhost", "-verify_return_error"]
        # By itself it leaves at the end of its input, whatever the server still has to say.
        waiting = ["-ign_eof"] if name in ("client_certificate", "truncate") else []
        done = run("openssl", "s_client", *address, *trust, *waiting, stdin=b"hello\n")
        said = (done.stdout + done.stderr).decode("utf-8", "replace")
        if contract.openssl:
            assert done.code == 1
            assert re.search(contract.openssl, said), said
        else:
            assert (done.code, "Verification: OK" in said) == (0, True), said
    assert server.problems() == []


@pytest.mark.parametrize("name", CONTRACTS)
def test_what_curl_sees(name: str) -> None:
    contract = CONTRACTS[name]
    with serve("https", f"connect:{name}{contract.args}") as server:
        url = server.url.replace("127.0.0.1", "localhost") + "/"
        done = run("curl", "-4", "-sS", "--max-time", str(LIMIT_S), "--cacert", server.ca_file or "", url)
        assert done.code in contract.curl, done.err
    assert server.problems() == []


def test_an_old_version_is_spoken_with_who_still_speaks_it() -> None:
    with TlsServer(faults=["connect:old_version"]) as server:
        address = f"{server.host}:{server.port}"
        old = ["-tls1_1", "-cipher", "DEFAULT:@SECLEVEL=0"]
        done = run("openssl", "s_client", "-connect", address, "-CAfile", server.ca_file or "", *old, stdin=b"x\n")
    assert done.code == 0, done.err
    assert "Protocol  : TLSv1.1" in done.out
    assert [event.version for event in server.log.events() if isinstance(event, Secured)] == ["TLSv1.1"]


def test_a_certificate_of_another_kind_is_what_it_says() -> None:
    """openssl reads them: a weak key that is weak, no SAN, for clients only, an intermediate that is there and over."""

    def text(name: str) -> str:
        with TlsServer(faults=[f"connect:{name}"]) as server:
            shown = run("openssl", "s_client", "-connect", f"{server.host}:{server.port}", "-showcerts", stdin=b"")
        pems = re.findall(r"-----BEGIN.*?-----END CERTIFICATE-----", shown.out, re.DOTALL)
        return "".join(run("openssl", "x509", "-noout", "-text", stdin=pem.encode()).out for pem in pems)

    assert "1024 bit" in text("weak_key")
    assert "Subject Alternative Name" not in text("no_san")
    assert "TLS Web Client Authentication" in text("wrong_purpose")
    assert text("no_chain").count("Issuer:") == 1
    assert text("expired_intermediate").count("Issuer:") == 2


# FTP's second connection, and the command that asks


@pytest.fixture
def transfer() -> Iterator[io.BytesIO]:
    with io.BytesIO() as data:
        yield data


def ftp_client(server: FtpServer) -> ftplib.FTP_TLS:
    client = ftplib.FTP_TLS(context=ssl.create_default_context(cafile=server.ca_file), timeout=LIMIT_S)
    client.connect(server.host, server.port)
    client.host = "localhost"
    return client


def test_a_data_connection_has_faults_of_its_own(transfer: io.BytesIO) -> None:
    with FtpServer({"a": b"data"}, tls="explicit", faults=["data:expired"]) as server:
        client = ftp_client(server)
        try:
            client.login()
            client.prot_p()
            with pytest.raises(ssl.SSLError, match="has expired"):
                client.retrbinary("RETR a", transfer.write)
        finally:
            client.close()
        assert server.problems() == []


def test_a_fault_on_the_command_that_asks_for_tls() -> None:
    with FtpServer(tls="explicit", faults=["AUTH:wrong_host"]) as server:
        client = ftp_client(server)
        try:
            with pytest.raises(ssl.SSLError, match="is not valid for 'localhost'"):
                client.auth()
        finally:
            client.close()
        assert server.problems() == []


def test_times_are_counted_and_then_all_is_well() -> None:
    with TlsServer() as server:
        server.on("connect", skip=1).fault(fault.untrusted(), times=1)
        for number in range(3):
            if number == 1:
                with pytest.raises(ssl.SSLError, match="local issuer"), opened(server, SECURE["tls"]):
                    pass
            else:
                with opened(server, SECURE["tls"]) as client:
                    client.sendall(b"x\n")
                    assert line(client.recv) == b"x\n"
        assert server.problems() == []


def test_the_log_has_the_facts_of_the_handshake() -> None:
    with TlsServer(alpn=["h2"]) as server:
        context = ssl.create_default_context(cafile=server.ca_file)
        context.set_alpn_protocols(["h2"])
        with opened(server, SECURE["tls"], context=context) as client:
            client.sendall(b"x\n")
            client.recv(2)
            client.unwrap()
        closed = server.wait_for(Kind.CLOSED)
        (secured,) = (event for event in server.log.events() if isinstance(event, Secured))
    assert (secured.version, secured.alpn, secured.session_reused) == ("TLSv1.3", "h2", False)
    assert isinstance(closed, Closed)
    assert (closed.reason, closed.received, closed.sent) == (Reason.CLIENT_CLOSED, 2, 2)


def test_who_speaks_no_tls_is_told_and_logged() -> None:
    with TlsServer() as server, connect(server) as client:
        client.sendall(b"hello?\n")
        server.wait_for(lambda event: event.text.startswith("no TLS: "))
        assert everything(client.recv)[:1] in (b"", b"\x15")  # an alert, if OpenSSL finds it worth one


def test_keys_are_never_on_the_disk(tmp_path: Path) -> None:
    """Every certificate there is, in a process of its own whose temporary folder is looked through."""
    code = """
import os, sys, tempfile
import mockservers.certs as certs, mockservers.tls.issuing as issuing
tempfile.gettempdir()  # which tries by writing a file
opened = []
sys.addaudithook(lambda name, args: opened.append(args) if name == "open" and isinstance(args[0], str) else None)
for kind in ("good", "client", *issuing._MAKERS):
    certs.authority().context(kind)
written = [path for path, mode, flags in opened if flags & (os.O_WRONLY | os.O_RDWR)]
assert {os.path.basename(path) for path in written} <= {"ca.pem"}, written
for folder, _, names in os.walk(os.environ["TMPDIR"]):
    for name in names:
        assert "PRIVATE" not in open(os.path.join(folder, name)).read()
"""
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", code],
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
