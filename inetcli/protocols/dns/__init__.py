"""DNS: questions to a server, and its records (RFC 1034, RFC 1035, RFC 6891)."""
