"""HTTP/1.1: routes, a record of requests, and what goes wrong (RFC 9112)."""
