"""Random replies: the parsers of replies, and whole downloads from servers that send nonsense."""

import re
import socket
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.cutting import session_for

from inetcli.errors import InetError, ProtocolViolation
from inetcli.net.progress import NO_PROGRESS
from inetcli.protocols.ftp.client import Ftp
from inetcli.protocols.ftp.connect import ftp_peers
from inetcli.protocols.ftp.local_file import LocalPath, open_local
from inetcli.protocols.ftp.model import DownloadOptions
from inetcli.protocols.ftp.server_state import ServerKey
from inetcli.protocols.ftp.wire import (
    MAX_SIZE,
    Command,
    encode_eprt,
    encode_port,
    encode_time,
    parse_announced_size,
    parse_epsv,
    parse_features,
    parse_hash,
    parse_mdtm,
    parse_pasv,
    parse_path,
    parse_size,
    parse_time,
)
from inetcli.wire.replies import Reply

TEXT = st.text(max_size=60) | st.from_regex(re.compile(r"[\(\)|0-9, \"-]{0,40}", re.ASCII), fullmatch=True)


def reply(code: int, text: str) -> Reply:
    return Reply(code, (f"{code} {text}",))


@given(TEXT, st.sampled_from([211, 213, 227, 229, 257, 150]))
def test_replies_are_parsed_or_rejected(text: str, code: int) -> None:
    said = reply(code, text)
    for parse in (parse_epsv, parse_pasv, parse_path, parse_hash):
        try:
            result = parse(said)
        except ProtocolViolation:
            continue
        if parse is parse_epsv:
            assert 1 <= result <= 65535  # type: ignore[operator]
        elif parse is parse_pasv:
            assert 1 <= result[1] <= 65535  # type: ignore[index,operator]
    for number in (parse_size(said), parse_announced_size(said)):
        assert number is None or 0 <= number <= MAX_SIZE
    parse_mdtm(said)
    parse_features(Reply(code, (f"{code}-{text}", text, f"{code} {text}")))


@given(st.integers(1, 65535), st.sampled_from("|!~#@,"))
def test_port_round_trip(port: int, mark: str) -> None:
    assert parse_epsv(reply(229, f"ok ({mark * 3}{port}{mark})")) == port
    sent = encode_port("10.1.2.3", port).argument
    assert parse_pasv(reply(227, f"here ({sent}).")) == ("10.1.2.3", port)
    assert encode_eprt("::1", port).argument == f"|2|::1|{port}|"


@given(st.datetimes(timezones=st.just(UTC)))
def test_time_round_trip(when: datetime) -> None:
    if when.year >= 1000:
        assert parse_time(encode_time(when)) == when.replace(microsecond=0)


@given(st.text(max_size=20))
def test_command_is_one_line_or_an_error(argument: str) -> None:
    try:
        line = Command("RETR", argument).encode()
    except InetError:
        assert re.search("[\r\n\0]", argument) or not _encodes(argument)
        return
    assert line.count(b"\r\n") == 1
    assert line.endswith(b"\r\n")
    assert b"\0" not in line


def _encodes(text: str) -> bool:
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


# Whole downloads

DATA = b"0123456789" * 10

REPLIES = st.sampled_from(
    [
        "220 hello",
        "230 in",
        "331 name?",
        "200 ok",
        "213 100",
        "213 20261122180411",
        "229 (|||{port}|)",
        "227 ({pasv})",
        "150 here",
        "125 here",
        "226 done",
        "250 done",
        "350 go on",
        '257 "/"',
        "421 bye",
        "425 no data",
        "426 aborted",
        "450 busy",
        "500 what?",
        "530 no",
        "550 no",
        "213 99",
        "213 -1",
        "229 nonsense",
        "230-in\r\n230 in",
        "150-here\r\n226 text\r\n150 here",
        "999 no",
        "x",
        "",
    ]
)
GOOD = ["230 in", "230 in", "200 ok", "213 100", "213 20261122180411", "229 (|||{port}|)", "150 here", "226 done"]


class Nonsense:
    """Says one reply after the other, as many as there are commands, whatever those are; the data comes to who asks."""

    def __init__(self, replies: list[str], data: bytes) -> None:
        self._control = socket.create_server(("127.0.0.1", 0))
        self._data = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._control.getsockname()[1]
        port = self._data.getsockname()[1]
        self._replies = [
            line.replace("{port}", str(port)).replace("{pasv}", f"127,0,0,1,{port >> 8},{port & 255}")
            for line in replies
        ]
        self._content = data
        self._threads = [threading.Thread(target=run, daemon=True) for run in (self._converse, self._send)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        for sock in (self._control, self._data):
            sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(5)

    def _converse(self) -> None:
        try:
            while True:
                sock, _ = self._control.accept()
                with sock:
                    self._talk(sock)
        except OSError:
            pass

    def _talk(self, sock: socket.socket) -> None:
        try:
            sock.sendall(b"220 hello\r\n")
            left = list(self._replies)
            while left and (heard := sock.recv(4096)):
                for line in heard.splitlines():
                    count = 2 if line.startswith(b"RETR") else 1
                    for said in left[:count]:
                        sock.sendall(said.encode() + b"\r\n")
                    left = left[count:]
        except OSError:
            pass

    def _send(self) -> None:
        try:
            while True:
                sock, _ = self._data.accept()
                with sock:
                    sock.sendall(self._content)
        except OSError:
            pass


@st.composite
def conversations(draw) -> list[str]:
    """Replies that are nearly right: some are others, some too many, some missing; or any at all."""
    if draw(st.booleans()):
        return draw(st.lists(REPLIES, max_size=14))
    replies = list(GOOD)
    for _ in range(draw(st.integers(0, 3))):
        place = draw(st.integers(0, len(replies) - 1)) if replies else 0
        match draw(st.integers(0, 2)):
            case 0 if replies:
                replies[place] = draw(REPLIES)
            case 1 if replies:
                del replies[place]
            case _:
                replies.insert(place, draw(REPLIES))
    return replies + draw(st.lists(REPLIES, max_size=3))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(conversations(), st.sampled_from([DATA, DATA[:50], DATA + b"x", b""]))
def test_no_server_makes_an_incomplete_download_succeed(replies: list[str], data: bytes) -> None:
    """The result is an error in time and no file, or all the bytes that the server has sent."""
    server = Nonsense(replies, data)
    session = session_for(silence_s=0.06, connect_s=0.5, max_time_s=2.0)
    server_key = ServerKey("127.0.0.1", server.port)
    options = DownloadOptions()
    try:
        with tempfile.TemporaryDirectory() as name, ftp_peers(1) as servers:
            folder = Path(name)
            try:
                local = open_local(LocalPath(("a",), name), options, {}, session)
                with local.destination:
                    done = Ftp(session, servers[server_key]).get("a", local, options, NO_PROGRESS)
            except InetError:
                assert list(folder.iterdir()) == []
                return
            assert (folder / "a").read_bytes() == data
            assert done.bytes == len(data)
            assert done.size in (None, len(data))
            assert done.final[0] == "2" or (done.final, done.size) == ("none", len(data))
    finally:
        server.close()
        session.network.cancel.close()
