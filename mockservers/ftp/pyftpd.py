"""pyftpdlib as a mock: an honest FTP server that this project did not write.

The same constructor as `FtpServer`, for what pyftpdlib has: plain or with explicit TLS, without faults. What it has not
is refused with a line that says where it is to be had. pyftpdlib keeps its settings on classes, so each server has a
handler class of its own, an I/O loop of its own, and a thread, which a socket pair wakes when it is to end.
"""

import contextlib
import logging
import os
import shutil
import socket
import tempfile
import threading
import traceback
import warnings
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from mockservers.certs import authority
from mockservers.content import FTP_FOLDERS, FTP_TIME, PASSWORD, USER, ftp_files
from mockservers.faultkinds import Armed, BadFault
from mockservers.ftp.folder import DirectoryStore
from mockservers.ftp.store import Files, Refusal, normal, utc
from mockservers.listening import Listening
from mockservers.log import Kind, Log
from mockservers.missing import Missing

STOP_S = 2.0
POLL_S = 30.0
"""How long the thread sleeps when nothing happens; the waker ends that at once."""

_TLS_ONLY = ("tls_control_required", "tls_data_required")
_ALL = "elradfmwMT"
_READ = "elr"
"""Permissions, in pyftpdlib's letters."""


class PyftpdlibServer:
    """pyftpdlib on a port of the kernel's choice, serving `directory`, or a folder of its own that goes away with it.

    The arguments are those of `FtpServer`. `log` has what was said on the control connections, `files` what is there.
    """

    name = "pyftpdlib"

    def __init__(
        self,
        files: Mapping[str, bytes] | None = None,
        *,
        directory: str | os.PathLike[str] | None = None,
        times: Mapping[str, datetime] | None = None,
        users: Mapping[str, str] | None = None,
        anonymous: bool = True,
        read_only: bool = False,
        tls: str | None = None,
        require_tls: bool = False,
        greeting: str = "pyftpdlib ready.",
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[str | Armed] = (),
        **others: object,
    ) -> None:
        if list(faults):
            raise BadFault("pyftpdlib has no faults: it is the honest one; FtpServer (ftp) has them")
        if others:
            raise TypeError(f"pyftpdlib has no {', '.join(others)}; FtpServer has")
        if tls not in (None, "explicit"):
            raise ValueError(f"pyftpdlib has plain FTP and explicit TLS, not {tls!r}; FtpServer has")
        if require_tls and not tls:
            raise ValueError("require_tls needs tls='explicit'")
        if "\n" in greeting:
            raise ValueError("pyftpdlib greets in one line; FtpServer in several")
        if directory is not None and files is not None:
            raise ValueError("directory serves what is in it: files are for a folder of the server's own")
        self._tls = tls
        self.users = dict({USER: PASSWORD} if users is None else users)
        self.log = Log()
        self.log.add_passwords(self.users)
        self._problems: list[str] = []
        self._lock = threading.Lock()
        self._stopped = False
        self._own = tempfile.mkdtemp(prefix="mockservers-") if directory is None else None
        self.root = os.fspath(directory) if directory is not None else str(self._own)
        with contextlib.ExitStack() as undo:
            undo.callback(self._remove)
            store = DirectoryStore(self.root)
            undo.callback(store.close)
            self.files = Files(store)
            self._store = store
            if self._own:
                self._fill(ftp_files() if files is None else files)
            for path, moment in (times or {}).items():
                store.set_modified(normal(path), utc(moment))
            settings = {
                "banner": greeting,
                **({"tls_control_required": True, "tls_data_required": True} if require_tls else {}),
            }
            self._begin(host, port, _READ if read_only else _ALL, settings, anonymous=anonymous)
            undo.pop_all()

    @property
    def url(self) -> str:
        """Scheme, host and port; without credentials and without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ftpes' if self._tls else 'ftp'}://{host}:{self.port}"

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

    def modified(self, path: str) -> datetime:
        """When a path was modified. KeyError when it is not there."""
        try:
            return self._store.entry(normal(path)).modified
        except Refusal:
            raise KeyError(path) from None

    def problems(self) -> list[str]:
        """What a strict test fails for: a handler that raised."""
        return [self.log.mask(text) for text in self._problems]

    def transcript(self) -> str:
        """What was said on the control connections, as lines."""
        return self.log.transcript()

    def stop(self) -> None:
        """End the thread, give the port back, remove the folder if it is the server's own. Once is enough."""
        with self._lock:
            if self._stopped:
                return
            self._stopped = True
        with contextlib.suppress(OSError):  # it has ended already
            self._wake.send(b"x")
        self._thread.join(STOP_S)
        self._wake.close()
        self._store.close()
        self._remove()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    def _remove(self) -> None:
        if self._own:
            shutil.rmtree(self._own, ignore_errors=True)

    def _fill(self, files: Mapping[str, bytes]) -> None:
        """The files, all from the same time."""
        for folder in FTP_FOLDERS[1:]:
            self._store.make_folder(folder)
        for path, data in files.items():
            self._store.put(path, data)
        for path in [*FTP_FOLDERS, *self._store.walk()]:
            self._store.set_modified(path, FTP_TIME)

    def _begin(
        self, host: str, port: int, permissions: str, settings: Mapping[str, object], *, anonymous: bool
    ) -> None:
        authorizers, handlers, ioloop, servers = _pyftpdlib()
        authorizer = authorizers.DummyAuthorizer()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns that anonymous users may write: they are meant to
            for user, password in self.users.items():
                authorizer.add_user(user, password, self.root, perm=permissions)
            if anonymous:
                authorizer.add_anonymous(self.root, perm=permissions)
        attributes = {
            "authorizer": authorizer,
            "auth_failed_timeout": 0,  # it makes a wrong password wait three seconds
            **settings,
            **_ears(handlers.FTPHandler, self.log, self._problems),
        }
        if self._tls:
            attributes["ssl_context"] = _context()
        handler = type("Handler", (handlers.TLS_FTPHandler if self._tls else handlers.FTPHandler,), attributes)
        listening = Listening(host, port, tcp=True, udp=False)
        self.host, self.port = "127.0.0.1" if host == "dual" else host, listening.port
        loop = ioloop.IOLoop()
        for sock in listening.tcp:
            servers.FTPServer(sock, handler, ioloop=loop)
        self._wake, theirs = socket.socketpair()
        self._thread = threading.Thread(target=_run, args=(ioloop, loop, theirs), name="pyftpdlib", daemon=True)
        self._thread.start()


