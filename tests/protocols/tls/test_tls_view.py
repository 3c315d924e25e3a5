"""A hello as the lines people see, and as JSON."""

from datetime import timedelta

import pytest
from support.certificates import NOW, certificate

from inetcli.net.tlsfacts import TlsFacts
from inetcli.protocols.tls.model import Certificate, Hello, Problem, ProblemCode
from inetcli.protocols.tls.view import format_hello, hello_to_json

FACTS = TlsFacts("192.0.2.1", "TLSv1.3", "TLS_AES_128_GCM_SHA256", "x25519", "h2", handshake_s=0.0414)


def hello(*chain: Certificate, problems: tuple[Problem, ...] = (), reply: bytes | None = None) -> Hello:
    return Hello("h", 443, FACTS, chain, problems, NOW, reply)


def test_format_hello_is_a_verdict_the_chain_and_the_problems() -> None:
    chain = (
        certificate("CN=shop.example", key_type="EC P-256", key_bits=256, san=("shop.example", "www.shop.example")),
        certificate("O=CA", not_after=NOW - timedelta(days=3)),
    )
    problems = (
        Problem(ProblemCode.EXPIRED, 1, "expired 2026-11-21, 3 days ago"),
        Problem(ProblemCode.OTHER, None, "words\x1b[m", "warning"),
    )
    assert format_hello(hello(*chain, problems=problems)) == [
        "FAILED  expired  h:443 (192.0.2.1)  TLSv1.3  TLS_AES_128_GCM_SHA256  x25519  h2  41 ms",
        "0  shop.example  EC P-256  until 2026-11-25, 1 days left  SAN shop.example www.shop.example",
        "1  O=CA  RSA 2048  expired 2026-11-21",
        "error  1  expired  expired 2026-11-21, 3 days ago",
        r"warning  -  other  words\x1b[m",
    ]


def test_format_hello_without_facts_leaves_them_out() -> None:
    bare = Hello("::1", 443, TlsFacts("::1", handshake_s=0.001), (), (), NOW)
    assert format_hello(bare) == ["OK  [::1]:443 (::1)  1 ms"]


@pytest.mark.parametrize(
    ("subject", "san", "shown"),
    [
        ("O=Org,CN=name,C=DE", ("other.example",), "name"),
        ("O=Org", ("san.example",), "san.example"),
        ("O=Org", (), "O=Org"),
        ("", (), "(no name)"),
        ("CN=\x1b[2J", (), r"\x1b[2J"),
    ],
)
def test_a_certificate_has_a_short_name(subject: str, san: tuple[str, ...], shown: str) -> None:
    line = format_hello(hello(certificate(subject, san=san)))[1]
    assert line.split("  ")[1] == shown


@pytest.mark.parametrize(
    ("reply", "lines"),
    [
        (b"one\r\ntwo\r\n", ["one", "two"]),
        (b"one\n\ntwo", ["one", "", "two"]),
        (b"\ta\x07\xff\n", ["\ta\\x07\\xff"]),
        (b"", [""]),
    ],
)
def test_the_reply_comes_last_and_is_harmless(reply: bytes, lines: list[str]) -> None:
    assert format_hello(hello(reply=reply))[1:] == lines


def test_hello_to_json_has_the_keys_of_the_contract() -> None:
    problems = (Problem(ProblemCode.PIN, 0, "words"),)
    assert hello_to_json(hello(certificate("CN=shop"), problems=problems, reply=b"x")) == {
        "verdict": "pin",
        "problems": [{"code": "pin", "severity": "error", "certificate": 0, "message": "words"}],
        "version": "TLSv1.3",
        "cipher": "TLS_AES_128_GCM_SHA256",
        "group": "x25519",
        "alpn": "h2",
        "session_reused": False,
        "client_certificate_requested": None,
        "chain": [
            {
                "subject": "CN=shop",
                "issuer": "CN=CA",
                "san": [],
                "not_before": "2026-11-23T00:00:00Z",
                "not_after": "2026-11-25T00:00:00Z",
                "days_left": 1,
                "serial": "1",
                "key_type": "RSA",
                "key_bits": 2048,
                "signature": "x",
                "sha256": "0",
                "spki_sha256": "0",
            }
        ],
        "reply": b"x",
    }
