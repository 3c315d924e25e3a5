"""What users of curl, wget, dig and openssl type out of habit, and how it is said here; and options before the command.

A habit is answered where it is of use: with a spelling only when the command has that option, with a remark only in the
group it is about. Everything else keeps Click's own answer, which names the near options.
"""

from collections.abc import Iterable, Sequence

import click

SPELLINGS = {
    "-k": "--insecure",
    "--no-check-certificate": "--insecure",
    "--cacert": "--ca FILE",
    "-CAfile": "--ca FILE",
    "--ca-certificate": "--ca FILE",
    "-I": "--head",
    "-s": "-q",
    "--silent": "-q",
    "-quiet": "-q",
    "-u": "--user NAME with --password-file FILE",
    "--password": "--password-file FILE",
    "-m": "--max-time S",
    "-w": "--wait S",
    "--retry": "--retries N",
    "--tries": "--retries N",
    "--output-document": "-o FILE",
    "--directory-prefix": "-P DIR",
    "--output-dir": "-P DIR",
    "--input-file": "-i FILE",
    "--parallel": "-j N",
    "--parallel-max": "-j N",
    "--fail-fast": "--fail-early",
    "--pinnedpubkey": "--pin sha256//BASE64",
    "--resolve": "--connect-to HOST:PORT",
    "-servername": "--servername NAME",
    "-alpn": "--alpn LIST",
    "-cert": "--cert FILE",
    "-key": "--key FILE",
    "+short": "--short",
    "+tcp": "--tcp",
    "+vc": "--tcp",
    "+time": "--timeout S",
    "+timeout": "--timeout S",
    "+tries": "--retries N",
    "+retry": "--retries N",
    "+noall": "--short",
    "help": "--help",
    "version": "--version",
}
"""An option of theirs, and ours. The answer is given where the command has that option."""

SECRET = {"--user", "--password-file"}
"""Options of ours in whose place other tools take a password: the corrected line must not show it."""

REMARKS = {
    "-connect": {"tls": "the target says it: inetcli tls hello HOST:PORT"},
    "-showcerts": {"tls": "the chain is always shown"},
    "-verify_return_error": {"tls": "a bad certificate is a failure anyway"},
    "-x": {"dns": "an address needs no option: inetcli dns lookup 192.0.2.1 PTR"},
    "-p": {"dns": "the port stands behind the server: @192.0.2.53:5353"},
    "-t": {"dns": "the type stands behind the name: inetcli dns lookup NAME TYPE"},
    "-O": {
        "ftp": "the remote name is taken anyway; -o FILE gives another",
        "http": "the bytes go to standard output: > FILE",
    },
    "--remote-name": {
        "ftp": "the remote name is taken anyway; -o FILE gives another",
        "http": "the bytes go to standard output: > FILE",
    },
    "-o": {"http": "the bytes go to standard output: > FILE"},
    "--output": {"http": "the bytes go to standard output: > FILE"},
    "-L": {"http": "redirects are shown, not followed"},
    "--location": {"http": "redirects are shown, not followed"},
    "-f": {"http": "a status of 400 or more is a failure anyway"},
    "--fail": {"http": "a status of 400 or more is a failure anyway"},
    "-S": {"": "errors are always told"},
    "--show-error": {"": "errors are always told"},
}
"""What needs no option of ours, and why, by the group that it is about (empty: all)."""


def habit(argument: str, ctx: click.Context | None = None) -> str | None:
    """How an argument of another tool is said in this command (or the one that runs); None = it is no such habit."""
    ctx = ctx or click.get_current_context(silent=True)
    word = argument if argument in SPELLINGS else argument.partition("=")[0]
    if word in REMARKS:
        return next((f"{word}: {said}" for group, said in REMARKS[word].items() if group in ("", *_path(ctx))), None)
    spelling = SPELLINGS.get(word)
    if spelling is None or spelling.split()[0] not in _offered(ctx):
        return None
    return f"{word} is said {spelling} here"


