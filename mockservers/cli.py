"""`mockservers`: the servers from the shell."""

import json
import math
import os
import signal
import sys
import threading
from contextlib import ExitStack, closing
from dataclasses import asdict
from types import FrameType
from typing import TYPE_CHECKING

import click

from mockservers.families import SERVERS, known_server, rows
from mockservers.faultkinds import Armed, BadFault
from mockservers.faulttext import parse_fault
from mockservers.missing import Missing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from click.shell_completion import CompletionItem

    from mockservers.registry import AnyServer

TAIL = 20
"""Lines of the transcript that are shown when the child fails."""


class FaultType(click.ParamType[Armed]):
    """A fault as text."""

    name = "fault"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Armed:
        try:
            return parse_fault(str(value))
        except BadFault as error:
            self.fail(str(error), param, ctx)


class ServerName(click.ParamType[str]):
    """A server by its name."""

    name = "server"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return known_server(str(value))
        except BadFault as error:
            self.fail(str(error), param, ctx)

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem[str]]":
        from click.shell_completion import CompletionItem

        return [CompletionItem(name) for name in SERVERS if name.startswith(incomplete)]


class Seconds(click.ParamType[float]):
    """A span of time."""

    name = "seconds"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = float(str(value))
        except ValueError:
            seconds = math.nan
        if not 0.1 <= seconds <= 86400:
            self.fail(f"expected seconds from 0.1 to 86400, got {value!r}", param, ctx)
        return seconds


