"""Real shells on a terminal, in which TAB is pressed: what stands on the command line afterwards.

Each shell gets three keys: TAB as it is, one that inserts all completions at once, and one that prints the line between
marks and empties it. So nothing has to be read off the screen.
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
"""Ctrl-G, here: insert all completions."""
_SHOW = "\x14"
"""Ctrl-T, here: print the line and empty it."""
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
    """An interactive shell."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal

    def type(self, keys: str) -> str:
        """The command line after these keys."""
        self.send(keys + _SHOW)
        return self.read_to("LINE[", "]END")

    def send(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def read_to(self, begin: str, end: str) -> str:
        """What is printed between two marks."""
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
    """bash or zsh in `folder`, where these scripts have run. zsh autoloads what is in `zfunc` beside the folder."""
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
        os.close(terminal)  # a hang-up ends it
        os.waitpid(pid, 0)


def fish_completions(line: str, folder: Path, script: str, *, descriptions: bool = False) -> list[str]:
    """The completions that fish has for a line."""
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
    """The path of a shell; the test is skipped where there is none."""
    program = shutil.which(name)
    if program is None:
        pytest.skip(f"{name} is not installed")
    return program


def install(folder: Path) -> None:
    """Our programs of this tree as commands in a folder."""
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
