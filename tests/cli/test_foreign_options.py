"""Options of other tools: each gets a hint in one line, and only in commands with an equivalent."""

import click
import pytest
from support.program import inetcli

from inetcli.cli.app import GROUPS, cli
from inetcli.cli.foreign_options import EQUIVALENTS, HINTS, translate_option, translate_unknown_option
from inetcli.cli.groups import LazyGroup

GET = ["ftp", "get"]
RAW = ["http", "raw"]
HELLO = ["tls", "hello"]
LOOKUP = ["dns", "lookup"]


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ([*RAW, "-k", "x"], "use --insecure instead of -k"),
        ([*GET, "--no-check-certificate", "x"], "use --insecure instead of --no-check-certificate"),
        ([*RAW, "--cacert", "ca.pem", "x"], "use --ca FILE instead of --cacert"),
        ([*RAW, "--retry=3", "x"], "use --retries N instead of --retry"),
        ([*RAW, "-I", "x"], "use --head instead of -I"),
        ([*RAW, "-s", "x"], "use -q instead of -s"),
        ([*RAW, "-m10", "x"], "use --max-time S instead of -m"),
        ([*RAW, "-u", "ada:pw", "x"], "use --user NAME with --password-file FILE instead of -u"),
        ([*RAW, "-L", "x"], "-L: redirects are shown, not followed"),
        ([*RAW, "-fsSL", "x"], "-f: not needed: a status of 400 or more is always a failure"),
        ([*RAW, "-sSL", "x"], "use -q instead of -s"),
        ([*GET, "-O", "x"], "-O: not needed: the remote name is the default; -o FILE sets another name"),
        ([*RAW, "-O", "x"], "-O: not needed: the bytes go to standard output; use > FILE"),
        ([*RAW, "-o", "f", "x"], "-o: not needed: the bytes go to standard output; use > FILE"),
        ([*HELLO, "-connect", "x:443"], "-connect: give the server as the target: inetcli tls hello HOST:PORT"),
        ([*HELLO, "-servername", "y", "x"], "use --servername NAME instead of -servername"),
        ([*HELLO, "-CAfile", "ca.pem", "x"], "use --ca FILE instead of -CAfile"),
        ([*HELLO, "-showcerts", "x"], "-showcerts: not needed: the chain is always printed"),
        ([*HELLO, "-quiet", "x"], "use -q instead of -quiet"),
        ([*HELLO, "-key", "k.pem", "x"], "use --key FILE instead of -key"),
        ([*LOOKUP, "+short", "x"], "use --short instead of +short"),
        ([*LOOKUP, "+time=3", "x"], "use --timeout S instead of +time"),
        ([*LOOKUP, "-x", "192.0.2.1"], "-x: not needed for an address: inetcli dns lookup 192.0.2.1 PTR"),
        ([*LOOKUP, "-p", "53", "x"], "-p: write the port after the server: @192.0.2.53:5353"),
        (["help"], "use --help instead of help"),
        (["version"], "use --version instead of version"),
        (["ftp", "help"], "use --help instead of help"),
    ],
)
def test_foreign_option_gets_a_hint_in_one_line(arguments: list[str], answer: str) -> None:
    done = inetcli(*arguments)
    assert (done.code, done.stdout, done.err) == (2, b"", f"inetcli: {answer}\n")


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ([*LOOKUP, "-k", "x"], "No such option '-k'. Try 'inetcli dns lookup --help'."),  # without TLS
        ([*RAW, "-p", "80", "x"], "No such option '-p'. Try 'inetcli http raw --help'."),  # dig's is for dns
        ([*HELLO, "-starttls", "smtp", "x"], "No such option '-s'. Try 'inetcli tls hello --help'."),  # not curl's -s
        ([*RAW, "--qqqq", "x", "-k"], "No such option '--qqqq'. Try 'inetcli http raw --help'."),
        ([*LOOKUP, "+trace", "x"], "+trace: unknown option; options begin with --"),
        (["ftp", "version"], "No such command 'version'. Try 'inetcli ftp --help'."),
    ],
)
def test_no_hint_if_the_command_lacks_the_equivalent(arguments: list[str], answer: str) -> None:
    done = inetcli(*arguments)
    assert (done.code, done.stdout, done.err) == (2, b"", f"inetcli: {answer}\n")


