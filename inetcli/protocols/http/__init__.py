"""HTTP/1.1 at byte level: what went over the wire, exactly (RFC 9110, RFC 9112)."""
