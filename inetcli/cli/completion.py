"""`inetcli completion SHELL`: the completion scripts, and the completions that they request.

The script calls `inetcli` itself; no protocol is imported before its group is named. Names of files and folders are
completed by the shell, which handles blanks, `~` and hidden files. Click's own scripts are not used, for two reasons:

- bash splits words at `:` and `=`, so Click gets the wrong word after `host:7` and in `--ca=FILE`. Here Click gets the
  line as it was typed.
- zsh and fish get the answer `FILE` for `--ca=FILE`, and ignore it or replace the whole word with it.
"""

import os
from typing import ClassVar

import click
from click.shell_completion import (
    BashComplete,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    shell_complete,
    split_arg_string,
)

VARIABLE = "_INETCLI_COMPLETE"
"""Environment variable with the shell and the instruction: `bash_complete`."""

_END = "\x01"
"""Marks the cursor position: after a blank it becomes an empty last word, inside a word it is its last character."""


class Bash(BashComplete):
    """Completion for bash 4.4 and later. COMP_WORDS is the line up to the cursor."""

    source_template: ClassVar[str] = """\
%(complete_func)s() {
    local type value
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done < <(COMP_WORDS="${COMP_LINE:0:COMP_POINT}" %(complete_var)s=bash_complete "$1" 2>/dev/null)
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

    def source(self) -> str:
        """Return the script. Click would start bash to read its version."""
        return self.source_template % self.source_vars()

    def get_completion_args(self) -> tuple[list[str], str]:
        *words, last = split_arg_string(os.environ["COMP_WORDS"] + _END)
        return words[1:], last.removesuffix(_END)


class Zsh(ZshComplete):
    """Completion for zsh. The script removes `--ca=` from the word, so that zsh's own functions can complete the rest.

    The function must have the name of the file that zsh loads it from. With another name the second TAB of a session
    does nothing: zsh runs the file again, and the file only registers the function.
    """

    source_template: ClassVar[str] = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local -a plain described response
    local type key descr
    (( ! $+commands[%(prog_name)s] )) && return 1

    response=("${(@f)$(COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT-1)) \
%(complete_var)s=zsh_complete %(prog_name)s 2>/dev/null)}")
    compset -P 1 '--[^=]#='

    for type key descr in ${response}; do
        case $type in
            dir) _path_files -/ ;;
            file) _files ;;
            plain) [[ $descr == _ ]] && plain+=("$key") || described+=("$key:$descr") ;;
        esac
    done

    (( $#described )) && _describe -V unsorted described
    (( $#plain )) && compadd -V unsorted -a plain
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

    @property
    def func_name(self) -> str:
        return f"_{self.prog_name}"


class Fish(FishComplete):
    """Completion for fish, which expects each answer as the whole word: `--ca=FILE`."""

    source_template: ClassVar[str] = """\
function %(complete_func)s
    set -l before (string match -r -- '^--[^=]*=' (commandline -ct))
    for answer in (env COMP_WORDS=(commandline -cp) COMP_CWORD=(commandline -ct) \
%(complete_var)s=fish_complete %(prog_name)s 2>/dev/null)
        set -l parts (string split -m 1 , -- $answer)
        switch $parts[1]
            case dir
                string replace -r -- '^' "$before" (__fish_complete_directories $parts[2])
            case file
                string replace -r -- '^' "$before" (__fish_complete_path $parts[2])
            case plain
                echo -- "$before$parts[2]"
        end
    end
end

complete --no-files --command %(prog_name)s --arguments '(%(complete_func)s)'
"""


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


@click.command("completion", short_help="Print the completion script for a shell.")
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell.

    \b
    Examples:
      inetcli completion bash > ~/.local/share/bash-completion/completions/inetcli
      inetcli completion zsh > ~/.zfunc/_inetcli
      inetcli completion fish > ~/.config/fish/completions/inetcli.fish
    """
    click.echo(SHELLS[shell](ctx.find_root().command, {}, "inetcli", VARIABLE).source())


def print_completions(root: click.Command, instruction: str) -> int:
    """Print the completions that a script requests; return the exit code."""
    for name, shell in SHELLS.items():
        add_completion_class(shell, name)
    return shell_complete(root, {}, "inetcli", VARIABLE, instruction)
