"""Articles from bytes to text: head, MIME, charset (RFC 5536, RFC 2045, RFC 2047).

Articles often break the rules: heads with raw 8-bit bytes, unknown charsets, invalid dates. So every decoding has a
fall-back, and none fails: the declared charset, then UTF-8, then Windows-1252 with replacement characters. The text is
the first text/plain part; without one, the first text/html part without its tags.
"""

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.header import decode_header
from email.message import Message
from email.utils import parsedate_to_datetime
from html import unescape

from inetcli.protocols.nntp.model import Article, ArticleKind

_TAGS = re.compile(
    r"<(?:script|style)\b.*?</(?:script|style)\s*>|<br\s*/?>|</p>|<[^>]{0,2000}>", re.IGNORECASE | re.DOTALL
)
_YBEGIN = "=ybegin "
_UUENCODE = re.compile(r"begin [0-7]{3,4} \S")

MAX_PARTS = 1000
"""MIME parts that are examined."""


def parse_article(lines: list[bytes], group: str, number: int | None) -> Article:
    """Parse an article from its lines, without dot-stuffing and line ends."""
    head, body = _split(lines)
    fields = _unfold(head)
    text, html = _text(b"\r\n".join([*head, b"", *body]))
    rows = tuple(line.rstrip("\r") for line in text.split("\n"))
    while rows and not rows[-1].strip():
        rows = rows[:-1]
    date_text = fields.get("date", "")
    return Article(
        group=group,
        number=number,
        message_id=fields.get("message-id", ""),
        sender=_decode_words(fields.get("from", "")),
        subject=_decode_words(fields.get("subject", "")),
        date=_parse_date(date_text),
        date_text=date_text,
        lines=rows,
        kind=_kind(rows, html=html),
    )


def _split(lines: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    try:
        blank = lines.index(b"")
    except ValueError:
        return lines, []  # an article without a body
    return lines[:blank], lines[blank + 1 :]


def _unfold(head: list[bytes]) -> dict[str, str]:
    """Return the fields by their lower-case names; the first one if a field is repeated."""
    fields: dict[str, str] = {}
    name = ""
    for line in head:
        text = _decode(line, None)
        if text[:1] in " \t" and name:
            fields[name] += " " + text.strip()
            continue
        key, colon, value = text.partition(":")
        name = key.strip().lower() if colon and key.strip().lower() not in fields else ""
        if name:
            fields[name] = value.strip()
    return fields


def _decode_words(value: str) -> str:
    """Decode encoded words (RFC 2047); other text stays."""
    try:
        parts = decode_header(value)
    except Exception:  # noqa: BLE001 - binascii and charset errors of every kind: keep the raw value
        return value
    text = "".join(part if isinstance(part, str) else _decode(part, charset) for part, charset in parts).strip()
    return text or value


def _parse_date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    try:
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except OverflowError:
        return None


def _text(raw: bytes) -> tuple[str, bool]:
    """Return the readable text of an article, and whether it was HTML."""
    message = message_from_bytes(raw)
    html: str | None = None
    for count, part in enumerate(message.walk()):
        if count >= MAX_PARTS or part.is_multipart():
            continue
        kind = part.get_content_type()
        if kind == "text/plain":
            return _payload(part), False
        if kind == "text/html" and html is None:
            html = _payload(part)
    return (_strip_tags(html), True) if html is not None else ("", False)


def _payload(part: Message) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    charset = part.get_param("charset")
    return _decode(data, charset if isinstance(charset, str) else None).replace("\r\n", "\n")


def _decode(data: bytes, charset: str | None) -> str:
    for name in (charset, "utf-8"):
        try:
            return data.decode(name) if name else data.decode("ascii")
        except (LookupError, UnicodeError, ValueError):
            continue
    return data.decode("cp1252", "replace")


def _strip_tags(text: str) -> str:
    def gap(match: re.Match[str]) -> str:
        return "\n" if match[0][:3].lower() in ("<br", "</p") else ""

    return unescape(_TAGS.sub(gap, text))


def _kind(lines: tuple[str, ...], *, html: bool) -> ArticleKind:
    if any(line.startswith(_YBEGIN) for line in lines):
        return ArticleKind.YENC
    if any(_UUENCODE.match(line) for line in lines):
        return ArticleKind.UUENCODE
    return ArticleKind.HTML if html else ArticleKind.TEXT
