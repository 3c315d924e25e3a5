"""The honest FTP server, seen through a raw socket: what it says, in what order, and what it lets nobody do."""

import socket
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.ftpline import ANONYMOUS, LIMIT_S, Control, read_all

from mockservers import FtpServer
from mockservers.log import Kind

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
FILES = {"a.bin": b"0123456789", "pub/text": b"one\ntwo\r\n", "pub/deep/b b": b"x"}


def serve(**options: object) -> FtpServer:
    return FtpServer(FILES, clock=lambda: NOW, **options)  # type: ignore[arg-type]


def converse(server: FtpServer, *lines: str) -> list[str]:
    with Control(server, *ANONYMOUS) as peer:
        return [peer.say(line) for line in lines]


def test_commands_in_one_segment_are_answered_in_order_each_in_one_write() -> None:
    with serve() as server:
        with Control(server) as peer:
            peer.send(b"USER user\r\nPASS password\r\nPWD\r\nSYST\nNOPE\r\n\r\nFEAT\r\nQUIT\r\n")
            replies = [peer.reply() for _ in range(8)]
            assert peer.stream.read() == b""
        writes = [event.data for event in server.log.events(Kind.TO_CLIENT)]
    assert replies == [
        "331 password please",
        "230 welcome",
        '257 "/" is the current folder',
        "215 UNIX Type: L8",
        "500 NOPE: not a command",
        "500 an empty line: not a command",
        (
            "211-Features:\n CLNT\n EPRT\n EPSV\n HASH SHA-256*;SHA-1;MD5\n HOST\n MDTM\n MFMT\n"
            " MLST type*;size*;modify*;perm*;unique*;\n REST STREAM\n SIZE\n TVFS\n UTF8\n211 End"
        ),
        "221 bye",
    ]
    assert len(writes) == 9


def test_too_long_a_command_is_refused_and_the_conversation_stays_in_step() -> None:
    with serve() as server:
        assert converse(server, "CWD " + "a" * 5000, "PWD") == [
            "500 a command has at most 4096 bytes",
            '257 "/" is the current folder',
        ]


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        (["USER user", "PASS password"], [331, 230]),
        (["USER user", "PASS wrong", "PASS password", "PWD"], [331, 530, 503, 530]),
        (["USER anonymous", "PASS x"], [331, 230]),
        (["USER ftp", "PASS "], [331, 230]),
        (["PASS x", "ACCT x"], [503, 202]),
        (["USER user", "PASS password", "USER nobody", "PWD"], [331, 230, 331, 530]),
        (["USER user", "PASS password", "REIN", "PWD", "USER user"], [331, 230, 220, 530, 331]),
        (["HOST a.example.test", "USER user", "HOST b.example.test"], [220, 331, 503]),
        (["AUTH TLS", "PBSZ 0", "PROT P", "CCC"], [502, 503, 503, 533]),
    ],
)
def test_who_may_come(said: list[str], codes: list[int]) -> None:
    with serve() as server, Control(server) as peer:
        assert [peer.code(line) for line in said] == codes
    with serve(anonymous=False, users={"ada": "x"}) as server, Control(server) as peer:
        assert [peer.code(line) for line in ("USER anonymous", "PASS x", "USER ada", "PASS x")] == [331, 530, 331, 230]


