"""Data connections: how they are made, which peers they accept, and which facts of a server are remembered."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from support.ftpdata import FtpScript

from inetcli.errors import (
    Incomplete,
    InetError,
    ProtocolViolation,
    ReceiveFailed,
    Refused,
    SendFailed,
    TimedOut,
    Unreachable,
)
from inetcli.net.resolve import Address
from inetcli.net.stream import SocketStream
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.data import DataConnection, PassiveConnector
from inetcli.protocols.ftp.wire import Command
from inetcli.wire.replies import Reply
from mockservers import FtpServer

LOGIN = """
    S 220 hello
    C USER anonymous
    C PASS anonymous@
    C TYPE I
    C SIZE a
    C MDTM a
    C {way}
    S 230 in
    S 230 in
    S 200 binary
    S 213 3
    S 550 no
"""
EPSV, PASV = LOGIN.replace("{way}", "EPSV"), LOGIN.replace("{way}", "PASV")
GETS = """
    C RETR a
    S 150 here
    D abc
    S 226 done
"""
SECOND = """
    C SIZE a
    C MDTM a
    C {way}
    S 213 3
    S 550 no
"""


def get_twice(user, folder: Path) -> list[str]:
    """The notes of two downloads."""
    for _ in range(2):
        assert user.get("a", folder, force=True).bytes == 3
        assert (folder / "a").read_bytes() == b"abc"
    return user.notes


# Passive


@pytest.mark.parametrize("reply", ["500 what?", "502 no", "425 not here"])
def test_pasv_is_used_from_then_on_if_epsv_is_refused(client, tmp_path: Path, reply: str) -> None:
    script = f"""{EPSV}
        S {reply}
        C PASV
        S 227 Entering Passive Mode ({{pasv}})
        {GETS}
        {SECOND.replace("{way}", "PASV")}
        S 227 here {{pasv}}
        {GETS}
        C QUIT
    """
    with FtpScript(script) as server, client(server) as user:
        assert get_twice(user, tmp_path) == [f'EPSV refused ("{reply}"); using PASV']


def test_pasv_is_used_from_then_on_if_the_epsv_port_is_unreachable(client, tmp_path: Path) -> None:
    with (
        FtpScript(f"""{EPSV}
        S 229 (|||{{dead}}|)
        C PASV
        S 227 ({{pasv}})
        {GETS}
        {SECOND.replace("{way}", "PASV")}
        S 227 ({{pasv}})
        {GETS}
        C QUIT
    """) as server,
        client(server) as user,
    ):
        (note,) = get_twice(user, tmp_path)
        assert note.startswith("EPSV: 127.0.0.1:")
        assert note.endswith(": refused; using PASV")


def test_pasv_is_used_if_the_epsv_port_times_out(client, tmp_path: Path) -> None:
    with FtpServer({"a": b"abc"}, faults=["EPSV:blackhole_port"]) as server:
        user = client(server, limits={"connect_s": 0.3})
        (note,) = get_twice(user, tmp_path)
        assert note.startswith("EPSV: timed out: not connected after 0.3 s (--connect-timeout)")
        assert note.endswith("; using PASV")
        assert server.log.commands().count("EPSV") == 1


def test_after_one_success_the_transfer_is_requested_before_connecting(client, tmp_path: Path) -> None:
    """The connection is made after RETR; if this fails, the control connection is not reused."""
    with (
        FtpScript(
            f"""{EPSV}
        S 229 (|||{{port}}|)
        {GETS}
        {SECOND.replace("{way}", "EPSV")}
        S 229 (|||{{dead}}|)
        C RETR a
        C QUIT
        """,
            f"""{EPSV}
        S 229 (|||{{port}}|)
        {GETS}
        C QUIT
        """,
        ) as server,
        client(server) as user,
    ):
        user.get("a", tmp_path)
        with pytest.raises(Unreachable, match="refused"):
            user.get("a", tmp_path, force=True)
        user.get("a", tmp_path, force=True)


@pytest.mark.parametrize(
    ("replies", "error", "message"),
    [
        (["229 nonsense"], ProtocolViolation, 'EPSV: expected "229'),
        (["229 (|||0|)"], ProtocolViolation, "with a port from 1 to 65535"),
        (["500 no", "500 no"], Refused, 'PASV refused: "500 no"'),
        (["500 no", "227 nonsense"], ProtocolViolation, 'PASV: expected "227'),
        (["500 no", "227 (127,0,0,1,0,0)"], ProtocolViolation, 'PASV: expected "227'),
        (["500 no", "227 (127,0,0,1,256,1)"], ProtocolViolation, 'PASV: expected "227'),
        (["229 (|||{dead}|)", "421 bye"], Refused, "421 bye"),
    ],
)
def test_no_usable_data_connection(
    client, tmp_path: Path, replies: list[str], error: type[InetError], message: str
) -> None:
    behind = "".join(f"C PASV\nS {reply}\n" for reply in replies[1:])
    script = f"{EPSV}\nS {replies[0]}\n{behind}\nC QUIT"
    with FtpScript(script) as server, client(server) as user, pytest.raises(error, match=message.replace("(", r"\(")):
        user.get("a", tmp_path)
    assert list(tmp_path.iterdir()) == []


def elsewhere_by_pasv(listener: socket.socket, *behind: str) -> str:
    """A server that tells another host's address."""
    port = listener.getsockname()[1]
    lines = "\n".join(behind)
    return f"{EPSV}\nS 500 no\nC PASV\nS 227 (127,0,0,2,{port >> 8},{port & 255})\n{lines}\nC QUIT"


