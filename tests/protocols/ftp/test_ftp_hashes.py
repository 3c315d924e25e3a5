"""Hashes: of what passes by, and the server's own, compared."""

import hashlib
from dataclasses import dataclass, field
from typing import Any

import pytest

from inetcli.errors import Incomplete, ProtocolViolation, Refused
from inetcli.protocols.ftp.hashes import Digests, choose_hash, compare_hash
from inetcli.protocols.ftp.model import Features
from inetcli.wire.replies import Reply

DATA = bytes(range(256)) * 20


@dataclass
class Server:
    """A server as far as hashes go: what FEAT told, and its replies in order. `asked` is what it was asked."""

    offered: str = ""
    replies: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def features(self) -> Features:
        return Features({"HASH": self.offered})

    def ask(self, verb: str, argument: str = "") -> Reply:
        self.asked.append(f"{verb} {argument}".strip())
        line = self.replies.pop(0)
        return Reply(int(line[:3]), (line,))


def test_observer_is_none_without_hashes() -> None:
    digests = Digests([])
    assert digests.observer is None
    digests.hash_prefix(lambda at, size: pytest.fail("nothing is to be read"), 10)


@pytest.mark.parametrize("pieces", [1, 7, len(DATA)])
def test_observer_hashes_chunks(pieces: int) -> None:
    digests = Digests(["sha256", "md5"])
    assert digests.observer
    for at in range(0, len(DATA), pieces):
        digests.observer(memoryview(DATA[at : at + pieces]))
    assert digests["sha256"] == hashlib.sha256(DATA).hexdigest()
    assert digests["md5"] == hashlib.md5(DATA).hexdigest()


@pytest.mark.parametrize("there", [0, 5, 4096])
def test_hash_prefix_reads_the_bytes_that_are_present(there: int) -> None:
    digests = Digests(["sha1"])
    digests.hash_prefix(lambda at, size: DATA[at : min(at + min(size, 100), there)], there)
    assert digests.observer
    digests.observer(memoryview(DATA[there:]))
    assert digests["sha1"] == hashlib.sha1(DATA).hexdigest()


def test_hash_prefix_stops_at_the_end_of_a_shorter_file() -> None:
    digests = Digests(["sha1"])
    digests.hash_prefix(lambda at, size: DATA[at : min(at + size, 50)], 4096)
    assert digests["sha1"] == hashlib.sha1(DATA[:50]).hexdigest()


@pytest.mark.parametrize(
    ("offered", "name", "asked"),
    [
        ("SHA-256*;MD5", "SHA-256", []),
        ("MD5*;SHA-256", "SHA-256", ["OPTS HASH SHA-256"]),
        ("SHA-1;SHA-512;MD5*", "SHA-512", ["OPTS HASH SHA-512"]),
        ("CRC32*;MD5", "MD5", ["OPTS HASH MD5"]),
    ],
)
def test_the_strongest_hash_of_both_sides_is_chosen(offered: str, name: str, asked: list[str]) -> None:
    server: Any = Server(offered, ["200 ok"])
    assert choose_hash(server) == name
    assert server.asked == asked


@pytest.mark.parametrize(
    ("offered", "replies", "words"),
    [
        ("", [], "the server offers no HASH"),
        ("CRC32;ADLER*", [], "the server offers ADLER, CRC32"),
        ("CRC32*;MD5", ["501 no"], 'OPTS HASH MD5 refused: "501 no"'),
    ],
)
def test_choose_hash_fails_without_a_common_hash(offered: str, replies: list[str], words: str) -> None:
    server: Any = Server(offered, replies)
    with pytest.raises(Refused, match=words):
        choose_hash(server)


@pytest.mark.parametrize("end", [49, 50])
def test_compare_hash_accepts_both_ends_of_the_range(end: int) -> None:
    server: Any = Server(replies=[f"213 MD5 0-{end} ABCDEF0123456789 a.bin"])
    compare_hash(server, "a.bin", "MD5", "abcdef0123456789", 50)
    assert server.asked == ["HASH a.bin"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("213 MD5 0-50 00000000 a", "the server's MD5 of 50 bytes is 00000000, the local one of 50 bytes is abcdef01"),
        ("213 MD5 0-51 abcdef01 a", "the server's MD5 of 51 bytes is abcdef01, the local one of 50 bytes is abcdef01"),
        (
            "213 SHA-1 0-50 abcdef01 a",
            "the server's SHA-1 of 50 bytes is abcdef01, the local one of 50 bytes is abcdef01",
        ),
    ],
)
def test_compare_hash_rejects_other_hashes_lengths_and_algorithms(line: str, words: str) -> None:
    server: Any = Server(replies=[line])
    with pytest.raises(Incomplete, match=words) as caught:
        compare_hash(server, "a", "MD5", "abcdef01", 50)
    assert (caught.value.reply_code, caught.value.reply) == (213, line)


@pytest.mark.parametrize(
    ("line", "kind"), [("550 no", Refused), ("213 what?", ProtocolViolation), ("226 done", Refused)]
)
def test_compare_hash_refused(line: str, kind: type[Exception]) -> None:
    server: Any = Server(replies=[line])
    with pytest.raises(kind):
        compare_hash(server, "a", "MD5", "abcdef01", 50)
