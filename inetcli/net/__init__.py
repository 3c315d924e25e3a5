"""Time, sockets and threads: everything that waits. A stream knows no protocol."""
