"""The contract of every FTP fault: what ftplib, a raw socket or curl see of it."""

import ftplib
import io
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from support.foreign import run
from support.ftpline import ANONYMOUS, LIMIT_S, Control, read_all

from mockservers import FtpServer
from mockservers.connection import LINGER_S
from mockservers.families import kinds_of
from mockservers.ftp.bait import PLANTED
from mockservers.log import Kind

DATA = bytes(range(256)) * 40
BIG = bytes(16 << 20)
"""More than fits into the buffers of a connection."""
SHORT_S = 0.2
LATE_S = 0.1

Contract = Callable[[], None]


def serve(*faults: str, tls: str | None = None) -> FtpServer:
    return FtpServer({"a.bin": DATA, "pub/b": b"b"}, faults=faults, tls=tls)


@contextmanager
def logged_in(server: FtpServer, timeout: float = LIMIT_S) -> Iterator[ftplib.FTP]:
    """ftplib, inside TLS if the server has it. It is closed, not left politely: few faults leave the manners for it."""
    if server.tls:
        client: ftplib.FTP = ftplib.FTP_TLS(context=ssl.create_default_context(cafile=server.ca_file), timeout=timeout)
        client.connect("localhost", server.port)
    else:
        client = ftplib.FTP(timeout=timeout)
        client.connect(server.host, server.port)
    try:
        client.login()
        if isinstance(client, ftplib.FTP_TLS):
            client.prot_p()
        yield client
    finally:
        client.close()


def fetch(client: ftplib.FTP, path: str = "a.bin", rest: int | None = None) -> tuple[str, bytes]:
    """The final reply, and what came."""
    pieces: list[bytes] = []
    reply = client.retrbinary(f"RETR {path}", pieces.append, rest=rest)
    return reply, b"".join(pieces)


def fetch_and_fail(client: ftplib.FTP, error: type[Exception], match: str) -> bytes:
    """What came before ftplib gave up."""
    pieces: list[bytes] = []
    with pytest.raises(error, match=match):
        client.retrbinary("RETR a.bin", pieces.append)
    return b"".join(pieces)


def silent(peer: Control) -> bool:
    """Nothing comes."""
    peer.sock.settimeout(SHORT_S)
    try:
        return peer.sock.recv(1) == b"never"
    except TimeoutError:
        return True


def at_its_end(peer: Control) -> bool:
    return peer.stream.read() == b""


def listing(server: FtpServer, command: str) -> list[bytes]:
    """The rows, by a raw socket: ftplib takes a lone CR for the end of one."""
    with Control(server, *ANONYMOUS) as peer:
        return peer.fetch(command)[1].split(b"\r\n")[:-1]


def names_told(name: str, folder: str = "pub") -> list[str]:
    """The names that a fault adds to a folder with one file, the same in every kind of listing."""
    with serve(*(f"{command}:{name}" for command in ("LIST", "NLST", "MLSD"))) as server:
        unix = [row[49:] for row in listing(server, f"LIST {folder}")]
        facts = [row.partition(b"; ")[2] for row in listing(server, f"MLSD {folder}")]
        plain = [row.removeprefix(f"{folder}/".encode()) for row in listing(server, f"NLST {folder}")]
        assert server.problems() == []
    assert unix == facts == plain
    assert facts[0] == b"b"
    return [name.decode("utf-8", "surrogateescape") for name in facts[1:]]


def dead_port() -> None:
    with serve("EPSV:dead_port", "PASV:dead_port") as server:
        with logged_in(server) as client:
            fetch_and_fail(client, ConnectionRefusedError, "refused")
        with Control(server, *ANONYMOUS) as peer, pytest.raises(ConnectionRefusedError):
            peer.passive()
        assert server.problems() == []


def blackhole_port() -> None:
    with serve("PASV:blackhole_port") as server, logged_in(server, SHORT_S) as client:
        fetch_and_fail(client, TimeoutError, "timed out")


def other_address() -> None:
    with serve("PASV:other_address(192.0.2.7)") as server, logged_in(server) as client:
        client.trust_server_pasv_ipv4_address = True
        assert client.makepasv()[0] == "192.0.2.7"
        client.trust_server_pasv_ipv4_address = False
        assert fetch(client)[1] == DATA


