"""FTP, scriptable, and pyftpdlib beside it (RFC 959, RFC 2428, RFC 3659, RFC 4217)."""
