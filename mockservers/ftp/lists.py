"""Commands that list: LIST, NLST (RFC 959 section 4.1.3) and MLSD (RFC 3659 section 7)."""

import asyncio
import fnmatch
import itertools
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator

from mockservers.ftp.bait import hostile, lay
from mockservers.ftp.listing import STYLES, facts
from mockservers.ftp.session import Session
from mockservers.ftp.store import Entry, FileType, Refusal, renamed, split
from mockservers.ftp.transfer import send

_OPTIONS = re.compile(r"(?:-[A-Za-z0-9]*(?: +|$))*")
"""`LIST -la pub`: options of `ls`, which clients send and servers skip."""

_BATCH = 500
"""Rows that are sent at a time."""


async def long_list(session: Session, argument: str) -> None:
    """LIST: for people to read, and for parsers to guess."""
    style = STYLES[session.server.listing]
    now = session.now
    asked = _without_options(argument)
    await _list(session, asked, _asked(session, asked), lambda entry: style(entry, now))


async def names(session: Session, argument: str) -> None:
    """NLST: paths that can be used as they are, so with the folder in front when one was asked for."""
    asked = _without_options(argument)
    entries = _asked(session, asked)
    prefix = asked.rpartition("/")[0]
    if asked and not _is_pattern(asked) and [entry.name for entry in entries] != [asked]:
        prefix = asked.rstrip("/")

    def row(entry: Entry) -> str:
        return entry.name if entry.name == asked or not prefix else f"{prefix}/{entry.name}"

    await _list(session, asked, entries, row)


async def machine_list(session: Session, argument: str) -> None:
    """MLSD: a folder, fact by fact."""
    path = session.path(argument)
    tree = session.tree(path)
    if tree.entry(path).type is not FileType.FOLDER:
        raise Refusal(501, f"{argument}: not a folder; MLST is for files")
    writable = not session.server.read_only
    wanted = session.state.facts
    await _list(session, argument, tree.entries(path), lambda entry: facts(entry, wanted, writable=writable))


async def _list(session: Session, asked: str, entries: list[Entry], row: Callable[[Entry], str]) -> None:
    """Rows over a data connection, each with CRLF whatever the TYPE: so do all servers."""
    added: list[Iterator[Entry]] = []
    for fault in session.shots:
        if fault.name.startswith("listing_") and session.shots.first(type(fault)):
            added.append(hostile(fault, session.now))
            lay(session.server.bait, fault, session.path(asked))
    await send(session, "here comes the listing", _rows(map(row, itertools.chain(entries, *added))))


async def _rows(rows: Iterable[str]) -> AsyncGenerator[bytes, None]:
    rows = iter(rows)
    while batch := list(itertools.islice(rows, _BATCH)):
        yield "".join(f"{row}\r\n" for row in batch).encode("utf-8", "surrogateescape")
        await asyncio.sleep(0)  # writing does not wait while there is room, and a hostile one has no end


def _asked(session: Session, asked: str) -> list[Entry]:
    """What LIST or NLST is about: a folder's entries, those that match a pattern, or one thing."""
    path = session.path(asked)
    tree = session.tree(path)
    try:
        entry = tree.entry(path)
    except Refusal:
        if not _is_pattern(asked):
            raise
        folder, pattern = split(path)
        return [entry for entry in session.store.entries(folder) if fnmatch.fnmatchcase(entry.name, pattern)]
    if entry.type is FileType.FOLDER:
        return tree.entries(path)
    return [renamed(entry, asked)]


def _without_options(argument: str) -> str:
    return _OPTIONS.sub("", argument, count=1)


def _is_pattern(text: str) -> bool:
    return any(mark in text for mark in "*?[")
