"""The options that mean the same everywhere: one decorator, one dataclass.

    @shared_options(tls=True, credentials=True)
    def get(options: Options, targets: tuple[str, ...]) -> None: ...

What a command has not (TLS, credentials, many targets) it does not offer, so that nothing is accepted and ignored.
Nothing of the network is imported here: help and completion come this far.
Environment variables set limits and looks; none of them can lower safety.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import click

from inetcli.cli.standard_input import StandardInput

if TYPE_CHECKING:
    from inetcli.net.credentials import CredentialOptions
    from inetcli.net.session import Network

SECTION = "Options that mean the same everywhere"


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose, of what the command offers."""

    connect_timeout: float = 15.0
    timeout: float = 30.0
    min_rate: int = 16
    max_time: float | None = None
    retries: int = 0
    wait: float = 0.0
    connect_to: tuple[str, int] | None = None
    ipv4: bool = False
    ipv6: bool = False
    json: bool = False
    verbose: bool = False
    timing: bool = False
    quiet: bool = False
    color: str = "auto"
    input: str | None = None
    jobs: int = 1
    unordered: bool = False
    fail_early: bool = False
    ca: str | None = None
    insecure: bool = False
    pin: tuple[str, ...] = ()
    cert: str | None = None
    key: str | None = None
    user: str | None = None
    password_file: str | None = None
    netrc_file: str | None = None
    stdin: StandardInput = field(default_factory=StandardInput)

    def network(self) -> "Network":
        """How these options want the network to be used."""
        from inetcli.net.resolve import ANY, IPV4, IPV6
        from inetcli.net.session import Network, Timeouts
        from inetcli.net.trust import Trust

        return Network(
            timeouts=Timeouts(
                connect_s=self.connect_timeout,
                silence_s=self.timeout,
                max_time_s=self.max_time,
                wait_s=self.wait,
                min_rate=self.min_rate,
            ),
            family=IPV4 if self.ipv4 else IPV6 if self.ipv6 else ANY,
            connect_to=self.connect_to,
            trust=Trust(self.ca, self.insecure, self.pin, self.cert, self.key),
        )

    def credentials(self, *, netrc: bool = True) -> "CredentialOptions":
        """Where a user name and a password may come from. `netrc` off: a protocol that never takes them from there."""
        from inetcli.net.credentials import CredentialOptions, PasswordFile

        password_file = None if self.password_file is None else PasswordFile(self.password_file)
        return CredentialOptions(self.user, password_file, self.netrc_file, self.insecure, netrc)


class Seconds(click.ParamType[float]):
    """A finite number of seconds, above 0 (or from 0 on)."""

    name = "seconds"

    def __init__(self, *, zero: bool = False) -> None:
        self._zero = zero

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = float(value)
        except ValueError:
            self.fail(f"expected a number of seconds, got {value!r}", param, ctx)
        if not (0 < seconds < 1e9 or (self._zero and seconds == 0)):
            self.fail(f"expected a number of seconds above 0, got {value!r}", param, ctx)
        return seconds


class Size(click.ParamType[int]):
    """A number of bytes, with K, M, G or T behind it for powers of 1024."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        text = str(value).strip()
        digits = text.rstrip("KkMmGgTt")
        unit = text[len(digits) :].upper()
        if not (digits.isascii() and digits.isdigit() and len(digits) < 19 and len(unit) <= 1 and int(digits)):
            self.fail(f"expected a number of bytes, maybe with K, M, G or T, got {value!r}", param, ctx)
        return int(digits) << 10 * ("KMGT".index(unit) + 1 if unit else 0)


class HostPort(click.ParamType[tuple[str, int]]):
    """HOST:PORT."""

    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        from inetcli.errors import MalformedTarget
        from inetcli.wire.target import parse_host_port

        try:
            return parse_host_port(value, None)
        except MalformedTarget as error:
            self.fail(error.message, param, ctx)


class Pin(click.ParamType[str]):
    """sha256//BASE64 of a public key."""

    name = "pin"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from base64 import b64decode

        prefix, _, digest = str(value).partition("//")
        try:
            fits = prefix == "sha256" and len(b64decode(digest, validate=True)) == 32
        except ValueError:
            fits = False
        if not fits:
            self.fail(f"expected sha256// and the base64 of 32 bytes, got {value!r}", param, ctx)
        return str(value)


class SharedOption(click.Option):
    """An option of this module: listed behind the command's own."""


class ProtocolCommand(click.Command):
    """A command whose help lists its own options first."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own: list[tuple[str, str]] = []
        shared: list[tuple[str, str]] = []
        for param in self.get_params(ctx):
            if row := param.get_help_record(ctx):
                (shared if isinstance(param, SharedOption) else own).append(row)
        with formatter.section("Options"):
            formatter.write_dl(own)
        if shared:
            with formatter.section(SECTION):
                formatter.write_dl(shared)


def shared_options(
    *,
    tls: bool = False,
    credentials: bool = False,
    netrc: bool = True,
    many: bool = True,
    jobs: int | None = 4,
    timeout: float = 30.0,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the shared options; it gets them as its first argument.

    `credentials` with `netrc` off: a protocol that never takes them from there. `jobs` and `timeout` are its defaults;
    no `jobs`: targets follow one another.
    """
    params = _limits(timeout) + _looks()
    if many:
        params += _targets(jobs)
    if tls:
        params += _trust()
    if credentials:
        params += _credentials(netrc)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(**arguments: Any) -> Any:
            names = {field.name for field in fields(Options)}
            chosen = {name: arguments.pop(name) for name in list(arguments) if name in names}
            if chosen.get("ipv4") and chosen.get("ipv6"):
                raise click.UsageError("-4 and -6 exclude each other.")
            if chosen.get("key") and not chosen.get("cert"):
                raise click.UsageError("--key is the key of --cert, which is missing.")
            return function(Options(**chosen), **arguments)

        for param in reversed(params):
            _attach(call, param)
        return call

    return decorate


