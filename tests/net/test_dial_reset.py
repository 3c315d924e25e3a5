"""A connection that is reset right after it was established is `ReceiveFailed` and not a refusal."""

import pytest

from inetcli.errors import ReceiveFailed
from inetcli.net.session import Network, Session, Timeouts
from inetcli.net.wait import Cancel
from inetcli.wire.replies import parse_reply
from mockservers import FtpServer


def greet(session: Session, server: FtpServer) -> None:
    stream = session.connect(server.host, server.port)
    try:
        stream.read(parse_reply)
    finally:
        stream.close()


def test_a_reset_at_once_is_always_receive_failed(cancel: Cancel) -> None:
    with FtpServer(faults=["connect:rst"]) as server:
        for _ in range(50):
            session = Network(timeouts=Timeouts(silence_s=5), cancel=cancel).session()
            with pytest.raises(ReceiveFailed):
                greet(session, server)
