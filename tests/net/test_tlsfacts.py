"""The facts of real handshakes, and unknown facts where Python lacks the private hooks."""

import ssl

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inetcli.net.tlsfacts import HandshakeRecord, TlsFacts, observe_handshake, read_facts, served_chain, stop_observing
from mockservers.certs import authority


def handshake(server: ssl.SSLContext, client: ssl.SSLContext) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Do a handshake in memory. Returns the client's end and the server's end."""
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname="localhost")
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    left = [ours, theirs]
    while left:
        for end in list(left):
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            left.remove(end)
    return ours, theirs


def client_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=authority().ca_file)


@pytest.mark.parametrize(
    ("version", "curve", "group"),
    [
        (ssl.TLSVersion.TLSv1_2, "prime256v1", "secp256r1"),
        (ssl.TLSVersion.TLSv1_2, "secp384r1", "secp384r1"),
        (ssl.TLSVersion.TLSv1_3, "prime256v1", "secp256r1"),
        (ssl.TLSVersion.TLSv1_3, "secp521r1", "secp521r1"),
    ],
)
@pytest.mark.parametrize("wants_certificate", [False, True])
def test_group_and_request_are_read_from_the_messages(
    version: ssl.TLSVersion, curve: str, group: str, wants_certificate: bool
) -> None:
    server = authority().context()
    server.minimum_version = server.maximum_version = version
    server.set_ecdh_curve(curve)
    if wants_certificate:
        server.verify_mode = ssl.CERT_OPTIONAL
        server.load_verify_locations(authority().ca_file)
    client = client_context()
    seen = observe_handshake(client)
    ours, theirs = handshake(server, client)
    facts = read_facts(ours, seen, address="192.0.2.1", verified=True, handshake_s=0.5)
    assert facts == TlsFacts(
        address="192.0.2.1",
        version={ssl.TLSVersion.TLSv1_2: "TLSv1.2", ssl.TLSVersion.TLSv1_3: "TLSv1.3"}[version],
        cipher=(theirs.cipher() or [""])[0],
        group=group,
        alpn=None,
        session_reused=False,
        peer_verified=True,
        client_certificate_requested=wants_certificate,
        chain=served_chain(ours),
        handshake_s=0.5,
    )
    assert facts.summary() == {
        "version": facts.version,
        "cipher": facts.cipher,
        "session_reused": False,
        "peer_verified": True,
    }


def test_the_chain_is_the_served_one_leaf_first() -> None:
    ours, _ = handshake(authority().context(), client_context())
    leaf = authority().leaf()
    assert served_chain(ours) == tuple(ssl.PEM_cert_to_DER_cert(blob.bytes().decode()) for blob in leaf.cert_chain_pems)
    assert served_chain(ours)[0] == ours.getpeercert(binary_form=True)


def test_alpn_is_the_negotiated_protocol() -> None:
    server, client = authority().context(), client_context()
    server.set_alpn_protocols(["http/1.1"])
    client.set_alpn_protocols(["h2", "http/1.1"])
    ours, _ = handshake(server, client)
    assert read_facts(ours, HandshakeRecord(), address="", verified=False, handshake_s=0.0).alpn == "http/1.1"


def test_after_stop_observing_no_message_is_recorded() -> None:
    client = client_context()
    seen = observe_handshake(client)
    stop_observing(client)
    handshake(authority().context(), client)
    assert seen.group is None


class Hookless:
    """An SSL context without the private hooks: no attribute can be set."""

    __slots__ = ()


def test_without_the_hooks_the_facts_are_unknown_and_nothing_fails() -> None:
    context = Hookless()
    assert observe_handshake(context) == HandshakeRecord(None, None)  # type: ignore[arg-type]
    stop_observing(context)  # type: ignore[arg-type]
    assert served_chain(Hookless()) == ()  # type: ignore[arg-type]


@settings(max_examples=1000)
@given(st.sampled_from([2, 12, 13, 99]), st.binary(max_size=80))
def test_no_message_causes_an_error(message: int, body: bytes) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    seen = observe_handshake(context)
    context._msg_callback(None, "read", None, 22, None, bytes([message, 0, 0, 0]) + body)  # type: ignore[attr-defined]
    assert seen.certificate_requested is (message == 13 and bool(body))
    assert seen.group is None or message in (2, 12)
