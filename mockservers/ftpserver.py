"""FTP, scriptable: files in memory, passive data connections, TLS (RFC 959, RFC 2428, RFC 3659, RFC 4217).

It is small on purpose: what a client needs to get, put and list files, and every reply and byte open to faults. The
trigger `data` is about the data connection, a command about its reply; `RETR:rst@4096` and the like, where the command
has a data connection, act on the data as well, since that is where the bytes are.

`tls="explicit"` offers AUTH TLS, `tls="implicit"` begins with it; `require_tls` refuses USER before it, and
`require_reuse` wants the data connection to resume the control connection's TLS session, as vsftpd and ProFTPD do.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping

from mockservers.certs import authority
from mockservers.connection import Connection, Over
from mockservers.content import FTP_FOLDERS, PASSWORD, USER, ftp_files
from mockservers.core import Server
from mockservers.faultkinds import Armed, Fault, Reply
from mockservers.log import Kind

DATA_S = 5.0
"""How long the server waits for the client's data connection."""

MAX_UPLOAD = 256 << 20


class FtpServer(Server):
    """An FTP server whose files are a dict of absolute paths to bytes."""

    def __init__(
        self,
        files: Mapping[str, bytes] | None = None,
        *,
        users: Mapping[str, str] | None = None,
        anonymous: bool = True,
        tls: str | None = None,
        require_tls: bool = False,
        require_reuse: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[str | Armed] = (),
    ) -> None:
        given = ftp_files() if files is None else files
        self.files = {path if path.startswith("/") else f"/{path}": data for path, data in given.items()}
        self.folders = {*FTP_FOLDERS, *(path.rpartition("/")[0] or "/" for path in self.files)}
        self.users = dict({USER: PASSWORD} if users is None else users)
        self.anonymous = anonymous
        self.require_tls = require_tls
        self.require_reuse = require_reuse
        self.tls = tls
        self.context: ssl.SSLContext | None = authority().context() if tls else None
        self.name = self.scheme = {"explicit": "ftpes", "implicit": "ftps"}.get(tls or "", "ftp")
        super().__init__(host=host, port=port, faults=faults)

    @property
    def ca_file(self) -> str | None:
        return authority().ca_file if self.tls else None

    def env(self) -> dict[str, str]:
        user, password = next(iter(self.users.items()), ("", ""))
        prefix = f"MOCK_{self.name.upper()}"
        return super().env() | {f"{prefix}_USER": user, f"{prefix}_PASSWORD": password}

    async def serve(self, client: Connection) -> None:
        if self.tls == "implicit" and self.context:
            await client.start_tls(self.context)
        await client.send(b"220 mock FTP server ready\r\n")
        session = _Session(self, client)
        try:
            while not session.done:
                line = (await client.line()).decode("utf-8", "surrogateescape")
                verb, _, argument = line.partition(" ")
                await session.answer(verb.upper(), argument)
        finally:
            session.close()


