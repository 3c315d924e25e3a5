"""FTP: downloads, uploads, listings and other file operations (RFC 959, RFC 2428, RFC 3659, RFC 4217)."""
