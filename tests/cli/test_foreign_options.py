"""Habits from other tools: each is answered with our spelling, in one line, and only where it is of use."""

import click
import pytest
from support.program import inetcli

from inetcli.cli.app import GROUPS, cli
from inetcli.cli.foreign_options import REMARKS, SPELLINGS, habit, habit_behind
from inetcli.cli.groups import LazyGroup

GET = ["ftp", "get"]
RAW = ["http", "raw"]
HELLO = ["tls", "hello"]
LOOKUP = ["dns", "lookup"]


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ([*RAW, "-k", "x"], "-k is said --insecure here"),
        ([*GET, "--no-check-certificate", "x"], "--no-check-certificate is said --insecure here"),
        ([*RAW, "--cacert", "ca.pem", "x"], "--cacert is said --ca FILE here"),
        ([*RAW, "--retry=3", "x"], "--retry is said --retries N here"),
        ([*RAW, "-I", "x"], "-I is said --head here"),
        ([*RAW, "-s", "x"], "-s is said -q here"),
        ([*RAW, "-m10", "x"], "-m is said --max-time S here"),
        ([*RAW, "-u", "ada:pw", "x"], "-u is said --user NAME with --password-file FILE here"),
        ([*RAW, "-L", "x"], "-L: redirects are shown, not followed"),
        ([*RAW, "-fsSL", "x"], "-f: a status of 400 or more is a failure anyway"),
        ([*RAW, "-sSL", "x"], "-s is said -q here"),
        ([*GET, "-O", "x"], "-O: the remote name is taken anyway; -o FILE gives another"),
        ([*RAW, "-O", "x"], "-O: the bytes go to standard output: > FILE"),
        ([*RAW, "-o", "f", "x"], "-o: the bytes go to standard output: > FILE"),
        ([*HELLO, "-connect", "x:443"], "-connect: the target says it: inetcli tls hello HOST:PORT"),
        ([*HELLO, "-servername", "y", "x"], "-servername is said --servername NAME here"),
        ([*HELLO, "-CAfile", "ca.pem", "x"], "-CAfile is said --ca FILE here"),
        ([*HELLO, "-showcerts", "x"], "-showcerts: the chain is always shown"),
        ([*HELLO, "-quiet", "x"], "-quiet is said -q here"),
        ([*HELLO, "-key", "k.pem", "x"], "-key is said --key FILE here"),
        ([*LOOKUP, "+short", "x"], "+short is said --short here"),
        ([*LOOKUP, "+time=3", "x"], "+time is said --timeout S here"),
        ([*LOOKUP, "-x", "192.0.2.1"], "-x: an address needs no option: inetcli dns lookup 192.0.2.1 PTR"),
        ([*LOOKUP, "-p", "53", "x"], "-p: the port stands behind the server: @192.0.2.53:5353"),
        (["help"], "help is said --help here"),
        (["version"], "version is said --version here"),
        (["ftp", "help"], "help is said --help here"),
    ],
)
def test_a_habit_is_answered_in_one_line(arguments: list[str], answer: str) -> None:
    done = inetcli(*arguments)
    assert (done.code, done.stdout, done.err) == (2, b"", f"inetcli: {answer}\n")


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        ([*LOOKUP, "-k", "x"], "No such option '-k'. Try 'inetcli dns lookup --help'."),  # without TLS
        ([*RAW, "-p", "80", "x"], "No such option '-p'. Try 'inetcli http raw --help'."),  # dig's is for dns
        ([*HELLO, "-starttls", "smtp", "x"], "No such option '-s'. Try 'inetcli tls hello --help'."),  # not curl's -s
        ([*RAW, "--qqqq", "x", "-k"], "No such option '--qqqq'. Try 'inetcli http raw --help'."),
        ([*LOOKUP, "+trace", "x"], "+trace: options begin with -- here"),
        (["ftp", "version"], "No such command 'version'. Try 'inetcli ftp --help'."),
    ],
)
def test_no_habit_is_answered_where_it_is_of_no_use(arguments: list[str], answer: str) -> None:
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
    assert {spelling.split()[0] for spelling in SPELLINGS.values()} - everywhere == set()


def test_every_remark_is_about_a_group() -> None:
    assert {group for remarks in REMARKS.values() for group in remarks} <= {"", *GROUPS}


def test_nothing_that_we_have_is_called_a_habit() -> None:
    """An option of a command is never taken for another tool's."""
    for ctx in contexts():
        for param in ctx.command.get_params(ctx):
            for name in param.opts:
                assert not set(REMARKS.get(name, {})) & set(ctx.command_path.split()[1:2]), ctx.command_path
                assert name not in SPELLINGS, ctx.command_path


def test_without_a_command_there_is_no_answer() -> None:
    assert habit("-k") is None
    assert habit_behind("-k", ["-k"], None) is None


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
def test_an_option_before_the_command_is_answered_with_the_corrected_line(line: str, corrected: str) -> None:
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
def test_what_is_no_option_of_the_command_is_not_moved_there(line: str, words: str) -> None:
    done = inetcli(*line.split())
    assert (done.code, done.stdout, done.err.count("\n")) == (2, b"", 1)
    assert words in done.err
    assert "secret" not in done.err


@pytest.mark.parametrize(
    ("line", "near"),
    [("fpt get x", "'ftp'"), ("ftp gte x", "'get'"), ("tls helo x", "'hello'"), ("ftp get --forse x", "'--force'")],
)
def test_an_unknown_command_or_option_names_the_near_ones(line: str, near: str) -> None:
    done = inetcli(*line.split())
    assert (done.code, near in done.err, done.err.count("\n")) == (2, True, 1)
