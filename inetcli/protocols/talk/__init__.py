"""Plain lines over TCP and datagrams over UDP, in lock-step: one goes out, its reply comes back."""
