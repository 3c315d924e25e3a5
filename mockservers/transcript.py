"""A log as text: a line for each event, no line for anything that is a secret.

Masked are the argument of PASS and ACCT (RFC 959), of AUTHINFO PASS and what follows AUTHINFO SASL (RFC 4643), and the
values of Authorization, Proxy-Authorization and Cookie (RFC 9110, RFC 6265); and wherever they stand, the passwords
that the server knows (`passwords`).
"""

import re
from collections.abc import Callable, Iterable

from mockservers.log import MAIN, Event, Kind
from mockservers.passwords import CHALLENGE, MASK

SHOWN = 200
"""Characters of an event that are shown."""

_MASKED = re.compile(
    rb"\A((?:pass|acct|authinfo[ \t]+pass)[ \t]+|authinfo[ \t]+sasl[ \t]+\S+[ \t]+|"
    rb"(?:authorization|proxy-authorization|cookie)[ \t]*:[ \t]*)\S.*",
    re.IGNORECASE | re.DOTALL,
)


def write_transcript(events: Iterable[Event], dropped: int = 0, mask: Callable[[str], str] = str) -> str:
    """The events as lines. `mask` is for the text of each."""
    lines = [f"({dropped} earlier events are not kept)"] if dropped else []
    challenged: set[int] = set()
    for event in events:
        data = event.data
        if event.kind is Kind.TO_CLIENT:
            data = data.removesuffix(b"\r\n")
            (challenged.add if data.startswith(CHALLENGE) else challenged.discard)(event.connection)
        elif event.kind is Kind.FROM_CLIENT:
            data = MASK.encode() if event.connection in challenged else _MASKED.sub(rb"\1***", data)
        lines.append(_line(event, data, mask))
    return "\n".join(lines)


def _line(event: Event, data: bytes, mask: Callable[[str], str]) -> str:
    if event.kind is Kind.UPLOAD:
        text = f"({len(data)} bytes)"
    else:
        text = mask(data[: 4 * SHOWN].decode("utf-8", "backslashreplace")).encode("unicode_escape").decode("ascii")
        if len(text) > SHOWN:
            text = f"{text[:SHOWN]}... ({len(data)} bytes)"
    number = str(event.connection) if event.connection > 1 else ""
    place = " ".join(filter(None, [number, "" if event.channel == MAIN else event.channel]))
    head = "" if event.kind is Kind.FAULT else f"+{event.at:.3f} "
    return f"{head}{event.kind.mark} {f'[{place}] ' if place else ''}{text}".rstrip()
