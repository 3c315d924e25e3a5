"""Plain lines over TCP and datagrams over UDP, in lock-step: send one, wait for its reply."""
