"""The writers for standard output and standard error.

Standard output carries results only, always as UTF-8 (bytes that are not UTF-8 are written as they were read), and is
flushed at the end of a target's turn. An error while writing to it is not caught here: `cli.app` ends the program.
"""

import os
import re
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, BinaryIO

from inetcli.errors import LocalWrite
from inetcli.net.trace import MAIN, Event, EventKind
from inetcli.secret import MAX_MASKED, SecretMasker
from inetcli.wire.escape import CUT, UNSAFE, escape

if TYPE_CHECKING:
    from json import JSONEncoder

VOCABULARY = frozenset(("kind", "type", "source", "status", "verdict", "framing", "severity", "transport", "verified"))
"""Keys whose values are fixed words of the JSON format: a password that equals such a word must not change it."""

COMPUTED = frozenset(("date", "modified", "not_before", "not_after", "sha256", "spki_sha256"))
"""Keys whose values are times and digests: a password such as "2026" must not change them either."""

_SURROGATE = re.compile("[\ud800-\udfff]")

MAX_SHOWN = 500
"""Characters of one line in `-v`."""


class Output:
    """The two standard streams of one command. The passwords of the command are masked in all composed text."""

    def __init__(self, *, quiet: bool = False, color: str = "never", secrets: SecretMasker | None = None) -> None:
        self.quiet = quiet
        self._secrets = secrets or SecretMasker()
        self._colored = wants_color(color, terminal=sys.stderr is not None and sys.stderr.isatty())

    @property
    def payload(self) -> BinaryIO:
        """Return standard output for exact bytes. `LocalWrite` if it is closed."""
        if sys.stdout is None:
            raise LocalWrite("standard output is closed")
        return sys.stdout.buffer

    def encode_lines(self, lines: Iterable[str]) -> bytes:
        """Encode lines of composed text, already escaped, for standard output."""
        mask = self._secrets.mask
        return "".join(mask(line) + "\n" for line in lines).encode("utf-8", "surrogateescape")

    def encode_rows(self, rows: Iterable[Mapping[str, object]]) -> bytes:
        """Encode rows as JSON Lines."""
        rows = list(rows)
        text = "".join(json_line(row) + "\n" for row in rows)
        if self._secrets.may_occur_in_json(text):
            text = "".join(json_line(mask_values(row, self._secrets)) + "\n" for row in rows)
        return text.encode("utf-8")

    def format_failure(self, message: str) -> str:
        """Format the line of a failure; its first word is red if colours are enabled."""
        name = "\x1b[1;31minetcli:\x1b[0m" if self._colored else "inetcli:"
        return f"{name} {message}"

    def flush(self) -> None:
        """Flush standard output."""
        if sys.stdout is not None:
            sys.stdout.flush()

    def mask(self, text: str, *, before: str = "") -> str:
        """Return the text with the passwords of the command masked; see `SecretMasker.mask`."""
        return self._secrets.mask(text, before=before)

    def message(self, line: str) -> None:
        """Print a line on standard error."""
        if sys.stderr is None:
            return
        try:
            sys.stderr.write(self._secrets.mask(line) + "\n")
            sys.stderr.flush()
        except (OSError, ValueError):
            pass  # standard error is closed


