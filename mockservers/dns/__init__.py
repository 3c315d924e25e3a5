"""DNS over UDP, TCP, TLS and HTTPS, from zones (RFC 1035, RFC 7858, RFC 8484)."""
