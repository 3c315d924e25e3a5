"""`nntp latest`: the newest article of a group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from inetcli.cli.options import Options
from inetcli.cli.runner import run_targets
from inetcli.cli.task import TargetResult, TargetRun, Task
from inetcli.defaults import LINES
from inetcli.errors import MalformedTarget
from inetcli.net.credentials import CredentialOptions, Scheme, parse_login_target, resolve_login
from inetcli.net.trust import TlsMode
from inetcli.protocols.nntp.client import connect
from inetcli.protocols.nntp.filter import excerpt
from inetcli.protocols.nntp.model import Filter
from inetcli.protocols.nntp.view import excerpt_to_json, format_excerpt, format_summary
from inetcli.wire.target import Target, decode_path

SCHEMES: Mapping[str, Scheme] = {
    "nntp": Scheme(119, TlsMode.OFF),
    "nntps": Scheme(563, TlsMode.IMPLICIT),
    "news": Scheme(119, TlsMode.OFF),
    "snews": Scheme(563, TlsMode.IMPLICIT),
}
TLS_MODES: Mapping[str | None, TlsMode | None] = {
    None: None,
    "off": TlsMode.OFF,
    "starttls": TlsMode.EXPLICIT,
    "implicit": TlsMode.IMPLICIT,
}
"""The values of `--tls`."""


@dataclass(frozen=True, slots=True)
class LatestOptions:
    """The options of `nntp latest`."""

    lines: int = LINES
    filter: Filter = Filter.CHUN
    tls: str | None = None


def run_latest(options: Options, targets: Sequence[str], settings: LatestOptions) -> int:
    """Run `nntp latest` and return the exit code."""
    credentials = options.credentials()
    return run_targets(options, targets, lambda text: Latest(text, settings, credentials))


class Latest(Task):
    """The newest article of one group."""

    def __init__(self, text: str, settings: LatestOptions, credentials: CredentialOptions) -> None:
        self._settings = settings
        self._credentials = credentials
        self._tls = TLS_MODES[settings.tls]
        self._target = parse_login_target(text, SCHEMES, self._tls)
        self._group = _group(self._target)

    def attempt(self, run: TargetRun) -> TargetResult:
        target = self._target
        login = resolve_login(run.session, target, SCHEMES, self._tls, self._credentials)
        connection = connect(run.session, target.host, target.port, login)
        try:
            article = connection.latest(self._group)
        finally:
            run.session.trace.freeze_timing()
            connection.quit()
        shown = excerpt(article, self._settings.filter, self._settings.lines)
        return TargetResult(
            lines=format_excerpt(shown),
            record=excerpt_to_json(shown),
            status_lines=[] if run.json else [format_summary(shown)],
        )


def _group(target: Target) -> str:
    group = decode_path(target.path or "", target.text)
    if not group or any(character in group for character in " \t/"):
        raise MalformedTarget(f"{target.text}: group missing; expected host/group")
    return group