def _context() -> Any:
    """pyOpenSSL's context with the good certificate; nothing of it is on the disk.

    TLS 1.2 and no newer: in TLS 1.3 tickets come behind the handshake, pyOpenSSL cannot do without them, and a client
    that uploads and never reads them loses the end of its file (lavv17/lftp#666).
    """
    from OpenSSL import SSL

    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_options(SSL.OP_NO_COMPRESSION)
    context.set_max_proto_version(SSL.TLS1_2_VERSION)
    authority().leaf().configure_cert(context)
    return context


def _ears(base: Any, log: Log, problems: list[str]) -> dict[str, object]:
    """Methods of a handler that write down what it hears and says, and what it trips over."""
    numbers: dict[tuple[str, int], int] = {}

    def number(handler: Any) -> int:
        return numbers.setdefault((handler.remote_ip, handler.remote_port), len(numbers) + 1)

    def pre_process_command(self: Any, line: str, cmd: str, arg: str) -> None:
        log.add(Kind.FROM_CLIENT, line, connection=number(self))
        base.pre_process_command(self, line, cmd, arg)

    def respond(self: Any, resp: str, *told: Any, **named: Any) -> None:
        log.add(Kind.TO_CLIENT, f"{resp}\r\n", connection=number(self))
        base.respond(self, resp, *told, **named)

    def log_exception(self: Any, instance: Any) -> None:
        problems.append(f"a handler raised: {traceback.format_exc(limit=-2)}")

    return {"pre_process_command": pre_process_command, "respond": respond, "log_exception": log_exception}


def _run(ioloop: Any, loop: Any, wake: socket.socket) -> None:
    """The thread: serve until something comes over `wake`, then close everything, here and nowhere else."""
    ended = threading.Event()

    class Waker:
        """As the I/O loop wants its handlers."""

        _fileno = wake.fileno()

        def readable(self) -> bool:
            return True

        def writable(self) -> bool:
            return False

        def handle_read_event(self) -> None:
            ended.set()

        handle_close = handle_error = handle_expt_event = handle_read_event

        def close(self) -> None:
            wake.close()

    loop.register(wake.fileno(), Waker(), ioloop.IOLoop.READ)
    try:
        while not ended.is_set():
            loop.loop(timeout=POLL_S, blocking=False)
    finally:
        loop.close()


class _Datetime(datetime):
    """As pyftpdlib uses it, without the warning."""

    @classmethod
    def utcfromtimestamp(cls, t: float, /) -> Self:
        return cls.fromtimestamp(t, UTC).replace(tzinfo=None)


def _pyftpdlib() -> tuple[Any, Any, Any, Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # asyncore's end is near, says 3.11
            from pyftpdlib import authorizers, handlers, ioloop, servers
            from pyftpdlib.handlers.ftp import control
    except ImportError as error:
        raise Missing(f"this server needs pyftpdlib: pip install 'inetcli[mock]' ({error})") from error
    # Where warnings are errors, MFMT would end the connection: Python 3.12 deprecates what it calls.
    control.datetime = _Datetime
    # With a handler of its own it does not set up one that writes to standard error.
    logger = logging.getLogger("pyftpdlib")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
    return authorizers, handlers, ioloop, servers
