"""What `inetcli nntp latest` does with one target: find out what is meant, read the article, tell about it."""

from collections.abc import Mapping

from inetcli.cli.options import Options
from inetcli.cli.targets import Answer, Job, Work
from inetcli.errors import MalformedTarget
from inetcli.net.credentials import Scheme, parse_login_target, resolve_login
from inetcli.net.trust import TlsMode
from inetcli.protocols.nntp.client import connect
from inetcli.protocols.nntp.filter import excerpt
from inetcli.protocols.nntp.model import Filter
from inetcli.protocols.nntp.view import excerpt_to_json, format_excerpt, format_rest
from inetcli.wire.target import Target, decode_path

SCHEMES: Mapping[str, Scheme] = {
    "nntp": Scheme(119, TlsMode.OFF),
    "nntps": Scheme(563, TlsMode.IMPLICIT),
    "news": Scheme(119, TlsMode.OFF),
    "snews": Scheme(563, TlsMode.IMPLICIT),
}
TLS_MODES = {"off": TlsMode.OFF, "starttls": TlsMode.EXPLICIT, "implicit": TlsMode.IMPLICIT}
"""The values of `--tls`."""


def reading_latest(options: Options, *, lines: int, chosen: str, tls: str | None) -> Work:
    """The work on each target of `nntp latest`; the arguments are its options."""

    mode = TLS_MODES[tls] if tls else None
    credentials = options.credentials()

    def work(job: Job) -> Answer:
        where = parse_login_target(job.text, SCHEMES, mode)
        group = _group(where)
        login = resolve_login(job.session, where, SCHEMES, mode, credentials)
        connection = connect(job.session, where.host, where.port, login)
        try:
            article = connection.latest(group)
        finally:
            job.session.trace.freeze_timing()
            connection.quit()
        shown = excerpt(article, Filter(chosen), lines)
        return Answer(
            format_excerpt(shown),
            record=excerpt_to_json(shown),
            remarks=[] if options.json else [format_rest(shown)],
        )

    return work


def _group(where: Target) -> str:
    group = decode_path(where.path or "", where.text)
    if not group or any(character in group for character in " \t/"):
        raise MalformedTarget(f"{where.text}: a group is needed: host/group")
    return group