@pytest.mark.parametrize("directory", [False, True])
def test_a_tree_is_walked_changed_and_told(directory: bool, tmp_path: Path) -> None:
    if directory:
        for name, data in FILES.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(data)
    with FtpServer(directory=tmp_path) if directory else serve() as server:
        assert converse(
            server,
            "CWD pub/deep",
            "PWD",
            "SIZE b b",
            "CDUP",
            "CWD ../../..",
            "PWD",
            "CWD nope",
            "CWD a.bin",
            "SIZE pub",
            "SIZE /nope",
            'MKD "q"',
            'MKD "q"',
            "MKD no/where",
            "RMD pub",
            "RMD a.bin",
            'RMD "q"',
            "RMD /",
            "RNFR a.bin",
            "RNTO pub/c.bin",
            "RNTO pub/d.bin",
            "RNFR nope",
            "RNFR pub",
            "RNTO pub/inside",
            "RNFR pub",
            "NOOP",
            "RNTO other",
            "RNFR pub",
            "RNTO other",
            "SIZE other/deep/b b",
            "DELE other",
            "DELE other/c.bin",
            "DELE other/c.bin",
            "MFMT 20200229123456 other/text",
            "MDTM other/text",
            "MFMT 20200230123456 other/text",
            "MFMT yesterday other/text",
            "MDTM other",
            "SITE CHMOD 600 other/text",
            "SITE CHMOD 9 other/text",
            "SITE UTIME 20210101000000 other/text",
            "SITE EXEC rm",
        ) == [
            "250 now in /pub/deep",
            '257 "/pub/deep" is the current folder',
            "213 1",
            "250 now in /pub",
            "250 now in /",
            '257 "/" is the current folder',
            "550 no such file",
            "550 /a.bin: not a folder",
            "550 /pub: not a plain file",
            "550 no such file",
            '257 "/""q""" made',
            '550 /"q": is there already',
            "550 no such file" if directory else "553 /no: no such folder",
            "550 /pub: not an empty folder",
            "550 no such file" if directory else "550 /a.bin: not a folder",
            '250 "q" is gone',
            "550 /: not an empty folder",
            "350 and to?",
            "250 now called pub/c.bin",
            "503 RNFR first",
            "550 no such file",
            "350 and to?",
            "553 /pub/inside: a folder cannot be inside itself",
            "350 and to?",
            "200 yes",
            "503 RNFR first",
            "350 and to?",
            "250 now called other",
            "213 1",
            "550 /other: is a folder",
            "250 other/c.bin is gone",
            "550 no such file",
            "213 Modify=20200229123456; other/text",
            "213 20200229123456",
            "501 20200230123456: there is no such time",
            "501 expected a time as YYYYMMDDHHMMSS",
            "550 /other: not a plain file",
            "200 mode of other/text set",
            "501 expected SITE CHMOD OCTAL PATH",
            "200 time of other/text set",
            "504 SITE knows CHMOD, UTIME and HELP",
        ]
        assert server.modified("other/text") == datetime(2021, 1, 1, tzinfo=UTC)
        assert set(server.files) == {"/other/text", "/other/deep/b b"}
        assert server.problems() == []


def test_listings_in_every_style() -> None:
    times = {"a.bin": datetime(2020, 2, 29, 1, 2, 3, tzinfo=UTC), "pub": datetime(2026, 11, 1, tzinfo=UTC)}
    styles = {
        "unix": b"-rw-r--r--   1 ftp ftp           10 Feb 29  2020 a.bin\r\n"
        b"drwxr-xr-x   2 ftp ftp            0 Nov 22 18:04 incoming\r\n"
        b"lrwxrwxrwx   1 ftp ftp            0 Nov 22 18:04 link -> pub/text\r\n"
        b"drwxr-xr-x   2 ftp ftp            0 Nov 01 00:00 pub\r\n".replace(b"Nov 01", b"Nov  1"),
        "dos": b"02-29-20  01:02AM                   10 a.bin\r\n"
        b"11-22-26  06:04PM       <DIR>          incoming\r\n"
        b"11-22-26  06:04PM                    0 link\r\n"
        b"11-01-26  12:00AM       <DIR>          pub\r\n",
        "eplf": b"+i4,m1582938123,r,s10,\ta.bin\r\n+i3,m1795370651,/,\tincoming\r\n"
        b"+i8,m1795370651,r,s0,\tlink\r\n+i2,m1793491200,/,\tpub\r\n",
    }
    for style, rows in styles.items():
        with (
            serve(times=times, links={"link": "pub/text"}, listing=style) as server,
            Control(server, *ANONYMOUS) as peer,
        ):
            assert peer.fetch("LIST") == (["150 here comes the listing", "226 done"], rows)
            assert peer.fetch("MLSD") == (
                ["150 here comes the listing", "226 done"],
                (
                    b"type=file;size=10;modify=20200229010203;perm=adfrw;unique=4; a.bin\r\n"
                    b"type=dir;modify=20261122180411;perm=cdeflmp;unique=3; incoming\r\n"
                    b"type=OS.unix=slink:pub/text;modify=20261122180411;perm=adfrw;unique=8; link\r\n"
                    b"type=dir;modify=20261101000000;perm=cdeflmp;unique=2; pub\r\n"
                ),
            )


