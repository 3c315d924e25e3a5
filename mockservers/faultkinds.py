"""Faults: what a server does wrong on demand, as values, as text, and as a list.

    text    = [SERVER ":"] TRIGGER ["+" SKIP] ":" FAULT ["x" TIMES]
    FAULT   = NAME ["(" ARGS ")"] ["@" BYTES]
    TRIGGER = "connect" | "data" | a command ("RETR") | a request ("GET /x") | a question ("www.example.test/A") | "*"

Read from the right: the last ":" whose right side is a fault ends the trigger; `reply(...)` runs to its last closing
parenthesis. SKIP and TIMES count over all connections; without TIMES a fault fires always.

    ftp:RETR:rst@4096x1      ftp:SIZE:reply(550 no, sorry)      nntp:connect:delay(0.5)      tls:connect:expired
"""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import ClassVar

SERVERS = ("ftp", "ftpes", "ftps", "pyftpdlib", "nntp", "nntps", "http", "https", "tls", "dns", "dot", "time")
"""The names of all servers."""


class BadFault(ValueError):
    """A fault that cannot be understood; the message says what was expected and names the near ones."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong. `sees` tells what a plain client notices; `server` where it is to be had ("any": everywhere)."""

    name: ClassVar[str] = ""
    sees: ClassVar[str] = ""
    server: ClassVar[str] = "any"
    at_bytes: ClassVar[bool] = False

    def __str__(self) -> str:
        args = [str(getattr(self, item.name)) for item in fields(self) if item.name != "at"]
        at = getattr(self, "at", None)
        return self.name + (f"({', '.join(args)})" if args else "") + (f"@{at}" if at is not None else "")


@dataclass(frozen=True, slots=True)
class _Cut(Fault):
    """Acts when `at` bytes have gone out, counted from where the trigger armed it."""

    at: int = 0
    at_bytes: ClassVar[bool] = True


class Refuse(Fault):
    """Do not listen; the port stays ours."""

    name = "refuse"
    sees = "connection refused"


class Blackhole(Fault):
    """Let connections come to nothing: no answer to the SYN."""

    name = "blackhole"
    sees = "the connect times out (Linux)"


class Silent(_Cut):
    """Say nothing more, and keep the connection open."""

    name = "silent"
    sees = "bytes up to BYTES, then silence"


@dataclass(frozen=True, slots=True)
class Delay(Fault):
    """Wait `seconds` before the reply."""

    seconds: float = 0.5
    name: ClassVar[str] = "delay"
    sees: ClassVar[str] = "the right reply, late"


@dataclass(frozen=True, slots=True)
class Drip(Fault):
    """Send one byte every `seconds`."""

    seconds: float = 0.01
    name: ClassVar[str] = "drip"
    sees: ClassVar[str] = "the right bytes, one at a time"


@dataclass(frozen=True, slots=True)
class Slice(Fault):
    """Send in pieces of `size` bytes, each a segment of its own."""

    size: int = 1
    name: ClassVar[str] = "slice"
    sees: ClassVar[str] = "the right bytes, in small pieces"


class Fin(_Cut):
    """Close the connection properly; under TLS without close_notify."""

    name = "fin"
    sees = "bytes up to BYTES, then the end (under TLS: a truncation)"


class Rst(_Cut):
    """Reset the connection."""

    name = "rst"
    sees = "bytes up to BYTES, then ECONNRESET"


class HalfClose(_Cut):
    """Send nothing more, and go on reading."""

    name = "half_close"
    sees = "bytes up to BYTES, then the end; what it sends still arrives"


@dataclass(frozen=True, slots=True)
class Garbage(Fault):
    """Send `size` bytes of noise, always the same, instead of the reply."""

    size: int = 64
    name: ClassVar[str] = "garbage"
    sees: ClassVar[str] = "bytes that no protocol knows"


@dataclass(frozen=True, slots=True)
class LongLine(Fault):
    """Send a line of `size` bytes instead of the reply."""

    size: int = 10_000_000
    name: ClassVar[str] = "long_line"
    sees: ClassVar[str] = "a line beyond any limit"


@dataclass(frozen=True, slots=True)
class Reply(Fault):
    """Send `text` instead of what the command would do; a line end is added."""

    text: str = ""
    name: ClassVar[str] = "reply"
    sees: ClassVar[str] = "the given reply"

    def __str__(self) -> str:
        return f"reply({self.text})"


FAULTS: dict[str, type[Fault]] = {
    kind.name: kind
    for kind in (Refuse, Blackhole, Silent, Delay, Drip, Slice, Fin, Rst, HalfClose, Garbage, LongLine, Reply)
}
"""All faults by name; servers add their own with `register`."""


def register(kind: type[Fault]) -> type[Fault]:
    """Make a server's own fault known; a class decorator."""
    FAULTS[kind.name] = kind
    return kind


