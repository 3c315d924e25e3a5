"""TLS: one handshake, its verdict, and what the server showed (RFC 8446, RFC 5280)."""
