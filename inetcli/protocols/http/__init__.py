"""HTTP/1.1 at byte level: the exact bytes of a response, and their faults (RFC 9110, RFC 9112)."""
