"""TLS: our client against openssl s_server; openssl s_client and gnutls-cli against our server."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from support.foreign import Running, program, run, serving
from support.program import inetcli

from mockservers import TlsServer
from mockservers.certs import write_certs

Start = Callable[..., AbstractContextManager[Running]]


@pytest.fixture
def s_server(tmp_path: Path) -> Start:
    """Start `openssl s_server` with a certificate by its name, and more options."""
    name = program("openssl")
    write_certs(str(tmp_path / "certs"))

    @contextmanager
    def start(certificate: str, *options: str) -> Iterator[Running]:
        pem = str(tmp_path / "certs" / f"{certificate}.pem")
        with serving(
            tmp_path,
            lambda port: [
                name,
                "s_server",
                "-accept",
                f"127.0.0.1:{port}",
                "-cert",
                pem,
                "-key",
                pem,
                "-rev",
                *options,
            ],
        ) as running:
            yield running

    return start


@pytest.mark.parametrize(
    ("certificate", "code", "verdict"),
    [
        ("server", 0, "ok"),
        ("expired", 110, "expired"),
        ("wrong_host", 112, "wrong_host"),
        ("untrusted", 60, "incomplete_chain"),
    ],
)
def test_verdicts_on_openssls_server(
    certificate: str, code: int, verdict: str, s_server: Start, tmp_path: Path
) -> None:
    with s_server(certificate) as running:
        ca = str(tmp_path / "certs" / "ca.pem")
        done = inetcli("tls", "hello", "--json", "--ca", ca, f"localhost:{running.port}")
    assert (done.code, done.row["verdict"]) == (code, verdict)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_versions_alpn_and_a_reply(version: str, s_server: Start, tmp_path: Path) -> None:
    with s_server("server", version, "-alpn", "h2") as running:
        ca = str(tmp_path / "certs" / "ca.pem")
        words = ["--alpn", "http/1.1,h2", "--send", "abc", "--reply-bytes", "4"]
        row = inetcli("tls", "hello", "--json", "--ca", ca, *words, f"localhost:{running.port}").row
    assert row["version"] == {"-tls1_2": "TLSv1.2", "-tls1_3": "TLSv1.3"}[version]
    assert (row["alpn"], row["reply"]) == ("h2", "cba\n")
    assert row["group"] is not None


def test_a_client_certificate_for_openssls_server(s_server: Start, tmp_path: Path) -> None:
    folder = tmp_path / "certs"
    with s_server("server", "-Verify", "1", "-CAfile", str(folder / "ca.pem"), "-verify_return_error") as running:
        base = ["tls", "hello", "--json", "--ca", str(folder / "ca.pem"), "--timeout", "5", "--send", "x"]
        target = f"localhost:{running.port}"
        assert inetcli(*base, "--reply-bytes", "2", target).code == 98
        own = ["--cert", str(folder / "client.pem"), "--key", str(folder / "client.pem")]
        done = inetcli(*base, *own, "--reply-bytes", "2", target)
    assert (done.code, done.row["client_certificate_requested"]) == (0, True)


def test_the_pin_is_what_openssl_computes(tmp_path: Path) -> None:
    write_certs(str(tmp_path))
    pem = str(tmp_path / "server.pem")
    public = run("openssl", "x509", "-in", pem, "-pubkey", "-noout").stdout
    der = run("openssl", "pkey", "-pubin", "-outform", "DER", stdin=public).stdout
    digest = run("openssl", "dgst", "-sha256", "-binary", stdin=der).stdout
    pin = run("openssl", "base64", "-A", stdin=digest).out.strip()
    import ssl

    from inetcli.protocols.tls.wire import parse_certificate

    first = Path(pem).read_text()
    first = first[first.index("-----BEGIN CERTIFICATE") :]
    leaf = first[: first.index("-----END CERTIFICATE-----")] + "-----END CERTIFICATE-----\n"
    assert parse_certificate(ssl.PEM_cert_to_DER_cert(leaf)).spki_sha256 == pin


def test_openssls_client_and_our_server() -> None:
    with TlsServer() as mock:
        base = ["s_client", "-connect", f"127.0.0.1:{mock.port}", "-CAfile", str(mock.ca_file), "-verify_return_error"]
        done = run("openssl", *base, "-verify_hostname", "localhost", "-quiet", "-no_ign_eof", stdin=b"hello\n")
        assert done.code == 0, done.err
    with TlsServer(faults=["connect:expired"]) as mock:
        base = ["s_client", "-connect", f"127.0.0.1:{mock.port}", "-CAfile", str(mock.ca_file), "-verify_return_error"]
        assert run("openssl", *base).code == 1


@pytest.mark.parametrize(
    ("fault", "good"), [(None, True), ("expired", False), ("wrong_host", False), ("untrusted", False), ("alert", False)]
)
def test_gnutls_and_our_server(fault: str | None, good: bool) -> None:
    with TlsServer(faults=[f"connect:{fault}"] if fault else []) as mock:
        done = run("gnutls-cli", "--x509cafile", str(mock.ca_file), "-p", str(mock.port), "localhost", stdin=b"hello\n")
    assert (done.code == 0) is good, done.err
