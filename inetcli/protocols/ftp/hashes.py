"""Hashes of files: digests of the transferred bytes, and the server's hash (HASH, draft-bryan-ftpext-hash-02).

FEAT -> HASH SHA-1;SHA-256*;MD5      the algorithms of the server; the star marks the current one
OPTS HASH SHA-256 -> 200             selects the strongest algorithm that both sides support
HASH path -> 213 SHA-256 0-49 HEX path
"""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

from inetcli.errors import Incomplete, Refused
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.model import HASHES
from inetcli.protocols.ftp.wire import parse_hash

_CHUNK = 1 << 20

Read = Callable[[int, int], bytes]
"""A function that reads bytes of a local file: offset, size."""


class Digests:
    """Several hashes of one file, by Python's names of the algorithms."""

    def __init__(self, names: Iterable[str]) -> None:
        self._hashes: dict[str, Any] = {name: hashlib.new(name) for name in names}

    @property
    def observer(self) -> Callable[[memoryview], object] | None:
        """The function that must receive every byte in order; None = no hashes are needed."""
        return self._update if self._hashes else None

    def hash_prefix(self, read: Read, size: int) -> None:
        """Read and hash the first `size` bytes of the file, which the observer does not receive."""
        offset = 0
        while self._hashes and offset < size:
            chunk = read(offset, min(_CHUNK, size - offset))
            if not chunk:
                break
            self._update(memoryview(chunk))
            offset += len(chunk)

    def __getitem__(self, name: str) -> str:
        """Return the hash in lower-case hex."""
        return str(self._hashes[name].hexdigest())

    def _update(self, data: memoryview) -> None:
        for digest in self._hashes.values():
            digest.update(data)


def choose_hash(control: Control) -> str:
    """Select the strongest hash algorithm that both sides support, and return the server's name for it.

    Errors: `Refused` if there is none.
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


def compare_hash(control: Control, path: str, name: str, local_hash: str, size: int) -> None:
    """Compare the server's hash of `path` with the local hash, which is that of `size` bytes.

    Errors: `Incomplete` if they differ; `Refused` if the server returns no hash.
    """
    reply = control.ask("HASH", path)
    if reply.code != 213:
        raise Refused.from_reply(f"{path}: HASH refused", reply)
    algorithm, range_end, server_hash = parse_hash(reply)
    # The draft does not say whether the range ends with the number of its last byte or with the size.
    length = size if range_end in (size, size - 1) else range_end
    if (algorithm, length, server_hash) != (name, size, local_hash):
        expected = f"the local one of {size} bytes is {local_hash}"
        message = f"{path}: the server's {algorithm} of {length} bytes is {server_hash}, {expected}"
        raise Incomplete.from_reply(message, reply, quoted=False)
