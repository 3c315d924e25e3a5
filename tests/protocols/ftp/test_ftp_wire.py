"""Parsers of replies with parameters: well-formed and hostile replies."""

import pytest

from inetcli.errors import ProtocolViolation, Usage
from inetcli.protocols.ftp.wire import (
    Command,
    encode_eprt,
    encode_port,
    parse_announced_size,
    parse_epsv,
    parse_features,
    parse_hash,
    parse_pasv,
    parse_path,
    parse_size,
)
from inetcli.secret import Secret
from inetcli.wire.replies import Reply


def reply(line: str) -> Reply:
    return Reply(int(line[:3]), (line,))


@pytest.mark.parametrize(
    ("line", "port"),
    [
        ("229 Entering Extended Passive Mode (|||6446|)", 6446),
        ("229 (!!!1!)", 1),
        ("229 ok (|||65535|).", 65535),
    ],
)
def test_parse_epsv(line: str, port: int) -> None:
    assert parse_epsv(reply(line)) == port


@pytest.mark.parametrize(
    "line",
    [
        "229 Entering Extended Passive Mode",
        "229 (|||0|)",
        "229 (|||65536|)",
        "229 (|||99999999|)",
        "229 (||6446|)",
        "229 (|1|10.0.0.1|6446|)",
        "229 (|!|6446|)",
        "229 (|||-1|)",
        "229 (|||\u0661\u0662|)",
        "229 |||6446|",
    ],
)
def test_parse_epsv_refuses(line: str) -> None:
    with pytest.raises(ProtocolViolation, match="EPSV: expected"):
        parse_epsv(reply(line))


@pytest.mark.parametrize(
    ("line", "port"),
    [
        ("227 Entering Passive Mode (127,0,0,1,4,1)", 1025),
        ("227 Entering Passive Mode 10,0,0,1,255,255.", 65535),
        ("227 =127,0,0,1,0,21", 21),
    ],
)
def test_parse_pasv(line: str, port: int) -> None:
    assert parse_pasv(reply(line))[1] == port


@pytest.mark.parametrize(
    "line",
    ["227 ok", "227 (127,0,0,1,4)", "227 (127,0,0,1,256,1)", "227 (127,0,0,1,0,0)", "227 (1270,0,0,1,4,1)"],
)
def test_parse_pasv_refuses(line: str) -> None:
    with pytest.raises(ProtocolViolation, match="PASV: expected"):
        parse_pasv(reply(line))


@pytest.mark.parametrize(
    ("line", "size"),
    [("213 0", 0), ("213 9223372036854775807", (1 << 63) - 1), ("213 9223372036854775808", None), ("213 x", None)],
)
def test_parse_size(line: str, size: int | None) -> None:
    assert parse_size(reply(line)) == size


@pytest.mark.parametrize(
    ("line", "size"),
    [
        ("150 Opening BINARY mode data connection for a.bin (1048576 bytes).", 1048576),
        ("150 here it comes", None),
        ("150 (99999999999999999999 bytes)", None),
    ],
)
def test_parse_announced_size(line: str, size: int | None) -> None:
    assert parse_announced_size(reply(line)) == size


def test_commands_keep_bytes_that_are_not_utf8() -> None:
    assert Command("RETR", "gr\u00fc\udcff").encode() == b"RETR gr\xc3\xbc\xff\r\n"
    assert Command("RETR", "gr\u00fc").encode("latin-1") == b"RETR gr\xfc\r\n"
    assert Command("EPSV").encode() == b"EPSV\r\n"


def test_secret_is_sent_and_masked_in_the_trace() -> None:
    command = Command("PASS", secret=Secret("geheim"))
    assert (command.encode(), command.encode_masked()) == (b"PASS geheim\r\n", b"PASS ***\r\n")
    assert "geheim" not in repr(command)


def test_a_name_that_the_encoding_lacks_is_refused() -> None:
    with pytest.raises(Usage, match="latin-1 has no bytes for"):
        Command("RETR", "\u0142").encode("latin-1")


@pytest.mark.parametrize(
    ("verb", "line", "fits"),
    [
        ("TYPE", "200 ok", True),
        ("TYPE", "213 5", False),
        ("SIZE", "213 5", True),
        ("SIZE", "550 no", True),
        ("SIZE", "229 (|||5|)", False),
        ("USER", "331 go on", True),
        ("NOOP", "299 odd", True),
    ],
)
def test_command_fits_reply(verb: str, line: str, fits: bool) -> None:
    assert Command(verb).fits(reply(line)) is fits


@pytest.mark.parametrize("argument", ["a\r\nDELE b", "a\nb", "a\0b"])
def test_command_rejects_line_ends(argument: str) -> None:
    with pytest.raises(Usage):
        Command("RETR", argument).encode()
    with pytest.raises(Usage):
        Command("PASS", secret=Secret(argument)).encode()


@pytest.mark.parametrize(
    ("line", "path"),
    [('257 "/pub" is here', "/pub"), ('257 "/a ""b"" c"', '/a "b" c'), ('257 ""', "")],
)
def test_parse_path(line: str, path: str) -> None:
    assert parse_path(reply(line)) == path


def test_parse_path_needs_quotes() -> None:
    with pytest.raises(ProtocolViolation, match="a path in quotes"):
        parse_path(reply("257 /pub"))


def test_parse_features() -> None:
    lines = ("211-Features:", " MDTM", " HASH SHA-1;SHA-256*;MD5", "211-UTF8", " mlst type*;size*;", "211 End")
    features = parse_features(Reply(211, lines))
    assert features.utf8
    assert features.hashes == ["SHA-256", "SHA-1", "MD5"]
    assert features.names["MLST"] == "type*;size*;"
    assert parse_features(reply("500 what?")).names == {}


def test_parse_hash() -> None:
    line = "213 SHA-256 0-49 169CD22282DA7F147CB491E559E9DD files.ext"
    assert parse_hash(reply(line)) == ("SHA-256", 49, "169cd22282da7f147cb491e559e9dd")


@pytest.mark.parametrize(
    "line", ["213 SHA-256 0-49 xyz name", "213 169cd22282da7f147cb491e559e9dd", "213 MD5 5-49 aabbccdd x"]
)
def test_parse_hash_refuses(line: str) -> None:
    with pytest.raises(ProtocolViolation, match="HASH: expected"):
        parse_hash(reply(line))


def test_encode_eprt_and_port() -> None:
    assert encode_eprt("127.0.0.1", 1025).encode() == b"EPRT |1|127.0.0.1|1025|\r\n"
    assert encode_eprt("::1", 80).encode() == b"EPRT |2|::1|80|\r\n"
    assert encode_port("127.0.0.1", 1025).encode() == b"PORT 127,0,0,1,4,1\r\n"