def habit_behind(option: str, arguments: Iterable[str], ctx: click.Context | None) -> str | None:
    """The habit behind an option that the command does not know; None = none.

    Click takes only `--words` for long options: of `-servername` it tells the `-s`, and of curl's `-fsSL` the first
    letter. So the argument is looked for that the option came from.
    """
    for argument in arguments:
        holds = argument.startswith("-") and not argument.startswith("--") and option[1:] in argument
        if holds or argument.partition("=")[0] == option:
            if said := habit(argument, ctx):
                return said
            if holds and not _is_cluster(argument, ctx):
                return None
    return habit(option, ctx)


def before_command(option: str, arguments: Sequence[str], ctx: click.Context | None) -> str | None:
    """The corrected command line, where an option of a command stands before the command. None = the option stands
    elsewhere, or no command has it."""
    if ctx is None or not isinstance(ctx.command, click.Group):
        return None
    root = ctx.find_root()
    names, early, rest, leaf = _find_command(root, arguments)
    leaves = [leaf] if leaf else list(_commands(root, names))
    found = next((said for each in leaves if (said := _spelled(early, option, each)) is not None), None)
    if found is None:
        return None
    line = [*names, *("GROUP", "COMMAND")[len(names) :], *found, *rest]
    return f"options follow the command: {root.info_name} {' '.join(map(_shown, line))}"


def _find_command(
    root: click.Context, arguments: Sequence[str]
) -> tuple[list[str], list[str], list[str], click.Context | None]:
    """The names of the group and the command that an argument list has, what stands before the command, what stands
    behind it, and the command if it is there."""
    names: list[str] = []
    early: list[str] = []
    here = root
    for at, argument in enumerate(arguments):
        inner = here.command.get_command(here, argument) if isinstance(here.command, click.Group) else None
        if inner is None:
            early.append(argument)
            continue
        names.append(argument)
        here = click.Context(inner, here, info_name=argument)
        if not isinstance(inner, click.Group):
            return names, early, list(arguments[at + 1 :]), here
    return names, early, [], None


def _commands(root: click.Context, names: Sequence[str]) -> Iterable[click.Context]:
    """All commands below the root, or below the group that is named."""
    assert isinstance(root.command, click.Group)
    for name in names or root.command.list_commands(root):
        group = root.command.get_command(root, name)
        if isinstance(group, click.Group):
            above = click.Context(group, root, info_name=name)
            yield from (click.Context(inner, above, info_name=key) for key, inner in group.commands.items())


def _spelled(early: Sequence[str], option: str, leaf: click.Context) -> list[str] | None:
    """The arguments before the command as the command takes them; None = `option` is none of its options."""
    spelled = []
    known = False
    for argument in early:
        word, equals, value = argument.partition("=")
        name = word if argument.startswith("--") else argument[:2]
        ours = SPELLINGS.get(word, "").partition(" ")[0]
        offered = _offered(leaf)
        if name not in offered and ours in offered - SECRET:
            name, argument = word, ours + equals + value  # noqa: PLW2901
            offered |= {word}
        spelled.append(argument)
        known = known or (name == option and name in offered)
    return spelled if known else None


def _shown(argument: str) -> str:
    """An argument as a shell takes it, a password in it masked."""
    from shlex import quote

    from inetcli.wire.target import mask_target

    return quote(mask_target(argument))


def _is_cluster(argument: str, ctx: click.Context | None) -> bool:
    """Whether it is one-letter options in a row, theirs or ours: `-fsSL`."""
    letters = {f"-{letter}" for letter in argument[1:] if letter.isalpha()}  # `-m10` has a value
    return letters <= {*SPELLINGS, *REMARKS, *_offered(ctx)}


def _offered(ctx: click.Context | None) -> set[str]:
    """The options of a command."""
    return {name for param in ctx.command.get_params(ctx) for name in param.opts} if ctx else set()


def _path(ctx: click.Context | None) -> list[str]:
    return ctx.command_path.split() if ctx else []
