"""One client's control connection: commands in, replies out, in order (RFC 959 sections 4 and 5).

A command is a function `async (session, argument)`; the modules beside this one bring them, by theme: `access` (who,
and how secure), `info` (what the server is), `files` (the tree), `ports` (where data goes), `exchange` and
`lists` (data). What is said while data is on its way waits for its turn, except ABOR and STAT, which are about that
very transfer (RFC 959 section 4.1.3).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from mockservers.connection import Connection
from mockservers.connection import encode_reply as encode_line
from mockservers.faultkinds import Reply
from mockservers.ftp.faults import ReplyTwice
from mockservers.ftp.listing import FACTS
from mockservers.ftp.mischief import spoil_command
from mockservers.ftp.ports import DataPort
from mockservers.ftp.store import Refusal, Store, normal
from mockservers.script import Shots

if TYPE_CHECKING:
    from mockservers.ftp.server import FtpServer

MAX_COMMAND = 4096
"""Bytes of a line that is looked at, as vsftpd has it: a path of PATH_MAX fits."""

_TELNET = b"\xff\xf2\xf4"
"""IAC, DM and IP, which clients send before ABOR, RFC 959 section 4.1.3. No command begins with one of them."""


@dataclass(frozen=True, slots=True)
class Command:
    """What answers a verb. `login`: only after it; `feature`: the line of FEAT that it belongs to."""

    run: Callable[["Session", str], Awaitable[None]]
    login: bool = True
    feature: str = ""


@dataclass(slots=True)
class State:
    """What a client has set so far; REIN and AUTH begin anew."""

    user: str = ""
    logged_in: bool = False
    folder: str = "/"
    binary: bool = False
    offset: int = 0
    rename: str | None = None
    facts: tuple[str, ...] = FACTS
    digest: str = "SHA-256"


@dataclass(slots=True)
class Protection:
    """RFC 4217: what was agreed about TLS on data connections."""

    sized: bool = False
    private: bool = False


@dataclass(slots=True)
class Session:
    """One client's conversation."""

    server: "FtpServer"
    client: Connection
    commands: Mapping[str, Command]
    state: State = field(default_factory=State)
    protection: Protection = field(default_factory=Protection)
    shots: Shots = field(default_factory=lambda: Shots([]))
    done: bool = False
    port: DataPort = field(init=False)
    _ahead: "asyncio.Task[bytes] | None" = None

    def __post_init__(self) -> None:
        self.port = DataPort(self.server, self.client)
        # ABOR comes as urgent data from some: without this its last byte, the line end, is kept apart.
        self.client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)

    @property
    def store(self) -> Store:
        return self.server.store

    @property
    def now(self) -> datetime:
        return self.server.now()

    async def converse(self) -> None:
        """Answer command after command until the client has left."""
        try:
            while not self.done:
                await self._answer(await self._line())
        finally:
            self.port.forget()
            if self._ahead:
                self._ahead.cancel()
                await asyncio.wait((self._ahead,))  # it reads from a socket that is about to be closed

    async def say(self, code: int, *lines: str) -> None:
        """A reply in one write; several lines as RFC 959 section 4.2 has them."""
        reply = encode_reply(code, *lines)
        await self.client.send(reply * 2 if self.shots.first(ReplyTwice) else reply)

    async def hush(self) -> None:
        """Say nothing any more, whatever the client says, until it leaves (`Over`)."""
        while True:
            await self._line()

    def tree(self, path: str) -> Store:
        """The store that has something there: that of bait when the server's own has not."""
        return self.server.tree(path)

    def path(self, argument: str) -> str:
        """A path as the client means it, from where it is."""
        return normal(argument, self.state.folder)

    def ahead(self) -> "asyncio.Task[bytes]":
        """The next line, read while something else goes on. It is not lost: `_line` takes it from here."""
        if self._ahead is None:
            self._ahead = asyncio.get_running_loop().create_task(self.client.line())
            self._ahead.add_done_callback(_seen)
        return self._ahead

    async def _line(self) -> bytes:
        if self._ahead is None:
            return await self.client.line()
        task = self._ahead
        try:
            return await task
        finally:
            self._ahead = None

    async def aside(self) -> None:
        """Answer the line that was read ahead, and forget nothing of the command at hand."""
        shots = self.shots
        await self._answer(await self._line())
        self.shots = shots

    async def _answer(self, line: bytes) -> None:
        if len(line) > MAX_COMMAND:
            await self.say(500, f"a command has at most {MAX_COMMAND} bytes")
            return
        verb, argument = parse_command(line)
        if await self._faulty(verb, argument) or await spoil_command(self, transfer=verb in TRANSFERS):
            return
        command = self.commands.get(verb)
        if command is None:
            await self.say(500, f"{verb or 'an empty line'}: not a command")
        elif not self.server.offers(command.feature) or not self.server.offers(verb):
            await self.say(502, f"{verb}: not here")
        elif command.login and not self.state.logged_in:
            await self.say(530, "log in first")
        else:
            try:
                await command.run(self, argument)
            except Refusal as refusal:
                await self.say(refusal.code, refusal.text)
        if verb != "RNFR":
            self.state.rename = None  # "must be immediately followed by", RFC 959

    async def _faulty(self, verb: str, argument: str) -> bool:
        """What the script has for this command. True = a `reply(...)` has answered it."""
        self.shots = self.server.happened(self.client, verb, f"{verb} {argument}")
        if verb not in TRANSFERS or self.shots.has(Reply):
            self.shots.arm(self.client)
            await self.client.act()
        reply = self.shots.reply
        if reply is not None:
            await self.client.send(encode_line(reply))
        return reply is not None


TRANSFERS = frozenset(("RETR", "STOR", "STOU", "APPE", "LIST", "NLST", "MLSD"))
"""Commands with a data connection: a fault on them is about that, since that is where the bytes are."""


def parse_command(line: bytes) -> tuple[str, str]:
    """Verb and argument. The argument is all behind the first blank: names may begin and end with blanks."""
    verb, _, argument = line.lstrip(_TELNET).decode("utf-8", "surrogateescape").partition(" ")
    return verb.upper(), argument


def encode_reply(code: int, *lines: str) -> bytes:
    """A reply of one line or several: each line but the last as it is, the first with code and hyphen."""
    *first, last = [part for line in lines for part in line.split("\n")] or [""]
    if first:
        first[0] = f"{code}-{first[0]}"
    text = "".join(f"{line}\r\n" for line in [*first, f"{code} {last}"])
    return text.encode("utf-8", "surrogateescape")


def _seen(task: "asyncio.Task[bytes]") -> None:
    """Nobody may come to ask how it ended: the client's leaving is then not worth a warning."""
    if not task.cancelled():
        task.exception()
