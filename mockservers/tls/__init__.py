"""TLS: handshakes, certificates, and what is wrong with them (RFC 8446)."""
