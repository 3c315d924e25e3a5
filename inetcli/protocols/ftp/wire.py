"""FTP's commands, and the replies that carry something.

    229 text (<d><d><d>port<d>)          EPSV, RFC 2428 section 3; <d> is one character, 33 to 126, usually "|"
    227 text h1,h2,h3,h4,p1,p2 text      PASV, RFC 959 section 4.1.2, erratum: parentheses are not promised
    213 size                             SIZE, RFC 3659 section 4
    150 text (size bytes) text           RETR: a habit of servers, not a promise

The address of a 227 is never used, only its port: a server behind NAT tells a wrong one, and a hostile server another's
(CVE-2020-8284). The data connection goes to where the control connection goes.
"""

import re

from inetcli.errors import ProtocolViolation, Usage
from inetcli.wire.replies import Reply

MAX_SIZE = (1 << 63) - 1

_PASV = re.compile(r"(?<!\d)(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3}),(\d{1,3})(?!\d)", re.ASCII)
_EPSV = re.compile(r"\(([!-~])\1\1(\d{1,5})\1\)", re.ASCII)
_BYTES = re.compile(r"\((\d{1,19}) bytes\)", re.ASCII)


def encode_command(verb: str, argument: str = "") -> bytes:
    """A command line. `Usage` when the argument would end it early: targets are checked before, options here."""
    if any(character in argument for character in "\r\n\0"):
        raise Usage(f"{verb}: the argument holds a CR, LF or NUL")
    line = f"{verb} {argument}" if argument else verb
    return line.encode("utf-8", "surrogateescape") + b"\r\n"


def parse_epsv(reply: Reply) -> int:
    """The port of a 229 reply. Anything but exactly one well-formed port is refused."""
    match = _EPSV.search(reply.text)
    port = int(match[2]) if match else 0
    if not 1 <= port <= 65535:
        raise ProtocolViolation(f'EPSV: expected "229 ... (|||PORT|)" with a port from 1 to 65535, got "{reply}"')
    return port


def parse_pasv(reply: Reply) -> int:
    """The port of a 227 reply; its address is left alone."""
    match = _PASV.search(reply.text)
    numbers = [int(number) for number in match.groups()] if match else []
    if not numbers or max(numbers) > 255 or not (numbers[4] or numbers[5]):
        raise ProtocolViolation(f'PASV: expected "227 ... h1,h2,h3,h4,p1,p2" with numbers up to 255, got "{reply}"')
    return numbers[4] << 8 | numbers[5]


def parse_size(reply: Reply) -> int | None:
    """The size in a 213 reply to SIZE; None when it is no number."""
    text = reply.text
    return int(text) if text.isascii() and text.isdigit() and int(text) <= MAX_SIZE else None


def parse_announced_size(reply: Reply) -> int | None:
    """The size in a 150 reply to RETR, where the server tells one; None when it does not."""
    match = _BYTES.search(reply.text)
    return int(match[1]) if match and int(match[1]) <= MAX_SIZE else None