class Commands(click.Group):
    """The commands in the order of their definition, each with its whole summary."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, command.get_short_help_str(1000)) for name, command in self.commands.items()])


class RunCommand(click.Command):
    """A command line whose second half, behind `--`, is somebody else's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[COMMAND] = args[at + 1 :] if at < len(args) else None
        return super().parse_args(ctx, args[:at])

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return no parameters for a completion of CMD: its `-j` and its words are not those of this command."""
        return [] if _completes_cmd(ctx) else super().get_params(ctx)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> "list[CompletionItem[str]]":
        """Complete the words of CMD as files."""
        from click.shell_completion import CompletionItem

        if _completes_cmd(ctx):
            return [CompletionItem(incomplete, type="file")]
        return super().shell_complete(ctx, incomplete)


def _completes_cmd(ctx: click.Context) -> bool:
    return ctx.resilient_parsing and ctx.meta.get(COMMAND) is not None


def _complete_folder(ctx: click.Context, param: click.Parameter, incomplete: str) -> "list[CompletionItem[str]]":
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="dir")]


COMMAND = "mockservers.command"
FAULT_OPTION = click.option(
    "--fault",
    "faults",
    multiple=True,
    type=FaultType(),
    metavar="F",
    help="Let this go wrong, as in ftp:RETR:rst@4096x1.",
)


@click.group(
    "mockservers",
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "show_default": True},
    help=f"Honest and faulty servers for tests: {' '.join(SERVERS)}.",
)
def cli() -> None:
    """The program."""


@cli.command("run", cls=RunCommand)
@click.argument("names", metavar="[SERVER...] -- CMD...", nargs=-1, type=ServerName())
@FAULT_OPTION
@click.option("--trust", is_flag=True, help="Make curl, Python and OpenSSL in CMD trust the servers' CA.")
@click.option(
    "--strict", is_flag=True, help="Exit 120 when CMD passed but a fault never fired or a request was unexpected."
)
@click.pass_context
def run(ctx: click.Context, names: tuple[str, ...], faults: tuple[Armed, ...], trust: bool, strict: bool) -> None:
    """Run CMD beside servers.

    \b
    Example:
      mockservers run ftp --fault 'ftp:RETR:rst@4096x1' -- \\
        sh -c 'inetcli ftp get $MOCK_FTP_URL/pub/data.bin'

    Without SERVER all servers run. CMD finds them in MOCK_FTP_URL and so on. The exit code is that of CMD.
    """
    from mockservers import child
    from mockservers.registry import start_servers

    command = ctx.meta[COMMAND]
    if not command:
        raise click.UsageError("No command given: mockservers run [SERVER...] -- CMD...", ctx)
    with child.Runner() as runner, ExitStack() as stack:
        servers = start_servers(stack, names, faults)
        folder = stack.enter_context(child.private_folder())
        added = child.environment(servers) | (child.trust(folder, servers) if trust else {})
        try:
            code = runner.run(command, added)
        except child.CannotRun as error:
            _tell(f"mockservers: {error}")
            ctx.exit(error.exit_code)
        if code:
            for server in servers:
                _show_tail(server.name, server.transcript())
        elif strict and _tell_problems(servers):
            code = child.UNMET
    child.end_as(code)


@cli.command("gauntlet", cls=RunCommand)
@click.argument("server", metavar="SERVER -- CMD...", type=ServerName())
@FAULT_OPTION
@click.option("--limit", type=Seconds(), default=20, metavar="S", help="Seconds for a run.")
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=2, metavar="N", help="Runs at a time.")
@click.option("--json", "as_json", is_flag=True, help="JSON Lines.")
@click.pass_context
def gauntlet(
    ctx: click.Context, server: str, faults: tuple[Armed, ...], limit: float, jobs: int, as_json: bool
) -> None:
    """Run CMD once against each fault of a server, and judge it.

    \b
    Example:
      mockservers gauntlet ftp -- curl -sS --max-time 15 -o {out} {url}

    In CMD, {url} is what to fetch, {out} where to, {host} and {port} the server, {ca} its CA. Without --fault all
    faults of SERVER have their turn.

    \b
    right     an error for an error, the true bytes where nothing is lost
    lie       success with wrong bytes, or where it could not know
    hang      not done in time
    partial   a file kept after a failure, or anything else left behind
    fail      an error where the thing was there to be had
    The exit code is 120 unless all is right.
    """
    from mockservers import child
    from mockservers.gauntlet import Unfit, run_gauntlet, totals

    command = ctx.meta[COMMAND]
    if not command:
        raise click.UsageError("No command given: mockservers gauntlet SERVER -- CMD... {url}", ctx)
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    runs = []
    try:
        with closing(run_gauntlet(server, command, chosen=faults, limit=limit, jobs=jobs)) as course:
            for found in course:
                click.echo(json.dumps(found.json()) if as_json else found.line())
                sys.stdout.flush()
                runs.append(found)
    except Unfit as error:
        _tell(f"mockservers: {error}")
        ctx.exit(error.exit_code)
    except KeyboardInterrupt:
        child.end_as(-signal.SIGINT)
    if not as_json:
        click.echo(totals(server, runs))
    ctx.exit(0 if all(found.right for found in runs) else child.UNMET)


@cli.command("serve")
@click.argument("names", metavar="[SERVER...]", nargs=-1, type=ServerName())
@FAULT_OPTION
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="The first server's port.")
@click.option("--until-stdin-eof", is_flag=True, help="End when standard input does.")
def serve(names: tuple[str, ...], faults: tuple[Armed, ...], port: int, until_stdin_eof: bool) -> None:
    """Serve until SIGTERM or SIGINT.

    \b
    Example:
      mockservers serve nntp dns

    One JSON line says where, when every socket listens.
    """
    from mockservers.registry import start_servers

    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    # Also where a shell has put us in the background with SIGINT ignored: we are to end all the same. An ignored SIGHUP
    # is nohup's.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end)
    with ExitStack() as stack:
        servers = start_servers(stack, names, faults, port)
        ready = {
            "event": "ready",
            "pid": os.getpid(),
            "servers": {
                server.name: {"url": server.url, "host": server.host, "port": server.port} for server in servers
            },
            "ca_file": next((server.ca_file for server in servers if server.ca_file), None),
        }
        click.echo(json.dumps(ready))
        sys.stdout.flush()
        if until_stdin_eof:
            threading.Thread(target=_wait_for_eof, args=(ended,), daemon=True).start()
        while not ended.wait(3600):
            pass


@cli.command("certs")
@click.argument("directory", metavar="DIR", shell_complete=_complete_folder)
def certs(directory: str) -> None:
    """Write certificates for tests into DIR.

    \b
    Example:
      mockservers certs certs/

    The files are ca.pem, server.pem, client.pem, expired.pem, wrong_host.pem and untrusted.pem. All but ca.pem hold a
    chain and its key, and are for their owner only. The CA's key is not kept.
    """
    from mockservers.certs import write_certs

    for path in write_certs(directory):
        click.echo(path)


@cli.command("faults")
@click.argument("server", required=False, type=ServerName())
@click.option("--json", "as_json", is_flag=True, help="JSON Lines.")
def list_faults(server: str | None, as_json: bool) -> None:
    """List the faults, and what a plain client sees then.

    \b
    Example:
      mockservers faults dns
    """
    found = rows(server)
    if not found:
        _tell(f"mockservers: {server} has no faults: it is the honest one; ftp has them")
    for row in found:
        click.echo(json.dumps(asdict(row)) if as_json else f"{row.server:<4} {row.example:<28} {row.sees}")


@cli.command("demo")
def demo() -> None:
    """Run inetcli against servers of every protocol.

    \b
    Example:
      mockservers demo

    One command follows the other, and each is shown. No network is needed.
    """
    from mockservers.demo import play

    raise click.exceptions.Exit(play())


@cli.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script for a shell.

    \b
    Examples:
      mockservers completion bash > ~/.local/share/bash-completion/completions/mockservers
      mockservers completion zsh > ~/.zfunc/_mockservers
      mockservers completion fish > ~/.config/fish/completions/mockservers.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    source = kind(cli, {}, "mockservers", "_MOCKSERVERS_COMPLETE")
    # Not source(), which starts bash to look at its version.
    # The function has the name of the file that zsh autoloads it from; else the second TAB of a session does nothing.
    click.echo(source.source_template % {**source.source_vars(), "complete_func": "_mockservers"})


def main() -> None:
    """The program. Its own failures are exit code 125, wrong usage is 2."""
    arguments = sys.argv[1:]
    try:
        cli.main(arguments, prog_name="mockservers", standalone_mode=True)
    except BadFault as error:
        click.echo(f"mockservers: {error}", err=True)
        sys.exit(2)
    except Missing as error:
        click.echo(f"mockservers: {error}", err=True)
        sys.exit(125)
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"mockservers: {place}{error.strerror or error}", err=True)
        sys.exit(125)


def _tell(line: str) -> None:
    """A line on standard error; if nobody reads it, the child's exit code still counts."""
    try:
        click.echo(line, err=True)
    except OSError:
        # What is still in the buffer must not fail once more when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _show_tail(name: str, transcript: str) -> None:
    lines = transcript.splitlines()
    if not lines:
        return
    _tell(f"mockservers: {name}, its last {min(TAIL, len(lines))} of {len(lines)} events:")
    for line in lines[-TAIL:]:
        _tell(f"  {line}")


def _tell_problems(servers: "Iterable[AnyServer]") -> bool:
    """What a strict run fails for; whether there is any."""
    problems = [f"mockservers: {server.name}: {problem}" for server in servers for problem in server.problems()]
    for problem in problems:
        _tell(problem)
    return bool(problems)


def _wait_for_eof(ended: threading.Event) -> None:
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        pass
    ended.set()
