"""Lines: our client against a server of the standard library's; nc against our server."""

import socketserver
import threading

from support.foreign import run
from support.program import inetcli

from mockservers import TimeServer


def test_our_client_and_socketserver() -> None:
    class Upper(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for line in self.rfile:
                self.wfile.write(line.upper())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Upper) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            done = inetcli("talk", "tcp", f"127.0.0.1:{server.server_address[1]}", "-", stdin=b"one\ntwo\n")
        finally:
            server.shutdown()
            thread.join()
    assert (done.code, done.out) == (0, "ONE\nTWO\n")


def test_nc_and_our_server() -> None:
    with TimeServer(clock=lambda: "now") as mock:
        tcp = run("nc", "-N", "127.0.0.1", str(mock.port), stdin=b"one\ntwo\n")
        udp = run("nc", "-u", "-w", "1", "127.0.0.1", str(mock.port), stdin=b"one")
    assert tcp.out == "[now] one\n[now] two\n"
    assert udp.out == "[now] one"
