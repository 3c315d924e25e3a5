"""The network layer: time, sockets, TLS and threads. All waiting happens here, and no module knows a protocol."""
