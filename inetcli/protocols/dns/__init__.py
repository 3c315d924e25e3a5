"""DNS: queries to name servers, and their records (RFC 1034, RFC 1035, RFC 6891)."""
