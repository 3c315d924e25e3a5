"""Options of curl, wget, dig and openssl with their equivalents here, and options before the command.

A hint is given only where it helps: an equivalent only if the command has that option, an explanation only in its
group. For everything else Click answers with similar option names.
"""

from collections.abc import Iterable, Sequence

import click

EQUIVALENTS = {
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
"""Options of other tools with the equivalent option here; used only if the command has the equivalent."""

PASSWORD_OPTIONS = {"--user", "--password-file"}
"""Options whose counterparts in other tools take a password: a corrected command line must not show that value."""

HINTS = {
    "-connect": {"tls": "give the server as the target: inetcli tls hello HOST:PORT"},
    "-showcerts": {"tls": "not needed: the chain is always printed"},
    "-verify_return_error": {"tls": "not needed: a bad certificate is always a failure"},
    "-x": {"dns": "not needed for an address: inetcli dns lookup 192.0.2.1 PTR"},
    "-p": {"dns": "write the port after the server: @192.0.2.53:5353"},
    "-t": {"dns": "write the type after the name: inetcli dns lookup NAME TYPE"},
    "-O": {
        "ftp": "not needed: the remote name is the default; -o FILE sets another name",
        "http": "not needed: the bytes go to standard output; use > FILE",
    },
    "--remote-name": {
        "ftp": "not needed: the remote name is the default; -o FILE sets another name",
        "http": "not needed: the bytes go to standard output; use > FILE",
    },
    "-o": {"http": "not needed: the bytes go to standard output; use > FILE"},
    "--output": {"http": "not needed: the bytes go to standard output; use > FILE"},
    "-L": {"http": "redirects are shown, not followed"},
    "--location": {"http": "redirects are shown, not followed"},
    "-f": {"http": "not needed: a status of 400 or more is always a failure"},
    "--fail": {"http": "not needed: a status of 400 or more is always a failure"},
    "-S": {"": "not needed: errors are always printed"},
    "--show-error": {"": "not needed: errors are always printed"},
}
"""Options of other tools that need no equivalent, with the explanation for each group (empty name: all groups)."""


def translate_option(argument: str, ctx: click.Context | None = None) -> str | None:
    """Return the hint for an option of another tool in the given (or the current) command; None = no hint."""
    ctx = ctx or click.get_current_context(silent=True)
    name = argument if argument in EQUIVALENTS else argument.partition("=")[0]
    if name in HINTS:
        return next(
            (f"{name}: {hint}" for group, hint in HINTS[name].items() if group in ("", *_command_names(ctx))), None
        )
    equivalent = EQUIVALENTS.get(name)
    if equivalent is None or equivalent.split()[0] not in _option_names(ctx):
        return None
    return f"use {equivalent} instead of {name}"


def translate_unknown_option(option: str, arguments: Iterable[str], ctx: click.Context | None) -> str | None:
    """Return the hint for an option that the command does not have; None = no hint.

    Click accepts only `--words` as long options: for `-servername` it reports `-s`, and for curl's `-fsSL` the first
    letter. So the argument that contains the option is searched first.
    """
    for argument in arguments:
        contains = argument.startswith("-") and not argument.startswith("--") and option[1:] in argument
        if contains or argument.partition("=")[0] == option:
            if hint := translate_option(argument, ctx):
                return hint
            if contains and not _is_short_option_cluster(argument, ctx):
                return None
    return translate_option(option, ctx)


def correct_option_order(option: str, arguments: Sequence[str], ctx: click.Context | None) -> str | None:
    """Return the corrected command line for an option of a command that stands before the command.

    None = the option stands elsewhere, or no command has it.
    """
    if ctx is None or not isinstance(ctx.command, click.Group):
        return None
    root = ctx.find_root()
    names, before, after, command = _find_command(root, arguments)
    contexts = [command] if command else list(_commands(root, names))
    translations = (_translate_arguments(before, option, context) for context in contexts)
    options = next((arguments for arguments in translations if arguments is not None), None)
    if options is None:
        return None
    line = [*names, *("GROUP", "COMMAND")[len(names) :], *options, *after]
    return f"options follow the command: {root.info_name} {' '.join(map(_quote_masked, line))}"


def _find_command(
    root: click.Context, arguments: Sequence[str]
) -> tuple[list[str], list[str], list[str], click.Context | None]:
    """Split an argument list into the names of group and command, the arguments before the command, the arguments after
    it, and the context of the command; None = the list contains no command."""
    names: list[str] = []
    before: list[str] = []
    context = root
    for index, argument in enumerate(arguments):
        group = context.command
        command = group.get_command(context, argument) if isinstance(group, click.Group) else None
        if command is None:
            before.append(argument)
            continue
        names.append(argument)
        context = click.Context(command, context, info_name=argument)
        if not isinstance(command, click.Group):
            return names, before, list(arguments[index + 1 :]), context
    return names, before, [], None


def _commands(root: click.Context, names: Sequence[str]) -> Iterable[click.Context]:
    """Yield the contexts of all commands below the root, or below the named group."""
    assert isinstance(root.command, click.Group)
    for name in names or root.command.list_commands(root):
        group = root.command.get_command(root, name)
        if isinstance(group, click.Group):
            parent = click.Context(group, root, info_name=name)
            yield from (click.Context(command, parent, info_name=key) for key, command in group.commands.items())


def _translate_arguments(arguments: Sequence[str], option: str, ctx: click.Context) -> list[str] | None:
    """Return the arguments before the command in the form that the command accepts; None = the command has no such
    `option`."""
    translated = []
    found = False
    for argument in arguments:
        word, equals, value = argument.partition("=")
        name = word if argument.startswith("--") else argument[:2]
        equivalent = EQUIVALENTS.get(word, "").partition(" ")[0]
        options = _option_names(ctx)
        if name not in options and equivalent in options - PASSWORD_OPTIONS:
            name, argument = word, equivalent + equals + value  # noqa: PLW2901
            options |= {word}
        translated.append(argument)
        found = found or (name == option and name in options)
    return translated if found else None


def _quote_masked(argument: str) -> str:
    """Quote an argument for a shell, with a password in it masked."""
    from shlex import quote

    from inetcli.wire.target import mask_target

    return quote(mask_target(argument))


def _is_short_option_cluster(argument: str, ctx: click.Context | None) -> bool:
    """Whether an argument is a series of one-letter options, of this or another tool: `-fsSL`."""
    letters = {f"-{letter}" for letter in argument[1:] if letter.isalpha()}  # the digits of `-m10` are its value
    return letters <= {*EQUIVALENTS, *HINTS, *_option_names(ctx)}


def _option_names(ctx: click.Context | None) -> set[str]:
    """Return the options of a command."""
    return {name for param in ctx.command.get_params(ctx) for name in param.opts} if ctx else set()


def _command_names(ctx: click.Context | None) -> list[str]:
    return ctx.command_path.split() if ctx else []
