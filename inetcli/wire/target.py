"""Targets: `host/path`, `host:port/path`, `[v6]:port/path`, or a URL whose scheme fits the command.

    target  = [scheme "://"] [user [":" password] "@"] host [":" port] ["/" path]
    host    = name | IPv4 | "[" IPv6 "]"

Percent-encoding is decoded in user and password, and in the path by `decode_path` (RFC 3986 section 2.1). In targets
without a scheme and in FTP targets `?` and `#` are plain characters; the path is everything after the first slash.

`MalformedTarget`, before anything is sent, for a scheme that the command does not support, an empty host, a port
outside 1 to 65535, `%` without two hex digits, and a CR, LF or NUL, plain or encoded: these could insert commands of
the target's author.

Commands that need only host and port also accept a URL copied from elsewhere, of any scheme (`parse_host_target`).
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
"""The characters of an IPv6 address; a zone (RFC 4007 section 11) follows a plain %, as in `ip address`."""

MAX_HOST = 253
"""Characters of a domain name: RFC 1035 section 2.3.4 without the length bytes."""


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
"""URL schemes whose connection begins with TLS, with their ports (IANA registries of schemes and ports)."""

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
"""URL schemes whose connection begins in clear text, with their ports (same registries)."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server and a path on it. `path` is still encoded, without its leading slash; None = no path."""

    text: str
    scheme: str
    host: str
    port: int
    path: str | None
    user: str | None
    password: Secret | None

    @property
    def authority(self) -> str:
        """The host and port in URL form: `host:port`."""
        return f"{bracket_host(self.host)}:{self.port}"


def bracket_host(host: str) -> str:
    """Return the host in the form before a port: an IPv6 address in brackets."""
    return f"[{host}]" if ":" in host else host


def parse_target(text: str, schemes: Mapping[str, int | None], default: str) -> Target:
    """Parse a target. `schemes` are the supported schemes with their ports (None: the target must name the port);
    `default` is the scheme of a target without one."""
    masked = mask_target(text)
    _refuse_line_ends(text, masked)
    match = _SCHEME.match(text)
    scheme = match[1].lower() if match else default
    if scheme not in schemes:
        _refuse(masked, f"unsupported scheme {scheme}://; expected {_format_schemes(schemes)}")
    without_scheme = text[match.end() :] if match else text
    authority, slash, path = without_scheme.partition("/")
    if match and scheme in ("http", "https") and (delimiter := re.search(r"[?#]", authority)):
        authority, slash, path = authority[: delimiter.start()], "/", without_scheme[delimiter.start() :]
    userinfo, at, hostport = authority.rpartition("@")
    host, port = _parse_host_port(hostport, masked)
    if port is None:
        port = schemes[scheme]
    if port is None:
        _refuse(masked, "port missing; expected host:port")
    user, password = _parse_userinfo(userinfo, masked) if at else (None, None)
    return Target(masked, scheme, host, port, path if slash else None, user, password)


def parse_host_target(
    text: str, schemes: Mapping[str, int | None], default: str, *, pasted: Mapping[str, int]
) -> Target:
    """Parse a target of which only host and port are used, as in `tls hello` and `talk`.

    `schemes` and `default` as in `parse_target`; `pasted` are the schemes of other programs' URLs that need no port,
    with their ports. A URL of any other scheme must name the port. User, password, path, query and fragment of a URL
    are dropped and never sent.
    """
    match = _SCHEME.match(text)
    if not match:
        return parse_target(text, schemes, default)
    masked, scheme = mask_target(text), match[1].lower()
    _refuse_line_ends(text, masked)
    # RFC 3986 section 3.2: the authority ends at the first /, ? or #.
    authority = re.split(r"[/?#]", text[match.end() :], maxsplit=1)[0]
    host, port = _parse_host_port(authority.rpartition("@")[2], masked)
    if port is None:
        port = {**pasted, **schemes}.get(scheme)
    if port is None:
        _refuse(masked, f"port missing; expected host:port or {scheme}://host:port")
    return Target(masked, scheme, host, port, None, None, None)


