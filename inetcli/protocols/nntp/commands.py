"""`inetcli nntp latest`."""

import click

from inetcli.cli.options import Command, Options, shared_options
from inetcli.cli.targets import Answer, Job, run_targets
from inetcli.errors import MalformedTarget
from inetcli.net.credentials import Credentials, find_credentials
from inetcli.protocols.nntp.client import connect
from inetcli.protocols.nntp.filter import LINES, excerpt
from inetcli.protocols.nntp.model import Filter, Security
from inetcli.protocols.nntp.view import excerpt_record, show_excerpt, show_rest
from inetcli.wire.target import Target, decode_path, parse_target

SCHEMES: dict[str, int | None] = {"nntp": 119, "nntps": 563, "news": 119, "snews": 563}
_SECURITY = {"nntp": Security.OFF, "news": Security.OFF, "nntps": Security.IMPLICIT, "snews": Security.IMPLICIT}
_DEFAULTS = {None: "nntp", "off": "nntp", "starttls": "nntp", "implicit": "nntps"}


@click.group("nntp", no_args_is_help=True)
def nntp() -> None:
    """Read Usenet articles."""


@nntp.command("latest", cls=Command)
@click.argument("targets", metavar="HOST/GROUP...", nargs=-1)
@click.option(
    "--lines", metavar="N", type=click.IntRange(0), default=LINES, help=f"Meaningful lines to show ({LINES})."
)
@click.option(
    "--filter",
    "chosen",
    type=click.Choice([kind.value for kind in Filter]),
    default=Filter.CHUN.value,
    help="What to leave out: quotes as the book does (chun), or nothing (none).",
)
@click.option("--tls", type=click.Choice(["off", "starttls", "implicit"]), help="TLS; the scheme says it, too.")
@shared_options(tls=True, credentials=True)
def latest(options: Options, targets: tuple[str, ...], lines: int, chosen: str, tls: str | None) -> int:
    """Show the newest article of each group: its head and its first meaningful lines.

    \b
    Examples:
      inetcli nntp latest nntps://news.example.org/comp.lang.python
      inetcli nntp latest --lines 40 news.example.org/misc.test
    """

    def work(job: Job) -> Answer:
        where = parse_target(job.text, SCHEMES, _DEFAULTS[tls])
        group = _group(where)
        security = Security(tls) if tls else _SECURITY[where.scheme]
        who = _credentials(job, where, options, security, said="://" in where.text or tls is not None)
        connection = connect(job.session, where.host, where.port, security, who)
        try:
            article = connection.latest(group)
        finally:
            job.session.trace.settle()
            connection.leave()
        shown = excerpt(article, Filter(chosen), lines)
        facts = getattr(connection.stream, "facts", None)
        return Answer(
            show_excerpt(shown),
            record=excerpt_record(shown),
            remarks=[] if options.json else [show_rest(shown)],
            tls=facts.summary() if facts else None,
        )

    return run_targets(options, targets, work)


def _group(where: Target) -> str:
    group = decode_path(where.path or "", where.text)
    if not group or any(character in group for character in " \t/"):
        raise MalformedTarget(f"{where.text}: a group is needed: host/group")
    return group


def _credentials(job: Job, where: Target, options: Options, security: Security, *, said: bool) -> Credentials | None:
    who, notes = find_credentials(
        where.host,
        url_user=where.user,
        url_password=where.password,
        options=options.credentials(),
        clear_text_ok=security is not Security.OFF or said,
    )
    for note in notes:
        job.session.note(note)
    return who
