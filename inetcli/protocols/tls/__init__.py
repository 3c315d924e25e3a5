"""TLS: one handshake, its verdict, and its facts (RFC 8446, RFC 5280)."""
