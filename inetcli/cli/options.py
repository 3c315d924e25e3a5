"""The options that mean the same everywhere: one decorator, one dataclass.

    @shared_options(tls=True, credentials=True)
    def get(options: Options, targets: tuple[str, ...]) -> None: ...

A command without TLS, credentials or many targets does not offer their options, so that nothing is accepted and
ignored. The defaults stand in the dataclass, and help shows them. Nothing of the network is imported here, because help
and completion come this far. Environment variables set limits and looks; none of them can lower safety.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import click

from inetcli.cli.option_types import FileName, HostPort, Pin, Seconds, Size

if TYPE_CHECKING:
    from inetcli.net.credentials import CredentialOptions
    from inetcli.net.session import Network
    from inetcli.secret import SecretMasker

SECTION = "Options that mean the same everywhere"


@dataclass(frozen=True, slots=True)
class Options:
    """The values of the shared options, in the order in which help lists them. What a command does not offer keeps its
    default, but for `jobs`, which is 1 then."""

    connect_timeout: float = 15
    timeout: float = 30
    min_rate: int = 16
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
        """How these options want the network to be used. `secrets` is told the passwords."""
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
        """Where a user name and a password may come from. `netrc` off: a protocol that never takes them from there."""
        from inetcli.net.credentials import CredentialOptions, PasswordFile

        password_file = None if self.password_file is None else PasswordFile(self.password_file)
        return CredentialOptions(self.user, password_file, self.netrc_file, self.insecure, netrc)


_DEFAULTS = {field.name: field.default for field in fields(Options)}


class SharedOption(click.Option):
    """An option of the dataclass above, which also has its default."""

    def __init__(self, names: list[str], **attributes: Any) -> None:
        default = _DEFAULTS[names[-1].lstrip("-").replace("-", "_")]
        if not (attributes.get("is_flag") or attributes.get("multiple") or default is None):
            attributes.setdefault("default", default)
        super().__init__(names, **attributes)


class ProtocolCommand(click.Command):
    """A command whose help lists its own options first, then the shared ones under a heading of their own, and shows
    their defaults."""

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self.context_settings["show_default"] = True

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        own: list[tuple[str, str]] = []
        shared: list[tuple[str, str]] = []
        for param in self.get_params(ctx):
            if isinstance(param, click.Option) and (row := param.get_help_record(ctx)):
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
    parallel: bool = True,
    **defaults: float,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command the shared options; it gets them as its first argument.

    `credentials` with `netrc` off: a protocol that never takes them from there. `parallel` off: targets follow one
    another. `defaults` are those of this command where they differ, `jobs=256`.
    """
    assert set(defaults) <= set(_DEFAULTS), defaults
    params = _limits() + _looks()
    if many:
        params += _targets(parallel=parallel)
    if tls:
        params += _trust()
    if credentials:
        params += _credentials(netrc=netrc)
    for param in params:
        param.default = defaults.get(param.name or "", param.default)

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(**arguments: Any) -> Any:
            chosen = {name: arguments.pop(name) for name in list(arguments) if name in _DEFAULTS}
            if chosen.get("ipv4") and chosen.get("ipv6"):
                raise click.UsageError("-4 and -6 exclude each other.")
            if chosen.get("key") and not chosen.get("cert"):
                raise click.UsageError("--key is the key of --cert, which is missing.")
            return function(Options(**{"jobs": 1, **chosen}), **arguments)

        # Click turns this list round, because decorators run from the bottom up.
        call.__dict__.setdefault("__click_params__", []).extend(reversed(params))
        return call

    return decorate


def _limits() -> list[click.Option]:
    return [
        SharedOption(
            ["--connect-timeout"],
            type=Seconds(),
            envvar="INETCLI_CONNECT_TIMEOUT",
            metavar="S",
            help="Limit for name look-up, TCP and TLS together.",
        ),
        SharedOption(
            ["--timeout"],
            type=Seconds(),
            envvar="INETCLI_TIMEOUT",
            metavar="S",
            help="Longest silence of the peer.",
        ),
        SharedOption(
            ["--min-rate"],
            type=Size(zero=True),
            metavar="N",
            help="Give up below N bytes/s over 60 s; 0: never.",
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
            envvar="INETCLI_RETRIES",
            metavar="N",
            help="Try again up to N times after a failure that may pass.",
        ),
        SharedOption(
            ["--wait"],
            type=Seconds(zero=True),
            metavar="S",
            help="For at most S seconds, keep trying until the server is there.",
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


def _looks() -> list[click.Option]:
    return [
        SharedOption(["--json"], is_flag=True, help="Print JSON Lines, failures included."),
        SharedOption(["-v", "--verbose"], is_flag=True, help="Show the conversation on standard error."),
        SharedOption(["--timing"], is_flag=True, help="Draw the phases on standard error."),
        SharedOption(["-q", "--quiet"], is_flag=True, help="Show no progress and no notes; errors stay."),
        SharedOption(
            ["--color"],
            type=click.Choice(["auto", "always", "never"]),
            envvar="INETCLI_COLOR",
            help="Use colours.",
        ),
    ]


def _targets(*, parallel: bool) -> list[click.Option]:
    return [
        SharedOption(
            ["-i", "--input"],
            type=FileName(),
            metavar="FILE",
            help="Read more targets, one a line; blank lines and # lines are skipped; - is standard input.",
        ),
        *(_parallel() if parallel else []),
        SharedOption(["--fail-early"], is_flag=True, help="Stop at the first failure."),
    ]


def _parallel() -> list[click.Option]:
    return [
        SharedOption(
            ["-j", "--jobs"],
            type=click.IntRange(1, 1024),
            envvar="INETCLI_JOBS",
            metavar="N",
            help="Work on N targets at a time.",
        ),
        SharedOption(
            ["--unordered"], is_flag=True, help="Print results as they come, not in the order of the targets."
        ),
    ]


def _trust() -> list[click.Option]:
    return [
        SharedOption(
            ["--ca"], type=FileName(), metavar="FILE", help="Trust these certificates instead of the system's."
        ),
        SharedOption(["--insecure"], is_flag=True, help="Report what is wrong with the certificate, and go on."),
        SharedOption(
            ["--pin"], type=Pin(), multiple=True, metavar="sha256//BASE64", help="Accept only this public key."
        ),
        SharedOption(["--cert"], type=FileName(), metavar="FILE", help="Client certificate, PEM."),
        SharedOption(
            ["--key"], type=FileName(), metavar="FILE", help="Key of the client certificate, PEM, not encrypted."
        ),
    ]


def _credentials(*, netrc: bool) -> list[click.Option]:
    params: list[click.Option] = [
        SharedOption(["--user"], metavar="NAME", callback=_plain_user, help="User name."),
        SharedOption(
            ["--password-file"],
            type=FileName(),
            metavar="FILE",
            help="Password: the first line of FILE, which may be <(a command).",
        ),
    ]
    if netrc:
        help_text = "Look here for user and password, not in ~/.netrc."
        params.append(SharedOption(["--netrc-file"], type=FileName(), metavar="FILE", help=help_text))
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
