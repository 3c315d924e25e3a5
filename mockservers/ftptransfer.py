"""Transfers: RETR, STOR, STOU, APPE, LIST, NLST, MLSD, REST and ABOR (RFC 959 section 4.1.3, RFC 3659).

    C> RETR a.bin          S> 150 ...      data, and its end      S> 226 ...
                           S> 425 ...      nobody came            S> 426 ...  cut      S> 552 ...  no more room

The final reply goes out when the server has closed its side of the data connection. It does not wait for the client to
close, too: some do that only when they have read the reply.
"""

import asyncio
import errno
import fnmatch
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass

from mockservers.connection import Connection, Over
from mockservers.ftplisting import STYLES, facts
from mockservers.ftpports import DATA_S
from mockservers.ftpsession import Session, parse_command
from mockservers.ftpstore import Entry, FileType, Refusal, renamed, split

MAX_UNIQUE = 1000
_BARE_LF = re.compile(rb"(?<!\r)\n")
_OPTIONS = re.compile(r"(?:-[A-Za-z0-9]*(?: +|$))*")
"""`LIST -la pub`: options of `ls`, which clients send and servers skip."""


@dataclass(slots=True)
class Transfer:
    """What is to be done once there is a data connection: the text of the 150, the moving, and what is said of it."""

    opening: str
    move: Callable[[Connection], Awaitable[None]]
    reply: tuple[int, str] = (226, "done")


async def retrieve(session: Session, argument: str) -> None:
    """RETR: a file, from the offset of REST on."""
    path = session.path(argument)
    entry = session.store.file(path)
    offset, session.state.offset = session.state.offset, 0
    if offset > entry.size:
        raise Refusal(554, f"the file has {entry.size} bytes, REST asked for those from {offset} on")
    pieces = session.store.read(path, offset)

    async def move(data: Connection) -> None:
        async for piece in _encoded(session, pieces):
            await data.send(piece)

    size = f" ({entry.size} bytes)" if session.server.announce and session.state.binary else ""
    kind = "BINARY" if session.state.binary else "ASCII"
    await run(session, Transfer(f"opening {kind} mode data connection for {argument}{size}", move))


async def store(session: Session, argument: str) -> None:
    """STOR: a new file in place of an old one; behind REST, from that offset on."""
    path = session.path(argument)
    offset, session.state.offset = session.state.offset, 0
    if offset and offset > session.store.file(path).size:
        raise Refusal(554, f"the file is shorter than {offset} bytes")
    await _take(session, path, offset or None, f"send {argument}")


async def store_unique(session: Session, argument: str) -> None:
    """STOU: a name that is free."""
    wanted = session.path(argument or "file")
    for number in range(MAX_UNIQUE):
        path = f"{wanted}.{number}" if number else wanted
        try:
            session.store.entry(path)
        except Refusal:
            await _take(session, path, None, f"FILE: {split(path)[1]}")
            return
    raise Refusal(450, f"{MAX_UNIQUE} names are taken")


async def append(session: Session, argument: str) -> None:
    """APPE: at the end of the file, which may not be there yet."""
    path = session.path(argument)
    try:
        offset = session.store.file(path).size
    except Refusal:
        offset = 0
    session.state.offset = 0
    await _take(session, path, offset or None, f"send more of {argument}")


async def _take(session: Session, path: str, offset: int | None, opening: str) -> None:
    session.server.check_writable()
    if split(path)[1] == "":
        raise Refusal(553, "a folder is no file")

    async def move(data: Connection) -> None:
        upload = session.store.upload(path, offset, limit=session.server.max_upload)
        try:
            async for piece in _received(session, data):
                upload.write(piece)
        finally:
            upload.close()

    await run(session, Transfer(opening, move))


async def long_list(session: Session, argument: str) -> None:
    """LIST: for people to read, and for parsers to guess."""
    row = STYLES[session.server.listing]
    now = session.now
    await _listing(session, [row(entry, now) for entry in _asked(session, argument)])


async def names(session: Session, argument: str) -> None:
    """NLST: paths that can be used as they are, so with the folder in front when one was asked for."""
    prefix = _OPTIONS.sub("", argument, count=1).rpartition("/")[0]
    asked = _OPTIONS.sub("", argument, count=1)
    entries = _asked(session, argument)
    if asked and not _is_pattern(asked) and not (len(entries) == 1 and entries[0].name == asked):
        prefix = asked.rstrip("/")
    rows = [entry.name if entry.name == asked or not prefix else f"{prefix}/{entry.name}" for entry in entries]
    await _listing(session, rows)


async def machine_list(session: Session, argument: str) -> None:
    """MLSD: a folder, fact by fact."""
    path = session.path(argument)
    if session.store.entry(path).type is not FileType.FOLDER:
        raise Refusal(501, f"{argument}: not a folder; MLST is for files")
    writable = not session.server.read_only
    await _listing(
        session, [facts(entry, session.state.facts, writable=writable) for entry in session.store.entries(path)]
    )