def _attach(function: Callable[..., Any], param: click.Parameter) -> None:
    listed: list[click.Parameter] = function.__dict__.setdefault("__click_params__", [])
    listed.insert(0, param)


def _limits(timeout: float) -> list[click.Parameter]:
    return [
        SharedOption(
            ["--connect-timeout"],
            type=Seconds(),
            default=15.0,
            envvar="INETCLI_CONNECT_TIMEOUT",
            metavar="S",
            help="Limit for look-up, TCP and TLS together (15).",
        ),
        SharedOption(
            ["--timeout"],
            type=Seconds(),
            default=timeout,
            envvar="INETCLI_TIMEOUT",
            metavar="S",
            help=f"Longest silence of the peer ({timeout:g}).",
        ),
        SharedOption(
            ["--min-rate"],
            type=click.IntRange(0),
            default=16,
            metavar="N",
            help="Give up below N bytes/s over 60 s; 0: never (16).",
        ),
        SharedOption(
            ["--max-time"],
            type=Seconds(),
            envvar="INETCLI_MAX_TIME",
            metavar="S",
            help="Limit for one target, retries included.",
        ),
        SharedOption(
            ["--retries"],
            type=click.IntRange(0, 1000),
            default=0,
            envvar="INETCLI_RETRIES",
            metavar="N",
            help="Try again what may pass, N times (0).",
        ),
        SharedOption(
            ["--wait"],
            type=Seconds(zero=True),
            default=0.0,
            metavar="S",
            help="For at most S seconds, keep trying until the server is there (0).",
        ),
        SharedOption(
            ["--connect-to"], type=HostPort(), metavar="HOST:PORT", help="Talk to this address under the target's name."
        ),
        SharedOption(["-4", "--ipv4"], is_flag=True, help="Use IPv4 only."),
        SharedOption(["-6", "--ipv6"], is_flag=True, help="Use IPv6 only."),
    ]


def _looks() -> list[click.Parameter]:
    return [
        SharedOption(["--json"], is_flag=True, help="JSON Lines on standard output, failures included."),
        SharedOption(["-v", "--verbose"], is_flag=True, help="Show the conversation on standard error."),
        SharedOption(["--timing"], is_flag=True, help="Show the phases as a picture on standard error."),
        SharedOption(["-q", "--quiet"], is_flag=True, help="No progress and no notes; errors stay."),
        SharedOption(
            ["--color"],
            type=click.Choice(["auto", "always", "never"]),
            default="auto",
            envvar="INETCLI_COLOR",
            help="Colours (auto).",
        ),
    ]


def _targets(jobs: int | None) -> list[click.Parameter]:
    params: list[click.Parameter] = [
        SharedOption(
            ["-i", "--input"],
            metavar="FILE",
            help="More targets, one a line; blank and # lines are skipped; - is stdin.",
        ),
        SharedOption(["--fail-early"], is_flag=True, help="Stop at the first failure."),
    ]
    if jobs is None:
        return params
    params[1:1] = [
        SharedOption(
            ["-j", "--jobs"],
            type=click.IntRange(1, 1024),
            default=jobs,
            envvar="INETCLI_JOBS",
            metavar="N",
            help=f"Targets at a time ({jobs}).",
        ),
        SharedOption(
            ["--unordered"], is_flag=True, help="Print answers as they come, not in the order of the targets."
        ),
    ]
    return params


def _trust() -> list[click.Parameter]:
    return [
        SharedOption(["--ca"], metavar="FILE", help="Trust these certificates instead of the system's."),
        SharedOption(["--insecure"], is_flag=True, help="Say what is wrong with the certificate, and go on."),
        SharedOption(
            ["--pin"], type=Pin(), multiple=True, metavar="sha256//BASE64", help="Accept only this public key."
        ),
        SharedOption(["--cert"], metavar="FILE", help="Our own certificate, PEM."),
        SharedOption(["--key"], metavar="FILE", help="Its key, PEM, not encrypted."),
    ]


def _credentials(netrc: bool) -> list[click.Parameter]:
    params: list[click.Parameter] = [
        SharedOption(["--user"], metavar="NAME", callback=_plain_user, help="User name."),
        SharedOption(
            ["--password-file"], metavar="FILE", help="Password: the first line of FILE, which may be <(a command)."
        ),
    ]
    if netrc:
        help_text = "Look here for user and password, not in ~/.netrc."
        params.append(SharedOption(["--netrc-file"], metavar="FILE", help=help_text))
    return params


def _plain_user(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and ":" in value:
        raise click.BadParameter(
            "expected a user name; a password is never taken here: --password-file FILE", ctx, param
        )
    return value


def usage(message: str) -> click.UsageError:
    """Wrong usage that only the command itself can see."""
    return click.UsageError(message, click.get_current_context(silent=True))
