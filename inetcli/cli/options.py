"""The options with the same meaning in all commands: one decorator, one dataclass.

    @shared_options(tls=True, credentials=True)
    def get(options: Options, targets: tuple[str, ...]) -> None: ...

A command without TLS, credentials or several targets does not offer the options for them: no option is accepted and
then ignored. The dataclass holds the defaults, and help shows them. Nothing of the network is imported here, because
help and completion load this module. Environment variables set limits and display options; none of them can lower
security.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from inetcli.cli.option_types import FileName, HostPort, Pin, Seconds, Size
from inetcli.defaults import CONNECT_S, MIN_RATE, SILENCE_S

if TYPE_CHECKING:
    from inetcli.net.credentials import CredentialOptions
    from inetcli.net.session import Network
    from inetcli.secret import SecretMasker

SECTION = "Common options"

_RANGE = re.compile(r"; [0-9<=]*x[0-9<>=]*(?=\])|  \[[0-9<=]*x[0-9<>=]*\]$")
"""Click's note about the range of a number, whose `x` stands nowhere else in the help."""


@dataclass(frozen=True, slots=True)
class Options:
    """The values of the shared options, in the order of the help. An option that a command does not offer keeps its
    default; `jobs` is 1 in this case."""

    connect_timeout: float = CONNECT_S
    timeout: float = SILENCE_S
    min_rate: int = MIN_RATE
    max_time: float | None = None
    retries: int = 0
    wait: float = 0
    connect_to: tuple[str, int] | None = None
    ipv4: bool = False
    ipv6: bool = False
    json: bool = False
    verbose: bool = False
    timing: bool = False
    quiet: bool = False
    color: str = "auto"
    input: str | None = None
    jobs: int = 4
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

    def network(self, secrets: "SecretMasker | None" = None) -> "Network":
        """Return the network settings of these options. Passwords are registered with `secrets`."""
        from inetcli.net.resolve import ANY, IPV4, IPV6
        from inetcli.net.session import Network, Timeouts
        from inetcli.net.trust import Trust
        from inetcli.secret import SecretMasker

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
            secrets=secrets or SecretMasker(),
        )

    def credentials(self, *, netrc: bool = True) -> "CredentialOptions":
        """Return the sources of user name and password. `netrc=False`: the protocol never uses netrc."""
        from inetcli.net.credentials import CredentialOptions, PasswordFile

        password_file = None if self.password_file is None else PasswordFile(self.password_file)
        return CredentialOptions(self.user, password_file, self.netrc_file, self.insecure, netrc)


_DEFAULTS = {field.name: field.default for field in fields(Options)}


class SharedOption(click.Option):
    """An option of the `Options` dataclass, with the default from there."""

    def __init__(self, names: list[str], **attributes: Any) -> None:
        default = _DEFAULTS[names[-1].lstrip("-").replace("-", "_")]
        if not (attributes.get("is_flag") or attributes.get("multiple") or default is None):
            attributes.setdefault("default", default)
        super().__init__(names, **attributes)


class ProtocolCommand(click.Command):
    """A command whose help lists its specific options first, then the shared options under a separate heading, with
    defaults."""

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.context_settings["show_default"] = True

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        command_rows: list[tuple[str, str]] = []
        shared_rows: list[tuple[str, str]] = []
        for param in self.get_params(ctx):
            if isinstance(param, click.Option) and (row := param.get_help_record(ctx)):
                row = row[0], _RANGE.sub("", row[1])
                (shared_rows if isinstance(param, SharedOption) else command_rows).append(row)
        with formatter.section("Options"):
            formatter.write_dl(command_rows)
        if shared_rows:
            with formatter.section(SECTION):
                formatter.write_dl(shared_rows)


