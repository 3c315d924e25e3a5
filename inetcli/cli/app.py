"""The program: the root group, and the one place where errors become exit codes and signals end it.

Click's own `main` is not used: it turns Ctrl-C into exit code 1, so that shell loops go on; a socket's EPIPE into a
silent 1; and a full disk into a traceback. Here SIGINT, SIGTERM and SIGHUP unwind the stack (temporary files go away)
and then kill the process with that same signal, as a shell expects; a closed pipe on standard output is SIGPIPE; a full
disk on it is exit code 23. A signal that was ignored at the start stays ignored.
"""

import errno
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import click
from click.exceptions import NoSuchCommand

from inetcli import __version__
from inetcli.cli.groups import LazyCommand, LazyGroup
from inetcli.errors import Bug, InetError, LocalWrite
from inetcli.secret import SecretMasker

GROUPS = {
    "ftp": LazyCommand("inetcli.protocols.ftp.commands:ftp", "Get, put, list and tidy files on FTP servers."),
    "nntp": LazyCommand("inetcli.protocols.nntp.commands:nntp", "Read Usenet articles."),
    "http": LazyCommand("inetcli.protocols.http.commands:http", "See HTTP/1.1 byte by byte."),
    "tls": LazyCommand("inetcli.protocols.tls.commands:tls", "Shake hands and judge certificates."),
    "dns": LazyCommand("inetcli.protocols.dns.commands:dns", "Ask name servers."),
    "talk": LazyCommand("inetcli.protocols.talk.commands:talk", "Send lines over TCP or UDP, print the replies."),
    "completion": LazyCommand("inetcli.cli.completion:completion", "Print the completion script for a shell."),
}

HELP = """One client for the internet's plain protocols: FTP, NNTP, HTTP/1.1, TLS, DNS, TCP and UDP lines.

\b
Examples:
  inetcli ftp get ftp.example.net/pub/nightly.iso
  inetcli nntp latest nntps://news.example.org/comp.lang.python
  inetcli dns lookup example.org MX
"""


_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Terminated(BaseException):
    """SIGTERM or SIGHUP came: clean up, then die of it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


cli = LazyGroup(
    GROUPS,
    name="inetcli",
    help=HELP,
    no_args_is_help=True,
    params=[
        click.Option(
            ["--version"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=lambda ctx, _param, value: _version(ctx) if value else None,
            help="Show the version and exit.",
        )
    ],
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def main() -> NoReturn:
    """Run the command line, and end the process the way it ended."""
    try:
        _catch_signals()
        if instruction := os.environ.get("_INETCLI_COMPLETE"):
            from inetcli.cli.completion import answer

            _leave(answer(cli, instruction))
        _leave(run(sys.argv[1:]))
    except KeyboardInterrupt:
        _die(signal.SIGINT)
    except Terminated as end:
        _die(end.number)
    except BrokenPipeError:  # standard output's: those of sockets are errors of their own
        _die(signal.SIGPIPE)
    except OSError as error:  # likewise
        _abandon_stdout()
        _tell(LocalWrite(f"standard output: {error.strerror or error}").message, SecretMasker())
        os._exit(LocalWrite.exit_code)


def run(arguments: list[str]) -> int:
    """The exit code of a command line. What is wrong with it, or with the program, is told on standard error."""
    secrets = SecretMasker()  # the runner finds it in the context
    try:
        with cli.make_context("inetcli", list(arguments), obj=secrets) as ctx:
            code = cli.invoke(ctx)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        return _usage(error, arguments, secrets)
    except InetError as error:
        _tell(error.message, secrets)
        return error.exit_code
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, the user gets one line
        if ended := _ended(error):
            raise ended from None
        if os.environ.get("INETCLI_DEBUG") == "1":
            import traceback

            _write(secrets.mask(traceback.format_exc()))
        _tell(Bug.of(error).message, secrets)
        return Bug.exit_code


def _ended(error: BaseException) -> BaseException | None:
    """The signal that ends the program, where another exception has come of it: from a wait while things were tidied
    up, or from a class that was just made (Python 3.11 wraps that in a RuntimeError)."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, KeyboardInterrupt | Terminated):
        seen = seen.__cause__ or seen.__context__
    return seen


def _usage(error: click.ClickException, arguments: list[str], secrets: SecretMasker) -> int:
    from inetcli.cli.foreign_options import before_command, habit, habit_behind

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return error.exit_code
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    hint = None
    if isinstance(error, click.NoSuchOption):
        hint = before_command(error.option_name, arguments, ctx) or habit_behind(error.option_name, arguments, ctx)
    elif isinstance(error, NoSuchCommand):
        hint = habit(error.command_name, ctx)
    message = " ".join(error.format_message().split())
    stop = "" if message.endswith((".", "?")) else "."
    command = ctx.command_path if ctx else "inetcli"
    _tell(hint or f"{message}{stop} Try '{command} --help'.", secrets)
    return error.exit_code


def _version(ctx: click.Context) -> None:
    click.echo(f"inetcli {__version__}")
    ctx.exit()


def _tell(message: str, secrets: SecretMasker) -> None:
    from inetcli.wire.escape import escape

    _write(f"inetcli: {secrets.mask(escape(message))}\n")


def _write(text: str) -> None:
    """Write on standard error, if there is one."""
    if sys.stderr is not None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            pass  # nobody is left to be told


def _leave(code: int) -> NoReturn:
    if sys.stdout is not None:
        sys.stdout.flush()
    _release_signals()  # the interpreter tidies up now, and would show a traceback
    sys.exit(code)


def _catch_signals() -> None:
    """The first signal unwinds the stack. Those that follow are dropped: another exception, in the midst of the first
    one's way out, would end up wherever nobody expects it. The way out has a limit, so nobody has to insist."""
    caught = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]

    def drop(_number: int, _frame: FrameType | None) -> None:
        pass

    def end(number: int, _frame: FrameType | None) -> None:
        for other in caught:
            signal.signal(other, drop)
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)

    for number in caught:
        signal.signal(number, end)


def _release_signals() -> None:
    """From here on they end the process at once."""
    # Python complains of a signal that came just before its handler went away: "ignored due to race condition".
    sys.unraisablehook = lambda _: None
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def _die(number: int) -> NoReturn:
    """End by the signal, so that a shell loop stops and `timeout` sees what it did."""
    _release_signals()
    _abandon_stdout()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # the signal is blocked: the shell's number for it


def _abandon_stdout() -> None:
    """What could not be written must not be tried again when the interpreter ends."""
    try:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process
    except OSError as error:
        if error.errno != errno.EMFILE:
            raise
