"""What TLS agreed on, and what the peer showed: every private hook of Python's ssl module, guarded.

The public interface tells neither the chain that was served (before 3.13), nor the key-exchange group, nor whether the
server asked for a client certificate. Three private places do, on 3.11 to 3.13 alike: `_sslobj.get_unverified_chain`,
and `SSLContext._msg_callback`, which sees every handshake message. Where one is missing, the fact is None ("unknown"),
and nothing else fails.

Handshake messages: RFC 8446 section 4, for TLS 1.2 RFC 5246 section 7.4 and RFC 8422.
"""

import ssl
from dataclasses import dataclass, field
from typing import Any

_GROUPS = {
    23: "secp256r1",
    24: "secp384r1",
    25: "secp521r1",
    29: "x25519",
    30: "x448",
    256: "ffdhe2048",
    257: "ffdhe3072",
    258: "ffdhe4096",
    4587: "SecP256r1MLKEM768",
    4588: "X25519MLKEM768",
    4589: "SecP384r1MLKEM1024",
}
"""Names of the IANA registry "TLS Supported Groups", those that are in use."""

_SERVER_HELLO = 2
_SERVER_KEY_EXCHANGE = 12
_CERTIFICATE_REQUEST = 13
_HANDSHAKE = 22
_EXTENSION_KEY_SHARE = 51
_NAMED_CURVE = 3


@dataclass(slots=True)
class Watch:
    """What was seen in the messages of one handshake. None = not known."""

    group: str | None = None
    certificate_requested: bool | None = None


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """One finished, or failed, handshake. `address` is the server's, numeric; `chain` is what the server sent, DER,
    leaf first; `handshake_s` is the time that the handshake took."""

    address: str = ""
    version: str | None = None
    cipher: str | None = None
    group: str | None = None
    alpn: str | None = None
    session_reused: bool = False
    peer_verified: bool = False
    client_certificate_requested: bool | None = None
    chain: tuple[bytes, ...] = field(default=(), repr=False)
    handshake_s: float = 0.0

    def summary(self) -> dict[str, object]:
        """The `tls` object of the JSON answers."""
        return {
            "version": self.version,
            "cipher": self.cipher,
            "session_reused": self.session_reused,
            "peer_verified": self.peer_verified,
        }


def watch(context: ssl.SSLContext) -> Watch:
    """Look at the handshake messages of the connections that this context makes: one context, one connection."""
    seen = Watch()

    def on_message(
        _connection: object, direction: str, _version: object, content: Any, _message: object, data: bytes
    ) -> None:
        # The name that CPython gives to a record's inner content type is wrong: only the outer type is to be trusted.
        if direction == "read" and int(content) == _HANDSHAKE and len(data) > 4:
            _look(seen, data[0], data[4:])

    try:
        context._msg_callback = on_message  # type: ignore[attr-defined]
        seen.certificate_requested = False
    except (AttributeError, TypeError):
        pass
    return seen


def unwatch(context: ssl.SSLContext) -> None:
    """Look no more: the handshake is done, and every record of the data would be shown, which costs a fifth."""
    try:
        context._msg_callback = None  # type: ignore[attr-defined]
    except (AttributeError, TypeError):
        pass


def read_facts(tls: ssl.SSLObject, seen: Watch, *, address: str, verified: bool, handshake_s: float) -> TlsFacts:
    """The facts of a handshake that has ended, well or not. `verified`: chain and name were checked, and are good."""
    cipher = tls.cipher()
    return TlsFacts(
        address=address,
        version=tls.version() or (cipher[1] if cipher else None),  # a failed handshake has no version of its own
        cipher=cipher[0] if cipher else None,
        group=seen.group,
        alpn=tls.selected_alpn_protocol(),
        session_reused=bool(tls.session_reused),
        peer_verified=verified,
        client_certificate_requested=seen.certificate_requested,
        chain=served_chain(tls),
        handshake_s=handshake_s,
    )


def served_chain(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    """The certificates that the server sent, DER, leaf first; also after a failed verification. () = not known."""
    inner = getattr(tls, "_sslobj", None)
    get = getattr(inner, "get_unverified_chain", None)
    if get is None:
        return ()
    try:
        chain = get() or ()
    except (ValueError, ssl.SSLError):
        return ()
    return tuple(item if isinstance(item, bytes) else ssl.PEM_cert_to_DER_cert(item.public_bytes()) for item in chain)


def _look(seen: Watch, message: int, body: bytes) -> None:
    try:
        if message == _SERVER_HELLO:
            seen.group = _key_share_group(body) or seen.group
        elif message == _SERVER_KEY_EXCHANGE and body[0] == _NAMED_CURVE:
            seen.group = _group_name(int.from_bytes(body[1:3], "big"))
        elif message == _CERTIFICATE_REQUEST:
            seen.certificate_requested = True
    except IndexError:
        pass  # a hostile ServerHello: OpenSSL says what is wrong with it


def _key_share_group(body: bytes) -> str | None:
    """The group of a ServerHello's key_share extension (RFC 8446 sections 4.1.3 and 4.2.8); None in TLS 1.2."""
    at = 2 + 32  # legacy_version, random
    at += 1 + body[at]  # legacy_session_id_echo
    at += 2 + 1  # cipher_suite, legacy_compression_method
    end = at + 2 + int.from_bytes(body[at : at + 2], "big")
    at += 2
    while at + 4 <= min(end, len(body)):
        kind, size = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
        if kind == _EXTENSION_KEY_SHARE:
            return _group_name(int.from_bytes(body[at + 4 : at + 6], "big"))
        at += 4 + size
    return None


def _group_name(number: int) -> str:
    return _GROUPS.get(number, f"0x{number:04x}")
