"""FTP commands, and the parsers for replies with parameters.

    229 text (<d><d><d>port<d>)          EPSV, RFC 2428 section 3; <d> is one character, 33 to 126, usually "|"
    227 text h1,h2,h3,h4,p1,p2 text      PASV, RFC 959 section 4.1.2, erratum: parentheses are optional
    213 size                             SIZE, RFC 3659 section 4
    213 YYYYMMDDHHMMSS[.F+]              MDTM, RFC 3659 section 3, in UTC
    150 text (size bytes) text           RETR: common, but not part of a standard
    257 "path" text                      PWD and MKD, RFC 959 appendix II: quotes in the path are doubled
    211-text CRLF *( SP feature CRLF ) 211 End      FEAT, RFC 2389 section 3.2
    213 algorithm range hash path        HASH, draft-bryan-ftpext-hash-02 section 3.1

The address of a 227 is used only with `--trust-pasv-address`: a server behind NAT sends a wrong address, and a hostile
server may send the address of another host (CVE-2020-8284). Otherwise the data connection uses the address of the
control connection.

A path with a CR, LF or NUL is never sent, because it would end the command and begin another one.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from inetcli.errors import ProtocolViolation, Usage
from inetcli.protocols.ftp.model import Features
from inetcli.secret import MASK, Secret
from inetcli.wire.replies import Reply

MAX_SIZE = (1 << 63) - 1

_PASV = re.compile(r"(?<!\d)(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})(?!\d)", re.ASCII)
_EPSV = re.compile(r"\(([!-~])\1\1(\d{1,5})\1\)", re.ASCII)
_BYTES = re.compile(r"\((\d{1,19}) bytes\)", re.ASCII)
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d+))?", re.ASCII)
_QUOTED = re.compile(r'"((?:[^"]|"")*)"')
_HASH = re.compile(r"([A-Za-z0-9-]+)\s+(\d+)-(\d+)\s+([0-9A-Fa-f]{8,128})(?:\s|$)", re.ASCII)

_POSITIVE = {
    "USER": (230, 331, 332, 232),
    "PASS": (230, 202, 332),
    "TYPE": (200,),
    "SIZE": (213,),
    "MDTM": (213,),
    "EPSV": (229,),
    "PASV": (227,),
    "EPRT": (200,),
    "PORT": (200,),
    "FEAT": (211,),
    "OPTS": (200,),
    "PBSZ": (200,),
    "PROT": (200,),
    "PWD": (257,),
    "MKD": (257,),
    "HASH": (213,),
}
"""The positive replies to each command: RFC 959 section 5.4 and the later RFCs."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command line. `secret` is sent in place of the argument, and appears as `***` in the trace."""

    verb: str
    argument: str = ""
    secret: Secret | None = field(default=None, repr=False)

    def encode(self, encoding: str = "utf-8") -> bytes:
        """Encode the command for sending. `Usage` for a line end in the argument, or an unencodable character."""
        return self._encode(self.argument if self.secret is None else self.secret.reveal(), encoding)

    def encode_masked(self, encoding: str = "utf-8") -> bytes:
        """Encode the command for the trace, with the secret masked."""
        return self._encode(self.argument if self.secret is None else MASK, encoding)

    def fits(self, reply: Reply) -> bool:
        """Return whether `reply` can be a reply to this command; a refusal always can."""
        return reply.first >= 4 or reply.code in _POSITIVE.get(self.verb, (reply.code,))

    def _encode(self, argument: str, encoding: str) -> bytes:
        if any(character in argument for character in "\r\n\0"):
            raise Usage(f"{self.verb}: the argument contains a CR, LF or NUL")
        line = f"{self.verb} {argument}" if argument else self.verb
        try:
            return line.encode(encoding, "surrogateescape") + b"\r\n"
        except UnicodeEncodeError as error:
            character = error.object[error.start]
            raise Usage(f"{self.verb}: {encoding} has no bytes for {character!r} (--encoding)") from error


def parse_epsv(reply: Reply) -> int:
    """Parse the port of a 229 reply, the first well-formed one. `ProtocolViolation` if there is none."""
    match = _EPSV.search(reply.text)
    port = int(match[2]) if match else 0
    if not 1 <= port <= 65535:
        raise ProtocolViolation(f'EPSV: expected "229 ... (|||PORT|)" with a port from 1 to 65535, got "{reply}"')
    return port


