"""Real shells on a terminal: the command line after TAB was pressed.

Each shell has three keys: TAB, a key that inserts all completions at once, and a key that prints the line between marks
and clears it. With the marks a test need not interpret the screen.
"""

import os
import pty
import select
import shutil
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.program import LIMIT_S, environment

TAB = "\t"
ALL = "\x07"
"""Ctrl-G, the key that inserts all completions."""
_SHOW = "\x14"
"""Ctrl-T, the key that prints the line and clears it."""
_BASH = r"""
PS1='ready> ' HISTFILE=
bind 'set bell-style none'
bind '"\C-g": insert-completions'
show() { printf 'LI''NE[%s]END\n' "$READLINE_LINE"; READLINE_LINE= READLINE_POINT=0; }
bind -x '"\C-t": show'
"""
_ZSH = r"""
PS1='ready> '
unsetopt beep zle_bracketed_paste prompt_cr prompt_sp
fpath=(AUTOLOADED $fpath)
autoload -Uz compinit && compinit -u -D
zle -C all-matches complete-word _generic
zstyle ':completion:all-matches:*' completer _all_matches _complete
zstyle ':completion:all-matches:*' insert yes
bindkey '^G' all-matches
show() { print -r -- "LI""NE[$BUFFER]END"; BUFFER= }
zle -N show
bindkey '^T' show
"""


class Shell:
    """An interactive shell on a terminal."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal

    def type(self, keys: str) -> str:
        """Type keys, and return the command line."""
        self.send(keys + _SHOW)
        return self.read_to("LINE[", "]END")

    def send(self, keys: str) -> None:
        """Type keys."""
        os.write(self._terminal, keys.encode())

    def read_to(self, begin: str, end: str) -> str:
        """Read the output up to the second mark, and return the text between the marks."""
        shown = ""
        while True:
            _, found, rest = shown.partition(begin)
            if found and end in rest:
                return rest.partition(end)[0]
            ready, _, _ = select.select([self._terminal], [], [], LIMIT_S)
            assert ready, f"the shell waits: {shown!r}"
            shown += os.read(self._terminal, 1 << 16).decode(errors="replace")


@contextmanager
def shell(name: str, folder: Path, *scripts: str) -> Iterator[Shell]:
    """Start bash or zsh in `folder` and run these scripts. zsh autoloads functions from `zfunc` beside the folder."""
    program = find_shell(name)
    keys = {"bash": _BASH, "zsh": _ZSH.replace("AUTOLOADED", f"'{folder.parent / 'zfunc'}'")}[name]
    start = folder.parent / f"{name}.start"
    start.write_text("\n".join([keys, *scripts, "printf 'LI''NE[begun]END\n'\n"]))
    arguments = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"]}[name]
    pid, terminal = pty.fork()
    if pid == 0:
        try:
            termios.tcsetwinsize(0, (24, 200))
            os.chdir(folder)
            os.execve(program, [name, *arguments], _environment(folder))
        finally:
            os._exit(127)
    try:
        found = Shell(terminal)
        found.send(f". '{start}'\n")
        found.read_to("LINE[", "]END")
        yield found
    finally:
        os.close(terminal)  # SIGHUP ends the shell.
        os.waitpid(pid, 0)


def fish_completions(line: str, folder: Path, script: str, *, descriptions: bool = False) -> list[str]:
    """Return the completions of fish for a line."""
    done = subprocess.run(
        [find_shell("fish"), "--no-config", "-c", f"{script}\ncomplete -C $argv[1]", line],
        capture_output=True,
        cwd=folder,
        env=_environment(folder),
        timeout=LIMIT_S,
        check=True,
        text=True,
    )
    return [row if descriptions else row.partition("\t")[0] for row in done.stdout.splitlines()]


def find_shell(name: str) -> str:
    """Return the path of a shell, or skip the test if it is missing."""
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed")
    return program


def install(folder: Path) -> None:
    """Install the programs of this tree as commands in a folder."""
    folder.mkdir(exist_ok=True)
    for name in ("inetcli", "mockservers"):
        command = folder / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -W error -m {name} "$@"\n')
        command.chmod(0o755)


def _environment(folder: Path) -> dict[str, str]:
    plain = environment()
    home = str(folder.parent / "home")
    return {
        **plain,
        "PATH": f"{folder.parent / 'bin'}:{plain['PATH']}",
        "HOME": home,
        "TERM": "dumb",
        "LANG": "C.UTF-8",
    }
