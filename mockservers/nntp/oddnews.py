"""Articles that are hard to read: what is in the wild, one of each, as a group or by name.

    NntpServer({"odd.test": odd_articles().values()})

All are valid on the wire; what is odd is what they hold.
"""

import base64
import quopri

_HEAD = b"Path: mock.example.test!not-for-mail\r\nFrom: Ada L. <ada@example.test>\r\nNewsgroups: odd.test\r\n"
_DATE = b"Date: Sun, 22 Nov 2026 18:04:11 +0100\r\n"
_MIME = "MIME-Version: 1.0\r\nContent-Type: {type}\r\nContent-Transfer-Encoding: {encoding}\r\n"

_GREETING = "Viele Grüße aus Köln.\r\n"
MIB = 1 << 20


def odd_articles() -> dict[str, bytes]:
    """The articles by name, CRLF and not dot-stuffed."""
    return {
        "dots": _article("dots", b".\r\n..\r\n.one dot\r\n...\r\n.\r\n"),
        "dot_first": _article("dot_first", b".this is where the body begins\r\n"),
        "no_final_crlf": _article("no_final_crlf", b"the last line has no end"),
        "long_line": _article("long_line", b"x" * MIB + b"\r\nafter it\r\n"),
        "empty_body": _article("empty_body", b""),
        "header_only": _article("header_only", b"").removesuffix(b"\r\n"),
        "blank_lines": _article("blank_lines", b"\r\n\r\n\r\ntext\r\n\r\n\r\n"),
        "yenc": _article("yenc", _yenc(bytes(range(256))), subject=b'"data.bin" yEnc (1/1) 256'),
        "uuencode": _article("uuencode", b"begin 644 cat.txt\r\n#0V%T\r\n`\r\nend\r\n"),
        "quoted_printable": _text("quoted_printable", _quoted(_GREETING * 4), "utf-8", "quoted-printable"),
        "base64": _text("base64", _base64(_GREETING.encode() * 4), "utf-8", "base64"),
        "bad_base64": _text("bad_base64", b"Vmll*bGUg\r\nR3L\r\n", "utf-8", "base64"),
        "flowed": _text(
            "flowed", b"> quoted \r\n> and on\r\nThis goes \r\non.\r\n-- \r\nAda\r\n", "utf-8; format=flowed"
        ),
        "delsp": _text("delsp", b"This is one wo \r\nrd.\r\n", "us-ascii; format=flowed; delsp=yes"),
        "latin1": _text("latin1", _GREETING.encode("latin-1"), "iso-8859-1", "8bit"),
        "undeclared": _article("undeclared", _GREETING.encode("latin-1")),
        "iso_2022_jp": _text("iso_2022_jp", "こんにちは\r\n".encode("iso-2022-jp"), "iso-2022-jp", "7bit"),
        "unknown_charset": _text("unknown_charset", _GREETING.encode(), "x-unknown", "8bit"),
        "lying_charset": _text("lying_charset", _GREETING.encode("latin-1"), "utf-8", "8bit"),
        "html": _typed("html", b"<p>Viele <b>Gr&uuml;&szlig;e</b></p>\r\n", "text/html; charset=utf-8"),
        "multipart": _typed("multipart", _MULTIPART, 'multipart/alternative; boundary="=="'),
        "unclosed_multipart": _typed("unclosed_multipart", _MULTIPART[:-6], 'multipart/alternative; boundary="=="'),
        "duplicate_header": _article("duplicate_header", b"text\r\n", extra=b"Subject: the second subject\r\n"),
        "folded_header": _article("folded_header", b"text\r\n", subject=b"a subject\r\n that is\r\n\tfolded"),
        "encoded_header": _article(
            "encoded_header", b"text\r\n", subject=b"=?utf-8?B?R3LDvMOf?= =?iso-8859-1?Q?e=21?="
        ),
        "broken_header": _article("broken_header", b"text\r\n", extra=b"this line is no field\r\nX-Empty:\r\n"),
        "raw_header": _article("raw_header", b"text\r\n", subject="Grüße".encode("latin-1")),
        "utf8_header": _article("utf8_header", b"text\r\n", subject="Grüße".encode()),
        "long_header": _article("long_header", b"text\r\n", extra=b"X-Long: " + b"y" * 100_000 + b"\r\n"),
        "no_message_id": _article("no_message_id", b"text\r\n").replace(b"Message-ID:", b"X-ID:"),
        "bad_date": _article("bad_date", b"text\r\n").replace(_DATE, b"Date: yesterday, after tea\r\n"),
        "controls": _article("controls", b"\x1b[2J\x1b]0;title\x07\r\n\x00nul\r\n\x08\x08\r\n"),
        "bidi": _article("bidi", "\u202egnp.exe\u202c and \u200bzero width\r\n".encode()),
    }


def odd_article(name: str) -> bytes:
    """One of them."""
    return odd_articles()[name]


_MULTIPART = (
    b"This is a message in several parts.\r\n--==\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nthe text\r\n"
    b"--==\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>the text</p>\r\n--==--\r\n"
)


def _article(name: str, body: bytes, *, subject: bytes = b"", extra: bytes = b"") -> bytes:
    what = b"Subject: " + (subject or name.encode()) + b"\r\n"
    return _HEAD + what + _DATE + f"Message-ID: <{name}.odd.test@example.test>\r\n".encode() + extra + b"\r\n" + body


def _typed(name: str, body: bytes, type_: str, encoding: str = "8bit") -> bytes:
    return _article(name, body, extra=_MIME.format(type=type_, encoding=encoding).encode())


def _text(name: str, body: bytes, charset: str, encoding: str = "8bit") -> bytes:
    return _typed(name, body, f"text/plain; charset={charset}", encoding)


def _quoted(text: str) -> bytes:
    return quopri.encodestring(text.encode().replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")


def _base64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def _yenc(data: bytes) -> bytes:
    """One part (yEnc 1.3): 42 more, and an "=" before what must not be there."""
    rows = [b""]
    for byte in data:
        if len(rows[-1]) >= 128:
            rows.append(b"")
        moved = (byte + 42) % 256
        rows[-1] += bytes([61, (moved + 64) % 256]) if moved in b"\0\r\n=" else bytes([moved])
    head = b"=ybegin line=128 size=%d name=data.bin\r\n" % len(data)
    return head + b"\r\n".join(rows) + b"\r\n=yend size=%d\r\n" % len(data)