class _Session:
    """One client's conversation."""

    def __init__(self, server: FtpServer, client: Connection) -> None:
        self._server = server
        self._client = client
        self._user = ""
        self._logged_in = False
        self._folder = "/"
        self._rest = 0
        self._protected = False
        self._listener: socket.socket | None = None
        self._data: asyncio.Future[Connection] | None = None
        self._rename = ""
        self.done = False

    def close(self) -> None:
        if self._listener:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None

    async def answer(self, verb: str, argument: str) -> None:
        faults = self._server.fired(verb, f"{verb} {argument}", "*")
        replies = [fault for fault in faults if isinstance(fault, Reply)]
        others = [fault for fault in faults if not isinstance(fault, Reply)]
        if replies:
            self._server.log.add(Kind.FAULT, f"{replies[0]} fired", connection=self._client.number)
            self._arm(others)
            await self._client.send(replies[0].text.encode("utf-8", "surrogateescape") + b"\r\n")
            return
        if verb in ("RETR", "STOR", "LIST", "NLST", "MLSD"):
            await self._transfer(verb, argument, others)
            return
        self._arm(others)
        await self._client.act()
        handler = self._handlers().get(verb)
        if handler is None:
            await self._say("502 not here")
        elif not self._logged_in and verb not in _BEFORE_LOGIN:
            await self._say("530 log in first")
        else:
            await handler(argument)

    def _arm(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self._client.arm(fault)

    async def _say(self, text: str) -> None:
        await self._client.send(text.encode("utf-8", "surrogateescape") + b"\r\n")

    def _handlers(self) -> dict[str, Callable[[str], Awaitable[None]]]:
        def fixed(text: str) -> Callable[[str], Awaitable[None]]:
            return lambda _: self._say(text)

        return {
            "USER": self._user_name,
            "PASS": self._password,
            "QUIT": self._quit,
            "AUTH": self._auth,
            "PBSZ": fixed("200 PBSZ=0"),
            "PROT": self._prot,
            "SYST": fixed("215 UNIX Type: L8"),
            "FEAT": self._features,
            "NOOP": fixed("200 yes"),
            "OPTS": fixed("200 yes"),
            "TYPE": fixed("200 type set"),
            "MODE": fixed("200 mode set"),
            "STRU": fixed("200 structure set"),
            "PWD": lambda _: self._say(f'257 "{self._folder}" is the current folder'),
            "CWD": self._change_folder,
            "CDUP": lambda _: self._change_folder(".."),
            "SIZE": self._size,
            "MDTM": self._modified,
            "REST": self._restart,
            "EPSV": self._extended_passive,
            "PASV": self._passive,
            "DELE": self._delete,
            "MKD": self._make_folder,
            "RMD": self._remove_folder,
            "RNFR": self._rename_from,
            "RNTO": self._rename_to,
            "ABOR": fixed("226 nothing to abort"),
        }

    async def _user_name(self, name: str) -> None:
        if self._server.require_tls and not self._client.tls:
            await self._say("530 TLS first")
            return
        self._user, self._logged_in = name, False
        await self._say("331 password please")

    async def _password(self, password: str) -> None:
        anonymous = self._server.anonymous and self._user in ("anonymous", "ftp")
        self._logged_in = anonymous or (bool(self._user) and self._server.users.get(self._user) == password)
        await self._say("230 welcome" if self._logged_in else "530 wrong user or password")

    async def _quit(self, _argument: str) -> None:
        self.done = True
        await self._say("221 bye")

    async def _auth(self, kind: str) -> None:
        if kind.upper() not in ("TLS", "TLS-C", "SSL") or self._server.tls != "explicit" or not self._server.context:
            await self._say("504 no such security")
            return
        await self._say("234 go on")
        await self._client.start_tls(self._server.context)

    async def _features(self, _argument: str) -> None:
        secure = ["AUTH TLS", "PBSZ", "PROT"] if self._server.tls == "explicit" else []
        names = ["SIZE", "MDTM", "EPSV", "REST STREAM", "UTF8", *secure]
        await self._say("\r\n ".join(["211-Features:", *names]) + "\r\n211 End")

    async def _prot(self, level: str) -> None:
        self._protected = level.upper() == "P"
        await self._say("200 protection set" if level.upper() in ("P", "C") else "536 not that level")

    def _path(self, argument: str) -> str:
        parts: list[str] = []
        start = argument if argument.startswith("/") else f"{self._folder}/{argument}"
        for part in start.split("/"):
            if part == "..":
                parts = parts[:-1]
            elif part not in ("", "."):
                parts.append(part)
        return "/" + "/".join(parts)

    async def _change_folder(self, argument: str) -> None:
        path = self._path(argument)
        if path in self._server.folders:
            self._folder = path
            await self._say("250 done")
        else:
            await self._say("550 no such folder")

    async def _size(self, argument: str) -> None:
        data = self._server.files.get(self._path(argument))
        await self._say("550 no such file" if data is None else f"213 {len(data)}")

    async def _modified(self, argument: str) -> None:
        known = self._path(argument) in self._server.files
        await self._say("213 20261122180411" if known else "550 no such file")

    async def _restart(self, argument: str) -> None:
        self._rest = int(argument) if argument.isdigit() else 0
        await self._say(f"350 at {self._rest}")

    async def _extended_passive(self, _argument: str) -> None:
        port = await self._listen()
        await self._say(f"229 entering extended passive mode (|||{port}|)")

    async def _passive(self, _argument: str) -> None:
        if ":" in self._client.host:
            await self._say("522 use EPSV")
            return
        port = await self._listen()
        host = self._client.host.replace(".", ",")
        await self._say(f"227 entering passive mode ({host},{port >> 8},{port & 255})")

    async def _listen(self) -> int:
        """A port for the next data connection, on the control connection's address."""
        self.close()
        loop = asyncio.get_running_loop()
        self._data = future = loop.create_future()
        self._listener = sock = self._server.data_listener(self._client.host)

        def ready() -> None:
            try:
                accepted, _ = sock.accept()
            except OSError:
                return
            finally:
                self.close()
            connection = self._server.connection(accepted, "data")
            if future.done():
                connection.drop()
            else:
                future.set_result(connection)

        loop.add_reader(sock, ready)
        return int(sock.getsockname()[1])

    async def _transfer(self, verb: str, argument: str, faults: list[Fault]) -> None:
        path = self._path(argument)
        if not self._logged_in:
            await self._say("530 log in first")
            return
        if verb == "RETR" and path not in self._server.files:
            await self._say("550 no such file")
            return
        if self._data is None:
            await self._say("425 EPSV or PASV first")
            return
        await self._say("150 here it comes" if verb != "STOR" else "150 send it")
        try:
            async with asyncio.timeout(DATA_S):
                data = await self._data
        except TimeoutError:
            await self._say("425 nobody came for the data")
            return
        finally:
            self._data = None
        for fault in faults:
            data.arm(fault)
        try:
            await self._move(data, verb, path)
            await data.finish()
        except Over:
            await data.finish()
            await self._say("426 data connection closed")
            return
        finally:
            data.drop()
            self._server.release(data)
            self._rest = 0
        await self._say("226 done")

    async def _move(self, data: Connection, verb: str, path: str) -> None:
        if self._protected and self._server.context:
            await data.start_tls(self._server.context)
            if self._server.require_reuse and data.tls and not data.tls.session_reused:
                raise Over
        await data.act()
        match verb:
            case "RETR":
                await data.send(self._server.files[path][self._rest :])
            case "STOR":
                await self._receive(data, path)
            case _:
                await data.send(self._listing(path, names_only=verb == "NLST"))

    async def _receive(self, data: Connection, path: str) -> None:
        received = bytearray()
        while piece := await data.some():
            received += piece
            if len(received) > MAX_UPLOAD:
                raise Over
        self._server.files[path] = bytes(received)

    def _listing(self, path: str, *, names_only: bool) -> bytes:
        prefix = path.rstrip("/") + "/"
        lines = []
        for known, data in sorted(self._server.files.items()):
            name = known.removeprefix(prefix)
            if known.startswith(prefix) and "/" not in name:
                lines.append(name if names_only else f"-rw-r--r-- 1 ftp ftp {len(data):>12} Nov 22 18:04 {name}")
        for folder in sorted(self._server.folders):
            name = folder.removeprefix(prefix)
            if folder.startswith(prefix) and name and "/" not in name:
                lines.append(name if names_only else f"drwxr-xr-x 1 ftp ftp {0:>12} Nov 22 18:04 {name}")
        return "".join(line + "\r\n" for line in lines).encode("utf-8", "surrogateescape")

    async def _delete(self, argument: str) -> None:
        gone = self._server.files.pop(self._path(argument), None)
        await self._say("550 no such file" if gone is None else "250 done")

    async def _make_folder(self, argument: str) -> None:
        self._server.folders.add(self._path(argument))
        await self._say(f'257 "{self._path(argument)}" made')

    async def _remove_folder(self, argument: str) -> None:
        known = self._path(argument) in self._server.folders
        self._server.folders.discard(self._path(argument))
        await self._say("250 done" if known else "550 no such folder")

    async def _rename_from(self, argument: str) -> None:
        self._rename = self._path(argument)
        await self._say("350 and to?" if self._rename in self._server.files else "550 no such file")

    async def _rename_to(self, argument: str) -> None:
        data = self._server.files.pop(self._rename, None)
        if data is None:
            await self._say("503 RNFR first")
            return
        self._server.files[self._path(argument)] = data
        await self._say("250 done")


_BEFORE_LOGIN = ("USER", "PASS", "QUIT", "AUTH", "PBSZ", "PROT", "FEAT", "SYST", "NOOP", "OPTS")