def never_connects() -> None:
    with serve("PORT:never_connects", "EPRT:never_connects") as server, logged_in(server, SHORT_S) as client:
        client.set_pasv(False)
        fetch_and_fail(client, TimeoutError, "timed out")
        assert server.log.events(Kind.TO_CLIENT)[-1].data.startswith(b"150")


def epsv_refused() -> None:
    with serve("EPSV:epsv_refused") as server:
        with logged_in(server) as client:
            assert " EPSV\n" in client.sendcmd("FEAT")
            with pytest.raises(ftplib.error_perm, match="500 EPSV: not a command"):
                client.sendcmd("EPSV")
        done = run("curl", "-sS", f"{server.url}/a.bin")
        assert (done.code, done.stdout) == (0, DATA)
        assert server.log.commands()[-5:-1] == ["PASV", "TYPE I", "SIZE a.bin", "RETR a.bin"]


def no_data() -> None:
    with serve("RETR:no_data") as server, logged_in(server) as client:
        assert fetch_and_fail(client, ftplib.error_temp, "425 cannot open data connection") == b""


def partial() -> None:
    with serve("RETR:partial@100x1", "RETR:partial(451)@99x1", "STOR:partial(552)@5") as server:
        with logged_in(server) as client:
            assert fetch(client) == ("226 done", DATA[:100])  # ftplib believes it
            assert fetch_and_fail(client, ftplib.error_temp, "451") == DATA[:99]
            assert fetch(client)[1] == DATA
        with Control(server, *ANONYMOUS) as peer:
            assert peer.send_file("STOR up", b"123456789")[1] == "552 that is all there will be"
        assert server.files["up"] == b"12345"
    with serve("STOR:partial@5") as server, logged_in(server) as client:
        assert client.storbinary("STOR up", io.BytesIO(DATA)) == "226 done"
        assert server.files["up"] == DATA[:5]
    with serve("RETR:partial@100") as server:
        assert run("curl", "-sS", f"{server.url}/a.bin").code == 18


