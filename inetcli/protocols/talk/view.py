"""Line exchanges as text and as JSON."""

from inetcli.protocols.talk.model import LineExchange
from inetcli.wire.escape import escape


def format_exchange(exchange: LineExchange) -> str:
    """Format the reply, escaped for a terminal; TABs of the peer stay."""
    return escape(exchange.received.decode("utf-8", "surrogateescape"), keep_tab=True)


def exchange_to_json(exchange: LineExchange) -> dict[str, object]:
    """Return the fields `sent`, `received` and `rtt_ms`."""
    return {
        "sent": exchange.sent,
        "received": exchange.received,
        "rtt_ms": None if exchange.rtt_s is None else round(exchange.rtt_s * 1000, 3),
    }
