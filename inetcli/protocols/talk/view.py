"""Turns as text and as JSON."""

from inetcli.protocols.talk.model import Turn
from inetcli.wire.escape import escape


def format_turn(turn: Turn) -> str:
    """The reply, harmless for a terminal; a TAB is the peer's own text."""
    return escape(turn.received.decode("utf-8", "surrogateescape"), keep_tab=True)


def turn_to_json(turn: Turn) -> dict[str, object]:
    """`sent`, `received` and `rtt_ms`."""
    return {
        "sent": turn.sent,
        "received": turn.received,
        "rtt_ms": None if turn.rtt_s is None else round(turn.rtt_s * 1000, 3),
    }