def parse_host_port(text: str, default_port: int | None) -> tuple[str, int]:
    """Parse `host`, `host:port` or `[v6]:port`, as in `--connect-to` and `@server`."""
    host, port = _parse_host_port(text, text)
    port = default_port if port is None else port
    if port is None:
        _refuse(text, "port missing; expected host:port")
    return host, port


def decode_path(path: str, masked: str) -> str:
    """Percent-decode a path; bytes that are not UTF-8 become surrogates. `MalformedTarget` for a CR, LF or
    NUL in it."""
    if bad := _BAD_PERCENT.search(path):
        _refuse(masked, f'"{path[bad.start() : bad.start() + 3]}": % must be followed by two hex digits (%25 is a %)')
    raw = re.sub(rb"%(..)", lambda match: bytes([int(match[1], 16)]), path.encode("utf-8", "surrogateescape"))
    for byte, name in ((b"\r", "%0D"), (b"\n", "%0A"), (b"\0", "%00")):
        if byte in raw:
            _refuse(masked, f"contains {name}, which could insert another command")
    return raw.decode("utf-8", "surrogateescape")


def mask_target(text: str) -> str:
    """Return the target with `***` for its password. Also for text that is not a valid target."""
    match = _SCHEME.match(text)
    start = match.end() if match else 0
    rest = text[start:]
    authority = rest.partition("/")[0]
    end = authority.rfind("@")
    if end < 0:
        _, colon, port = authority.rpartition("]")[2].partition(":")
        if not colon or port.isdigit() or not (port or "@" in rest) or (":" in port and _IPV6.fullmatch(authority)):
            return text
        # Not a port: may be a password, with its @ after a plain slash or forgotten.
        end = rest.rfind("@") if "@" in rest else len(authority)
    user, colon, _ = rest[:end].partition(":")
    return text[:start] + user + ":" + MASK + rest[end:] if colon else text


def _parse_userinfo(userinfo: str, masked: str) -> tuple[str, Secret | None]:
    user, colon, password = userinfo.partition(":")
    try:
        return decode_path(user, masked), Secret(decode_path(password, masked)) if colon else None
    except MalformedTarget as error:
        # The message must not contain the user name or password.
        raise MalformedTarget(f"{masked}: bad percent-encoding in the user name or password") from error.__cause__


def _parse_host_port(text: str, masked: str) -> tuple[str, int | None]:
    if text.startswith("["):
        host, bracket, after = text[1:].partition("]")
        if not bracket or not _is_ipv6(host):
            _refuse(masked, f'"{text}" is not an IPv6 address in brackets')
        if after and not after.startswith(":"):
            _refuse(masked, f'"{after}" after the bracket; expected :port')
        return host, _parse_port(after[1:], masked) if after else None
    host, colon, port = text.partition(":")
    if ":" in port:
        _refuse(masked, "an IPv6 address must be in brackets: [2001:db8::1]")
    if not host:
        _refuse(masked, "host missing")
    if not _HOST.fullmatch(host) or len(host) > MAX_HOST + 1:
        _refuse(masked, f'"{host[:80]}" is not a valid host name')
    return _to_ascii(host, masked), _parse_port(port, masked) if colon else None


def _is_ipv6(host: str) -> bool:
    import ipaddress  # rarely needed, and slow to import

    try:
        ipaddress.IPv6Address(host)
    except ValueError:
        return False
    return _IPV6.fullmatch(host) is not None


def _to_ascii(host: str, masked: str) -> str:
    """Return the host name as A-labels by IDNA 2008 (RFC 5891); Python's own codec follows the rules of 2003."""
    if host.isascii():
        return host
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        _refuse(masked, f'"{host[:80]}" is not a valid international domain name: {error}')


def _parse_port(text: str, masked: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535):
        # The text is not quoted: after a colon there may be a password with a forgotten @.
        _refuse(masked, "invalid port; expected a number from 1 to 65535")
    return int(text)


def _refuse_line_ends(text: str, masked: str) -> None:
    for character in "\r\n\0":
        if character in text:
            _refuse(masked, f"contains {escape(character)}; CR, LF and NUL are not allowed")


def _refuse(masked: str, reason: str) -> NoReturn:
    raise MalformedTarget(f"{masked}: {reason}")


def _format_schemes(schemes: Mapping[str, int | None]) -> str:
    names = [f"{name}://" for name in schemes]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " or " + names[-1]
