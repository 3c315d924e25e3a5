"""Certificates from a throw-away CA: one per process, good ones and others, made when they are first asked for.

Its key, and theirs, are never on the disk, except in the files of `write_certs`. The CA's certificate is, in a private
folder that goes away with the process, for clients to trust. trustme and cryptography come with `pip install
'inetcli[mock]'`; they are imported when the first certificate is needed.
"""

import atexit
import os
import shutil
import ssl
import tempfile
import threading
from functools import cache
from typing import Any

from mockservers.missing import Missing

NAMES = ("localhost", "127.0.0.1", "::1")
"""What the servers' certificate is for."""

_lock = threading.Lock()


class Authority:
    """The throw-away CA, and what it has issued. A leaf is trustme's `LeafCert`, whoever made it."""

    def __init__(self) -> None:
        self._trustme = _trustme()
        self.ca = self._trustme.CA(organization_name="mockservers")
        self._lock = threading.Lock()
        self._leafs: dict[str, Any] = {}
        self.folder = tempfile.mkdtemp(prefix="mockservers-")
        atexit.register(shutil.rmtree, self.folder, ignore_errors=True)
        self.ca_file = os.path.join(self.folder, "ca.pem")
        self.ca.cert_pem.write_to_path(self.ca_file)

    def leaf(self, kind: str = "good") -> Any:
        """A certificate with its key, by kind: "good", "client", or the name of a TLS fault."""
        with self._lock:
            if kind not in self._leafs:
                self._leafs[kind] = self._issue(kind)
            return self._leafs[kind]

    def client(self) -> Any:
        """A certificate for a client."""
        return self.leaf("client")

    def context(self, kind: str = "good") -> ssl.SSLContext:
        """A new TLS context for a server with such a certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf = self.leaf(kind)
        if kind == "weak_key":
            context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else OpenSSL does not load it
        load_chain(context, leaf.private_key_pem.bytes(), b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        return context

    def _issue(self, kind: str) -> Any:
        from mockservers.tls import issuing

        names = {"good": NAMES, "client": ("client@example.test",)}.get(kind)
        return issuing.issue(self.ca, names) if names else issuing.maker(kind)(self._trustme, self.ca)


@cache
def _authority() -> Authority:
    return Authority()


def authority() -> Authority:
    """The CA of this process."""
    with _lock:
        return _authority()


def clean_up() -> None:
    """Remove the CA's folder now: for whoever does not end as programs end."""
    with _lock:
        if _authority.cache_info().currsize:
            shutil.rmtree(_authority().folder, ignore_errors=True)


def load_chain(context: ssl.SSLContext, key: bytes, chain: bytes) -> None:
    """Give a context its certificate. OpenSSL wants a file: here one in memory, where the system has such."""
    if hasattr(os, "memfd_create"):
        descriptor, path = os.memfd_create("mockservers"), ""
        name = f"/proc/self/fd/{descriptor}"
    else:
        descriptor, path = tempfile.mkstemp(prefix="mockservers-")
        name = path
    try:
        os.write(descriptor, key + chain)
        context.load_cert_chain(name)
    finally:
        os.close(descriptor)
        if path:
            os.unlink(path)


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
