"""Targets: `host/path`, `host:port/path`, `[v6]:port/path`, or a URL whose scheme fits the command.

    target  = [scheme "://"] [user [":" password] "@"] host [":" port] ["/" path]
    host    = name | IPv4 | "[" IPv6 "]"

Percent-encoding is decoded in user, password and, for those who ask, in the path (RFC 3986 section 2.1). In scheme-less
and FTP targets `?` and `#` are plain characters; the path of a target is everything behind the first slash.

Refused, each with `MalformedTarget` before anything is sent: a scheme that does not fit, an empty host, a port that is
no number from 1 to 65535, `%` without two hex digits, and a CR, LF or NUL, plain or encoded: they would let a target
write commands of its own.

Commands that need a host and a port alone also take a URL that was pasted from somewhere else (`parse_host_target`).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from inetcli.errors import MalformedTarget
from inetcli.secret import MASK, Secret
from inetcli.wire.escape import escape

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
_HOST = re.compile(r"[^\s\x00-\x1f\x7f/?#@:\[\]<>\"\\^`{|}%]+")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+(?:%[0-9A-Za-z_.~-]+)?")
"""The characters of one; a zone (RFC 4007 section 11) follows a plain %, as in `ip address`."""

MAX_HOST = 253
"""Characters of a domain name, RFC 1035 section 2.3.4 less the length bytes."""


TLS_URL_PORTS: Mapping[str, int] = {
    "https": 443,
    "wss": 443,
    "smtps": 465,
    "submissions": 465,
    "nntps": 563,
    "snews": 563,
    "ldaps": 636,
    "dot": 853,
    "ftps": 990,
    "imaps": 993,
    "pop3s": 995,
    "sips": 5061,
    "amqps": 5671,
    "ircs": 6697,
    "mqtts": 8883,
}
"""URL schemes whose connection begins with TLS, and their ports (IANA's registries of schemes and of ports)."""

CLEAR_URL_PORTS: Mapping[str, int] = {
    "ftp": 21,
    "ftpes": 21,
    "telnet": 23,
    "smtp": 25,
    "gopher": 70,
    "http": 80,
    "ws": 80,
    "pop3": 110,
    "nntp": 119,
    "news": 119,
    "imap": 143,
    "ldap": 389,
    "submission": 587,
    "rsync": 873,
    "mqtt": 1883,
    "sip": 5060,
    "amqp": 5672,
    "redis": 6379,
    "irc": 6667,
}
"""URL schemes whose connection begins in clear text, likewise."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to go and what to get there. `path` is still encoded, without the slash that starts it; None = none."""

    text: str
    scheme: str
    host: str
    port: int
    path: str | None
    user: str | None
    password: Secret | None

    @property
    def authority(self) -> str:
        """`host:port` as it is written in a URL."""
        return f"{bracketed(self.host)}:{self.port}"


def bracketed(host: str) -> str:
    """The host as it stands before a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def parse_target(text: str, schemes: Mapping[str, int | None], default: str) -> Target:
    """Parse a target. `schemes` are those that fit the command, with their ports (None: a port must be given);
    `default` is the one of a scheme-less target."""
    shown = mask_target(text)
    _refuse_line_ends(text, shown)
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else default
    if scheme not in schemes:
        _refuse(shown, f"the scheme {scheme}:// does not fit here; expected {_either(schemes)}")
    rest = text[match.end() :] if match else text
    authority, slash, path = rest.partition("/")
    if match and scheme in ("http", "https") and (cut := re.search(r"[?#]", authority)):
        authority, slash, path = authority[: cut.start()], "/", rest[cut.start() :]
    userinfo, at, hostport = authority.rpartition("@")
    host, port = _parse_host_port(hostport, shown)
    if port is None:
        port = schemes[scheme]
    if port is None:
        _refuse(shown, "a port is needed: host:port")
    user, password = _parse_userinfo(userinfo, shown) if at else (None, None)
    return Target(shown, scheme, host, port, path if slash else None, user, password)


def parse_host_target(
    text: str, schemes: Mapping[str, int | None], default: str, *, pasted: Mapping[str, int | None]
) -> Target:
    """Parse a target of which the host and the port alone count, as in `tls hello` and `talk`.

    `schemes` and `default` as in `parse_target`; `pasted` are the schemes of other programs' URLs, with their ports
    (None: a port must stand in the URL). User, password, path, query and fragment of a URL are dropped, and never sent.
    """
    match = _SCHEME.match(text)
    if not match:
        return parse_target(text, schemes, default)
    shown, scheme = mask_target(text), match[1].lower()
    _refuse_line_ends(text, shown)
    if scheme not in schemes and scheme not in pasted:
        known = [f"{name}://" for name in (*schemes, *pasted)]
        _refuse(
            shown,
            f"the scheme {scheme}:// does not fit here; expected host:port or a URL such as {', '.join(known[:3])}",
        )
    # RFC 3986 section 3.2: the authority ends at the first of these.
    authority = re.split(r"[/?#]", text[match.end() :], maxsplit=1)[0]
    host, port = _parse_host_port(authority.rpartition("@")[2], shown)
    if port is None:
        port = {**pasted, **schemes}[scheme]
    if port is None:
        _refuse(shown, f"a port is needed: {scheme}://host:port")
    return Target(shown, scheme, host, port, None, None, None)


def parse_host_port(text: str, default_port: int | None) -> tuple[str, int]:
    """`host`, `host:port` or `[v6]:port`, as in `--connect-to` and `@server`."""
    host, port = _parse_host_port(text, text)
    port = default_port if port is None else port
    if port is None:
        _refuse(text, "a port is needed: host:port")
    return host, port


def decode_path(path: str, shown: str) -> str:
    """Percent-decode (bytes that are not UTF-8 survive as surrogates); a CR, LF or NUL in it is refused."""
    if bad := _BAD_PERCENT.search(path):
        _refuse(shown, f'"{path[bad.start() : bad.start() + 3]}": % must be followed by two hex digits (%25 is a %)')
    raw = re.sub(rb"%(..)", lambda match: bytes([int(match[1], 16)]), path.encode("utf-8", "surrogateescape"))
    for byte, name in ((b"\r", "%0D"), (b"\n", "%0A"), (b"\0", "%00")):
        if byte in raw:
            _refuse(shown, f"holds {name}, which would end a command and begin another")
    return raw.decode("utf-8", "surrogateescape")


def mask_target(text: str) -> str:
    """The target with `***` for its password: what may be shown. Also for targets that are none."""
    match = _SCHEME.match(text)
    start = match.end() if match else 0
    rest = text[start:]
    authority = rest.partition("/")[0]
    end = authority.rfind("@")
    if end < 0:
        _, colon, port = authority.rpartition("]")[2].partition(":")
        if not colon or port.isdigit() or not (port or "@" in rest) or (":" in port and _IPV6.fullmatch(authority)):
            return text
        # No port: it may be a password, whose @ stands behind a bare slash, or was forgotten.
        end = rest.rfind("@") if "@" in rest else len(authority)
    user, colon, _ = rest[:end].partition(":")
    return text[:start] + user + ":" + MASK + rest[end:] if colon else text


def _parse_userinfo(userinfo: str, shown: str) -> tuple[str, Secret | None]:
    user, colon, password = userinfo.partition(":")
    try:
        return decode_path(user, shown), Secret(decode_path(password, shown)) if colon else None
    except MalformedTarget as error:
        # The message of a bad user name or password must not show it.
        raise MalformedTarget(f"{shown}: bad percent-encoding in the user name or password") from error.__cause__


def _parse_host_port(text: str, shown: str) -> tuple[str, int | None]:
    if text.startswith("["):
        host, bracket, after = text[1:].partition("]")
        if not bracket or not _is_ipv6(host):
            _refuse(shown, f'"{text}" is no IPv6 address in brackets')
        if after and not after.startswith(":"):
            _refuse(shown, f'"{after}" behind the bracket; expected :port')
        return host, _parse_port(after[1:], shown) if after else None
    host, colon, port = text.partition(":")
    if ":" in port:
        _refuse(shown, "an IPv6 address stands in brackets: [2001:db8::1]")
    if not host:
        _refuse(shown, "the host is missing")
    if not _HOST.fullmatch(host) or len(host) > MAX_HOST + 1:
        _refuse(shown, f'"{host[:80]}" is no host name')
    return _to_ascii(host, shown), _parse_port(port, shown) if colon else None


def _is_ipv6(host: str) -> bool:
    import ipaddress  # seldom needed, and slow to load

    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return _IPV6.fullmatch(host) is not None


def _to_ascii(host: str, shown: str) -> str:
    """The name as it travels: A-labels by IDNA 2008 (RFC 5891), not the 2003 rules of Python's own codec."""
    if host.isascii():
        return host
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        _refuse(shown, f'"{host[:80]}" is no international domain name: {error}')


def _parse_port(text: str, shown: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        # Not shown: behind a colon there may stand a password whose @ was forgotten.
        _refuse(shown, "what stands behind the host's colon is no port; expected a number from 1 to 65535")
    return int(text)


def _refuse_line_ends(text: str, shown: str) -> None:
    for character in "\r\n\0":
        if character in text:
            _refuse(shown, f"holds a {escape(character)}, which no target may")


def _refuse(shown: str, why: str) -> NoReturn:
    raise MalformedTarget(f"{shown}: {why}")


def _either(schemes: Mapping[str, int | None]) -> str:
    names = [f"{name}://" for name in schemes]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]