def contexts() -> list[click.Context]:
    """Every command, as if it ran."""
    root = click.Context(cli, info_name="inetcli")
    found = [root]
    for name in GROUPS:
        group = cli.get_command(root, name)
        assert group is not None
        above = click.Context(group, root, info_name=name)
        found.append(above)
        if isinstance(group, click.Group) and not isinstance(group, LazyGroup):
            found += [click.Context(command, above, info_name=inner) for inner, command in group.commands.items()]
    return found


def test_every_spelling_is_an_option_of_some_command() -> None:
    """What is answered can be typed: else the table would teach options that are not there."""
    everywhere = {name for ctx in contexts() for param in ctx.command.get_params(ctx) for name in param.opts}
    assert {spelling.split()[0] for spelling in EQUIVALENTS.values()} - everywhere == set()


def test_every_remark_is_about_a_group() -> None:
    assert {group for remarks in HINTS.values() for group in remarks} <= {"", *GROUPS}


def test_no_option_of_ours_is_listed_as_foreign() -> None:
    """An option of a command is never taken for another tool's."""
    for ctx in contexts():
        for param in ctx.command.get_params(ctx):
            for name in param.opts:
                assert not set(HINTS.get(name, {})) & set(ctx.command_path.split()[1:2]), ctx.command_path
                assert name not in EQUIVALENTS, ctx.command_path


def test_no_hint_without_a_command() -> None:
    assert translate_option("-k") is None
    assert translate_unknown_option("-k", ["-k"], None) is None


@pytest.mark.parametrize(
    ("line", "corrected"),
    [
        ("--json ftp ls HOST", "ftp ls --json HOST"),
        ("ftp --json ls HOST", "ftp ls --json HOST"),
        ("-v ftp ls HOST", "ftp ls -v HOST"),
        ("-qv ftp ls HOST", "ftp ls -qv HOST"),
        ("-j4 dns lookup x", "dns lookup -j4 x"),
        ("-k http raw x", "http raw --insecure x"),
        ("http -k raw --head x", "http raw --insecure --head x"),
        ("--timeout 5 ftp -v ls ftp://ada:secret@h", "ftp ls --timeout 5 -v 'ftp://ada:***@h'"),
        ("--timeout=5s ftp get x", "ftp get --timeout=5s x"),
        ("--retry=3 ftp get x", "ftp get --retries=3 x"),
        ("--json ftp", "ftp COMMAND --json"),
        ("--json", "GROUP COMMAND --json"),
    ],
)
def test_option_before_the_command_gets_the_corrected_command_line(line: str, corrected: str) -> None:
    done = inetcli(*line.split())
    said = f"inetcli: options follow the command: inetcli {corrected}\n"
    assert (done.code, done.stdout, done.err) == (2, b"", said)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--nope ftp ls HOST", "No such option '--nope'"),
        ("-k dns lookup x", "No such option '-k'"),
        ("--insecure dns lookup x", "No such option '--insecure'"),
        ("--password secret ftp get x", "No such option '--password'"),
        ("-u ada:secret ftp get x", "No such option '-u'"),
        ("--json completion bash", "No such option '--json'"),
    ],
)
def test_unknown_option_is_not_moved_after_the_command(line: str, words: str) -> None:
    done = inetcli(*line.split())
    assert (done.code, done.stdout, done.err.count("\n")) == (2, b"", 1)
    assert words in done.err
    assert "secret" not in done.err


@pytest.mark.parametrize(
    ("line", "near"),
    [("fpt get x", "'ftp'"), ("ftp gte x", "'get'"), ("tls helo x", "'hello'"), ("ftp get --forse x", "'--force'")],
)
def test_unknown_command_or_option_suggests_similar_names(line: str, near: str) -> None:
    done = inetcli(*line.split())
    assert (done.code, near in done.err, done.err.count("\n")) == (2, True, 1)