def test_what_can_be_listed_and_how_names_come_back() -> None:
    with serve() as server, Control(server, *ANONYMOUS) as peer:
        assert peer.fetch("NLST")[1] == b"a.bin\r\nincoming\r\npub\r\n"
        assert peer.fetch("NLST pub")[1] == b"pub/deep\r\npub/text\r\n"
        assert peer.fetch("NLST pub/t*")[1] == b"pub/text\r\n"
        assert peer.fetch("NLST *.bin")[1] == b"a.bin\r\n"
        assert peer.fetch("NLST pub/text")[1] == b"pub/text\r\n"
        assert peer.fetch("NLST incoming")[1] == b""
        assert peer.fetch("NLST none*")[1] == b""
        assert peer.fetch("LIST -la pub/deep")[1].endswith(b" b b\r\n")
        assert peer.fetch("LIST nope") == (["550 no such file"], b"")
        assert peer.fetch("MLSD a.bin") == (["501 a.bin: not a folder; MLST is for files"], b"")
        assert peer.say("MLST pub/text") == (
            "250-Listing pub/text\n type=file;size=9;modify=20261122180411;perm=adfrw;unique=5; /pub/text\n250 End"
        )
        assert peer.say("OPTS MLST size;nonsense;type;") == "200 MLST OPTS type;size;"
        assert peer.fetch("MLSD pub")[1] == b"type=dir; deep\r\ntype=file;size=9; text\r\n"
        assert peer.say("STAT pub") == (
            "212-Status of pub:\n drwxr-xr-x   2 ftp ftp            0 Nov 22 18:04 deep\n"
            " -rw-r--r--   1 ftp ftp            9 Nov 22 18:04 text\n212 End"
        )
        assert peer.say("STAT") == "211-Status:\n anonymous, TYPE I, in clear\n211 End"


def test_transfers_at_an_offset_in_text_and_at_the_end() -> None:
    with serve() as server, Control(server, *ANONYMOUS) as peer:
        begun = "150 opening BINARY mode data connection for a.bin"
        assert peer.fetch("RETR a.bin") == ([begun, "226 done"], b"0123456789")
        assert peer.say("REST 7") == "350 the next transfer begins at 7"
        assert peer.fetch("RETR a.bin")[1] == b"789"
        assert peer.fetch("RETR a.bin")[1] == b"0123456789"
        assert [peer.code(line) for line in ("REST 10", "REST -1", "REST x", "REST ")] == [350, 501, 501, 501]
        assert peer.fetch("RETR a.bin")[1] == b""
        peer.say("REST 11")
        assert peer.fetch("RETR a.bin")[0] == ["554 the file has 10 bytes, REST asked for those from 11 on"]
        peer.say("REST 4")
        assert peer.send_file("STOR a.bin", b"xy") == ["150 send a.bin", "226 done"]
        assert server.files["a.bin"] == b"0123xy"
        assert peer.send_file("APPE a.bin", b"!") == ["150 send more of a.bin", "226 done"]
        assert peer.send_file("APPE incoming/new", b"new")[1] == "226 done"
        assert (server.files["a.bin"], server.files["incoming/new"]) == (b"0123xy!", b"new")
        assert peer.send_file("STOU a.bin", b"1")[0] == "150 FILE: a.bin.1"
        assert peer.send_file("STOR nope/x", b"") == ["150 send nope/x", "553 /nope: no such folder"]
        assert peer.send_file("STOR pub", b"") == ["150 send pub", "553 /pub: not a plain file"]
        assert peer.say("TYPE A") == "200 TYPE is A"
        assert peer.code("REST 1") == 504
        assert peer.say("SIZE pub/text") == "213 10"
        assert peer.fetch("RETR pub/text")[1] == b"one\r\ntwo\r\n"
        assert peer.send_file("STOR incoming/text", b"one\r\ntwo\rthree\n\r")[1] == "226 done"
        assert server.files["incoming/text"] == b"one\ntwo\rthree\n\r"
        assert server.modified("incoming/text") == NOW


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_active_data_goes_to_the_client_and_nowhere_else(host: str) -> None:
    foreign = "EPRT |2|2001:db8::1|2000|" if ":" in host else "PORT 192,0,2,1,8,1"
    with (
        FtpServer(FILES, host=host) as server,
        Control(server, *ANONYMOUS) as peer,
        socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as listener,
    ):
        listener.settimeout(LIMIT_S)
        number = listener.getsockname()[1]
        assert peer.code(foreign) == 504
        assert peer.code(f"EPRT |{'2' if ':' in host else '1'}|{host}|22|") == 504
        assert peer.code(f"EPRT |{'1' if ':' in host else '2'}|{host}|{number}|") == 522
        assert [peer.code(line) for line in ("EPRT", "EPRT |1|x|", "PORT 1,2,3", "PORT 1,2,3,4,5,256")] == [501] * 4
        assert peer.code(f"EPRT |{'2' if ':' in host else '1'}|{host}|{number}|") == 200
        assert peer.say("RETR a.bin").startswith("150")
        data, _ = listener.accept()
        with data:
            assert read_all(data) == b"0123456789"
        assert peer.reply() == "226 done"
        assert peer.say("RETR a.bin") == "425 EPSV or PASV first"
        assert peer.code(f"EPRT |{'2' if ':' in host else '1'}|{host}|{number}|") == 200
        listener.close()
        assert peer.say("RETR a.bin") == "425 your data port cannot be reached: Connection refused"


