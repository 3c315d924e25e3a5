"""The replies that carry something, well-formed and hostile."""

import pytest

from inetcli.errors import ProtocolViolation, Usage
from inetcli.protocols.ftp.wire import (
    encode_command,
    parse_announced_size,
    parse_epsv,
    parse_pasv,
    parse_size,
)
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
def test_parse_pasv_takes_the_port_and_leaves_the_address(line: str, port: int) -> None:
    assert parse_pasv(reply(line)) == port


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


def test_encode_command_keeps_bytes_that_are_not_utf8() -> None:
    assert encode_command("RETR", "gr\u00fc\udcff") == b"RETR gr\xc3\xbc\xff\r\n"
    assert encode_command("EPSV") == b"EPSV\r\n"


@pytest.mark.parametrize("argument", ["a\r\nDELE b", "a\nb", "a\0b"])
def test_encode_command_refuses_what_would_be_another_command(argument: str) -> None:
    with pytest.raises(Usage):
        encode_command("RETR", argument)
