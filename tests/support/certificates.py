"""Certificates of the model, made without a key, for tests of the verdict on a chain."""

from datetime import UTC, datetime, timedelta

from inetcli.protocols.tls.model import Certificate

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def certificate(subject: str, **changes: object) -> Certificate:
    """Make a certificate for this subject, valid from yesterday until tomorrow. `changes`: values for fields."""
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