def test_passive_data_in_both_families() -> None:
    with serve(host="dual") as server:
        assert [line[:3] for line in converse(server, "EPSV 2", "EPSV 1", "EPSV 3", "PASV")] == [
            "522",
            "229",
            "501",
            "227",
        ]
        assert [line[:3] for line in converse(server, "EPSV ALL", "PASV", "PORT 127,0,0,1,8,1", "EPSV")] == [
            *("200", "501", "501", "229")
        ]
        server.host = "::1"
        assert [line[:3] for line in converse(server, "EPSV 2", "EPSV 1", "PASV")] == ["229", "522", "522"]


def test_hash_of_a_file_in_three_ways() -> None:
    with serve() as server, Control(server, *ANONYMOUS) as peer:
        digest = "84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"
        assert peer.say("HASH a.bin") == f"213 SHA-256 0-9 {digest} a.bin"
        assert peer.say("OPTS HASH md5") == "200 MD5"
        assert peer.say("HASH a.bin") == "213 MD5 0-9 781e5e245d69b566979b86e28d23f2c7 a.bin"
        assert peer.say("OPTS HASH CRC") == "501 known: SHA-256, SHA-1, MD5"
        assert peer.say("OPTS HASH") == "200 MD5"
        assert "HASH SHA-256;SHA-1;MD5*" in peer.say("FEAT")
        assert peer.say("HASH pub") == "550 /pub: not a plain file"


def test_the_form_of_data_and_what_is_understood() -> None:
    with serve() as server:
        lines = "TYPE A N", "TYPE L 8", "TYPE E", "TYPE X", "MODE S", "MODE Z", "STRU F", "STRU R", "ALLO 9", "CLNT x"
        assert [line[:3] for line in converse(server, *lines)] == [
            *("200", "200", "504", "501", "200", "504", "200", "504", "202", "200")
        ]
        (text, one, none) = converse(server, "HELP", "HELP stor", "HELP nope")
        assert "EPSV" in text.split()
        assert (one, none) == ("214 STOR is understood", "501 nope: not a command")
        assert converse(server, "XPWD", "XMKD q", "XCWD q", "XCUP", "XRMD q", "OPTS UTF8 ON") == [
            *('257 "/" is the current folder', '257 "/q" made', "250 now in /q", "250 now in /", "250 q is gone"),
            "200 names are UTF-8, always",
        ]


