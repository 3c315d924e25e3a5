r"""HTTP messages as bytes: RFC 9112.

    status-line  = HTTP-version SP status-code SP [reason] CRLF        (section 4)
    field-line   = name ":" OWS value OWS CRLF                         (section 5)
    chunk        = size-in-hex [;extensions] CRLF data CRLF            (section 7.1)
    last-chunk   = "0" CRLF *(trailer CRLF) CRLF

Parsers are lenient as long as the end of the message stays certain; an irregularity becomes a finding: bare LF, folded
fields, spaces around names, missing reasons. If the end becomes uncertain, `ProtocolViolation` names the offset. Text
is UTF-8, other bytes become surrogates; names and keywords are compared as ASCII.
"""

import re
from base64 import b64encode

from inetcli import __version__
from inetcli.errors import EmptyReply, Incomplete, MalformedTarget, ProtocolViolation, TooLarge
from inetcli.protocols.http.model import Finding, Framing, Head, Request, Severity, ascii_lower
from inetcli.secret import MASK
from inetcli.wire.escape import abbreviate
from inetcli.wire.reader import Parser, Reader
from inetcli.wire.target import decode_path

MAX_HEAD = 256 << 10
"""Bytes of a head: 32 times nginx's default; curl's limit is 300 KiB."""

MAX_INTERIM = 100
MAX_CHUNK_LINE = 4096
MAX_LENGTH = (1 << 63) - 1
PIECE = 256 << 10

