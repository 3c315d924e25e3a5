"""The settings of the TLS context, and the errors for unusable files."""

import errno
import ssl
from pathlib import Path

import pytest

from inetcli.errors import CaFile, ClientCertificate
from inetcli.net.tlscontext import make_context, openssl_reason, tls_error_text
from inetcli.net.trust import Trust
from mockservers.certs import authority


@pytest.fixture
def ca_file() -> str:
    return authority().ca_file


@pytest.fixture
def client(tmp_path: Path) -> tuple[str, str]:
    """The paths of a client certificate and of its key."""
    leaf = authority().client()
    certificate, key = tmp_path / "client.pem", tmp_path / "client.key"
    certificate.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    key.write_bytes(leaf.private_key_pem.bytes())
    return str(certificate), str(key)


def test_chain_and_name_are_checked_as_strictly_as_openssl_does(ca_file: str) -> None:
    context = make_context(Trust(ca_file))
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert not context.hostname_checks_common_name
    assert context.verify_flags == ssl.VERIFY_X509_TRUSTED_FIRST | ssl.VERIFY_X509_PARTIAL_CHAIN
    (root,) = context.get_ca_certs(binary_form=True)
    assert root == ssl.PEM_cert_to_DER_cert(Path(ca_file).read_text())


def test_insecure_checks_nothing_and_reads_no_ca_file() -> None:
    context = make_context(Trust("/nowhere/ca.pem", insecure=True))
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


def test_the_ca_file_of_the_environment_is_used_unless_one_is_given(
    ca_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    assert len(make_context(Trust()).get_ca_certs()) == 1
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none"))
    with pytest.raises(CaFile, match=f"{tmp_path}/none: cannot be used as CA file: no such file"):
        make_context(Trust())
    assert len(make_context(Trust(ca_file)).get_ca_certs()) == 1


@pytest.mark.parametrize(
    ("content", "words"), [(b"", "the file contains no certificate"), (b"-----BEGIN CERTIFICATE-----\nx\n", "")]
)
def test_the_error_for_a_ca_file_without_a_certificate_has_its_name(content: bytes, words: str, tmp_path: Path) -> None:
    path = tmp_path / "ca.pem"
    path.write_bytes(content)
    with pytest.raises(CaFile, match=f"{path}: cannot be used as CA file: {words}"):
        make_context(Trust(str(path)))


def test_a_client_certificate_and_its_key(ca_file: str, client: tuple[str, str]) -> None:
    make_context(Trust(ca_file, certificate=client[0], key=client[1]))
    with pytest.raises(ClientCertificate, match=f"{client[0]}: cannot be used as client certificate: expected a cert"):
        make_context(Trust(ca_file, certificate=client[0]))
    with pytest.raises(ClientCertificate, match=f"{client[0]} with /nowhere: .*: no such file"):
        make_context(Trust(ca_file, certificate=client[0], key="/nowhere"))


def test_an_encrypted_key_is_an_error_and_no_passphrase_is_read(ca_file: str, client: tuple[str, str]) -> None:
    from cryptography.hazmat.primitives import serialization as form

    path = Path(client[1])
    key = form.load_pem_private_key(path.read_bytes(), None)
    path.write_bytes(
        key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.BestAvailableEncryption(b"secret"))
    )
    with pytest.raises(ClientCertificate, match=f"{path}: the key is encrypted; decrypt it first"):
        make_context(Trust(ca_file, certificate=client[0], key=client[1]))


def test_the_key_log_is_written_to_the_file_of_the_environment(
    ca_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert make_context(Trust(ca_file)).keylog_filename is None
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    assert make_context(Trust(ca_file)).keylog_filename == str(tmp_path / "keys")


def openssl(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, f"[SSL: {reason}] {reason.lower()} (_ssl.c:1006)")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "reason", "words"),
    [
        (openssl("WRONG_VERSION_NUMBER"), "WRONG_VERSION_NUMBER", "the peer does not speak TLS here"),
        (openssl("RECORD_LAYER_FAILURE"), "RECORD_LAYER_FAILURE", "the peer does not speak TLS here"),
        (openssl("TLSV1_ALERT_INTERNAL_ERROR"), "TLSV1_ALERT_INTERNAL_ERROR", "tlsv1 alert internal error"),
        (ssl.SSLEOFError(8, "EOF occurred in violation of protocol"), "", "the peer closed the connection"),
        (OSError(errno.ECONNRESET, "Connection reset by peer"), "", "connection reset by peer"),
        (OSError("Odd"), "", "odd"),
    ],
)
def test_the_text_of_openssl_errors_without_numbers_and_source_lines(error: OSError, reason: str, words: str) -> None:
    assert (openssl_reason(error), tls_error_text(error)) == (reason, words)
