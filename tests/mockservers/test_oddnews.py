"""The odd articles are as odd as they claim: by the standard library's parsers."""

import email
import email.policy
import re
from email.message import EmailMessage

import pytest
from support.newsreader import reading

from mockservers import NntpServer
from mockservers.nntp.oddnews import MIB, odd_article, odd_articles


def parsed(name: str) -> EmailMessage:
    return email.message_from_bytes(odd_article(name), policy=email.policy.default)  # type: ignore[return-value]


def body(name: str) -> bytes:
    return odd_article(name).partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("name", ["quoted_printable", "base64", "latin1", "iso_2022_jp", "flowed", "delsp"])
def test_text_that_is_declared_is_what_it_declares(name: str) -> None:
    message = parsed(name)
    text = message.get_content()
    assert ("こんにちは" if name == "iso_2022_jp" else {"flowed": "quoted", "delsp": "wo"}.get(name, "Grüße")) in text
    assert not message.defects


def test_yenc_is_yenc() -> None:
    rows = body("yenc").split(b"\r\n")
    assert (rows[0], rows[-2:]) == (b"=ybegin line=128 size=256 name=data.bin", [b"=yend size=256", b""])
    decoded = re.sub(rb"=(.)", lambda match: bytes([(match[1][0] - 64) % 256]), b"".join(rows[1:-2]), flags=re.DOTALL)
    assert bytes((byte - 42) % 256 for byte in decoded) == bytes(range(256))


def test_each_is_what_its_name_says() -> None:
    assert len(body("long_line").split(b"\r\n")[0]) == MIB
    assert body("dots").startswith(b".\r\n..\r\n")
    assert not body("no_final_crlf").endswith(b"\r\n")
    assert b"\r\n\r\n" not in odd_article("header_only")
    assert body("empty_body") == b""
    assert len(parsed("duplicate_header").get_all("Subject", [])) == 2
    assert parsed("folded_header")["Subject"] == "a subject that is\tfolded"
    assert parsed("encoded_header")["Subject"] == "Grüße!"
    assert parsed("no_message_id")["Message-ID"] is None
    assert [part.get_content_type() for part in parsed("multipart").walk()][1:] == ["text/plain", "text/html"]
    assert parsed("unclosed_multipart").defects
    assert body("uuencode").startswith(b"begin 644 ")
    for name in ("latin1", "undeclared", "lying_charset"):
        with pytest.raises(UnicodeDecodeError):
            odd_article(name).decode("utf-8")


def test_all_of_them_are_a_group() -> None:
    names = list(odd_articles())
    with NntpServer({"odd.test": odd_articles().values()}) as server, reading(server) as peer:
        assert peer.say("GROUP odd.test") == f"211 {len(names)} 1 {len(names)} odd.test"
        rows = peer.block("OVER 1-")[1:]
        assert [row.count("\t") for row in rows] == [8] * len(names)
        for number, name in enumerate(names, 1):
            peer.block(f"ARTICLE {number}")
            assert peer.say("STAT").startswith(f"223 {number} <"), name
        assert server.problems() == []