_STATUS_LINE = re.compile(r"(HTTP/\d\.\d)[ \t]+(\d{3})(?:([ \t]+)(.*))?", re.ASCII)
_PROTOCOL = b"HTTP/"
OWS = " \t"
"""Optional white space, RFC 9110 section 5.6.3: less than the characters that Python strips."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_DIGITS = re.compile(r"[0-9]+")
_CHUNK_SIZE = re.compile(r"([0-9A-Fa-f]{1,16})[ \t]*(;.*)?")
_UNSENDABLE = re.compile(r"[\x00-\x20\x7f]")

Fields = tuple[tuple[str, str], ...]


def encode_request(request: Request, *, masked: bool = False) -> bytes:
    """Encode a request. `masked=True` replaces its secret by `***`, for the trace."""
    lines = [
        f"{request.method} {request.target} HTTP/1.1",
        f"Host: {request.host}",
        f"User-Agent: inetcli/{__version__}",
        "Accept: */*",
    ]
    if request.user is not None:
        password = request.password.reveal() if request.password else ""
        pair = b64encode(f"{request.user}:{password}".encode()).decode("ascii")
        lines.append(f"Authorization: Basic {MASK if masked else pair}")
    lines += ["Connection: close", "", ""]
    return "\r\n".join(lines).encode("utf-8")


def encode_target(path: str | None, masked: str) -> str:
    """Encode the request-target as typed, without the fragment; characters outside ASCII are percent-encoded as UTF-8.

    `MalformedTarget` for a space or a control character, which would end the request line, and for the errors of every
    target: `%` without two hex digits, and an encoded CR, LF or NUL, which a server would decode.
    """
    decode_path(path or "", masked)
    text = (path or "").partition("#")[0]
    text = text if text.startswith("?") else f"/{text}"
    text = text if text.startswith("/") else f"/{text}"
    if bad := _UNSENDABLE.search(text):
        raise MalformedTarget(f"{masked}: contains {bad[0]!r}, which must be percent-encoded as %{ord(bad[0]):02X}")
    return "".join(char if char.isascii() else "".join(f"%{byte:02X}" for byte in _bytes(char)) for char in text)


def parse_head(reader: Reader, findings: list[Finding]) -> Parser[Head]:
    """Parse a status line and its fields, up to the blank line. Irregularities are added to `findings`."""
    start = reader.position
    first = yield from reader.peek(len(_PROTOCOL))
    if not _PROTOCOL.startswith(first):
        raise ProtocolViolation(f'not HTTP: expected "HTTP/1.1 200 ...", got "{_text(first)}"... at byte {start}')
    line = yield from _head_line(reader, start, findings)
    match = _STATUS_LINE.fullmatch(line)
    if not match:
        raise ProtocolViolation(f'not HTTP: expected "HTTP/1.1 200 ...", got "{abbreviate(line, 80)}" at byte {start}')
    if match[3] is None:
        findings.append(_finding("no-reason-space", "note", start, "9112 4", "no space after the status code"))
    headers = yield from parse_fields(reader, start, findings)
    return Head(int(match[2]), match[4] or "", match[1], headers, start, reader.position)


def parse_fields(reader: Reader, start: int, findings: list[Finding]) -> Parser[Fields]:
    """Parse field lines of a head or of trailers, up to the blank line. `start` is the offset of the head, for its size
    limit."""
    fields: list[tuple[str, str]] = []
    while True:
        at = reader.position
        line = yield from _head_line(reader, start, findings)
        if not line:
            return tuple(fields)
        if line[0] in " \t" and fields:
            name, value = fields.pop()
            fields.append((name, f"{value} {line.strip(OWS)}"))
            findings.append(_finding("obs-fold", "warning", at, "9112 5.2", f"{name} is folded over several lines"))
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise ProtocolViolation(f'expected a field "Name: value" at byte {at}, got "{abbreviate(line, 80)}"')
        if name != name.rstrip(OWS):
            findings.append(
                _finding("space-before-colon", "error", at, "9112 5.1", f'space between "{name.strip()}" and its colon')
            )
        elif not _TOKEN.fullmatch(name):
            shown = abbreviate(name, 40)
            findings.append(_finding("bad-field-name", "error", at, "9110 5.1", f'"{shown}" is not a valid field name'))
        fields.append((name.strip(OWS), value.strip(OWS)))


def determine_framing(head: Head, method: str, findings: list[Finding]) -> tuple[Framing, int]:
    """Determine how the body ends, and its length if known (RFC 9112 section 6.3).

    `ProtocolViolation` if receivers would disagree on the end: different or non-numeric lengths, a coding after
    chunked.
    """
    codings = [ascii_lower(part.strip(OWS)) for value in head.values("transfer-encoding") for part in value.split(",")]
    lengths = [part.strip(OWS) for value in head.values("content-length") for part in value.split(",")]
    if method == "HEAD" or head.interim or head.status in (101, 204, 304):
        return Framing.NONE, 0
    if codings:
        if lengths:
            message = "Content-Length beside Transfer-Encoding: lenient = chunked wins, strict = reject"
            findings.append(_finding("cl-and-te", "error", head.start, "9112 6.3", message))
        if "chunked" in codings[:-1]:
            raise ProtocolViolation(f"Transfer-Encoding: {', '.join(codings)}: chunked must be last (RFC 9112 6.1)")
        return (Framing.CHUNKED, 0) if codings[-1] == "chunked" else (Framing.CLOSE, 0)
    if not lengths:
        return Framing.CLOSE, 0
    if not all(_DIGITS.fullmatch(length) for length in lengths) or int(lengths[0]) > MAX_LENGTH:
        raise ProtocolViolation(f"Content-Length: {', '.join(lengths)}: expected digits (RFC 9110 8.6)")
    if len({int(length) for length in lengths}) > 1:
        raise ProtocolViolation(f"Content-Length: {', '.join(lengths)}: the values differ (RFC 9112 6.3)")
    if len(lengths) > 1:
        findings.append(_finding("repeated-cl", "warning", head.start, "9110 8.6", "Content-Length is repeated"))
    return Framing.CONTENT_LENGTH, int(lengths[0])


def parse_piece(reader: Reader, left: int) -> Parser[bytes]:
    """Read a piece of a body with `left` bytes to come. `Incomplete` if the stream ends first."""
    piece = yield from reader.some(min(left, PIECE))
    if not piece:
        raise Incomplete(f"the server closed the connection with {left} bytes of the body missing")
    return piece


def parse_chunk_size(reader: Reader, findings: list[Finding]) -> Parser[int]:
    """Parse the line before a chunk's data."""
    at = reader.position
    line = _text((yield from reader.line(MAX_CHUNK_LINE, "a chunk's size")))
    match = _CHUNK_SIZE.fullmatch(line)
    if not match:
        raise ProtocolViolation(f'expected a chunk\'s size in hex at byte {at}, got "{abbreviate(line, 40)}"')
    if match[2]:
        findings.append(_finding("chunk-extension", "note", at, "9112 7.1.1", f"a chunk has the extension {match[2]}"))
    return int(match[1], 16)


def parse_chunk_end(reader: Reader) -> Parser[None]:
    """Parse the CRLF after a chunk's data."""
    at = reader.position
    line = yield from reader.line(MAX_CHUNK_LINE, "the end of a chunk")
    if line:
        shown = abbreviate(_text(line), 20)
        raise ProtocolViolation(f'expected CRLF after a chunk\'s data at byte {at}, got "{shown}"')


def _head_line(reader: Reader, start: int, findings: list[Finding]) -> Parser[str]:
    at = reader.position
    remaining = MAX_HEAD - (at - start)
    try:
        raw = yield from reader.until(b"\n", max(1, remaining), "a response")
    except TooLarge:
        raise ProtocolViolation(f"the head exceeds {MAX_HEAD >> 10} KiB") from None
    except EmptyReply:
        raise EmptyReply("the server closed the connection before the first byte of a response") from None
    if not raw.endswith(b"\r\n") and not any(finding.id == "bare-lf" for finding in findings):
        findings.append(_finding("bare-lf", "warning", at, "9112 2.2", "a line ends in LF without CR"))
    return _text(raw.removesuffix(b"\n").removesuffix(b"\r"))


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _bytes(char: str) -> bytes:
    return char.encode("utf-8", "surrogateescape")


def _finding(name: str, severity: str, offset: int, section: str, message: str) -> Finding:
    return Finding(name, Severity(severity), offset, section, message)
