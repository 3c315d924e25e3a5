"""Hostile listings: the entries that a fault adds, and what can be had behind their names.

A client that believes `../planted` asks for it: then there must be something to get, or nobody would see where it
writes it. So each folder's bait is put into a tree of its own in memory, which is looked at when the server's own tree
has nothing there.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from mockservers.faultkinds import Fault
from mockservers.ftp.faults import (
    ListingAbsolute,
    ListingClimbs,
    ListingCr,
    ListingEndless,
    ListingEscapes,
    ListingHuge,
    ListingLinkThenFolder,
    ListingNul,
    ListingOfItself,
    ListingRawBytes,
)
from mockservers.ftp.memory import MemoryStore
from mockservers.ftp.store import UNSPEAKABLE, Entry, FileType, normal

PLANTED = b"planted\n"
"""What is in every file of a hostile listing."""

NAMES: dict[type[Fault], tuple[str, ...]] = {
    ListingClimbs: ("../planted", "../../planted", "a/../../../planted", "..\\planted"),
    ListingAbsolute: ("/tmp/mockservers-planted", "//planted"),
    ListingEscapes: ("\x1b[31mred\x1b[0m", "\x1b]0;title\x07", "\u202etxt.exe", "line\u2028separator", "bell\x07"),
    ListingCr: ("before\rafter",),
    ListingNul: ("before\0after",),
    ListingRawBytes: ("gr\udcfcn.txt",),
}
"""Files with names that are the fault."""


def hostile(fault: Fault, now: datetime) -> Iterator[Entry]:
    """The entries of a listing that has this fault; without end, if that is the fault."""
    file = Entry("", FileType.FILE, len(PLANTED), now, 0o644, "666")
    folder = Entry("", FileType.FOLDER, 0, now, 0o755, "667")
    match fault:
        case ListingOfItself():
            yield from (replace(folder, name=name) for name in (".", "..", ""))
        case ListingHuge(entries):
            yield from (replace(file, name=f"file{number:09}") for number in range(entries))
        case ListingEndless():
            number = 0
            while True:
                yield replace(file, name=f"file{number:09}")
                number += 1
        case ListingLinkThenFolder():
            yield Entry("inside", FileType.LINK, 0, now, 0o777, "668", "../outside")
            yield replace(folder, name="inside")
        case _:
            yield from (replace(file, name=name) for name in NAMES.get(type(fault), ()))


def lay(store: MemoryStore, fault: Fault, folder: str) -> None:
    """Put what a hostile listing of that folder promises into the tree of bait."""
    names = NAMES.get(type(fault), ())
    if isinstance(fault, ListingLinkThenFolder):
        names = ("inside/planted",)
    for name in names:
        path = normal(name, folder)
        if not UNSPEAKABLE & set(path):
            store.put(path, PLANTED)