@contextmanager
def elsewhere_only() -> Iterator[socket.socket]:
    """Somebody listens on another address, and nobody on that port of ours: it is taken, so that nobody else may."""
    for _ in range(50):
        with socket.create_server(("127.0.0.2", 0)) as elsewhere, socket.socket() as taken:
            try:
                taken.bind(("127.0.0.1", elsewhere.getsockname()[1]))
            except OSError:
                continue
            yield elsewhere
            return
    raise AssertionError("no port is free on both addresses")


def test_pasv_address_is_ignored(client, tmp_path: Path) -> None:
    with elsewhere_only() as elsewhere, FtpScript(elsewhere_by_pasv(elsewhere)) as server:
        with client(server) as user, pytest.raises(Unreachable) as caught:
            user.get("a", tmp_path)
        assert caught.value.message == f"127.0.0.1:{elsewhere.getsockname()[1]}: refused"
        elsewhere.setblocking(False)
        with pytest.raises(BlockingIOError):
            elsewhere.accept()


def test_pasv_address_is_used_with_trust_pasv_address(client, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.2", 0)) as elsewhere:

        def serve() -> None:
            with elsewhere.accept()[0] as sock:
                sock.sendall(b"abc")

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        script = elsewhere_by_pasv(elsewhere, "C RETR a", "S 150 here", "S 226 done")
        with FtpScript(script) as server, client(server, trust_pasv_address=True) as user:
            assert user.get("a", tmp_path).bytes == 3
        thread.join()


def test_ipv6_has_no_pasv(client, tmp_path: Path) -> None:
    with FtpServer({"a": b"abc"}, host="::1", faults=["EPSV:reply(500 no)"]) as server:
        user = client(server)
        user.server_key = replace(user.server_key, host="::1")
        with pytest.raises(Refused, match="EPSV refused, and PASV does not support IPv6"):
            user.get("a", tmp_path)
        assert "PASV" not in server.log.commands()


@pytest.mark.parametrize("active", [False, True])
def test_ipv6(client, tmp_path: Path, active: bool) -> None:
    with FtpServer({"a": b"abc"}, host="::1") as server:
        user = client(server, active=active)
        user.server_key = replace(user.server_key, host="::1")
        assert user.get("a", tmp_path).bytes == 3
        assert [line for line in server.log.commands() if line.startswith(("EPRT |2|::1|", "EPSV"))]


# Active

ACTIVE = LOGIN.replace("{way}", "EPRT |1|127.0.0.1|*|")


def test_active_by_eprt(client, tmp_path: Path) -> None:
    with (
        FtpScript(f"""{ACTIVE}
        S 200 will do
        {GETS}
        {SECOND.replace("{way}", "EPRT |1|127.0.0.1|*|")}
        S 200 will do
        {GETS}
        C QUIT
    """) as server,
        client(server, active=True) as user,
    ):
        assert get_twice(user, tmp_path) == []


def test_active_by_port_where_eprt_is_refused(client, tmp_path: Path) -> None:
    with (
        FtpScript(f"""{ACTIVE}
        S 500 what?
        C PORT 127,0,0,1,*,*
        S 200 will do
        {GETS}
        C QUIT
    """) as server,
        client(server, active=True) as user,
    ):
        assert user.get("a", tmp_path).bytes == 3
        assert user.notes == ['EPRT refused ("500 what?"); using PORT']


def test_active_mode_has_no_passive_fallback(client, tmp_path: Path) -> None:
    script = f"{ACTIVE}\nS 500 what?\nC PORT 127,0,0,1,*,*\nS 500 no\nC QUIT"
    with FtpScript(script) as server, client(server, active=True) as user:
        with pytest.raises(Refused) as caught:
            user.get("a", tmp_path)
        assert caught.value.message == 'PORT refused: "500 no"'


@pytest.mark.parametrize("reply", ["425 cannot connect", "550 no"])
def test_active_transfer_refused(client, tmp_path: Path, reply: str) -> None:
    with (
        FtpScript(f"""{ACTIVE}
        S 200 will do
        C RETR a
        S {reply}
        C QUIT
    """) as server,
        client(server, active=True) as user,
        pytest.raises(InetError, match=reply),
    ):
        user.get("a", tmp_path)


def test_active_mode_times_out_without_a_connection(client, tmp_path: Path) -> None:
    with FtpServer({"a": b"abc"}, faults=["EPRT:never_connects"]) as server:
        user = client(server, active=True, limits={"connect_s": 0.2})
        with pytest.raises(TimedOut, match=r"no connection to us after 0\.2 s \(--connect-timeout\)"):
            user.get("a", tmp_path)


def test_active_mode_rejects_connections_from_other_hosts(
    client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first client to connect is 127.0.0.2, with another file; only the connection from the server is accepted."""
    from inetcli.net.listen import Acceptor

    strangers: list[socket.socket] = []
    accept = Acceptor.accept

    def after_a_stranger(acceptor: Acceptor, deadline, cancel):
        assert strangers
        return accept(acceptor, deadline, cancel)

    make = Acceptor.__init__

    def invaded(acceptor: Acceptor, stream) -> None:
        make(acceptor, stream)
        address = acceptor.address.sockaddr[:2]
        strangers.append(socket.create_connection(address, 5, source_address=("127.0.0.2", 0)))  # type: ignore[arg-type]
        strangers[-1].sendall(b"evil")

    monkeypatch.setattr(Acceptor, "__init__", invaded)
    monkeypatch.setattr(Acceptor, "accept", after_a_stranger)
    with (
        FtpScript(f"""{ACTIVE}
        S 200 will do
        {GETS}
        C QUIT
    """) as server,
        client(server, active=True) as user,
    ):
        assert user.get("a", tmp_path).bytes == 3
    assert (tmp_path / "a").read_bytes() == b"abc"
    (stranger,) = strangers
    with stranger, pytest.raises(ConnectionResetError):  # what it sent was not read
        stranger.recv(1)


# TLS


@pytest.mark.parametrize("tls", ["explicit", "implicit"])
@pytest.mark.parametrize("active", [False, True])
def test_the_session_of_the_control_connection_is_resumed(client, tmp_path: Path, tls: str, active: bool) -> None:
    with FtpServer({"a": b"abc"}, tls=tls, require_reuse=True) as server:
        user = client(server, active=active)
        for _ in range(3):
            assert user.get("a", tmp_path, force=True).data_resumed


def test_clear_text_data_connection_is_an_error_with_tls(client, tmp_path: Path) -> None:
    with FtpServer({"a": b"abc"}, tls="explicit", faults=["RETR:clear_data"]) as server, pytest.raises(InetError):
        client(server).get("a", tmp_path)
    assert list(tmp_path.iterdir()) == []


BEGINS = Reply(150, ("150 here",))


def test_another_certificate_on_the_data_connection_is_a_violation() -> None:
    """Only a resumed session or the same certificate proves that both connections have the same owner."""
    from inetcli.net import tlsstream

    class Above(tlsstream.TlsStream):
        def __init__(self, chain: list[bytes], reused: bool) -> None:
            from inetcli.net.tlsfacts import TlsFacts

            self.facts = TlsFacts(chain=tuple(chain), session_reused=reused)
            self.tls = type("Tls", (), {"session": None})()
            self.context = None
            self.closed = False

        def close(self) -> None:
            self.closed = True

    control = object.__new__(Control)
    control.stream = Above([b"one", b"ca"], False)
    control.server_key = type("ServerKey", (), {"host": "h"})()
    for chain, reused, accepted in [
        ([b"one", b"other ca"], False, True),
        ([b"two"], True, True),
        ([b"two", b"ca"], False, False),
        ([], False, False),
    ]:
        secured = Above(chain, reused)
        control.session = type("Session", (), {"start_tls": lambda *_, secured=secured, **__: secured})()
        data = DataConnection(control, None, BEGINS)
        if accepted:
            data.start_tls()
            assert (data.stream, data.session_resumed) == (secured, reused)
        else:
            with pytest.raises(ProtocolViolation, match="another certificate than the control connection"):
                data.start_tls()
        assert secured.closed != accepted


def test_data_connection_reset_at_once_is_incomplete(client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client connects after RETR: by then the server may have ended the connection."""
    with (
        FtpScript(f"""{EPSV}
        S 229 (|||{{port}}|)
        {GETS}
        {SECOND.replace("{way}", "EPSV")}
        S 229 (|||{{port}}|)
        C RETR a
        S 150 here
        S 426 gone
        C QUIT
    """) as server,
        client(server) as user,
    ):
        user.get("a", tmp_path)

        def reset(*_: object, **__: object) -> None:
            raise ReceiveFailed("127.0.0.1:1: the peer reset the connection")

        monkeypatch.setattr(PassiveConnector, "_connect", reset)
        with pytest.raises(Incomplete) as caught:
            user.get("a", tmp_path, force=True)
        said = 'incomplete: 127.0.0.1:1: the peer reset the connection, the server said "426 gone"'
        assert caught.value.message == said


def test_data_connection_is_closed_if_the_transfer_command_fails(
    client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[SocketStream] = []
    connect = PassiveConnector._connect

    def noted(connector: PassiveConnector, address: Address) -> SocketStream:
        made.append(connect(connector, address))
        return made[-1]

    send = Control.send

    def broken(control: Control, commands: list[Command], **limits: object) -> None:
        if commands[0].verb == "RETR":
            raise SendFailed("the peer closed the connection")
        send(control, commands, **limits)

    monkeypatch.setattr(PassiveConnector, "_connect", noted)
    monkeypatch.setattr(Control, "send", broken)
    with FtpServer({"a": b"abc"}) as server, pytest.raises(SendFailed):
        client(server).get("a", tmp_path)
    (stream,) = made
    assert stream.sock.fileno() == -1
