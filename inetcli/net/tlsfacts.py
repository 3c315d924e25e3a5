"""The facts of a TLS handshake: negotiated parameters and served certificates. All uses of ssl's private hooks.

The public interface of ssl gives neither the served chain (before 3.13), nor the key-exchange group, nor whether the
server requested a client certificate. Private hooks do, in 3.11 to 3.13: `_sslobj.get_unverified_chain`, and
`SSLContext._msg_callback`, which receives every handshake message. If a hook is missing, the fact is None ("unknown"),
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
"""The names of the groups in use, from the IANA registry "TLS Supported Groups"."""

_SERVER_HELLO = 2
_SERVER_KEY_EXCHANGE = 12
_CERTIFICATE_REQUEST = 13
_HANDSHAKE = 22
_EXTENSION_KEY_SHARE = 51
_NAMED_CURVE = 3


@dataclass(slots=True)
class HandshakeRecord:
    """The facts from the messages of one handshake. None = unknown."""

    group: str | None = None
    certificate_requested: bool | None = None


@dataclass(frozen=True, slots=True)
class TlsFacts:
    """The facts of a handshake that succeeded or failed.

    `address`: the numeric address of the server. `chain`: the certificates that the server sent, in DER, leaf first.
    `handshake_s`: the duration of the handshake in seconds.
    """

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
        """Return the `tls` object of the JSON result."""
        return {
            "version": self.version,
            "cipher": self.cipher,
            "session_reused": self.session_reused,
            "peer_verified": self.peer_verified,
        }


def observe_handshake(context: ssl.SSLContext) -> HandshakeRecord:
    """Record facts from the handshake messages of a context, which must be used for one connection only."""
    record = HandshakeRecord()

    def on_message(
        _connection: object, direction: str, _version: object, content: Any, _message: object, data: bytes
    ) -> None:
        # CPython gives a wrong name to the inner content type of a record; only the outer type is reliable.
        if direction == "read" and int(content) == _HANDSHAKE and len(data) > 4:
            _record_message(record, data[0], data[4:])

    try:
        context._msg_callback = on_message  # type: ignore[attr-defined]
        record.certificate_requested = False
    except (AttributeError, TypeError):
        pass
    return record


def stop_observing(context: ssl.SSLContext) -> None:
    """Remove the hook after the handshake: a call for every data record would slow the transfer down by a fifth."""
    try:
        context._msg_callback = None  # type: ignore[attr-defined]
    except (AttributeError, TypeError):
        pass


def read_facts(
    tls: ssl.SSLObject, record: HandshakeRecord, *, address: str, verified: bool, handshake_s: float
) -> TlsFacts:
    """Collect the facts of a handshake that succeeded or failed. `verified`: the chain and the name are valid."""
    cipher = tls.cipher()
    return TlsFacts(
        address=address,
        version=tls.version() or (cipher[1] if cipher else None),  # tls.version() is None after a failed handshake
        cipher=cipher[0] if cipher else None,
        group=record.group,
        alpn=tls.selected_alpn_protocol(),
        session_reused=bool(tls.session_reused),
        peer_verified=verified,
        client_certificate_requested=record.certificate_requested,
        chain=served_chain(tls),
        handshake_s=handshake_s,
    )


def served_chain(tls: ssl.SSLObject) -> tuple[bytes, ...]:
    """Return the certificates of the server in DER, leaf first, also after a failed verification. () = unknown."""
    inner = getattr(tls, "_sslobj", None)
    get = getattr(inner, "get_unverified_chain", None)
    if get is None:
        return ()
    try:
        chain = get() or ()
    except (ValueError, ssl.SSLError):
        return ()
    return tuple(item if isinstance(item, bytes) else ssl.PEM_cert_to_DER_cert(item.public_bytes()) for item in chain)


def _record_message(record: HandshakeRecord, message: int, body: bytes) -> None:
    try:
        if message == _SERVER_HELLO:
            record.group = _key_share_group(body) or record.group
        elif message == _SERVER_KEY_EXCHANGE and body[0] == _NAMED_CURVE:
            record.group = _group_name(int.from_bytes(body[1:3], "big"))
        elif message == _CERTIFICATE_REQUEST:
            record.certificate_requested = True
    except IndexError:
        pass  # a malformed message, for which OpenSSL reports the error


def _key_share_group(body: bytes) -> str | None:
    """Return the group of a ServerHello's key_share extension (RFC 8446 sections 4.1.3, 4.2.8); None in TLS 1.2."""
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