def wrong_size() -> None:
    with serve("SIZE:wrong_sizex1", "SIZE:wrong_size(0.5)") as server, logged_in(server) as client:
        client.voidcmd("TYPE I")
        assert [client.size("a.bin"), client.size("a.bin")] == [2 * len(DATA), len(DATA) // 2]


def rest_ignored() -> None:
    with serve("REST:rest_ignored") as server, logged_in(server) as client:
        assert fetch(client, rest=5)[1] == DATA
        assert b"350 the next transfer begins at 5\r\n" in [event.data for event in server.log.events(Kind.TO_CLIENT)]


def data_before_opening() -> None:
    with serve("RETR:data_before_opening") as server:
        with Control(server, *ANONYMOUS) as peer, peer.passive() as data:
            peer.send(b"RETR a.bin\r\n")
            assert read_all(data) == DATA
            assert [peer.reply()[:3], peer.reply()[:3]] == ["150", "226"]
        said = [event.channel for event in server.log.events(Kind.TO_CLIENT)][-3:]
        assert said == ["data", "main", "main"]
        with logged_in(server) as client:
            assert fetch(client) == ("226 done", DATA)


def no_final_reply() -> None:
    with serve("RETR:no_final_reply") as server:
        with logged_in(server, SHORT_S) as client:
            assert fetch_and_fail(client, TimeoutError, "timed out") == DATA
        with Control(server, *ANONYMOUS) as peer:
            with peer.passive() as data:
                assert peer.say("RETR a.bin").startswith("150")
                assert read_all(data) == DATA
            peer.send(b"NOOP\r\n")
            assert silent(peer)


def late_final_reply() -> None:
    with serve(f"RETR:late_final_reply({LATE_S})") as server, logged_in(server) as client:
        started = time.monotonic()
        assert fetch(client) == ("226 done", DATA)
        assert time.monotonic() - started >= LATE_S


def early_final_reply() -> None:
    with FtpServer({"big": BIG}, faults=["RETR:early_final_reply@4096", "STOR:early_final_reply"]) as server:
        with Control(server, *ANONYMOUS) as peer:
            with peer.passive() as data:
                assert peer.say("RETR big").startswith("150")
                assert peer.reply() == "226 done"  # and nobody has read a byte yet
                assert read_all(data) == BIG
            with peer.passive() as data:
                assert peer.say("STOR up").startswith("150")
                assert peer.reply() == "226 done"
                data.sendall(DATA)
            assert peer.say("NOOP") == "200 yes"
        with logged_in(server) as client:
            assert fetch(client, "big") == ("226 done", BIG)
        assert server.files["up"] == DATA


def final_reply() -> None:
    with serve("RETR:final_replyx1", "RETR:final_reply(451 the disk: broken)") as server, logged_in(server) as client:
        assert fetch(client) == ("250 done", DATA)
        assert fetch_and_fail(client, ftplib.error_temp, "451 the disk: broken") == DATA


def no_reply() -> None:
    with serve("TYPE:no_reply") as server:
        with logged_in(server, SHORT_S) as client, pytest.raises(TimeoutError):
            client.voidcmd("TYPE I")
        with Control(server, *ANONYMOUS[:2]) as peer:
            peer.send(b"TYPE I\r\n")
            assert peer.say("NOOP") == "200 yes"


def reply_twice() -> None:
    with serve("USER:reply_twice") as server:
        with Control(server) as peer:
            assert [peer.say("USER user"), peer.reply(), peer.say("PASS password")] == [
                *("331 password please", "331 password please", "230 welcome")
            ]
        # ftplib takes the second 331 for the reply to PASS, gives an account, and is one behind ever after.
        with logged_in(server) as client:
            assert client.sendcmd("PWD") == "202 no account is needed"
            assert client.sendcmd("NOOP").startswith("257 ")


def endless_reply() -> None:
    with serve("PASS:endless_reply") as server, Control(server) as peer:
        peer.say("USER user")
        peer.send(b"PASS password\r\n")
        lines = {peer.stream.readline()[:4] for _ in range(50_000)}
        assert lines == {b"230-"}


def unimplemented() -> None:
    with serve("MLSD:unimplemented") as server, logged_in(server) as client:
        assert "MLST type*" in client.sendcmd("FEAT")
        with pytest.raises(ftplib.error_perm, match="502 not implemented"):
            list(client.mlsd())
        assert client.nlst() == ["a.bin", "incoming", "pub"]


def refused_and_closed() -> None:
    with serve("RETR:refused_and_closed") as server:
        with Control(server, *ANONYMOUS) as peer:
            peer.sock.sendall(b"RETR a.bin\r\n")
            assert peer.sock.recv(1000) == b"550 no such file\r\n421 the server is shutting down\r\n"
            assert peer.sock.recv(1) == b""
        with logged_in(server) as client:
            assert fetch_and_fail(client, ftplib.error_perm, "550 no such file") == b""
            with pytest.raises(ftplib.error_temp, match="421"):
                client.pwd()


def shutting_down() -> None:
    with serve("RETR:shutting_down@100", "NOOP:shutting_down") as server:
        with logged_in(server) as client:
            assert fetch_and_fail(client, ftplib.error_temp, "421 the server is shutting down") == DATA[:100]
            with pytest.raises(EOFError):
                client.pwd()
        with Control(server) as peer:
            assert peer.say("NOOP") == "421 the server is shutting down"
            assert at_its_end(peer)


def pipelined_dropped() -> None:
    with serve("*:pipelined_dropped") as server:
        with Control(server) as peer:
            peer.send(b"USER user\r\nPASS password\r\nPWD\r\n")
            assert peer.reply() == "331 password please"
            assert silent(peer)
            peer.sock.settimeout(LIMIT_S)
        assert server.problems() == []
    with serve("*:pipelined_dropped") as server, logged_in(server) as client:
        assert fetch(client)[1] == DATA
        assert server.problems()[0].startswith("fault never fired")


def clear_text() -> None:
    with (
        serve("PASS:clear_text", tls="explicit") as server,
        pytest.raises(ssl.SSLError, match=r"(?i)wrong.version|record layer"),
        logged_in(server),
    ):
        pass
    with serve("PASS:clear_text", tls="implicit") as server:
        done = run("curl", "-sS", "--cacert", str(server.ca_file), f"ftps://localhost:{server.port}/a.bin")
        assert (done.code, b"wrong version number" in done.stderr) == (56, True), done.err


def clear_data() -> None:
    with serve("RETR:clear_data", tls="explicit") as server, logged_in(server) as client:
        fetch_and_fail(client, ssl.SSLError, r"(?i)wrong.version|record layer")


def reuse_required() -> None:
    with serve("RETR:reuse_required", tls="explicit") as server:
        with logged_in(server) as client:
            assert fetch_and_fail(client, ftplib.error_perm, "522") == b""
        trust = ["--ssl-reqd", "--cacert", str(server.ca_file)]
        done = run("curl", "-sS", *trust, f"ftp://localhost:{server.port}/a.bin")
        assert (done.code, done.stdout) == (0, DATA)  # curl resumes: nothing is refused


def listing_climbs() -> None:
    assert names_told("listing_climbs") == ["../planted", "../../planted", "a/../../../planted", "..\\planted"]
    with serve("MLSD:listing_climbs") as server, logged_in(server) as client:
        names = [name for name, _ in client.mlsd("pub")]
        client.cwd("pub")
        assert {fetch(client, name)[1] for name in names if "planted" in name} == {PLANTED}
        assert fetch(client, "b")[1] == b"b"


def listing_absolute() -> None:
    assert names_told("listing_absolute") == ["/tmp/mockservers-planted", "//planted"]
    with serve("NLST:listing_absolute") as server, logged_in(server) as client:
        assert "/tmp/mockservers-planted" in client.nlst()
        assert fetch(client, "/tmp/mockservers-planted")[1] == PLANTED


def listing_of_itself() -> None:
    assert names_told("listing_of_itself") == [".", "..", ""]
    with serve("MLSD:listing_of_itself") as server, logged_in(server) as client:
        assert [facts["type"] for name, facts in client.mlsd() if name in (".", "..", "")] == ["dir"] * 3


def listing_escapes() -> None:
    told = names_told("listing_escapes")
    assert "\x1b[31mred\x1b[0m" in told
    assert "\u202etxt.exe" in told
    with serve("MLSD:listing_escapes") as server, logged_in(server) as client:
        assert fetch(client, "\x1b[31mred\x1b[0m")[1] == PLANTED if list(client.mlsd()) else False


def listing_cr() -> None:
    assert names_told("listing_cr") == ["before\rafter"]


def listing_nul() -> None:
    assert names_told("listing_nul") == ["before\0after"]


def listing_raw_bytes() -> None:
    assert names_told("listing_raw_bytes") == ["gr\udcfcn.txt"]
    with (
        serve("NLST:listing_raw_bytes") as server,
        logged_in(server) as client,
        pytest.raises(UnicodeDecodeError),
    ):
        client.nlst()


def listing_huge() -> None:
    with serve("NLST:listing_huge") as server, logged_in(server) as client:
        assert len(client.nlst()) == 3 + 100_000
    assert len(names_told("listing_huge(1234)")) == 1234


def listing_endless() -> None:
    with serve("LIST:listing_endless") as server, Control(server, *ANONYMOUS) as peer:
        with peer.passive() as data:
            assert peer.say("LIST").startswith("150")
            seen = 0
            while seen < 4 << 20:
                seen += len(data.recv(1 << 16))
        assert peer.reply() == "426 data connection closed"


def listing_link_then_folder() -> None:
    with serve("LIST:listing_link_then_folder") as server, logged_in(server) as client:
        rows: list[str] = []
        client.retrlines("LIST pub", rows.append)
        assert [(row[0], row[49:]) for row in rows] == [("-", "b"), ("l", "inside -> ../outside"), ("d", "inside")]
        assert client.nlst("pub/inside") == ["pub/inside/planted"]
        assert fetch(client, "pub/inside/planted")[1] == PLANTED


CONTRACTS: dict[str, Contract] = {
    contract.__name__: contract
    for contract in (
        *(dead_port, blackhole_port, other_address, never_connects, epsv_refused, no_data, partial, wrong_size),
        *(rest_ignored, data_before_opening, no_final_reply, late_final_reply, early_final_reply, final_reply),
        *(no_reply, reply_twice, endless_reply, unimplemented, refused_and_closed, shutting_down, pipelined_dropped),
        *(clear_text, clear_data, reuse_required),
        *(listing_climbs, listing_absolute, listing_of_itself, listing_escapes, listing_cr, listing_nul),
        *(listing_raw_bytes, listing_huge, listing_endless, listing_link_then_folder),
    )
}
"""By fault. One without a contract is not to be had."""


@pytest.mark.parametrize("name", CONTRACTS)
def test_contract(name: str) -> None:
    CONTRACTS[name]()


def test_every_kind_has_its_contract() -> None:
    assert {kind.name for _, kind in kinds_of(("ftp", "ftps"))} - {"reply"} == set(CONTRACTS)


def test_a_reply_instead_of_any_command() -> None:
    commands = {"connect": "", "USER": "USER x", "FEAT": "FEAT", "RETR": "RETR a.bin", "LIST": "LIST", "QUIT": "QUIT"}
    for trigger, line in commands.items():
        with serve(f"{trigger}:reply(450 not: (now), please)") as server, Control(server) as peer:
            said = peer.say(line) if line else peer.greeting
            assert said == "450 not: (now), please"
            assert server.problems() == []
    with serve("RETR pub/b:reply(550 that one)") as server, logged_in(server) as client:
        assert fetch(client)[1] == DATA
        with pytest.raises(ftplib.error_perm, match="550 that one"):
            fetch(client, "pub/b")


def test_the_transport_ends_an_upload_at_its_byte() -> None:
    with serve("STOR:rst@1000x1", "STOR:fin@1000") as server:
        with Control(server, *ANONYMOUS) as peer:
            replies = []
            for _ in range(2):
                with peer.passive() as data:
                    assert peer.say("STOR up").startswith("150")
                    data.sendall(bytes(1000))
                    try:
                        ended = data.recv(1) == b""
                    except ConnectionResetError:
                        ended = False
                replies.append((ended, peer.reply()))
                assert server.files["up"] == bytes(1000)
        assert replies == [(False, "426 data connection closed"), (True, "426 data connection closed")]
        assert server.problems() == []


def test_the_reply_to_cut_data_comes_while_the_client_still_holds_its_side() -> None:
    """As urllib does: it closes the data connection when it has read the final reply."""
    with serve("RETR:fin@4096") as server, logged_in(server, timeout=LINGER_S / 2) as client:
        client.voidcmd("TYPE I")
        with client.transfercmd("RETR a.bin") as data:
            assert read_all(data) == DATA[:4096]
            with pytest.raises(ftplib.error_temp, match="426 data connection closed"):
                client.voidresp()


def test_an_end_of_data_without_close_notify() -> None:
    for fault, error in (("RETR:truncate", ssl.SSLEOFError), ("RETR:delay(0)", None)):
        with serve(fault, tls="explicit") as server, logged_in(server) as client:
            client.voidcmd("TYPE I")
            with client.transfercmd("RETR a.bin") as data:
                assert isinstance(data, ssl.SSLSocket)
                data.suppress_ragged_eofs = False
                if error is None:
                    assert read_all(data) == DATA
                else:
                    with pytest.raises(error):
                        read_all(data)
            assert client.voidresp() == "226 done"
            assert server.problems() == []


def test_faults_of_tls_are_refused_without_it() -> None:
    with pytest.raises(ValueError, match="ftp has no fault clear_text"):
        serve("PASS:clear_text")
    with pytest.raises(ValueError, match=r"expected address as 192\.0\.2\.1, got 'x'"):
        serve("PASV:other_address(x)")


def test_a_fault_whose_byte_never_comes_has_not_fired() -> None:
    with serve("RETR:partial@999999") as server, logged_in(server) as client:
        assert fetch(client)[1] == DATA
        assert server.problems()[0].startswith("fault never fired: RETR:partial(226)@999999")


def test_what_is_not_read_keeps_nobody_from_leaving() -> None:
    with serve("LIST:listing_endless", "PASS:endless_reply") as server:
        peers = [socket.create_connection((server.host, server.port), LIMIT_S) for _ in range(5)]
        for peer in peers:
            peer.sendall(b"USER user\r\nPASS password\r\n")
        server.wait_for("PASS", count=5)
        started = time.monotonic()
        server.stop()
        assert time.monotonic() - started < 1
        for peer in peers:
            peer.close()
