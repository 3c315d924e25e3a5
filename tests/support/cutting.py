"""Truncation at every byte: a server that ends the conversation at each offset in turn.

The complete conversation runs once, to record its result and the number of bytes that the server sends. Then it runs
again for every offset and every ending: FIN, RST, and silence. Each run must raise an `InetError` or return exactly the
result of the complete run, because success with less data would be wrong. Any other exception is a bug.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from inetcli.errors import InetError
from inetcli.net.session import Network, Session, Timeouts
from inetcli.net.trust import Trust
from mockservers.core import Server
from mockservers.log import Kind

ENDINGS = ("fin", "rst", "silent")
SILENCE_S = 0.15
"""The time to wait for a silent server. If it is too short, a success becomes an error, which is allowed."""

AT_ONCE = 24

MakeServer = Callable[[list[str]], Server]
Converse = Callable[[Server, Session], object]


def session_for(server: Server | None = None, **limits: float) -> Session:
    """Make a session as a command does, with short limits and trust in the CA of the server."""
    chosen = Timeouts(**{"silence_s": 5.0, "connect_s": 5.0, **limits})  # type: ignore[arg-type]
    ca_file = server.ca_file if server else None
    return Network(timeouts=chosen, trust=Trust(ca_file=ca_file)).session()


def sent_bytes(server: Server, channel: str) -> int:
    """Return the number of bytes that the server has sent over a channel."""
    return sum(len(event.data) for event in server.log.events(Kind.TO_CLIENT) if event.channel == channel)


def sweep(
    make_server: MakeServer,
    converse: Converse,
    ending: str,
    *,
    trigger: str = "connect",
    channel: str = "main",
    stride: int = 1,
) -> list[str]:
    """Return every violation of the rule, one line each. `stride`: the distance between tested offsets."""
    with make_server([]) as server:
        whole = converse(server, session_for(server))
        total = sent_bytes(server, channel)
    assert total > 0

    def attempt(offset: int) -> str | None:
        with make_server([f"{trigger}:{ending}@{offset}"]) as server:
            session = session_for(server, silence_s=SILENCE_S if ending == "silent" else 5.0)
            try:
                result = converse(server, session)
            except InetError:
                return None
            except Exception as error:  # noqa: BLE001 - finding it is the purpose
                return f"{ending}@{offset}: {type(error).__name__}: {error}"
        return None if result == whole else f"{ending}@{offset} of {total}: success with {result!r}, not {whole!r}"

    offsets: Iterable[int] = sorted({*range(0, total, stride), total - 1})
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [violation for violation in pool.map(attempt, offsets) if violation]
