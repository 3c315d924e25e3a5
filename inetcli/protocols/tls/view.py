"""A hello as text and as JSON."""

from datetime import datetime

from inetcli.protocols.tls.model import Certificate, Hello
from inetcli.wire.escape import escape
from inetcli.wire.target import bracket_host


def format_hello(hello: Hello) -> list[str]:
    """Format the verdict, a line for each served certificate, a line for each problem, and the reply."""
    lines = [_verdict_line(hello)]
    lines += [_certificate_line(index, certificate, hello.now) for index, certificate in enumerate(hello.chain)]
    lines += [
        f"{problem.severity}  {'-' if problem.certificate is None else problem.certificate}  {problem.code}  "
        f"{escape(problem.message)}"
        for problem in hello.problems
    ]
    if hello.reply is not None:
        text = hello.reply.decode("utf-8", "surrogateescape")
        lines += [escape(line.removesuffix("\r"), keep_tab=True) for line in text.removesuffix("\n").split("\n")]
    return lines


def hello_to_json(hello: Hello) -> dict[str, object]:
    """Return the fields of `tls hello` besides the common ones."""
    facts = hello.facts
    return {
        "verdict": str(hello.verdict),
        "problems": [
            {
                "code": str(problem.code),
                "severity": problem.severity,
                "certificate": problem.certificate,
                "message": problem.message,
            }
            for problem in hello.problems
        ],
        "version": facts.version,
        "cipher": facts.cipher,
        "group": facts.group,
        "alpn": facts.alpn,
        "session_reused": facts.session_reused,
        "client_certificate_requested": facts.client_certificate_requested,
        "chain": [_certificate_to_json(certificate, hello.now) for certificate in hello.chain],
        "reply": hello.reply,
    }


def _verdict_line(hello: Hello) -> str:
    facts = hello.facts
    words = ["OK" if hello.verdict == "ok" else f"FAILED  {hello.verdict}"]
    words.append(f"{bracket_host(hello.host)}:{hello.port} ({facts.address})")
    words += [fact for fact in (facts.version, facts.cipher, facts.group, facts.alpn) if fact]
    return "  ".join([*words, f"{facts.handshake_s * 1000:.0f} ms"])


def _certificate_line(index: int, certificate: Certificate, now: datetime) -> str:
    days = certificate.days_left(now)
    until = (
        f"until {certificate.not_after:%Y-%m-%d}, {days} days left"
        if days >= 0
        else (f"expired {certificate.not_after:%Y-%m-%d}")
    )
    bits = "" if certificate.key_bits is None or certificate.key_type.startswith("E") else f" {certificate.key_bits}"
    parts = [str(index), escape(_short_name(certificate)), certificate.key_type + bits, until]
    if certificate.san:
        parts.append("SAN " + " ".join(escape(name) for name in certificate.san))
    return "  ".join(parts)


def _short_name(certificate: Certificate) -> str:
    """Return the common name; without one the first alternative name, else the whole subject."""
    for part in certificate.subject.split(","):
        if part.startswith("CN="):
            return part[3:]
    return certificate.san[0] if certificate.san else certificate.subject or "(no name)"


def _certificate_to_json(certificate: Certificate, now: datetime) -> dict[str, object]:
    return {
        "subject": certificate.subject,
        "issuer": certificate.issuer,
        "san": list(certificate.san),
        "not_before": f"{certificate.not_before:%Y-%m-%dT%H:%M:%SZ}",
        "not_after": f"{certificate.not_after:%Y-%m-%dT%H:%M:%SZ}",
        "days_left": certificate.days_left(now),
        "serial": certificate.serial,
        "key_type": certificate.key_type,
        "key_bits": certificate.key_bits,
        "signature": certificate.signature,
        "sha256": certificate.sha256,
        "spki_sha256": certificate.spki_sha256,
    }