def parse_pasv(reply: Reply) -> tuple[str, int]:
    """Parse the address and the port of a 227 reply. `ProtocolViolation` if there is none."""
    match = _PASV.search(reply.text)
    numbers = [int(number) for number in match.groups()] if match else []
    if not numbers or max(numbers) > 255 or not (numbers[4] or numbers[5]):
        raise ProtocolViolation(f'PASV: expected "227 ... h1,h2,h3,h4,p1,p2" with numbers up to 255, got "{reply}"')
    return ".".join(map(str, numbers[:4])), numbers[4] << 8 | numbers[5]


def encode_eprt(host: str, port: int) -> Command:
    """Make an EPRT command, RFC 2428 section 2: protocol 1 is IPv4, 2 is IPv6."""
    return Command("EPRT", f"|{2 if ':' in host else 1}|{host}|{port}|")


def encode_port(host: str, port: int) -> Command:
    """Make a PORT command, RFC 959 section 4.1.2, for an IPv4 address."""
    return Command("PORT", ",".join([*host.split("."), str(port >> 8), str(port & 255)]))


def parse_size(reply: Reply) -> int | None:
    """Parse the size in a reply to SIZE; None = the reply is not 213, or has no valid number."""
    text = reply.text
    number = int(text) if reply.code == 213 and text.isascii() and text.isdigit() and len(text) < 20 else -1
    return number if 0 <= number <= MAX_SIZE else None


def parse_mdtm(reply: Reply) -> datetime | None:
    """Parse the time in a reply to MDTM; None = the reply is not 213, or has no valid time."""
    return parse_time(reply.text) if reply.code == 213 else None


def parse_time(text: str) -> datetime | None:
    """Parse a time-val of RFC 3659 section 2.3, YYYYMMDDHHMMSS[.digits], in UTC; None = not valid.

    Fractions are truncated to microseconds; a leap second is replaced by the second before it.
    """
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(number) for number in match.groups()[:6])
    fraction = int((match[7] or "")[:6].ljust(6, "0"))
    try:
        return datetime(year, month, day, hour, minute, 59 if second == 60 else second, fraction, UTC)
    except ValueError:
        return None


def encode_time(when: datetime) -> str:
    """Encode a time-val in whole seconds, for MFMT."""
    return when.astimezone(UTC).strftime("%Y%m%d%H%M%S")


def seconds_to_time(seconds: float) -> datetime:
    """Convert seconds since 1970, as in the attributes of files, to a datetime."""
    return datetime.fromtimestamp(max(0.0, seconds), UTC)


def parse_announced_size(reply: Reply) -> int | None:
    """Parse the size in a 150 reply to RETR; None = the reply contains no size."""
    match = _BYTES.search(reply.text)
    return int(match[1]) if match and int(match[1]) <= MAX_SIZE else None


def parse_path(reply: Reply) -> str:
    """Parse the path of a 257 reply. `ProtocolViolation` if there is no path in quotes."""
    match = _QUOTED.search(reply.text)
    if match is None:
        raise ProtocolViolation(f'expected "257" and a path in quotes, got "{reply}"')
    return match[1].replace('""', '"')


def parse_features(reply: Reply) -> Features:
    """Parse the features in a reply to FEAT; none if the reply is not 211."""
    names: dict[str, str] = {}
    if reply.code == 211:
        for line in reply.lines[1:-1]:
            name, _, rest = line.removeprefix("211-").strip().partition(" ")
            names[name.upper()] = rest.strip()
    return Features(names)


def parse_hash(reply: Reply) -> tuple[str, int, str]:
    """Parse a 213 reply to HASH: the algorithm, the end of the hashed range, and the hash in lower-case hex.

    Errors: `ProtocolViolation`.
    """
    match = _HASH.search(reply.lines[-1][4:])
    if match is None or int(match[2]) != 0:
        raise ProtocolViolation(f'HASH: expected "213 ALGORITHM 0-SIZE HEX path", got "{reply}"')
    return match[1].upper(), int(match[3]), match[4].lower()
