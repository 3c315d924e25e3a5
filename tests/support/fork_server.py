"""A server that runs `inetcli` in processes forked from one in which all modules are loaded.

Loading takes most of the time of a short command. A forked process has its own descriptors, environment, working
directory, signals and exit status, like a process that was started normally; only the start differs. Therefore tests of
the start, and tests that set variables for Python itself, start the interpreter (`support.program.run_module`).

The server ends when the control socket closes, which happens when the process that uses the server ends. A request is a
byte on the control socket with four descriptors: a channel, and the three standard streams. The channel carries:

    [ARGUMENTS, ENVIRONMENT, FOLDER] as JSON, EOF    to the server
    PID LF, then STATUS LF                           from it; STATUS is -N when signal N ended the process
"""

import atexit
import gc
import io
import json
import os
import pkgutil
import selectors
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from importlib import import_module
from pathlib import Path

PIECE = 1 << 16


class ForkServer:
    """The client side of the server process, for the tests."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", "-P", str(Path(__file__)), str(theirs.fileno())],
                stdin=subprocess.PIPE,  # Pipes, like the streams of the commands.
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                pass_fds=[theirs.fileno()],
            )

    def close(self) -> None:
        """Stop the server, and wait until the process has ended."""
        self._control.close()
        self._process.communicate()

    @property
    def status(self) -> int | None:
        """The exit status of the server; None while the server runs."""
        return self._process.poll()

    def run(
        self, arguments: Sequence[str], *, stdin: bytes, env: Mapping[str, str], folder: str, limit_s: float
    ) -> tuple[int, bytes, bytes]:
        """Run a command. Returns its exit status, standard output and standard error.

        After `limit_s` seconds, kill the process and raise subprocess.TimeoutExpired.
        """
        deadline = time.monotonic() + limit_s
        with ExitStack() as stack:
            channel, theirs = (stack.enter_context(end) for end in socket.socketpair())
            (in_read, in_write), (out_read, out_write), (err_read, err_write) = (os.pipe() for _ in range(3))
            feed = stack.enter_context(io.FileIO(in_write, "w"))
            output = stack.enter_context(io.FileIO(out_read))
            errors = stack.enter_context(io.FileIO(err_read))
            socket.send_fds(self._control, [b"+"], [theirs.fileno(), in_read, out_write, err_write])
            theirs.close()
            for fd in (in_read, out_write, err_write):
                os.close(fd)
            channel.settimeout(limit_s)
            channel.sendall(json.dumps([list(arguments), dict(env), folder]).encode())
            channel.shutdown(socket.SHUT_WR)
            told = stack.enter_context(channel.makefile("r"))
            pid = told.readline()
            if not pid:
                raise RuntimeError(f"the fork server has ended: {self._process.communicate()[1].decode()}")
            try:
                stdout, stderr = _exchange(stdin, feed, output, errors, deadline)
                return int(told.readline()), stdout, stderr
            except TimeoutError:
                os.kill(int(pid), signal.SIGKILL)
                raise subprocess.TimeoutExpired(["inetcli", *arguments], limit_s) from None


def _exchange(
    data: bytes, stdin: io.FileIO, stdout: io.FileIO, stderr: io.FileIO, deadline: float
) -> tuple[bytes, bytes]:
    """Write all of standard input, unless the command closes it, and read the two other streams to their ends."""
    got = {stdout: bytearray(), stderr: bytearray()}
    rest = memoryview(data)
    os.set_blocking(stdin.fileno(), False)
    with selectors.DefaultSelector() as selector:
        selector.register(stdin, selectors.EVENT_WRITE, stdin)
        for stream in got:
            selector.register(stream, selectors.EVENT_READ, stream)
        while selector.get_map():
            ready = selector.select(max(deadline - time.monotonic(), 0))
            if not ready:
                raise TimeoutError
            for key, _ in ready:
                if key.data is stdin:
                    rest = rest[_write(key.fd, rest) :]
                    done = not rest
                else:
                    piece = os.read(key.fd, PIECE)
                    got[key.data] += piece
                    done = not piece
                if done:
                    selector.unregister(key.fileobj)
                    key.data.close()
    return bytes(got[stdout]), bytes(got[stderr])


def _write(fd: int, data: memoryview) -> int:
    """Write a part of the data. Returns the number of bytes that need not be written any more."""
    try:
        return os.write(fd, data[:PIECE]) if data else 0
    except BrokenPipeError:
        return len(data)


@cache
def fork_server() -> ForkServer:
    """Return the server of this test process; the first call starts it."""
    from support.program import environment

    server = ForkServer(environment())
    atexit.register(server.close)
    return server


def serve(control: socket.socket) -> list[str] | None:
    """Fork a process for each request. Returns the arguments in a forked process, and None in the server at the end."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # The processes of `_keep` are not waited for.
    while True:
        _, fds, _, _ = socket.recv_fds(control, 1, 4)
        if not fds:
            return None
        if os.fork() == 0:
            control.close()
            return _keep(socket.socket(fileno=fds[0]), fds[1:])
        for fd in fds:
            os.close(fd)


def _keep(channel: socket.socket, streams: list[int]) -> list[str]:
    """Fork the process of a request, wait for it and report its status. Returns only in the forked process."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with channel.makefile("rb") as asked:
        arguments, environment, folder = json.load(asked)
    if pid := os.fork():
        for fd in streams:
            os.close(fd)
        channel.sendall(f"{pid}\n".encode())
        _, status = os.waitpid(pid, 0)
        channel.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
        os._exit(0)
    channel.close()
    for number, fd in enumerate(streams):
        os.dup2(fd, number)
        os.close(fd)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return list(arguments)


def main() -> None:
    """Load all modules and serve requests. In a forked process, run the program."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # The tests decide who gets Ctrl-C.
    import inetcli

    for module in pkgutil.walk_packages(inetcli.__path__, "inetcli."):
        import_module(module.name)
    from inetcli.__main__ import main as program

    gc.collect()
    gc.freeze()
    arguments = serve(socket.socket(fileno=int(sys.argv[1])))
    if arguments is not None:
        assert threading.active_count() == 1
        sys.argv = ["inetcli", *arguments]
        program()


if __name__ == "__main__":
    main()
