"""Transfers: the data connection, the replies around it, and the ear for ABOR meanwhile (RFC 959 section 4.1.3).

    C> RETR a.bin          S> 150 ...      data, and its end      S> 226 ...
                           S> 425 ...      nobody came            S> 426 ...  cut      S> 552 ...  no more room

The final reply goes out when the server has closed its side of the data connection. It does not wait for the client to
close, too: some do that only when they have read the reply.
"""

import asyncio
import errno
import os
import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field

from mockservers.connection import Connection, Over
from mockservers.ftp.faults import ClearData, DataBeforeOpening, NoData, ReuseRequired
from mockservers.ftp.mischief import Ended, Outcome, conclude, metered
from mockservers.ftp.ports import DATA_S
from mockservers.ftp.session import Session, parse_command
from mockservers.ftp.store import Refusal, Upload

_BARE_LF = re.compile(rb"(?<!\r)\n")

Move = Callable[[Connection, Outcome], Awaitable[None]]


@dataclass(slots=True)
class _Transfer:
    """What is to be done once there is a data connection, the text of the 150, and what is said in the end."""

    opening: str
    move: Move
    upload: bool
    outcome: Outcome = field(default_factory=Outcome)


async def send(session: Session, opening: str, pieces: AsyncGenerator[bytes, None]) -> None:
    """Send these pieces over a data connection, and say how it went."""

    async def move(data: Connection, outcome: Outcome) -> None:
        async with aclosing(metered(session, data, pieces, outcome, upload=False)) as metered_pieces:
            async for piece in metered_pieces:
                await data.send(piece)

    await _run(session, _Transfer(opening, move, upload=False))


async def take(session: Session, opening: str, begin: Callable[[], Upload]) -> None:
    """Take a file over a data connection, and say how it went."""

    async def move(data: Connection, outcome: Outcome) -> None:
        upload = begin()
        try:
            pieces = _received(session, data)
            async with aclosing(metered(session, data, pieces, outcome, upload=True)) as metered_pieces:
                async for piece in metered_pieces:
                    upload.write(piece)
        finally:
            upload.close()

    await _run(session, _Transfer(opening, move, upload=True))


async def encoded(session: Session, pieces: Iterable[bytes]) -> AsyncGenerator[bytes, None]:
    """A file's bytes as they are sent: in TYPE A every line ends in CRLF, whatever it ended in here."""
    last = b""
    for piece in pieces:
        if session.state.binary:
            yield piece
        else:
            yield _BARE_LF.sub(b"\r\n", last + piece)[len(last) :]
            last = piece[-1:]


async def _received(session: Session, data: Connection) -> AsyncGenerator[bytes, None]:
    """What the client sends, as it is stored: in TYPE A lines end in LF."""
    held = b""
    while piece := await data.some():
        if session.state.binary:
            yield piece
            continue
        text = held + piece
        held = b"\r" if text.endswith(b"\r") else b""
        yield text.removesuffix(b"\r").replace(b"\r\n", b"\n")
    if held:
        yield held


async def _run(session: Session, transfer: _Transfer) -> None:
    """The replies around a transfer."""
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
    late = session.shots.first(DataBeforeOpening)
    if not late:
        await session.say(150, transfer.opening)
    carrying = session.server.spawn(_carry(session, transfer, data))
    try:
        await _listen_meanwhile(session, transfer.outcome, carrying)
    finally:
        carrying.cancel()
    if late:
        await session.say(150, transfer.opening)
    await conclude(session, transfer.outcome)


async def _listen_meanwhile(session: Session, outcome: Outcome, carrying: "asyncio.Task[None]") -> None:
    """Until the transfer has ended: ABOR ends it, STAT is answered, whatever else waits for its turn."""
    while not carrying.done():
        ahead = session.ahead()
        await asyncio.wait((carrying, ahead), return_when=asyncio.FIRST_COMPLETED)
        if not ahead.done():
            continue
        match parse_command(ahead.result()):  # `Over`: the client has left
            case ("ABOR", _):
                outcome.reply = 426, "transfer aborted"
                carrying.cancel()
                await asyncio.wait((carrying,))
                return
            case ("STAT", ""):
                await session.aside()
            case _:
                break
    await carrying


async def _carry(session: Session, transfer: _Transfer, data: Connection | None) -> None:
    """Open, secure, move, close; what is to be said of it is in the outcome."""
    outcome = transfer.outcome
    if data is None:
        try:
            data = await session.port.open()
        except TimeoutError:
            outcome.reply = 425, "nobody came for the data"
            return
    try:
        session.shots.arm(data)
        if none := session.shots.first(NoData):
            outcome.reply = none.text
            raise Ended
        await _secure(session, data, tickets=not transfer.upload)
        await data.act()
        await transfer.move(data, outcome)
    except Ended:
        pass
    except Over:
        outcome.reply = 426, "data connection closed"
    except TimeoutError:
        outcome.reply = 425, "the TLS handshake took too long"
    except Refusal as refusal:
        outcome.reply = refusal.code, refusal.text
    except BaseException:
        data.drop()
        session.server.release(data)
        raise
    session.server.spawn(_let_go(session, data))
    await asyncio.sleep(0)  # a step: its FIN goes out before the reply


async def _secure(session: Session, data: Connection, *, tickets: bool) -> None:
    """TLS on the data connection, as PROT P wants it."""
    if not session.protection.private or session.client.context is None or session.shots.first(ClearData):
        return
    async with asyncio.timeout(DATA_S):
        await data.start_tls(session.client.context, tickets=tickets)
    wanted = session.server.require_reuse or session.shots.has(ReuseRequired)
    if wanted and data.tls and not data.tls.session_reused:
        session.shots.first(ReuseRequired)
        raise Refusal(522, "the control connection's TLS session must be resumed")


async def _let_go(session: Session, data: Connection) -> None:
    """Close our side, and stay until the client has closed its own: unread input would turn the FIN into a reset."""
    try:
        await data.finish()
    finally:
        data.drop()
        session.server.release(data)
