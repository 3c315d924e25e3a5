"""What `inetcli nntp latest` does with one target: find out what is meant, read the article, tell about it."""

from inetcli.cli.options import Options
from inetcli.cli.targets import Answer, Job, Work
from inetcli.errors import MalformedTarget
from inetcli.protocols.nntp.client import connect
from inetcli.protocols.nntp.filter import excerpt
from inetcli.protocols.nntp.model import Filter, Security
from inetcli.protocols.nntp.view import excerpt_to_json, format_excerpt, format_rest
from inetcli.wire.target import Target, decode_path, parse_target

SCHEMES: dict[str, int | None] = {"nntp": 119, "nntps": 563, "news": 119, "snews": 563}
_SECURITY = {"nntp": Security.OFF, "news": Security.OFF, "nntps": Security.IMPLICIT, "snews": Security.IMPLICIT}
_DEFAULTS = {None: "nntp", "off": "nntp", "starttls": "nntp", "implicit": "nntps"}


def reading_latest(options: Options, *, lines: int, chosen: str, tls: str | None) -> Work:
    """The work on each target of `nntp latest`; the arguments are its options."""

    def work(job: Job) -> Answer:
        where = parse_target(job.text, SCHEMES, _DEFAULTS[tls])
        group = _group(where)
        security = Security(tls) if tls else _SECURITY[where.scheme]
        said = "://" in where.text or tls is not None
        who = job.credentials(where, options.credentials(), clear_text_ok=security is not Security.OFF or said)
        connection = connect(job.session, where.host, where.port, security, who)
        try:
            article = connection.latest(group)
        finally:
            job.session.trace.freeze_timing()
            connection.leave()
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
