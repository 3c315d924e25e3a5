"""The sweep of `cutting` for every protocol: no server that ends early is ever taken for one that was done."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from support.cutting import ENDINGS, Converse, MakeServer, session_for, sweep

from inetcli.net.credentials import Login
from inetcli.net.progress import NO_PROGRESS
from inetcli.net.session import Session
from inetcli.net.trust import TlsMode
from inetcli.partial import open_partial
from inetcli.payload import open_payload
from inetcli.protocols.dns.client import QueryFailure, Resolver
from inetcli.protocols.dns.model import TYPES, Question
from inetcli.protocols.ftp.client import Ftp
from inetcli.protocols.ftp.connect import FtpPeers, ftp_peers
from inetcli.protocols.ftp.local_file import LocalPath, open_local
from inetcli.protocols.ftp.model import DownloadOptions, UploadOptions
from inetcli.protocols.ftp.server_state import ServerKey
from inetcli.protocols.ftp.tree import RemoteFile, Walk, WalkLimits
from inetcli.protocols.http.client import Conversation
from inetcli.protocols.http.client import connect as connect_http
from inetcli.protocols.http.model import Request
from inetcli.protocols.nntp.client import connect as connect_nntp
from inetcli.protocols.talk.client import connect as connect_talk
from inetcli.protocols.talk.client import talk
from inetcli.protocols.tls.client import say_hello
from mockservers import DnsServer, FtpServer, HttpServer, NntpServer, TimeServer, TlsServer
from mockservers.core import Server

FILES = {
    "a.bin": bytes(range(256)) * 2,
    "old.bin": b"as it was",
    "sub/b.bin": b"b" * 100,
    "sub/c.bin": b"",
    "sub/deep/d.bin": b"d" * 50,
}
BEGUN = 300
"""Bytes of `a.bin` that an earlier run has left."""


def ftp_get(server: Server, session: Session, security: TlsMode = TlsMode.OFF) -> object:
    """What was saved; nothing may be left when it failed."""
    options = DownloadOptions()
    with tempfile.TemporaryDirectory() as folder, ftp_peers(1) as servers:
        local_path = LocalPath(("a.bin",), folder)
        try:
            local = open_local(local_path, options, {}, session)
            with local.destination:
                ftp = Ftp(session, servers[ServerKey(server.host, server.port, security)])
                done = ftp.get("a.bin", local, options, NO_PROGRESS)
        except BaseException:
            assert list(Path(folder).iterdir()) == []
            raise
        assert [path.name for path in Path(folder).iterdir()] == ["a.bin"]
        return done.bytes, Path(folder, "a.bin").read_bytes()


def ftps_get(server: Server, session: Session) -> object:
    return ftp_get(server, session, TlsMode.EXPLICIT)


def ftp_of(server: Server, session: Session, servers: FtpPeers) -> Ftp:
    """By the security that the server has."""
    security = {"ftp": TlsMode.OFF, "ftpes": TlsMode.EXPLICIT}[server.scheme]
    return Ftp(session, servers[ServerKey(server.host, server.port, security)])


def ftp_resume(server: Server, session: Session) -> object:
    """The rest of a file that an earlier run has begun: only the parts may be left when it failed."""
    whose, options = {"path": "a.bin"}, DownloadOptions(resume=True)
    with tempfile.TemporaryDirectory() as folder, ftp_peers(1) as servers:
        local_path = LocalPath(("a.bin",), folder)
        with open_partial(local_path.path) as part:
            part.write(FILES["a.bin"][:BEGUN])
            part.write_record({**whose, "size": len(FILES["a.bin"]), "time": "20261122180411"})
        local = open_local(local_path, options, whose, session)
        try:
            with local.destination:
                done = ftp_of(server, session, servers).get("a.bin", local, options, NO_PROGRESS)
        except BaseException:
            there = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
            assert set(there) <= {".a.bin.part", ".a.bin.part.json"}
            raise
        assert [path.name for path in Path(folder).iterdir()] == ["a.bin"]
        return done.resumed_from, Path(folder, "a.bin").read_bytes()


def ftp_put(server: Server, session: Session) -> object:
    """What the server has then: its old file, unless it was told to rename, when it has the whole new one."""
    assert isinstance(server, FtpServer)
    with tempfile.NamedTemporaryFile() as file, ftp_peers(1) as servers:
        file.write(FILES["a.bin"])
        file.flush()
        try:
            with open_payload(file.name) as payload:
                done = ftp_of(server, session, servers).put(payload, "old.bin", UploadOptions(), NO_PROGRESS)
        except BaseException:
            assert server.files["/old.bin"] in (FILES["old.bin"], FILES["a.bin"])
            raise
        return done.bytes, server.files["/old.bin"]


def ftp_ls(server: Server, session: Session) -> object:
    with ftp_peers(1) as servers:
        return [(entry.name, entry.size) for entry in ftp_of(server, session, servers).list("sub").entries]


def ftp_tree(server: Server, session: Session) -> object:
    """Everything below a folder: what is here of it is whole, also when the rest has failed."""
    options = DownloadOptions()
    with tempfile.TemporaryDirectory() as folder, ftp_peers(1) as servers:
        ftp = ftp_of(server, session, servers)

        def here() -> dict[str, bytes]:
            return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("*.bin")}

        try:
            for found in Walk(ftp.list, ftp.is_folder, WalkLimits()).files_below("sub"):
                assert isinstance(found, RemoteFile)
                local_path = LocalPath(found.names, folder)
                local = open_local(local_path, options, {}, session)
                with local.destination:
                    ftp.get(found.path, local, options, NO_PROGRESS)
        except BaseException:
            assert all(FILES[f"sub/{path}"] == data for path, data in here().items())
            raise
        return here()


def nntp_latest(server: Server, session: Session) -> object:
    connection = connect_nntp(session, server.host, server.port, Login(TlsMode.OFF, None))
    try:
        return connection.latest("misc.test")
    finally:
        connection.stream.close()


def http_raw(path: str) -> Converse:
    def get(server: Server, session: Session) -> object:
        stream = connect_http(session, server.host, server.port, TlsMode.OFF)
        body: list[bytes] = []
        try:
            response = Conversation(stream, body=body.append).send(Request("x", path))
        finally:
            stream.close()
        return response.head.status, b"".join(body), response.trailers

    return get


def tls_hello(server: Server, session: Session) -> object:
    hello, problem = say_hello(
        session, server.host, server.port, server_name="localhost", send=b"hello\n", reply_limit=6
    )
    if problem:
        raise problem
    return hello.reply


def dns_over_tcp(server: Server, session: Session) -> object:
    resolver = Resolver(session, [(server.host, server.port)], tcp=True)
    answers = []
    for result in resolver.query([Question("www.example.test.", TYPES[kind]) for kind in ("A", "AAAA")]):
        if isinstance(result, QueryFailure):
            raise result.error
        answers.append([record.data for record in result.message.answers])
    return answers


def talk_tcp(server: Server, session: Session) -> object:
    stream = connect_talk(session, server.host, server.port, TlsMode.OFF)
    try:
        return [(turn.sent, turn.received) for turn in talk(stream, [b"one", b"two"])]
    finally:
        stream.close()


def make(kind: Callable[..., Server], **arguments: object) -> MakeServer:
    return lambda faults: kind(faults=faults, **arguments)


PLAIN: dict[str, tuple[MakeServer, Converse, str, str]] = {
    "ftp-control": (make(FtpServer, files=FILES), ftp_get, "connect", "main"),
    "ftp-data": (make(FtpServer, files=FILES), ftp_get, "data", "data"),
    "ftps-control": (make(FtpServer, files=FILES, tls="explicit"), ftps_get, "connect", "main"),
    "ftps-data": (make(FtpServer, files=FILES, tls="explicit"), ftps_get, "data", "data"),
    "ftp-resume-control": (make(FtpServer, files=FILES), ftp_resume, "connect", "main"),
    "ftp-resume-data": (make(FtpServer, files=FILES), ftp_resume, "data", "data"),
    "ftp-put": (make(FtpServer, files=FILES), ftp_put, "connect", "main"),
    "ftps-put": (make(FtpServer, files=FILES, tls="explicit"), ftp_put, "connect", "main"),
    "ftp-ls-control": (make(FtpServer, files=FILES), ftp_ls, "connect", "main"),
    "ftp-ls-data": (make(FtpServer, files=FILES), ftp_ls, "data", "data"),
    "ftp-list-control": (make(FtpServer, files=FILES, features={"MLST": False}), ftp_ls, "connect", "main"),
    "ftps-ls-data": (make(FtpServer, files=FILES, tls="explicit"), ftp_ls, "data", "data"),
    "ftp-tree-control": (make(FtpServer, files=FILES), ftp_tree, "connect", "main"),
    "ftp-tree-data": (make(FtpServer, files=FILES), ftp_tree, "data", "data"),
    "ftps-tree-control": (make(FtpServer, files=FILES, tls="explicit"), ftp_tree, "connect", "main"),
    "nntp": (make(NntpServer), nntp_latest, "connect", "main"),
    "http-length": (make(HttpServer), http_raw("/"), "connect", "main"),
    "http-chunked": (make(HttpServer), http_raw("/chunked"), "connect", "main"),
    "tls": (make(TlsServer), tls_hello, "connect", "main"),
    "dns-tcp": (make(DnsServer), dns_over_tcp, "connect", "main"),
    "talk": (make(TimeServer, clock=lambda: "now"), talk_tcp, "connect", "main"),
}


CASES = [(name, ending) for name in PLAIN for ending in ENDINGS if (name, ending) != ("tls", "silent")]
"""A server that falls silent in its reply to `tls hello --send` has ended it: that reply has no other end."""


@pytest.mark.parametrize(("name", "ending"), CASES)
def test_no_cut_conversation_passes_for_a_whole_one(name: str, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inetcli.protocols.ftp.local_file.OVERLAP", 64)
    make_server, converse, trigger, channel = PLAIN[name]
    # Silence takes its time at every offset, TLS its handshakes, and a tree its many commands: not at every byte there.
    stride = (5 if ending == "silent" or name.startswith("ftps") else 1) * (5 if "tree" in name else 1)
    assert sweep(make_server, converse, ending, trigger=trigger, channel=channel, stride=stride) == []


def test_the_sweep_finds_a_client_that_believes_everything() -> None:
    """The check itself can fail: a client that takes the end of the stream for the end of the data is found out."""

    def gullible(server: Server, session: Session) -> object:
        stream = session.connect(server.host, server.port)
        stream.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        try:
            return stream.read(lambda reader: reader.rest(1 << 20))
        finally:
            stream.close()

    found = sweep(make(HttpServer), gullible, "fin", stride=10)
    assert found
    assert "success with" in found[0]


def test_session_for_trusts_the_server() -> None:
    with TlsServer() as server:
        assert session_for(server).network.trust.ca_file == server.ca_file