@dataclass(frozen=True, slots=True)
class Armed:
    """A fault with its trigger. `times` None = always."""

    trigger: str
    fault: Fault
    skip: int = 0
    times: int | None = None
    server: str | None = None

    def __str__(self) -> str:
        server = f"{self.server}:" if self.server else ""
        skip = f"+{self.skip}" if self.skip else ""
        return f"{server}{self.trigger}{skip}:{self.fault}" + ("" if self.times is None else f"x{self.times}")


_FAULT = re.compile(r"(?P<name>[a-z_]+)(?:\((?P<args>.*)\))?(?:@(?P<at>\d+))?(?:x(?P<times>\d+))?", re.DOTALL)


def parse_fault(text: str) -> Armed:
    """A fault from its text. `BadFault` says what is wrong, and names the near ones."""
    _load_servers()
    for at in range(len(text) - 1, 0, -1):
        if text[at] != ":":
            continue
        match = _FAULT.fullmatch(text, at + 1)
        if match and match["name"] in FAULTS:
            trigger, skip = _parse_trigger(text[:at])
            server = None
            head, colon, tail = trigger.partition(":")
            if colon and (head in SERVERS or head.isalpha()):
                server, trigger = _known_server(head), tail
            fault = _make(FAULTS[match["name"]], match["args"], match["at"], text)
            return Armed(trigger, fault, skip, int(match["times"]) if match["times"] else None, server)
    _, _, tail = text.rpartition(":")
    name = re.split(r"[(@x]", tail, maxsplit=1)[0]
    raise BadFault(f"{text}: no fault is called {name!r}; {_near(name, FAULTS)}")


def _parse_trigger(text: str) -> tuple[str, int]:
    trigger, plus, skip = text.rpartition("+")
    return (trigger, int(skip)) if plus and skip.isdigit() else (text, 0)


def _known_server(name: str) -> str:
    if name not in SERVERS:
        raise BadFault(f"no server is called {name!r}; {_near(name, SERVERS)}")
    return name


def _make(kind: type[Fault], args: str | None, at: str | None, text: str) -> Fault:
    if kind is Reply:
        return Reply(args or "")
    values: dict[str, object] = {}
    names = [item for item in fields(kind) if item.name != "at"]
    given = [part.strip() for part in args.split(",")] if args else []
    if len(given) > len(names):
        raise BadFault(f"{text}: {kind.name} takes {len(names)} arguments, got {len(given)}")
    for item, value in zip(names, given, strict=False):
        try:
            values[item.name] = _convert(value, item.default)
        except (TypeError, ValueError):
            raise BadFault(
                f"{text}: {kind.name}: expected {item.name} as {type(item.default).__name__}, got {value!r}"
            ) from None
    if at is not None:
        if not kind.at_bytes:
            raise BadFault(f"{text}: {kind.name} takes no @BYTES")
        values["at"] = int(at)
    return kind(**values)


def _convert(text: str, default: object) -> object:
    """An argument's text as the type that its default has."""
    match default:
        case float():
            return float(text)
        case int():
            return int(text)
        case _:
            return text


def _near(name: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, list(known))
    return f"near ones: {', '.join(near)}" if near else f"known: {', '.join(sorted(known))}"


def known_servers(names: Iterable[str]) -> list[str]:
    """The names, checked; all servers when there is none."""
    return [_known_server(name) for name in names] or list(SERVERS)


def faults(server: str | None = None) -> list[str]:
    """Every fault of a server as text, with a trigger that fits it: for `parametrize`, and into `faults=[...]`."""
    _load_servers()
    if server is not None:
        _known_server(server)
    kinds = [kind for kind in FAULTS.values() if kind.server == "any" or server in (None, kind.server)]
    return [example(kind, server) for kind in kinds]


def example(kind: type[Fault], server: str | None = None) -> str:
    """A fault as it may be written."""
    trigger = _COMMANDS.get(server or kind.server, "connect") if kind is Reply else kind_trigger(kind)
    return f"{trigger}:{kind('500 no') if kind is Reply else kind()}"


def kind_trigger(kind: type[Fault]) -> str:
    """Where a fault of this kind usually sits."""
    return getattr(kind, "trigger", "connect")


_COMMANDS = {"ftp": "RETR", "ftpes": "RETR", "ftps": "RETR", "nntp": "GROUP", "nntps": "GROUP", "http": "GET /"}


def _load_servers() -> None:
    """Servers register their own faults when they are imported."""
    from mockservers import dnsserver, tlsserver  # noqa: F401


class _Namespace:
    """`fault.rst(at=4096)`: every fault by its name."""

    def __getattr__(self, name: str) -> type[Fault]:
        _load_servers()
        try:
            return FAULTS[name]
        except KeyError:
            raise AttributeError(f"no fault is called {name!r}; {_near(name, FAULTS)}") from None


fault = _Namespace()


@dataclass(slots=True)
class Rule:
    """An armed fault and how often it has been met: the state behind SKIP and TIMES."""

    armed: Armed
    met: int = 0
    fired: int = field(default=0)

    def take(self) -> bool:
        """The trigger happened once more: whether the fault fires."""
        self.met += 1
        if self.met <= self.armed.skip or (self.armed.times is not None and self.fired >= self.armed.times):
            return False
        self.fired += 1
        return True
