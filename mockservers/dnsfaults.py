"""What a name server does wrong on demand: faults of a question such as `www.example.test/A`, or of `*`."""

from dataclasses import dataclass
from typing import ClassVar

from mockservers.faultkinds import Fault, register


@dataclass(frozen=True, slots=True)
class _DnsFault(Fault):
    server: ClassVar[str] = "dns"
    trigger: ClassVar[str] = "*"


@register
@dataclass(frozen=True, slots=True)
class Rcode(_DnsFault):
    """Answer with an rcode and no records."""

    code: str = "SERVFAIL"
    name: ClassVar[str] = "rcode"
    sees: ClassVar[str] = "that rcode"


@register
class Drop(_DnsFault):
    """Let the question be lost."""

    name = "drop"
    sees = "nothing"


@register
class WrongId(_DnsFault):
    """Answer with another ID."""

    name = "wrong_id"
    sees = "a reply that is not its own"


@register
class WrongQuestion(_DnsFault):
    """Answer another question."""

    name = "wrong_question"
    sees = "a reply to another question"


@register
class Truncated(_DnsFault):
    """Set TC over UDP."""

    name = "truncated"
    sees = "a cut reply over UDP, the whole one over TCP"


@register
class Cut(_DnsFault):
    """End the message in the middle."""

    name = "cut"
    sees = "a malformed message"


@register
class NoEdns(_DnsFault):
    """Be a server from before EDNS."""

    name = "no_edns"
    sees = "FORMERR until it asks without EDNS"