async def restart(session: Session, argument: str) -> None:
    """REST: the offset of the next transfer."""
    if not argument.isascii() or not argument.isdecimal():
        await session.say(501, "REST takes a number of bytes")
    elif int(argument) and not session.state.binary:
        await session.say(504, "in TYPE A offsets have no meaning")
    else:
        session.state.offset = int(argument)
        await session.say(350, f"the next transfer begins at {session.state.offset}")


async def abort(session: Session, _argument: str) -> None:
    """ABOR: a transfer that there was has ended by now, with 426."""
    session.port.forget()
    await session.say(226, "nothing is on its way any more")


async def run(session: Session, transfer: Transfer) -> None:
    """The replies around a transfer, and the ear for ABOR and STAT meanwhile."""
    if not session.port.known:
        await session.say(425, "EPSV or PASV first")
        return
    if session.server.require_tls and not session.protection.private:
        session.port.forget()
        await session.say(521, "data only in private: PROT P")
        return
    data = None
    if session.port.active:
        try:
            data = await session.port.open()
        except OSError as error:  # TimeoutError is one
            await session.say(425, f"your data port cannot be reached: {os.strerror(error.errno or errno.ETIMEDOUT)}")
            return
    await session.say(150, transfer.opening)
    carrying = session.server.spawn(_carry(session, transfer, data))
    try:
        await _listen_meanwhile(session, transfer, carrying)
    finally:
        carrying.cancel()
    await session.say(*transfer.reply)


async def _listen_meanwhile(session: Session, transfer: Transfer, carrying: "asyncio.Task[None]") -> None:
    """Until the transfer has ended: ABOR ends it, STAT is answered, whatever else waits for its turn."""
    while not carrying.done():
        ahead = session.ahead()
        await asyncio.wait((carrying, ahead), return_when=asyncio.FIRST_COMPLETED)
        if not ahead.done():
            continue
        match parse_command(ahead.result()):  # `Over`: the client has left
            case ("ABOR", _):
                transfer.reply = 426, "transfer aborted"
                carrying.cancel()
                await asyncio.wait((carrying,))
                return
            case ("STAT", ""):
                await session.aside()
            case _:
                break
    await carrying


async def _carry(session: Session, transfer: Transfer, data: Connection | None) -> None:
    """Open, secure, move, close; what is to be said of it is in `transfer.reply`."""
    if data is None:
        try:
            data = await session.port.open()
        except TimeoutError:
            transfer.reply = 425, "nobody came for the data"
            return
    try:
        session.shots.arm(data)
        if session.protection.private and session.client.context:
            async with asyncio.timeout(DATA_S):
                await data.start_tls(session.client.context)
            if session.server.require_reuse and data.tls and not data.tls.session_reused:
                raise Refusal(522, "the control connection's TLS session must be resumed")
        await data.act()
        await transfer.move(data)
    except Over:
        transfer.reply = 426, "data connection closed"
    except TimeoutError:
        transfer.reply = 425, "the TLS handshake took too long"
    except Refusal as refusal:
        transfer.reply = refusal.code, refusal.text
    except BaseException:
        data.drop()
        session.server.release(data)
        raise
    session.server.spawn(_let_go(session, data))
    await asyncio.sleep(0)  # a step: its FIN goes out before the reply


async def _let_go(session: Session, data: Connection) -> None:
    """Close our side, and stay until the client has closed its own: unread input would turn the FIN into a reset."""
    try:
        await data.finish()
    finally:
        data.drop()
        session.server.release(data)


async def _encoded(session: Session, pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """A file's bytes as they are sent: in TYPE A every line ends in CRLF, whatever it ended in here."""
    last = b""
    for piece in pieces:
        if session.state.binary:
            yield piece
        else:
            yield _BARE_LF.sub(b"\r\n", last + piece)[len(last) :]
            last = piece[-1:]


async def _received(session: Session, data: Connection) -> AsyncIterator[bytes]:
    """What the client sends, as it is stored: in TYPE A lines end in LF."""
    held = b""
    while piece := await data.some():
        if session.state.binary:
            yield piece
            continue
        piece = held + piece
        held = b"\r" if piece.endswith(b"\r") else b""
        yield piece.removesuffix(b"\r").replace(b"\r\n", b"\n")
    if held:
        yield held


async def _listing(session: Session, rows: list[str]) -> None:
    """Rows over a data connection, each with CRLF whatever the TYPE: so do all servers."""

    async def move(data: Connection) -> None:
        await data.send("".join(f"{row}\r\n" for row in rows).encode("utf-8", "surrogateescape"))

    await run(session, Transfer("here comes the listing", move))


def _asked(session: Session, argument: str) -> list[Entry]:
    """What LIST or NLST is about: a folder's entries, those that match a pattern, or one thing."""
    asked = _OPTIONS.sub("", argument, count=1)
    path = session.path(asked)
    try:
        entry = session.store.entry(path)
    except Refusal:
        if not _is_pattern(asked):
            raise
        folder, pattern = split(path)
        return [entry for entry in session.store.entries(folder) if fnmatch.fnmatchcase(entry.name, pattern)]
    if entry.type is FileType.FOLDER:
        return session.store.entries(path)
    return [renamed(entry, asked)]


def _is_pattern(text: str) -> bool:
    return any(mark in text for mark in "*?[")
