"""How FTP's faults are carried out on the control connection, and at their byte of a transfer."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mockservers.connection import Connection, Over
from mockservers.connection import encode_reply as encode_line
from mockservers.faultkinds import Cut
from mockservers.ftp.faults import (
    ClearText,
    EarlyFinalReply,
    EndlessReply,
    EpsvRefused,
    FinalReply,
    LateFinalReply,
    NoFinalReply,
    NoReply,
    Partial,
    PipelinedDropped,
    RefusedAndClosed,
    ShuttingDown,
    Unimplemented,
)

if TYPE_CHECKING:
    from mockservers.ftp.session import Session

CHUNK = 4096
"""Bytes of an endless reply that are written at a time."""

GOODBYE = "421 the server is shutting down"


class Ended(Exception):
    """A fault has ended a transfer; what is to be said of it has been settled."""


@dataclass(slots=True)
class Outcome:
    """What is to be said of a transfer in the end: code and text, or a line as it is, or nothing any more."""

    reply: tuple[int, str] | str | None = (226, "done")


async def spoil_command(session: "Session", *, transfer: bool) -> bool:
    """Carry out what this command has coming, before it is looked at. True = it has been dealt with."""
    shots, client = session.shots, session.client
    if shots.has(PipelinedDropped) and client.discard():
        shots.first(PipelinedDropped)
    if shots.first(NoReply):
        return True
    if shots.first(EpsvRefused):
        await session.say(500, "EPSV: not a command")
    elif shots.first(Unimplemented):
        await session.say(502, "not implemented")
    elif refused := shots.first(RefusedAndClosed):
        await client.send(encode_line(refused.text) + encode_line(GOODBYE))
        session.done = True
    elif not transfer and shots.first(ShuttingDown):
        await client.send(encode_line(GOODBYE))
        session.done = True
    elif clear := shots.first(ClearText):
        await client.write_clear(encode_line(clear.text))
        client.tls = None  # no close_notify: whoever speaks past TLS knows none
        session.done = True
    elif shots.first(EndlessReply):
        await _go_on_forever(client)
    else:
        return False
    return True


async def _go_on_forever(client: Connection) -> None:
    line = b"230-and another thing\r\n"
    while True:
        await client.send(line * (CHUNK // len(line)))
        await asyncio.sleep(0)  # writing does not wait while there is room


async def conclude(session: "Session", outcome: Outcome) -> None:
    """The final reply of a transfer."""
    shots = session.shots
    reply = outcome.reply
    if reply is not None and reply[0] == 226:
        if late := shots.first(LateFinalReply):
            await asyncio.sleep(late.seconds)
        if shots.first(NoFinalReply):
            await session.hush()
        if other := shots.first(FinalReply):
            reply = other.text
    match reply:
        case str():
            await session.client.send(encode_line(reply))
        case (code, text):
            await session.say(code, text)


@dataclass(frozen=True, slots=True)
class _Moment:
    """A byte of the data at which something happens."""

    at: int
    act: Callable[[], Awaitable[None]]


async def metered(
    session: "Session", data: Connection, pieces: AsyncGenerator[bytes, None], outcome: Outcome, *, upload: bool
) -> AsyncGenerator[bytes, None]:
    """The pieces of a transfer, cut where a fault acts. `Ended` or `Over` when it ends the transfer."""
    moments = _moments(session, data, pieces, outcome, upload=upload)
    done = 0
    while moments and moments[0].at == 0:
        await moments.pop(0).act()
    async with aclosing(pieces):
        async for whole in pieces:
            piece = whole
            while moments and moments[0].at <= done + len(piece):
                moment = moments.pop(0)
                before, piece = piece[: moment.at - done], piece[moment.at - done :]
                done = moment.at
                if before:
                    yield before
                await moment.act()
            done += len(piece)
            if piece or not whole:
                yield piece


def _moments(
    session: "Session", data: Connection, pieces: AsyncGenerator[bytes, None], outcome: Outcome, *, upload: bool
) -> list[_Moment]:
    """What happens in a transfer, in the order of bytes. The transport counts only what goes out: what it is to do
    at a byte of an upload is here, too."""
    moments: list[_Moment] = []
    for fault in session.shots:
        match fault:
            case Partial(code, at):
                moments.append(_Moment(at, lambda code=code: _stop(session, pieces, outcome, code, upload=upload)))  # type: ignore[misc]
            case EarlyFinalReply(at):
                moments.append(_Moment(at, lambda: _early(session, outcome)))
            case ShuttingDown(at):
                moments.append(_Moment(at, lambda: _shut_down(session, outcome)))
            case Cut() if upload and fault.at:
                moments.append(_Moment(fault.at, lambda cut=fault: _cut(session, data, cut)))  # type: ignore[misc]
    return sorted(moments, key=lambda moment: moment.at)


async def _stop(
    session: "Session", pieces: AsyncGenerator[bytes, None], outcome: Outcome, code: int, *, upload: bool
) -> None:
    session.shots.first(Partial)
    if upload and code < 400:
        async for _ in pieces:  # taken with a smile, and thrown away
            pass
    outcome.reply = code, "done" if code < 400 else "that is all there will be"
    raise Ended


async def _early(session: "Session", outcome: Outcome) -> None:
    session.shots.first(EarlyFinalReply)
    await session.say(226, "done")
    outcome.reply = None


async def _shut_down(session: "Session", outcome: Outcome) -> None:
    session.shots.first(ShuttingDown)
    await session.client.send(encode_line(GOODBYE))
    session.done = True
    outcome.reply = None
    raise Ended


async def _cut(session: "Session", data: Connection, cut: Cut) -> None:
    session.shots.first(type(cut))
    data.arm(type(cut)())
    await data.act()
    raise Over
