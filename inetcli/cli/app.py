"""The program: the root group, exit codes for errors, and signal handling.

Click's own `main` is not used. Click turns Ctrl-C into exit code 1, so that shell loops continue; the EPIPE of a socket
into exit code 1 without a message; and a full disk into a traceback. Here SIGINT, SIGTERM and SIGHUP unwind the stack,
so that temporary files are removed, and then kill the process with the same signal, as a shell expects. A closed pipe
on standard output ends the process with SIGPIPE; a full disk is exit code 23. A signal that was ignored at the start
stays ignored.
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
    "ftp": LazyCommand("inetcli.protocols.ftp.commands:ftp", "Transfer, list and manage files on FTP servers."),
    "nntp": LazyCommand("inetcli.protocols.nntp.commands:nntp", "Read Usenet articles."),
    "http": LazyCommand("inetcli.protocols.http.commands:http", "Show HTTP/1.1 responses byte by byte."),
    "tls": LazyCommand("inetcli.protocols.tls.commands:tls", "Do TLS handshakes and check certificates."),
    "dns": LazyCommand("inetcli.protocols.dns.commands:dns", "Query name servers."),
    "talk": LazyCommand("inetcli.protocols.talk.commands:talk", "Send lines over TCP or UDP, print the replies."),
    "completion": LazyCommand("inetcli.cli.completion:completion", "Print the completion script for a shell."),
}

HELP = """One client for FTP, NNTP, HTTP/1.1, TLS, DNS, and lines over TCP and UDP.

\b
Examples:
  inetcli ftp get ftp.example.net/pub/nightly.iso
  inetcli nntp latest nntps://news.example.org/comp.lang.python
  inetcli dns lookup example.org MX
"""


_FATAL_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Terminated(BaseException):
    """The exception for SIGTERM and SIGHUP: clean up, then end the process with the signal."""

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
    """Run the command line and end the process with the exit code or the signal."""
    try:
        _catch_signals()
        if instruction := os.environ.get("_INETCLI_COMPLETE"):
            from inetcli.cli.completion import print_completions

            _exit(print_completions(cli, instruction))
        _exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        _die_of_signal(signal.SIGINT)
    except Terminated as end:
        _die_of_signal(end.number)
    except BrokenPipeError:  # from standard output: errors of sockets have their own classes
        _die_of_signal(signal.SIGPIPE)
    except OSError as error:  # from standard output, too
        _discard_stdout()
        _write_error(LocalWrite(f"standard output: {error.strerror or error}").message, SecretMasker())
        os._exit(LocalWrite.exit_code)


def run(arguments: list[str]) -> int:
    """Run a command line and return its exit code. Errors are reported on standard error."""
    secrets = SecretMasker()  # the runner finds the masker in the context
    try:
        with cli.make_context("inetcli", list(arguments), obj=secrets) as ctx:
            code = cli.invoke(ctx)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        return _report_usage_error(error, arguments, secrets)
    except InetError as error:
        _write_error(error.message, secrets)
        return error.exit_code
    except OSError:
        raise
    except Exception as error:  # noqa: BLE001 - any bug is reported in one line
        if ended := _find_signal(error):
            raise ended from None
        if os.environ.get("INETCLI_DEBUG") == "1":
            import traceback

            _write(secrets.mask(traceback.format_exc()))
        _write_error(Bug.from_exception(error).message, secrets)
        return Bug.exit_code


def _find_signal(error: BaseException) -> BaseException | None:
    """Find the signal exception behind another exception; None = no signal.

    A signal can be hidden by an exception that was raised during the clean-up, or while a class was created (Python
    3.11 wraps it in a RuntimeError).
    """
    current: BaseException | None = error
    while current is not None and not isinstance(current, KeyboardInterrupt | Terminated):
        current = current.__cause__ or current.__context__
    return current


def _report_usage_error(error: click.ClickException, arguments: list[str], secrets: SecretMasker) -> int:
    """Report wrong usage on standard error, with the matching option or command if there is one. Return the
    exit code."""
    from inetcli.cli.foreign_options import correct_option_order, translate_option, translate_unknown_option

    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return error.exit_code
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    hint = None
    if isinstance(error, click.NoSuchOption):
        hint = correct_option_order(error.option_name, arguments, ctx) or translate_unknown_option(
            error.option_name, arguments, ctx
        )
    elif isinstance(error, NoSuchCommand):
        hint = translate_option(error.command_name, ctx)
    message = " ".join(error.format_message().split())
    full_stop = "" if message.endswith((".", "?")) else "."
    command = ctx.command_path if ctx else "inetcli"
    _write_error(hint or f"{message}{full_stop} Try '{command} --help'.", secrets)
    return error.exit_code


def _version(ctx: click.Context) -> None:
    click.echo(f"inetcli {__version__}")
    ctx.exit()


def _write_error(message: str, secrets: SecretMasker) -> None:
    """Write a message to standard error, escaped and masked."""
    from inetcli.wire.escape import escape

    _write(f"inetcli: {secrets.mask(escape(message))}\n")


def _write(text: str) -> None:
    """Write a text to standard error, if it is open."""
    if sys.stderr is not None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except OSError:
            pass  # standard error is closed


def _exit(code: int) -> NoReturn:
    """Flush standard output and exit."""
    if sys.stdout is not None:
        sys.stdout.flush()
    _restore_signals()  # a signal during the interpreter shutdown would print a traceback
    sys.exit(code)


def _catch_signals() -> None:
    """Raise an exception at the first signal, and ignore later signals.

    A second exception during the clean-up of the first could be raised anywhere. The clean-up has a time limit, so a
    second signal is not needed.
    """
    caught = [number for number in _FATAL_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]

    def drop(_number: int, _frame: FrameType | None) -> None:
        pass

    def end(number: int, _frame: FrameType | None) -> None:
        for other in caught:
            signal.signal(other, drop)
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)

    for number in caught:
        signal.signal(number, end)


def _restore_signals() -> None:
    """Restore the default action of the signals: end the process at once."""
    # Python warns about a signal that arrives just before its handler is removed ("race condition").
    sys.unraisablehook = lambda _: None
    for number in _FATAL_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)


def _die_of_signal(number: int) -> NoReturn:
    """End the process with the signal, so that a shell loop stops and `timeout` sees the signal."""
    _restore_signals()
    _discard_stdout()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # only if the signal is blocked: the exit code that a shell would show


def _discard_stdout() -> None:
    """Replace standard output, so that the interpreter does not try to write the unwritten data again at exit."""
    try:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of the process
    except OSError as error:
        if error.errno != errno.EMFILE:
            raise
