"""Forms as browsers and curl upload them: multipart/form-data and urlencoded (RFC 7578, RFC 2046 section 5.1, WHATWG).

    body = { "--" boundary CRLF fields CRLF data CRLF } "--" boundary "--" [CRLF ...]
    Content-Disposition: form-data; name="f"; filename="a.txt"

In `name` and `filename` `%22`, `%0D` and `%0A` stand for a quote and the two halves of a line end, and nothing else is
an escape; the fields as they came are beside them. A form that is cut, or whose parts bear no name, is a `BadForm`.
"""

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

MAX_PARTS = 10_000
_PARAMETER = re.compile(r';\s*(?P<name>[\w*-]+)=(?:"(?P<quoted>[^"]*)"|(?P<token>[^;\s]*))')


class BadForm(ValueError):
    """A form that cannot be taken apart; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form. `headers` are its lines as they came; of an urlencoded one there are none."""

    name: str
    data: bytes
    filename: str | None = None
    content_type: str | None = None
    headers: tuple[tuple[str, str], ...] = ()


def parse_form(content_type: str, body: bytes) -> list[Part]:
    """The parts of a form; [] when the type is no form's."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return _parse_urlencoded(body)
    if kind != "multipart/form-data":
        return []
    boundary = _parameters(content_type).get("boundary")
    if not boundary or len(boundary) > 70:
        raise BadForm(f"expected a boundary of 1 to 70 characters, got {boundary!r}")
    return _parse_multipart(b"--" + boundary.encode("latin-1", "replace"), body)


def _parse_urlencoded(body: bytes) -> list[Part]:
    parts = []
    for pair in body.split(b"&") if body else []:
        name, _, value = pair.replace(b"+", b" ").partition(b"=")
        parts.append(Part(unquote_to_bytes(name).decode("utf-8", "replace"), unquote_to_bytes(value)))
    return parts


def _parse_multipart(delimiter: bytes, body: bytes) -> list[Part]:
    if not body.startswith(delimiter):
        raise BadForm(f"expected {delimiter!r} first, got {body[: len(delimiter)]!r}")
    parts: list[Part] = []
    at = len(delimiter)
    while not body.startswith(b"--", at):
        if not body.startswith(b"\r\n", at):
            raise BadForm(f"expected a line end or -- after boundary {len(parts) + 1}, got {body[at : at + 2]!r}")
        if len(parts) == MAX_PARTS:
            raise BadForm(f"expected at most {MAX_PARTS} parts")
        end = body.find(b"\r\n" + delimiter, at)
        if end < 0:
            raise BadForm(f"part {len(parts) + 1} is cut: expected {delimiter!r} after it")
        parts.append(_parse_part(body[at + 2 : end + 2], len(parts) + 1))
        at = end + 2 + len(delimiter)
    return parts


def _parse_part(text: bytes, number: int) -> Part:
    """A part from its fields to the line end before the next boundary."""
    head, blank, data = (b"\r\n" + text).partition(b"\r\n\r\n")
    if not blank:
        raise BadForm(f"part {number}: expected an empty line after its fields")
    headers = []
    for line in head.split(b"\r\n")[1:]:
        name, colon, value = line.decode("utf-8", "surrogateescape").partition(":")
        if not colon:
            raise BadForm(f"part {number}: expected NAME: VALUE, got {name!r}")
        headers.append((name, value.strip(" \t")))
    fields = {name.lower(): value for name, value in headers}
    disposition = fields.get("content-disposition", "")
    parameters = _parameters(disposition)
    if not disposition.lower().startswith("form-data") or "name" not in parameters:
        raise BadForm(f"part {number}: expected Content-Disposition: form-data with a name, got {disposition!r}")
    filename = parameters.get("filename")
    return Part(
        _unescape(parameters["name"]),
        data.removesuffix(b"\r\n"),
        None if filename is None else _unescape(filename),
        fields.get("content-type"),
        tuple(headers),
    )


def _parameters(value: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for match in _PARAMETER.finditer(value):
        quoted, token = match["quoted"], match["token"]
        found.setdefault(match["name"].lower(), token if quoted is None else quoted)
    return found


def _unescape(text: str) -> str:
    return text.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
