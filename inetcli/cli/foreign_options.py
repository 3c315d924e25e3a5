"""What users of curl, wget, dig and openssl type out of habit, and how it is said here.

A habit is answered where it is of use: with a spelling only when the command has that option, with a remark only in the
group it is about. Everything else keeps Click's own answer, which names the near options.
"""

from collections.abc import Iterable

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


def _is_cluster(argument: str, ctx: click.Context | None) -> bool:
    """Whether it is one-letter options in a row, theirs or ours: `-fsSL`."""
    letters = {f"-{letter}" for letter in argument[1:] if letter.isalpha()}  # `-m10` has a value
    return letters <= {*SPELLINGS, *REMARKS, *_offered(ctx)}


def _offered(ctx: click.Context | None) -> set[str]:
    """The options of a command."""
    return {name for param in ctx.command.get_params(ctx) for name in param.opts} if ctx else set()


def _path(ctx: click.Context | None) -> list[str]:
    return ctx.command_path.split() if ctx else []