class Transcript:
    """The trace listener of `-v`: prints one line for each line of the conversation, `+0.031s > CMD`.

    Lines are joined from the received pieces, per channel and direction; on a data channel only the bytes are counted.
    `label` stands in front of each line if several targets run at the same time.
    """

    def __init__(self, output: Output, label: str = "") -> None:
        self._output = output
        self._label = f"{label} " if label else ""
        self._rest: dict[tuple[str, EventKind], tuple[float, bytes]] = {}
        self._shown: dict[tuple[str, EventKind], bytes] = {}
        """The end of the piece that was shown last, of lines that go on behind it."""

    def __call__(self, event: Event) -> None:
        if event.whole:
            self._show(event, event.data)
        elif event.channel != MAIN:
            self._tell(event, f"{event.channel}: {event.size} bytes")
        else:
            key = event.channel, event.kind
            _, begun = self._rest.pop(key, (0.0, b""))
            *lines, rest = (begun + event.data).split(b"\n")
            for line in lines:
                self._show(event, line.removesuffix(b"\r"), self._shown.pop(key, b""))
            if len(rest) > MAX_SHOWN:
                before = self._shown.get(key, b"")
                self._show(event, rest, before)
                self._shown[key] = (before + rest)[-MAX_MASKED:]
            elif rest:
                self._rest[key] = event.at, rest

    def finish(self) -> None:
        """Print lines without a line end, with the time of their last piece."""
        for (channel, kind), (at, rest) in sorted(self._rest.items(), key=lambda item: item[1][0]):
            self._show(Event(at, kind, channel, rest, len(rest)), rest, self._shown.get((channel, kind), b""))
        self._rest.clear()
        self._shown.clear()

    def _show(self, event: Event, line: bytes, before: bytes = b"") -> None:
        """Show a line, or a piece of one: `before` is what was shown of it already."""
        whole = line[: 4 * MAX_SHOWN].decode("utf-8", "surrogateescape")
        text = escape(whole[:MAX_SHOWN])
        if len(whole) > MAX_SHOWN:
            text += f" {CUT} ({len(line)} bytes)"
        self._tell(event, self._output.mask(text, before=escape(before.decode("utf-8", "surrogateescape"))))

    def _tell(self, event: Event, text: str) -> None:
        self._output.message(f"{self._label}+{event.at:.3f}s {event.kind.value} {text}".rstrip())


def json_line(row: Mapping[str, object]) -> str:
    """Format a row as one line of JSON in readable UTF-8; control characters and line separators become \\uNNNN.

    JSON itself requires this only below U+0020 (RFC 8259 section 7). The value stays the same.
    """
    text = _encoder().encode(row)
    if text.isascii():
        return text if "\x7f" not in text else UNSAFE.sub(_as_json, text)
    if _SURROGATE.search(text):
        text = _encoder().encode(plain(row))
    return UNSAFE.sub(_as_json, text)


@cache
def _encoder() -> "JSONEncoder":
    """Return the shared encoder. A flat row of ASCII text is encoded without a check of each value."""
    from json import JSONEncoder

    return JSONEncoder(ensure_ascii=False, default=_unknown)


def _unknown(value: object) -> object:
    """Convert a value that the encoder does not support."""
    if isinstance(value, bytes | Mapping):
        return plain(value)
    raise TypeError(f"{type(value).__name__} cannot stand in JSON")


def mask_values(value: object, secrets: SecretMasker, key: str = "") -> Any:
    """Mask the passwords in the texts of a row, except in keys, fixed words and computed values (`VOCABULARY`,
    `COMPUTED`)."""
    match value:
        case str():
            return value if key in VOCABULARY or key in COMPUTED else secrets.mask(value)
        case bytes():
            text = value.decode("utf-8", "surrogateescape")
            masked = secrets.mask(text)
            return value if masked == text else masked.encode("utf-8", "surrogateescape")
        case Mapping():
            return {name: mask_values(inner, secrets, str(name)) for name, inner in value.items()}
        case list() | tuple():
            return [mask_values(inner, secrets, key) for inner in value]
        case _:
            return value


def _as_json(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")  # JSON writes characters beyond U+FFFF as two surrogates
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def plain(value: object) -> object:
    """Convert a value for JSON: bytes, and text with bytes that are not UTF-8, become `{"base64": ...}`."""
    match value:
        case str():
            return _text(_encode(value))
        case bytes():
            return _text(value)
        case Mapping():
            return {str(key): plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [plain(inner) for inner in value]
        case _:
            return value


def _encode(value: str) -> bytes:
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate, decoded from UTF-7: it stands for no received byte
        return value.encode("utf-8", "surrogatepass")


def _text(value: bytes) -> object:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        from base64 import b64encode

        return {"base64": b64encode(value).decode("ascii")}


def wants_color(choice: str, *, terminal: bool, environment: Mapping[str, str] | None = None) -> bool:
    """Whether to use colours: `--color`, then NO_COLOR (non-empty), FORCE_COLOR, TERM=dumb, CLICOLOR, then the
    terminal."""
    env = os.environ if environment is None else environment
    if choice != "auto":
        return choice == "always"
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR", "0") not in ("", "0"):
        return True
    if env.get("TERM") == "dumb" or env.get("CLICOLOR") == "0":
        return False
    return terminal