def test_switches_of_the_server() -> None:
    off = {"MLST": False, "EPSV": False, "HELP": False, "UTF8": False}
    with serve(features=off, greeting="one\ntwo", read_only=True) as server, Control(server, *ANONYMOUS) as peer:
        assert peer.greeting == "220-one\n220 two"
        told = peer.say("FEAT").split()
        assert {"MLST", "EPSV", "UTF8"}.isdisjoint(told)
        assert [peer.code(line) for line in ("MLST", "MLSD", "EPSV", "HELP", "OPTS UTF8 ON")] == [502] * 4 + [501]
        denied = "550 permission denied: nothing may be changed here"
        lines = "DELE a.bin", "MKD x", "RMD pub", "RNFR a.bin", "MFMT 20200101000000 a.bin", "SITE CHMOD 1 a.bin"
        assert [peer.say(line) for line in lines] == [denied] * 6
        assert peer.say("PASV").startswith("227 ")
        assert peer.say("STOR x") == denied
    with serve(announce=True) as server, Control(server, *ANONYMOUS) as peer:
        assert peer.fetch("RETR a.bin")[0][0] == "150 opening BINARY mode data connection for a.bin (10 bytes)"
    for wrong in ({"tls": "yes"}, {"require_tls": True}, {"listing": "vms"}, {"features": {"MLSD2": True}}):
        with pytest.raises(ValueError, match=r"tls|listing|features"):
            serve(**wrong)


def test_abor_ends_a_transfer_and_stat_tells_of_it() -> None:
    with FtpServer({"big": bytes(8 << 20)}) as server, Control(server, *ANONYMOUS) as peer:
        with peer.passive():
            assert peer.say("RETR big").startswith("150 ")
            assert peer.say("STAT").startswith("211-")
            peer.sock.send(b"\xff\xf4\xff", socket.MSG_OOB)  # as Telnet's Synch has it: IP, and an urgent DM
            assert peer.say("\udcf2ABOR") == "426 transfer aborted"
            assert peer.reply() == "226 nothing is on its way any more"
        assert peer.say("ABOR") == "226 nothing is on its way any more"
        assert peer.fetch("RETR big")[0][-1] == "226 done"
        with peer.passive():
            assert peer.say("RETR big").startswith("150 ")
            peer.send(b"NOOP\r\nPWD\r\n")  # they wait until the transfer has ended: here, because we leave
        assert [peer.reply()[:3] for _ in range(3)] == ["426", "200", "257"]
        assert server.problems() == []


def test_an_upload_has_a_limit_and_what_came_before_stays() -> None:
    with FtpServer({}, max_upload=5) as server, Control(server, *ANONYMOUS) as peer:
        assert peer.send_file("STOR a", b"123")[1] == "226 done"
        assert peer.send_file("STOR b", b"456") == ["150 send b", "552 no more room: 2 bytes are the limit"]
        assert dict(server.files) == {"/a": b"123", "/b": b"45"}
        assert peer.send_file("STOR a", b"12345")[1].startswith("552 ")


def test_a_passive_port_that_nobody_uses_goes_away() -> None:
    with serve() as server, Control(server, *ANONYMOUS) as peer:
        first, second = peer.passive(), peer.passive()
        with first, second:
            with suppress(ConnectionResetError):  # as it is when nobody had accepted it yet
                assert first.recv(1) == b""
            assert peer.say("RETR a.bin").startswith("150 ")
            assert read_all(second) == b"0123456789"
        assert peer.reply() == "226 done"


def test_files_is_what_is_there_now() -> None:
    with serve() as server:
        server.files["new/x"] = b"1"
        assert converse(server, "SIZE new/x", "DELE a.bin") == ["213 1", "250 a.bin is gone"]
        assert set(server.files) == {"/new/x", "/pub/text", "/pub/deep/b b"}
        del server.files["/new/x"]
        assert converse(server, "SIZE new/x") == ["550 no such file"]
        for gone in ("new/x", "pub", "a.bin/"):
            with pytest.raises(KeyError):
                server.files[gone]
        with pytest.raises(ValueError, match="NUL, CR or LF"):
            server.files["a\nb"] = b""
