"""Certificates from a throw-away CA: one per process, its key never on the disk.

The CA's certificate is written to a private folder that goes away with the process, for clients to trust. trustme and
cryptography come with `pip install 'inetcli[mock]'`; they are imported when the first certificate is needed.
"""

import atexit
import os
import shutil
import ssl
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

NAMES = ("localhost", "127.0.0.1", "::1")
"""What the servers' certificate is for."""

KINDS = ("good", "expired", "not_yet_valid", "wrong_host", "untrusted")
"""The certificates that a server may show."""

_lock = threading.Lock()


class Missing(RuntimeError):
    """A library that this server needs is not installed; the message says how to get it."""


class Authority:
    """The throw-away CA, and what it has issued."""

    def __init__(self) -> None:
        trustme = _trustme()
        key = trustme.KeyType.ECDSA
        self.ca = trustme.CA(organization_name="mockservers", key_type=key)
        self._stranger = trustme.CA(organization_name="a stranger", key_type=key)
        self._key_type = key
        self._leafs: dict[str, Any] = {}
        self.folder = tempfile.mkdtemp(prefix="mockservers-")
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.ca_file = os.path.join(self.folder, "ca.pem")
        self.ca.cert_pem.write_to_path(self.ca_file)

    def leaf(self, kind: str = "good") -> Any:
        """A certificate with its key, by kind."""
        if kind not in self._leafs:
            self._leafs[kind] = self._issue(kind)
        return self._leafs[kind]

    def client(self) -> Any:
        """A certificate for a client."""
        if "client" not in self._leafs:
            self._leafs["client"] = self.ca.issue_cert("client@example.test", key_type=self._key_type)
        return self._leafs["client"]

    def context(self, kind: str = "good") -> ssl.SSLContext:
        """A server's TLS context with such a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.leaf(kind).configure_cert(context)
        return context

    def _issue(self, kind: str) -> Any:
        now = datetime.now(UTC)
        day = timedelta(days=1)
        names: tuple[str, ...]
        match kind:
            case "good":
                span, names, issuer = (now - day, now + 365 * day), NAMES, self.ca
            case "expired":
                span, names, issuer = (now - 60 * day, now - 30 * day), NAMES, self.ca
            case "not_yet_valid":
                span, names, issuer = (now + 30 * day, now + 60 * day), NAMES, self.ca
            case "wrong_host":
                span, names, issuer = (now - day, now + 365 * day), ("other.example.test",), self.ca
            case "untrusted":
                span, names, issuer = (now - day, now + 365 * day), NAMES, self._stranger
            case _:
                raise ValueError(f"no certificate is called {kind!r}; known: {', '.join(KINDS)}")
        return issuer.issue_cert(*names, not_before=span[0], not_after=span[1], key_type=self._key_type)


@cache
def _authority() -> Authority:
    return Authority()


def authority() -> Authority:
    """The CA of this process."""
    with _lock:
        return _authority()


def write_certs(directory: str) -> list[str]:
    """Write ca.pem, server.pem, client.pem, expired.pem, wrong_host.pem and untrusted.pem; return their paths.

    All but ca.pem hold a chain and its key, with mode 0600. The folder is made when it is not there.
    """
    issuer = Authority()
    os.makedirs(directory, exist_ok=True)
    bundles = {"server": issuer.leaf(), "client": issuer.client()}
    bundles |= {kind: issuer.leaf(kind) for kind in ("expired", "wrong_host", "untrusted")}
    paths = [os.path.join(directory, "ca.pem")]
    _write(paths[0], issuer.ca.cert_pem.bytes(), 0o644)
    for name, leaf in bundles.items():
        paths.append(os.path.join(directory, f"{name}.pem"))
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        _write(paths[-1], leaf.private_key_pem.bytes() + chain, 0o600)
    return paths


def _write(path: str, data: bytes, mode: int) -> None:
    """A new file under its name: a link that stands there is replaced, not followed."""
    temporary = f"{path}.{os.getpid()}"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with open(descriptor, "wb") as file:
        file.write(data)
    os.replace(temporary, path)


def _trustme() -> Any:
    try:
        import trustme
    except ImportError as error:
        raise Missing(f"TLS servers need trustme: pip install 'inetcli[mock]' ({error})") from error
    return trustme
