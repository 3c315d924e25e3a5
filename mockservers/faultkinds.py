"""Faults as values: what can go wrong, what a client sees of it, and the kinds that every TCP server has.

A family's own kinds are in the module `faults` of its folder. They are values and nothing else, so that listing them
costs no network. A kind is a frozen dataclass, made and registered at once:

    @fault_kind("ftp", trigger="PASV", sees="an address where nobody listens")
    class PasvAddress(Fault):
        '''PASV names another address.'''

        address: str = "10.0.0.1"

That is `pasv_address(10.0.0.1)` as text, `fault.pasv_address(address="10.0.0.1")` in Python, and in JSON `{"name":
"pasv_address", "args": {"address": "10.0.0.1"}}`. A field called `at` is written `@BYTES`. Every field has a default,
so that `PasvAddress()` is a good example; `str`, `int`, `float` and `bool` are the types, and a `str` comes last. What
carries the fault out asks for it by its class (`mockservers.script`).
"""

import difflib
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, fields
from enum import Enum
from importlib import import_module
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform

FAMILIES = ("tls", "ftp", "nntp", "http", "dns")
"""Those with kinds of their own, each in `mockservers/<family>faults.py`."""

MAX_SIZE = 1 << 30
"""No fault makes up more bytes than this at a time."""


class BadFault(ValueError):
    """A fault that cannot be understood, or not be had here; the message says what was expected, with near names."""


class Outcome(Enum):
    """What is right for a client that meets a fault, having been sent for something (`mockservers.gauntlet`)."""

    FAILURE = "failure"
    """Only an error: the thing is not there, or the client cannot know that it has all of it, from the right peer."""

    SUCCESS = "success"
    """Only the thing: it comes whole, in a way that the protocol allows for."""

    EITHER = "either"
    """The thing, when it was got all the same, or an error."""

    ANY = "any"
    """Whatever it makes of it: what comes is not the thing, and no client can tell."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong."""

    name: ClassVar[str] = ""
    sees: ClassVar[str] = ""
    """What a plain client notices."""
    families: ClassVar[tuple[str, ...]] = ()
    """Where it is to be had: "any" = on every TCP server, "tls" = where TLS is spoken, "line" = on the line servers."""
    trigger: ClassVar[str] = "connect"
    """Where it usually sits."""
    outcome: ClassVar[Outcome] = Outcome.FAILURE
    """What is right for a client that meets it."""

    def __post_init__(self) -> None:
        *others, last = fields(self) or [None]
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, int | float) and not (math.isfinite(value) and value >= 0):
                raise BadFault(f"{self.name}: expected {item.name} as a number from 0, got {value}")
            if item.name == "size" and value > MAX_SIZE:
                raise BadFault(f"{self.name}: expected size up to {MAX_SIZE}, got {value}")
            if isinstance(value, str) and "," in value and item is not last and others:
                raise BadFault(f"{self.name}: {item.name} cannot have a comma, got {value!r}")
        self.check()

    def check(self) -> None:
        """For a kind that takes not every value of its types: raise `BadFault`."""

    def __str__(self) -> str:
        args = [_written(getattr(self, item.name)) for item in fields(self) if item.name != "at"]
        at = getattr(self, "at", None)
        return self.name + (f"({', '.join(args)})" if args else "") + (f"@{at}" if at is not None else "")

    @property
    def words(self) -> str:
        """As a transcript has it: `rst at=4096`."""
        return " ".join([self.name, *(f"{item.name}={getattr(self, item.name)}" for item in fields(self))])

    def json(self) -> dict[str, Any]:
        """As JSON has it; `mockservers.faulttext.parse_fault_json` reads it."""
        return {"name": self.name, "args": asdict(self)}


def _written(value: object) -> str:
    """An argument as text. A colon before a word could be taken for the end of a trigger."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str):
        return str(value)
    text = value.encode("unicode_escape").decode("ascii") if not value.isprintable() else value.replace("\\", "\\\\")
    return re.sub(r":(?=[a-z_])", r"\\x3a", text)


FAULTS: dict[str, type[Fault]] = {}
"""All kinds that are loaded, by name."""

F = TypeVar("F", bound=Fault)


@dataclass_transform(frozen_default=True)
def fault_kind(
    *families: str, sees: str, trigger: str = "connect", outcome: Outcome = Outcome.FAILURE
) -> Callable[[type[F]], type[F]]:
    """A class decorator: make it a frozen dataclass, call it by the class's name, and register it."""

    def register(plain: type[F]) -> type[F]:
        made = dataclass(frozen=True, slots=True)(plain) if plain.__annotations__ else _bare(plain)
        made.name = re.sub(r"(?<!^)(?=[A-Z])", "_", made.__name__).lower()
        made.families, made.sees, made.trigger, made.outcome = families, sees, trigger, outcome
        if made.name in FAULTS:
            raise ValueError(f"two faults are called {made.name}")
        FAULTS[made.name] = made
        return made

    return register


