"""Turns as text and as JSON."""

from base64 import b64encode

from inetcli.protocols.talk.model import Turn
from inetcli.wire.escape import escape


def show_turn(turn: Turn) -> str:
    """The reply, harmless for a terminal; a TAB is the peer's own text."""
    return escape(turn.received.decode("utf-8", "surrogateescape"), keep_tab=True)


def turn_row(turn: Turn) -> dict[str, object]:
    """`sent`, `received` and `rtt_ms`; what is no UTF-8 as `{"base64": ...}`."""
    return {
        "sent": None if turn.sent is None else _text(turn.sent),
        "received": _text(turn.received),
        "rtt_ms": None if turn.rtt_s is None else round(turn.rtt_s * 1000, 3),
    }


def _text(data: bytes) -> str | dict[str, str]:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return {"base64": b64encode(data).decode("ascii")}
