"""Certificates as the model has them, made without a key: for tests of what is said about a chain."""

from datetime import UTC, datetime, timedelta

from inetcli.protocols.tls.model import Certificate

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def certificate(subject: str, **changes: object) -> Certificate:
    """A certificate of this subject, valid from yesterday until tomorrow unless `changes` say otherwise."""
    values: dict[str, object] = {
        "subject": subject,
        "issuer": "CN=CA",
        "san": (),
        "not_before": NOW - timedelta(days=1),
        "not_after": NOW + timedelta(days=1),
        "serial": "1",
        "key_type": "RSA",
        "key_bits": 2048,
        "signature": "x",
        "sha256": "0",
        "spki_sha256": "0",
    }
    return Certificate(**{**values, **changes})  # type: ignore[arg-type]
