"""Commands that exchange a file: RETR STOR STOU APPE, and REST and ABOR (RFC 959 section 4.1.3, RFC 3659 section 5)."""

from mockservers.ftp.faults import RestIgnored
from mockservers.ftp.session import Session
from mockservers.ftp.store import Refusal, split
from mockservers.ftp.transfer import encoded, send, take

MAX_UNIQUE = 1000


async def retrieve(session: Session, argument: str) -> None:
    """RETR: a file, from the offset of REST on."""
    path = session.path(argument)
    tree = session.tree(path)
    size = tree.file(path).size
    offset, session.state.offset = session.state.offset, 0
    if offset > size:
        raise Refusal(554, f"the file has {size} bytes, REST asked for those from {offset} on")
    kind = "BINARY" if session.state.binary else "ASCII"
    told = f" ({size} bytes)" if session.server.announce and session.state.binary else ""
    opening = f"opening {kind} mode data connection for {argument}{told}"
    await send(session, opening, encoded(session, tree.read(path, offset)))


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


async def restart(session: Session, argument: str) -> None:
    """REST: the offset of the next transfer."""
    if not argument.isascii() or not argument.isdecimal():
        await session.say(501, "REST takes a number of bytes")
    elif int(argument) and not session.state.binary:
        await session.say(504, "in TYPE A offsets have no meaning")
    else:
        session.state.offset = 0 if session.shots.first(RestIgnored) else int(argument)
        await session.say(350, f"the next transfer begins at {int(argument)}")


async def abort(session: Session, _argument: str) -> None:
    """ABOR: a transfer that there was has ended by now, with 426."""
    session.port.forget()
    await session.say(226, "nothing is on its way any more")


async def _take(session: Session, path: str, offset: int | None, opening: str) -> None:
    session.server.check_writable()
    if path == "/":
        raise Refusal(553, "a folder is no file")
    limit = session.server.max_upload
    await take(session, opening, lambda: session.store.upload(path, offset, limit=limit))