def _bare(plain: type[F]) -> type[F]:
    """A kind without fields of its own, which has all that a dataclass has from its base. Making each one a dataclass
    costs a third of a millisecond, and there are a hundred of them."""
    own = {name: value for name, value in vars(plain).items() if name not in ("__dict__", "__weakref__")}
    return cast(type[F], type(plain.__name__, plain.__bases__, {**own, "__slots__": ()}))


def load_families(names: Iterable[str] = FAMILIES) -> None:
    """Import the modules of these families' own kinds."""
    for name in names:
        if name in FAMILIES:
            import_module(f"mockservers.{name}.faults")


def find_kind(name: str) -> type[Fault] | None:
    """The kind of that name; families are loaded only when it is none of those that are."""
    if name not in FAULTS:
        load_families()
    return FAULTS.get(name)


def near(name: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown name."""
    known = list(known)
    found = difflib.get_close_matches(name, known)
    return f"near ones: {', '.join(found)}" if found else f"known: {', '.join(sorted(known))}"


class _Namespace:
    """`fault.rst(at=4096)`: every fault by its name."""

    def __getattr__(self, name: str) -> Callable[..., Fault]:
        kind = find_kind(name)
        if kind is None:
            raise AttributeError(f"no fault is called {name!r}; {near(name, FAULTS)}")
        return kind


fault = _Namespace()


@dataclass(frozen=True, slots=True)
class Armed:
    """A fault with its trigger. `times` None = always. `str` gives the text that `parse_fault` reads."""

    trigger: str
    fault: Fault
    skip: int = 0
    times: int | None = None
    server: str | None = None

    def __post_init__(self) -> None:
        if not self.trigger:
            raise BadFault(f"{self.fault}: expected a trigger before it, such as connect or RETR")
        if self.skip < 0 or (self.times is not None and self.times < 1):
            raise BadFault(f"{self}: expected SKIP from 0 and TIMES from 1, got {self.skip} and {self.times}")

    def __str__(self) -> str:
        server = f"{self.server}:" if self.server else ""
        # A trigger that ends as one with a SKIP does is written with its SKIP, even if that is 0.
        skip = f"+{self.skip}" if self.skip or re.search(r"\+[0-9]+$", self.trigger) else ""
        return f"{server}{self.trigger}{skip}:{self.fault}" + ("" if self.times is None else f"x{self.times}")

    def json(self) -> dict[str, Any]:
        """As JSON has it."""
        place = {"server": self.server, "trigger": self.trigger, "skip": self.skip, "times": self.times}
        return {**place, **self.fault.json()}


# What every TCP server has. `Connection` carries it out, `Datagram` what is in DATAGRAM_KINDS.


@fault_kind("any", sees="connection refused")
class Refuse(Fault):
    """Do not listen; the port stays ours."""


@fault_kind("any", sees="the connect times out (Linux)")
class Blackhole(Fault):
    """Let connections come to nothing: no answer to the SYN."""


@dataclass(frozen=True, slots=True)
class Cut(Fault):
    """Acts when `at` bytes have gone out, counted from where the trigger armed it."""

    at: int = 0


@fault_kind("any", sees="bytes up to BYTES, then silence")
class Silent(Cut):
    """Say nothing more, and keep the connection open. A datagram is not answered."""


@fault_kind("any", sees="the right reply, late", outcome=Outcome.SUCCESS)
class Delay(Fault):
    """Wait before the reply."""

    seconds: float = 0.5


@fault_kind("any", sees="the right bytes, one at a time", outcome=Outcome.SUCCESS)
class Drip(Fault):
    """Send one byte every so many seconds."""

    seconds: float = 0.01


@fault_kind("any", sees="the right bytes, in small pieces", outcome=Outcome.SUCCESS)
class Slice(Fault):
    """Send in pieces of `size` bytes, each a segment of its own."""

    size: int = 1

    def check(self) -> None:
        if not self.size:
            raise BadFault("slice: expected size from 1, got 0")


@fault_kind("any", sees="bytes up to BYTES, then the end (under TLS: a truncation)")
class Fin(Cut):
    """Close the connection properly; under TLS without close_notify."""


@fault_kind("any", sees="bytes up to BYTES, then a reset (ECONNRESET)")
class Rst(Cut):
    """Reset the connection, once the bytes before have arrived."""


@fault_kind("any", sees="bytes up to BYTES, then the end; what it sends is still taken")
class HalfClose(Cut):
    """Send nothing more, and go on reading."""


@fault_kind("any", sees="bytes that no protocol knows")
class Garbage(Fault):
    """Send `size` bytes of noise, always the same, instead of the reply."""

    size: int = 64


@fault_kind("any", sees="a line beyond any limit")
class LongLine(Fault):
    """Send a line of `size` bytes instead of the reply."""

    size: int = 10_000_000


@fault_kind("ftp", "nntp", "http", "line", sees="the given reply", trigger="*")
class Reply(Fault):
    """Send `text` and a line end instead of what the command would do."""

    text: str = "500 no"


KERNEL_KINDS = (Refuse, Blackhole)
"""Carried out by the listening socket, for everybody."""

DATAGRAM_KINDS = (Silent, Delay, Garbage)
"""Those that make sense without a connection."""
