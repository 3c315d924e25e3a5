"""TYPE A conversion: whole, byte by byte, and there and back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inetcli.wire.netascii import FromNetAscii, ToNetAscii

FROM = [
    (b"", b""),
    (b"a\r\nb\r\n", b"a\nb\n"),
    (b"a\nb", b"a\nb"),
    (b"a\rb", b"a\rb"),
    (b"\r", b"\r"),
    (b"\r\r\n", b"\r\n"),
    (b"\r\n\r", b"\n\r"),
    (b"\r\r\r", b"\r\r\r"),
    (b"\n\r", b"\n\r"),
    (b"\xff\x00\r\n", b"\xff\x00\n"),
]
TO = [
    (b"", b""),
    (b"a\nb\n", b"a\r\nb\r\n"),
    (b"a\r\nb", b"a\r\nb"),
    (b"a\rb\r", b"a\rb\r"),
    (b"\n\n", b"\r\n\r\n"),
    (b"\r\n\n", b"\r\n\r\n"),
    (b"\n\r\n", b"\r\n\r\n"),
    (b"\r\r\n", b"\r\r\n"),
]


def convert(kind: type[FromNetAscii] | type[ToNetAscii], pieces: list[bytes]) -> bytes:
    converter = kind()
    return b"".join(converter.convert(memoryview(piece)) for piece in pieces) + converter.finish()


@pytest.mark.parametrize(("network", "local"), FROM)
def test_from_the_network(network: bytes, local: bytes) -> None:
    assert convert(FromNetAscii, [network]) == local
    assert convert(FromNetAscii, [bytes([byte]) for byte in network]) == local


@pytest.mark.parametrize(("local", "network"), TO)
def test_to_the_network(local: bytes, network: bytes) -> None:
    assert convert(ToNetAscii, [local]) == network
    assert convert(ToNetAscii, [bytes([byte]) for byte in local]) == network


PIECES = st.lists(st.text("\r\nab", max_size=6).map(str.encode), max_size=8)


@given(PIECES)
def test_conversion_does_not_depend_on_piece_boundaries(pieces: list[bytes]) -> None:
    for kind in (FromNetAscii, ToNetAscii):
        assert convert(kind, pieces) == convert(kind, [b"".join(pieces)])


@given(PIECES)
def test_lines_of_here_come_back_as_they_were(pieces: list[bytes]) -> None:
    local = b"".join(pieces).replace(b"\r", b"")
    assert convert(FromNetAscii, [convert(ToNetAscii, [local])]) == local


@given(PIECES)
def test_conversion_changes_only_line_ends(pieces: list[bytes]) -> None:
    text = b"".join(pieces)
    for kind in (FromNetAscii, ToNetAscii):
        changed = convert(kind, pieces)
        assert changed.replace(b"\r\n", b"\n") == text.replace(b"\r\n", b"\n") or b"\r\r\n" in text
        assert changed.translate(None, b"\r\n") == text.translate(None, b"\r\n")
