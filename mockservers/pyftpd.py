"""pyftpdlib as a mock: an honest FTP server that this project did not write.

The same constructor as `FtpServer`, plain or with explicit TLS, without faults: those are refused with a line that says
where to find them. pyftpdlib keeps its settings on classes, so each server has a handler class of its own, an I/O loop
of its own, and a thread, which a socket pair wakes when it is to end.
"""

import contextlib
import logging
import os
import shutil
import socket
import tempfile
import threading
import warnings
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Self

from mockservers.certs import Missing, authority
from mockservers.content import FTP_FOLDERS, PASSWORD, USER, ftp_files
from mockservers.faultkinds import Armed, BadFault

STOP_S = 2.0


class PyftpdlibServer:
    """pyftpdlib on a port of the kernel's choice, serving a folder of its own that goes away with it."""

    name = "pyftpdlib"

    def __init__(
        self,
        files: Mapping[str, bytes] | None = None,
        *,
        users: Mapping[str, str] | None = None,
        anonymous: bool = True,
        tls: str | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[str | Armed] = (),
    ) -> None:
        if list(faults):
            raise BadFault("pyftpdlib has no faults: it is the honest one; FtpServer (ftp) has them")
        if tls not in (None, "explicit"):
            raise ValueError(f"pyftpdlib has plain FTP and explicit TLS, not {tls!r}")
        self._tls = tls
        self.users = dict({USER: PASSWORD} if users is None else users)
        self.root = tempfile.mkdtemp(prefix="mockservers-")
        self._stopped = False
        try:
            self._write(ftp_files() if files is None else files)
            self._begin(host, port, anonymous)
        except BaseException:
            shutil.rmtree(self.root, ignore_errors=True)
            raise

    @property
    def url(self) -> str:
        """Scheme, host and port; without credentials and without a slash at the end."""
        return f"{'ftpes' if self._tls else 'ftp'}://{self.host}:{self.port}"

    @property
    def ca_file(self) -> str | None:
        """The file of the CA to trust, where TLS is spoken."""
        return authority().ca_file if self._tls else None

    def env(self) -> dict[str, str]:
        """What a child process needs to find the server."""
        user, password = next(iter(self.users.items()), ("", ""))
        values = {"URL": self.url, "HOST": self.host, "PORT": str(self.port), "USER": user, "PASSWORD": password}
        return {f"MOCK_PYFTPDLIB_{key}": value for key, value in values.items()} | (
            {"MOCK_CA_FILE": self.ca_file} if self.ca_file else {}
        )

    def problems(self) -> list[str]:
        """None: there is nothing here that a strict test fails for."""
        return []

    def transcript(self) -> str:
        """pyftpdlib does not say what it did."""
        return ""

    def stop(self) -> None:
        """End the thread, give the port back, remove the folder. Once is enough."""
        if self._stopped:
            return
        self._stopped = True
        self._wake.send(b"x")
        self._thread.join(STOP_S)
        self._wake.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _write(self, files: Mapping[str, bytes]) -> None:
        for folder in FTP_FOLDERS:
            os.makedirs(self._local(folder), exist_ok=True)
        for path, data in files.items():
            os.makedirs(os.path.dirname(self._local(path)), exist_ok=True)
            with open(self._local(path), "wb") as file:
                file.write(data)

    def _local(self, path: str) -> str:
        return os.path.join(self.root, path.lstrip("/"))

    def _begin(self, host: str, port: int, anonymous: bool) -> None:
        authorizers, handlers, ioloop, servers = _pyftpdlib()
        authorizer = authorizers.DummyAuthorizer()
        for user, password in self.users.items():
            authorizer.add_user(user, password, self.root, perm="elradfmwMT")
        if anonymous:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # it warns that anonymous users may write: they are meant to
                authorizer.add_anonymous(self.root, perm="elradfmwMT")
        kind = handlers.TLS_FTPHandler if self._tls else handlers.FTPHandler
        attributes: dict[str, Any] = {"authorizer": authorizer, "banner": "pyftpdlib ready."}
        if self._tls:
            attributes["certfile"] = self._certificate()
        handler = type("Handler", (kind,), attributes)
        loop = ioloop.IOLoop()
        server = servers.FTPServer((host, port), handler, ioloop=loop)
        self.host, self.port = server.address[:2]
        ours, theirs = socket.socketpair()
        self._wake = ours
        self._thread = threading.Thread(target=_run, args=(ioloop, loop, server, theirs), name="pyftpdlib", daemon=True)
        self._thread.start()

    def _certificate(self) -> str:
        """Chain and key in one private file: pyftpdlib reads them by name."""
        leaf = authority().leaf()
        path = os.path.join(authority().folder, "pyftpdlib.pem")
        if not os.path.exists(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "wb") as file:
                file.write(leaf.private_key_pem.bytes() + b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
        return path


def _run(ioloop: Any, loop: Any, server: Any, wake: socket.socket) -> None:
    """The thread: serve until something comes over `wake`, then close everything, here and nowhere else."""
    ended = threading.Event()

    class Waker:
        """As the I/O loop wants its handlers."""

        def readable(self) -> bool:
            return True

        def writable(self) -> bool:
            return False

        def handle_read_event(self) -> None:
            ended.set()

        handle_close = handle_error = handle_expt_event = handle_read_event

    loop.register(wake.fileno(), Waker(), ioloop.IOLoop.READ)
    try:
        while not ended.is_set():
            loop.loop(timeout=30, blocking=False)
    finally:
        with contextlib.suppress(Exception):
            loop.unregister(wake.fileno())
        server.close_all()
        wake.close()


def _pyftpdlib() -> tuple[Any, Any, Any, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # asyncore's end is near, says 3.11
            from pyftpdlib import authorizers, handlers, ioloop, servers
    except ImportError as error:
        raise Missing(f"this server needs pyftpdlib: pip install 'inetcli[mock]' ({error})") from error
    # With a handler of its own it does not set up one that writes to standard error.
    logger = logging.getLogger("pyftpdlib")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    return authorizers, handlers, ioloop, servers
