"""What a client under test is sent for, from each server, and how to tell whether it has brought the right thing.

    ftp, ftpes, ftps    /pub/data.bin, 1 MiB; every byte counts
    http, https         /, a short text; every byte counts
    nntp, nntps         the newest article of misc.test; the lines of its text count, in their order, blank ones and the
                        blanks around a line aside, whatever else is said before and after them
    dns, dot, doh       the A of www.example.test: 192.0.2.1 is to be said, and the forged address is not
    tls, time           a handshake, a connection; and the line `hello`, when it comes back from the honest server. That
                        another reply is a wrong one, no client can know

The middle of it is where a connection ends too early in a way that is easy to overlook.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mockservers.content import ftp_files, news_groups
from mockservers.families import SERVERS, known_server
from mockservers.faultkinds import (
    Armed,
    BadFault,
    Cut,
    Fault,
    Fin,
    Garbage,
    HalfClose,
    LongLine,
    Outcome,
    Reply,
    Rst,
    Silent,
)

Check = Callable[[bytes], str]
"""What is wrong with what was brought; nothing = it is right."""

PAGE = "".join(f"line {number} of sixteen, all of the same length\n" for number in range(10, 26)).encode()
_GROUP = "misc.test"
_HELLO = re.compile(rb"hello\r?$", re.MULTILINE)
_ADDRESS = re.compile(rb"(?<![\d.])192\.0\.2\.1(?![\d.])")
_FORGED = b"203.0.113.66"


@dataclass(frozen=True, slots=True)
class Errand:
    """`path` goes behind the server's URL; `name` is the file's in the client's folder; `middle` = a trigger and a
    number of bytes; `options` are the server's; `optional`: a client that does not ask for it is judged by its end;
    `untold` = the faults that nobody can notice here."""

    path: str
    name: str
    check: Check
    middle: tuple[str, int] | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    optional: bool = False
    untold: tuple[type[Fault], ...] = ()

    def outcome(self, fault: Fault) -> Outcome:
        """What is right for a client that meets the fault on this errand. What was cut in the middle may be had piece
        by piece, by whoever takes up a transfer: the true bytes tell."""
        if isinstance(fault, self.untold):
            return Outcome.ANY
        return Outcome.EITHER if isinstance(fault, Cut) and fault.at else fault.outcome

    def endings(self) -> list[Armed]:
        """The endings of a connection, in the middle of the thing."""
        if self.middle is None:
            return []
        trigger, at = self.middle
        return [Armed(trigger, kind(at)) for kind in (Silent, Fin, Rst, HalfClose)]


def errand(server: str) -> Errand:
    """What a client fetches from that server. `BadFault` for a server that has no faults."""
    families = SERVERS[known_server(server)]
    if not families:
        raise BadFault(f"{server} has no faults: there is nothing to run through")
    for family in families:
        if family in _ERRANDS:
            return _ERRANDS[family]()
    return Errand("", "reply", _check_hello, ("*", 3), optional=True, untold=(Reply, Garbage, LongLine))


def _file() -> Errand:
    path = "/pub/data.bin"
    return Errand(path, "data.bin", _exactly(ftp_files()[path]), ("RETR", 300_000))


def _page() -> Errand:
    # Its head has less than 300 bytes.
    return Errand("/", "index.html", _exactly(PAGE), ("GET /", 400), {"routes": {"/": PAGE.decode()}})


def _article() -> Errand:
    articles = news_groups()[_GROUP]
    head, _, body = articles[max(articles)].partition(b"\r\n\r\n")
    return Errand(f"/{_GROUP}", "article", _lines(body), ("ARTICLE", len(head) + len(body) // 2))


def _address() -> Errand:
    return Errand("", "answer", _check_address)


_ERRANDS: Mapping[str, Callable[[], Errand]] = {"ftp": _file, "http": _page, "nntp": _article, "dns": _address}


def _exactly(truth: bytes) -> Check:
    def check(brought: bytes) -> str:
        if brought == truth:
            return ""
        if len(brought) == len(truth):
            return f"{len(truth)} bytes, but not the right ones"
        return f"{len(brought)} bytes instead of {len(truth)}"

    return check


def _lines(text: bytes) -> Check:
    wanted = _told(text)

    def check(brought: bytes) -> str:
        said = _told(brought)
        starts = range(len(said) - len(wanted) + 1)
        if any(said[at : at + len(wanted)] == wanted for at in starts):
            return ""
        return f"{sum(line in said for line in wanted)} of the article's {len(wanted)} lines, or not in their order"

    return check


def _told(text: bytes) -> list[bytes]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _check_address(brought: bytes) -> str:
    if _FORGED in brought:
        return "the forged address"
    return "" if _ADDRESS.search(brought) else "no address"


def _check_hello(brought: bytes) -> str:
    return "" if _HELLO.search(brought) else "another line than was sent"
