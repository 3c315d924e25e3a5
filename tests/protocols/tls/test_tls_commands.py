"""`inetcli tls hello`: every verdict, the chain, the reply, and what keeps a handshake from happening."""

import ssl
from pathlib import Path

import pytest
from support.program import Finished, inetcli

from mockservers import TlsServer
from mockservers.certs import authority


def hello(server: TlsServer, *arguments: str, target: str | None = None) -> Finished:
    assert server.ca_file
    return inetcli("tls", "hello", "--ca", server.ca_file, "--timeout", "10", *arguments, target or server.url)


def test_a_good_certificate_is_ok_and_its_chain_is_shown() -> None:
    with TlsServer() as server:
        done = hello(server)
    first, second = done.out.splitlines()
    assert done.code == 0
    assert first.startswith(f"OK  127.0.0.1:{server.port} (127.0.0.1)  TLSv1.3  TLS_")
    assert second.startswith("0  localhost  EC P-256  until ")
    assert second.endswith(" days left  SAN localhost 127.0.0.1 ::1")


@pytest.mark.parametrize(
    ("fault", "code", "verdict", "words"),
    [
        ("expired", 110, "expired", "expired "),
        ("not_yet_valid", 111, "not_yet_valid", "valid from "),
        ("wrong_host", 112, "wrong_host", "IP address mismatch"),
        ("untrusted", 60, "incomplete_chain", "unable to get local issuer"),
    ],
)
def test_each_fault_has_its_verdict_and_its_code(fault: str, code: int, verdict: str, words: str) -> None:
    with TlsServer(faults=[f"connect:{fault}"]) as server:
        done = hello(server, "--json", "--send", "secret things")
        text = hello(server)
        assert "secret things" not in server.log.commands()
    row = done.row
    assert (done.code, row["exit_code"], row["verdict"]) == (code, code, verdict)
    (problem,) = row["problems"]
    assert (problem["code"], problem["severity"], problem["certificate"]) == (verdict, "error", 0)
    assert words in problem["message"]
    assert (row["version"], len(row["chain"]), row["reply"]) == ("TLSv1.3", 1, None)
    assert text.out.startswith(f"FAILED  {verdict}  127.0.0.1:{server.port} (127.0.0.1)  TLSv1.3  ")
    assert text.err.count("\n") == 1


def test_of_two_problems_the_first_in_the_order_gives_verdict_and_code() -> None:
    with TlsServer(faults=["connect:expired"]) as server:
        done = inetcli("tls", "hello", "--json", server.url)  # nor is the issuer trusted, which OpenSSL sees first
    assert [problem["code"] for problem in done.row["problems"]] == ["expired", "incomplete_chain"]
    assert (done.code, done.row["verdict"], done.row["error"]["kind"]) == (110, "expired", "expired")
    assert "expired" in done.err


@pytest.mark.parametrize(("fault", "verdict"), [("expired", "expired"), ("untrusted", "incomplete_chain")])
def test_insecure_continues_and_keeps_the_verdict(fault: str, verdict: str) -> None:
    with TlsServer(faults=[f"connect:{fault}"]) as server:
        done = hello(server, "--json", "--insecure", "--send", "x", "--reply-bytes", "2")
    assert (done.code, done.row["verdict"], done.row["reply"]) == (0, verdict, "x\n")
    assert done.row["notes"][0].startswith("--insecure: ")


def test_send_prints_the_reply() -> None:
    with TlsServer() as server:
        done = hello(server, "--send", r"one\ntwo", "--reply-bytes", "8")
        assert server.log.commands() == ["one", "two"]
    assert done.out.splitlines()[2:] == ["one", "two"]


def test_silence_after_a_reply_is_its_end_and_silence_before_is_not() -> None:
    with TlsServer() as server:
        assert hello(server, "--send", "x", "--json", "--timeout", "1").row["reply"] == "x\n"
    with TlsServer(faults=["*:silent"]) as server:
        assert hello(server, "--send", "x", "--timeout", "1").code == 28


def test_a_reply_that_is_not_text_is_base64_in_json_and_escaped_in_text() -> None:
    with TlsServer() as server:
        row = hello(server, "--send", r"\xff\x1b[2J\n", "--reply-bytes", "6", "--json").row
        text = hello(server, "--send", r"\xff\x1b[2J\n", "--reply-bytes", "6")
    assert row["reply"] == {"base64": "/xtbMkoK"}
    assert text.out.splitlines()[-1] == "\\xff\\x1b[2J"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("connect:plaintext", 35),
        ("connect:alert", 35),
        ("connect:fin", 35),
        ("connect:refuse", 7),
        ("connect:silent", 28),
        ("connect:truncate", 56),
    ],
)
def test_without_a_handshake_there_is_no_verdict(fault: str, code: int) -> None:
    with TlsServer(faults=[fault]) as server:
        done = hello(server, "--send", "x", "--timeout", "1" if code == 28 else "10")
    assert (done.code, done.stdout) == (code, b""), done.err
    assert done.err.count("\n") == 1


