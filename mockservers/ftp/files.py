"""Commands about the tree, on the control connection: folders, sizes, times, names, digests (RFC 959, RFC 3659).

    PWD CWD CDUP MKD RMD   SIZE MDTM MFMT MLST   DELE RNFR RNTO   HASH   SITE CHMOD, SITE UTIME

MFMT is draft-somers-ftp-mfxx, HASH is draft-bryan-ftpext-hash.
"""

import asyncio
import hashlib
from datetime import UTC, datetime

from mockservers.ftp.faults import WrongSize
from mockservers.ftp.listing import facts, timestamp
from mockservers.ftp.session import Session
from mockservers.ftp.store import Refusal, renamed

DIGESTS = {"SHA-256": "sha256", "SHA-1": "sha1", "MD5": "md5"}
"""Names of HASH, and of hashlib."""


def quoted(path: str) -> str:
    """A path in a 257, RFC 959 appendix II: quotes are doubled."""
    doubled = path.replace('"', '""')
    return f'"{doubled}"'


async def where(session: Session, _argument: str) -> None:
    """PWD"""
    await session.say(257, f"{quoted(session.state.folder)} is the current folder")


async def change_folder(session: Session, argument: str) -> None:
    """CWD"""
    path = session.path(argument)
    session.tree(path).folder(path)
    session.state.folder = path
    await session.say(250, f"now in {path}")


async def up(session: Session, _argument: str) -> None:
    """CDUP"""
    await change_folder(session, "..")


async def size(session: Session, argument: str) -> None:
    """SIZE: the bytes that RETR would send, so it depends on the TYPE (RFC 3659 section 4)."""
    path = session.path(argument)
    tree = session.tree(path)
    count = tree.file(path).size
    if not session.state.binary:
        count = 0
        last = b""
        for piece in tree.read(path):
            joined = last + piece
            count += len(piece) + joined.count(b"\n") - joined.count(b"\r\n") - (last == b"\n")
            last = piece[-1:]
    if wrong := session.shots.first(WrongSize):
        count = int(count * wrong.factor)
    await session.say(213, str(count))


async def modified(session: Session, argument: str) -> None:
    """MDTM"""
    path = session.path(argument)
    await session.say(213, timestamp(session.tree(path).file(path).modified))


async def modify(session: Session, argument: str) -> None:
    """MFMT 20261122180411 path"""
    when, _, name = argument.partition(" ")
    session.server.check_writable()
    moment = _time(when)
    session.store.entry(session.path(name))
    session.store.set_modified(session.path(name), moment)
    await session.say(213, f"Modify={timestamp(moment)}; {name}")


async def one_facts(session: Session, argument: str) -> None:
    """MLST: the facts of one thing, with its whole path."""
    path = session.path(argument)
    entry = renamed(session.store.entry(path), path)
    row = facts(entry, session.state.facts, writable=not session.server.read_only)
    await session.say(250, f"Listing {argument}", f" {row}", "End")


async def delete(session: Session, argument: str) -> None:
    """DELE"""
    session.server.check_writable()
    session.store.remove(session.path(argument))
    await session.say(250, f"{argument} is gone")


async def make_folder(session: Session, argument: str) -> None:
    """MKD"""
    session.server.check_writable()
    path = session.path(argument)
    session.store.make_folder(path)
    await session.say(257, f"{quoted(path)} made")


async def remove_folder(session: Session, argument: str) -> None:
    """RMD: only an empty one."""
    session.server.check_writable()
    session.store.remove_folder(session.path(argument))
    await session.say(250, f"{argument} is gone")


async def rename_from(session: Session, argument: str) -> None:
    """RNFR: what is to have another name; RNTO must be next."""
    session.server.check_writable()
    path = session.path(argument)
    session.store.entry(path)
    session.state.rename = path
    await session.say(350, "and to?")


async def rename_to(session: Session, argument: str) -> None:
    """RNTO"""
    if session.state.rename is None:
        await session.say(503, "RNFR first")
        return
    session.store.rename(session.state.rename, session.path(argument))
    await session.say(250, f"now called {argument}")


async def digest(session: Session, argument: str) -> None:
    """HASH: of the whole file, in the way that OPTS HASH chose."""
    path = session.path(argument)
    count = session.store.file(path).size
    state = hashlib.new(DIGESTS[session.state.digest], usedforsecurity=False)
    for piece in session.store.read(path):
        state.update(piece)
        await asyncio.sleep(0)  # others have their turn
    await session.say(213, f"{session.state.digest} 0-{max(0, count - 1)} {state.hexdigest()} {argument}")


async def site(session: Session, argument: str) -> None:
    """SITE CHMOD 644 path, SITE UTIME 20261122180411 path"""
    verb, _, rest = argument.partition(" ")
    value, _, name = rest.partition(" ")
    match verb.upper():
        case "HELP":
            await session.say(214, "SITE CHMOD, SITE UTIME")
        case "CHMOD":
            session.server.check_writable()
            try:
                mode = int(value, 8)
            except ValueError:
                mode = -1
            if not 0 <= mode <= 0o7777:
                raise Refusal(501, "expected SITE CHMOD OCTAL PATH")
            session.store.set_mode(session.path(name), mode)
            await session.say(200, f"mode of {name} set")
        case "UTIME":
            session.server.check_writable()
            session.store.set_modified(session.path(name), _time(value))
            await session.say(200, f"time of {name} set")
        case _:
            await session.say(504, "SITE knows CHMOD, UTIME and HELP")


def _time(text: str) -> datetime:
    """A time as RFC 3659 section 2.3 writes it; fractions are dropped."""
    whole = text.partition(".")[0]
    if len(whole) != 14 or not whole.isascii() or not whole.isdecimal():
        raise Refusal(501, "expected a time as YYYYMMDDHHMMSS")
    try:
        return datetime.strptime(whole, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise Refusal(501, f"{text}: there is no such time") from None
