"""Hashes: of what passes by, and the server's own (HASH, draft-bryan-ftpext-hash-02).

FEAT -> HASH SHA-1;SHA-256*;MD5      what the server can make; the star is what it makes now
OPTS HASH SHA-256 -> 200             the strongest of those that we know
HASH path -> 213 SHA-256 0-49 HEX path
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from inetcli.errors import Incomplete, Refused
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.model import HASHES
from inetcli.protocols.ftp.wire import parse_hash

_PIECE = 1 << 20

Read = Callable[[int, int], bytes]
"""A function that reads a local file: offset, size."""


class Digests:
    """Some hashes of one file, by Python's names."""

    def __init__(self, names: Iterable[str]) -> None:
        self._hashes: dict[str, Any] = {name: hashlib.new(name) for name in names}

    @property
    def observer(self) -> Callable[[memoryview], object] | None:
        """A function that is to see every byte in order; None = there are no hashes to make."""
        return self._update if self._hashes else None

    def catch_up(self, read: Read, size: int) -> None:
        """Read the first `size` bytes, which the observer does not see."""
        at = 0
        while self._hashes and at < size:
            piece = read(at, min(_PIECE, size - at))
            if not piece:
                break
            self._update(memoryview(piece))
            at += len(piece)

    def __getitem__(self, name: str) -> str:
        """The hash in lower-case hex."""
        return str(self._hashes[name].hexdigest())

    def _update(self, data: memoryview) -> None:
        for digest in self._hashes.values():
            digest.update(data)


def choose_hash(control: Control) -> str:
    """Choose the strongest hash that both sides can make, and return the server's name for it.

    `Refused` when there is none.
    """
    offered = control.features().hashes
    chosen = next((name for name in HASHES if name in offered), None)
    if chosen is None:
        raise Refused(f"--verify hash: the server offers {', '.join(offered) or 'no HASH'} (FEAT)")
    if offered[0] != chosen:
        reply = control.ask("OPTS", f"HASH {chosen}")
        if reply.first != 2:
            raise Refused.from_reply(f"OPTS HASH {chosen} refused", reply)
    return chosen


def compare_hash(control: Control, path: str, name: str, ours: str, size: int) -> None:
    """Check that the server's hash of `path` is ours, of `size` bytes. `Incomplete`; `Refused` when there is none."""
    reply = control.ask("HASH", path)
    if reply.code != 213:
        raise Refused.from_reply(f"{path}: no hash", reply)
    made, end, theirs = parse_hash(reply)
    # The draft leaves open whether the range has its last byte's number or the size behind the dash.
    length = size if end in (size, size - 1) else end
    if (made, length, theirs) != (name, size, ours):
        raise Incomplete.from_reply(
            f"{path}: the server's {made} of {length} bytes is {theirs}, ours of {size} bytes is {ours}",
            reply,
            quoted=False,
        )