def shared_options(
    *,
    tls: bool = False,
    credentials: bool = False,
    netrc: bool = True,
    many_targets: bool = True,
    parallel: bool = True,
    **defaults: float,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add the shared options to a command, which gets them as its first argument.

    `netrc=False`: no `--netrc-file`, for a protocol that never uses netrc. `parallel=False`: targets run one after
    another. `defaults` override the defaults for this command: `jobs=256`.
    """
    assert set(defaults) <= set(_DEFAULTS), defaults
    params = _limit_options() + _output_options()
    if many_targets:
        params += _target_options(parallel=parallel)
    if tls:
        params += _trust_options()
    if credentials:
        params += _credential_options(netrc=netrc)
    for param in params:
        param.default = defaults.get(param.name or "", param.default)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(**arguments: Any) -> Any:
            chosen = {name: arguments.pop(name) for name in list(arguments) if name in _DEFAULTS}
            if chosen.get("ipv4") and chosen.get("ipv6"):
                raise click.UsageError("-4 and -6 cannot be used together.")
            if chosen.get("key") and not chosen.get("cert"):
                raise click.UsageError("--key needs --cert.")
            return function(Options(**{"jobs": 1, **chosen}), **arguments)

        # Click reverses this list, because decorators run from the bottom up.
        call.__dict__.setdefault("__click_params__", []).extend(reversed(params))
        return call

    return decorate


def _limit_options() -> list[click.Option]:
    return [
        SharedOption(
            ["--connect-timeout"],
            type=Seconds(),
            envvar="INETCLI_CONNECT_TIMEOUT",
            metavar="S",
            help="Time limit for name look-up, TCP and TLS together.",
        ),
        SharedOption(
            ["--timeout"],
            type=Seconds(),
            envvar="INETCLI_TIMEOUT",
            metavar="S",
            help="Give up after S seconds without data from the peer.",
        ),
        SharedOption(
            ["--min-rate"],
            type=Size(allow_zero=True),
            metavar="N",
            help="Give up below N bytes/s over 60 s (0: never).",
        ),
        SharedOption(
            ["--max-time"],
            type=Seconds(),
            envvar="INETCLI_MAX_TIME",
            metavar="S",
            help="Time limit for one target, retries included.",
        ),
        SharedOption(
            ["--retries"],
            type=click.IntRange(0, 1000),
            envvar="INETCLI_RETRIES",
            metavar="N",
            help="Retry up to N times after temporary failures.",
        ),
        SharedOption(
            ["--wait"],
            type=Seconds(allow_zero=True),
            metavar="S",
            help="Keep trying for at most S seconds until the server is reachable.",
        ),
        SharedOption(
            ["--connect-to"],
            type=HostPort(),
            metavar="HOST:PORT",
            help="Connect to this address instead of the target's.",
        ),
        SharedOption(["-4", "--ipv4"], is_flag=True, help="Use IPv4 only."),
        SharedOption(["-6", "--ipv6"], is_flag=True, help="Use IPv6 only."),
    ]


def _output_options() -> list[click.Option]:
    return [
        SharedOption(["--json"], is_flag=True, help="Print JSON Lines, failures included."),
        SharedOption(["-v", "--verbose"], is_flag=True, help="Show the conversation on standard error."),
        SharedOption(["--timing"], is_flag=True, help="Show the time of each phase on standard error."),
        SharedOption(["-q", "--quiet"], is_flag=True, help="Suppress progress and notes, but not errors."),
        SharedOption(
            ["--color"],
            type=click.Choice(["auto", "always", "never"]),
            envvar="INETCLI_COLOR",
            help="Colour failures on standard error.",
        ),
    ]


def _target_options(*, parallel: bool) -> list[click.Option]:
    return [
        SharedOption(
            ["-i", "--input"],
            type=FileName(),
            metavar="FILE",
            help="Read more targets from FILE, one per line (-: standard input); skip blank lines and # lines.",
        ),
        *(_parallel_options() if parallel else []),
        SharedOption(["--fail-early"], is_flag=True, help="Stop at the first failure."),
    ]


def _parallel_options() -> list[click.Option]:
    return [
        SharedOption(
            ["-j", "--jobs"],
            type=click.IntRange(1, 1024),
            envvar="INETCLI_JOBS",
            metavar="N",
            help="Run N targets in parallel.",
        ),
        SharedOption(["--unordered"], is_flag=True, help="Print results as they arrive, not in input order."),
    ]


def _trust_options() -> list[click.Option]:
    return [
        SharedOption(
            ["--ca"], type=FileName(), metavar="FILE", help="Trust these certificates instead of the system's."
        ),
        SharedOption(["--insecure"], is_flag=True, help="Continue despite a bad certificate, with a note."),
        SharedOption(
            ["--pin"],
            type=Pin(),
            multiple=True,
            metavar="sha256//BASE64",
            help="Accept only a server with this public key.",
        ),
        SharedOption(["--cert"], type=FileName(), metavar="FILE", help="Client certificate (PEM)."),
        SharedOption(
            ["--key"], type=FileName(), metavar="FILE", help="Key of the client certificate (PEM, not encrypted)."
        ),
    ]


def _credential_options(*, netrc: bool) -> list[click.Option]:
    params: list[click.Option] = [
        SharedOption(["--user"], metavar="NAME", callback=_check_user, help="User name."),
        SharedOption(
            ["--password-file"],
            type=FileName(),
            metavar="FILE",
            help="Read the password from the first line of FILE, which may be <(a command).",
        ),
    ]
    if netrc:
        help_text = "Read user and password from FILE instead of ~/.netrc."
        params.append(SharedOption(["--netrc-file"], type=FileName(), metavar="FILE", help=help_text))
    return params


def _check_user(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Refuse a user name with a colon: a password is never accepted here."""
    if value is not None and ":" in value:
        raise click.BadParameter(
            "expected a user name without a password; use --password-file FILE for the password", ctx, param
        )
    return value


def usage_error(message: str) -> click.UsageError:
    """Return the error for wrong usage that only the command can detect."""
    return click.UsageError(message, click.get_current_context(silent=True))
