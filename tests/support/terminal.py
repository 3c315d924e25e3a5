"""The program on a terminal of its own, as a person sees it."""

import os
import pty
import select
import sys
import termios
from collections.abc import Mapping

from support.program import LIMIT_S, environment

PROGRAM = [sys.executable, "-W", "error", "-m", "inetcli"]


def on_terminal(
    *arguments: str, env: Mapping[str, str] | None = None, cwd: str | os.PathLike[str] | None = None, columns: int = 80
) -> tuple[int, bytes]:
    """Run `inetcli` with all streams on a terminal; its exit code (negative: a signal), and all that was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        try:
            termios.tcsetwinsize(0, (24, columns))
            if cwd is not None:
                os.chdir(cwd)
            settings = {"TERM": "xterm", **environment(env)}
            os.execve(sys.executable, [*PROGRAM, *arguments], settings)
        finally:
            os._exit(127)
    try:
        shown = read_all(terminal)
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown


def read_all(terminal: int) -> bytes:
    """Everything that is shown until nobody holds the other end any more."""
    shown = b""
    while select.select([terminal], [], [], LIMIT_S)[0]:
        try:
            piece = os.read(terminal, 1 << 16)
        except OSError:  # EIO: the last one has closed it
            break
        if not piece:
            break
        shown += piece
    return shown