def test_json_has_the_keys_of_the_contract() -> None:
    with TlsServer(alpn=["http/1.1"]) as server:
        row = hello(server, "--json", "--alpn", "h2,http/1.1").row
    assert set(row) == {
        "target",
        "verdict",
        "problems",
        "version",
        "cipher",
        "group",
        "alpn",
        "session_reused",
        "client_certificate_requested",
        "chain",
        "reply",
        "tls",
        "exit_code",
        "notes",
        "timing_ms",
    }
    assert (row["verdict"], row["alpn"], row["client_certificate_requested"]) == ("ok", "http/1.1", False)
    assert row["group"]
    (certificate,) = row["chain"]
    assert certificate["san"] == ["localhost", "127.0.0.1", "::1"]
    assert (certificate["key_type"], certificate["key_bits"]) == ("EC P-256", 256)
    assert certificate["not_after"].endswith("Z")


def test_a_pin_that_fits_and_one_that_does_not() -> None:
    with TlsServer() as server:
        pin = "sha256//" + hello(server, "--json").row["chain"][0]["spki_sha256"]
        assert hello(server, "--pin", pin).code == 0
        wrong = hello(server, "--json", "--pin", "sha256//" + "A" * 43 + "=")
    assert (wrong.code, wrong.row["verdict"]) == (90, "pin")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_that_is_wanted(version: ssl.TLSVersion, tmp_path: Path) -> None:
    own = tmp_path / "client.pem"
    leaf = authority().client()
    own.write_bytes(leaf.private_key_pem.bytes() + b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    with TlsServer(client_certificate=True, max_version=version) as server:
        assert hello(server, "--send", "x").code == 98
        done = hello(server, "--json", "--cert", str(own), "--send", "x", "--reply-bytes", "2")
    assert (done.code, done.row["client_certificate_requested"], done.row["reply"]) == (0, True, "x\n")


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    junk = tmp_path / "junk.pem"
    junk.write_text("no certificate")
    with TlsServer() as server:
        assert inetcli("tls", "hello", "--ca", str(junk), server.url).code == 77
        assert inetcli("tls", "hello", "--ca", "/nonexistent", server.url).code == 77
        own = hello(server, "--cert", str(junk))
        assert (own.code, "(_ssl" in own.err) == (58, False)
        assert inetcli("tls", "hello", server.url, env={"SSL_CERT_FILE": str(junk)}).code == 77
        assert inetcli("tls", "hello", server.url, env={"SSL_CERT_FILE": server.ca_file or ""}).code == 0


def test_an_encrypted_key_is_never_asked_for(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives import serialization

    leaf = authority().client()
    key = serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None)
    locked = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"canary"),
    )
    (tmp_path / "key.pem").write_bytes(locked)
    (tmp_path / "cert.pem").write_bytes(leaf.cert_chain_pems[0].bytes())
    with TlsServer() as server:
        done = hello(server, "--cert", str(tmp_path / "cert.pem"), "--key", str(tmp_path / "key.pem"))
    assert done.code == 58
    assert "encrypted" in done.err


def test_servername_is_sent_and_checked() -> None:
    with TlsServer() as server:
        assert hello(server, "--servername", "localhost").code == 0
        assert hello(server, "--servername", "other.test").code == 112


def test_connect_to_talks_to_another_address_under_the_targets_name() -> None:
    with TlsServer() as server:
        done = hello(server, "--connect-to", f"127.0.0.1:{server.port}", target="localhost:1")
    assert done.code == 0
    assert "OK  localhost:1 (127.0.0.1)" in done.out


@pytest.mark.parametrize("scheme", ["https", "imaps", "http", "postgresql"])
def test_pasted_url_gives_host_and_port(scheme: str) -> None:
    with TlsServer() as server:
        done = hello(server, "--json", target=f"{scheme}://ada:secret@{server.host}:{server.port}/x?y#z")
        assert "secret" not in server.transcript()
    assert (done.code, done.row["target"]) == (0, f"{scheme}://ada:***@{server.host}:{server.port}/x?y#z")


def test_the_port_of_a_pasted_url_in_clear_text_is_not_guessed() -> None:
    done = inetcli("tls", "hello", "http://localhost/x")
    message = "http://localhost/x: port missing; expected host:port or http://host:port"
    assert (done.code, done.err) == (3, f"inetcli: {message}\n")


def test_reply_bytes_is_a_size_with_a_maximum() -> None:
    with TlsServer() as server:
        done = hello(server, "--json", "--send", "a" * 3000, "--reply-bytes", "1.5K")
    assert (done.code, done.row["reply"]) == (0, "a" * 1500)
    refused = inetcli("tls", "hello", "--reply-bytes", "17MiB", "localhost")
    assert refused.code == 2
    assert "expected at most 16777216 bytes (16.0 MiB), got '17MiB'" in refused.err
