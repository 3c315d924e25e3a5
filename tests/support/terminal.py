"""The program on a pseudo-terminal, with its output as a user sees it."""

import os
import pty
import re
import select
import sys
import termios
from collections.abc import Mapping

from support.program import LIMIT_S, environment

PROGRAM = [sys.executable, "-W", "error", "-m", "inetcli"]


def on_terminal(
    *arguments: str,
    env: Mapping[str, str] | None = None,
    cwd: str | os.PathLike[str] | None = None,
    columns: int = 80,
    press: tuple[bytes, bytes] | None = None,
) -> tuple[int, bytes]:
    """Run `inetcli` with all streams on a terminal. Returns the exit code (negative = a signal) and the whole output.

    `press`: a text and keys; the keys are typed when the text is shown.
    """
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
        shown = read_all(terminal, press)
        _, status = os.waitpid(pid, 0)
    finally:
        os.close(terminal)
    return os.waitstatus_to_exitcode(status), shown


def read_all(terminal: int, press: tuple[bytes, bytes] | None = None) -> bytes:
    """Read the output until the last process has closed the terminal."""
    shown = b""
    while select.select([terminal], [], [], LIMIT_S)[0]:
        try:
            piece = os.read(terminal, 1 << 16)
        except OSError:  # EIO: the last process has closed the terminal.
            break
        if not piece:
            break
        shown += piece
        if press and press[0] in shown:
            os.write(terminal, press[1])
            press = None
    return shown


def screen(shown: bytes) -> list[str]:
    """Return the rows of the screen at the end: the part of ECMA-48 that the meter uses, without scrolling."""
    rows = [""]
    row = column = 0
    for piece in re.findall(r"\x1b\[\d*[A-Za-z]|.", shown.decode(), re.DOTALL):
        match piece:
            case "\r":
                column = 0
            case "\n":
                row += 1
                rows += [""] * (row + 1 - len(rows))
            case "\x1b[J":
                rows[row:] = [rows[row][:column]]
            case str() if piece.startswith("\x1b"):
                assert piece.endswith("A"), piece
                row = max(0, row - int(piece[2:-1]))
            case _:
                rows[row] = f"{rows[row][:column]:<{column}}{piece}{rows[row][column + 1 :]}"
                column += 1
    return rows if rows[-1] else rows[:-1]
