"""A target of FTP: its path, decoded or a pattern, and its type."""

from typing import Any

import pytest

from inetcli.cli.options import Options
from inetcli.errors import MalformedTarget, Usage
from inetcli.protocols.ftp.jobs.paths import WorkingFolder
from inetcli.protocols.ftp.jobs.target import FtpContext
from inetcli.protocols.ftp.model import FtpOptions


def context(**options: Any) -> FtpContext:
    return FtpContext(Options(), FtpOptions(**options), None)  # type: ignore[arg-type]  # no server is met


@pytest.mark.parametrize(
    ("text", "path", "folder", "as_text"),
    [
        ("h/a", "a", "a", False),
        ("h/a%20b/", "a b/", "a b", False),
        ("h//etc/x", "/etc/x", "/etc/x", False),
        ("h/%2Fetc", "/etc", "/etc", False),
        ("h//", "/", "/", False),
        ("h/a;type=a", "a", "a", True),
        ("h/a;type=I", "a", "a", False),
        ("h/a;type=", "a;type=", "a;type=", False),
        ("h/a?b#c", "a?b#c", "a?b#c", False),
        ("h", "", "", False),
    ],
)
def test_parse_decodes_the_path_and_removes_the_type(text: str, path: str, folder: str, as_text: bool) -> None:
    target = context().parse(f"ftp://{text}")
    assert (target.path, target.folder, target.is_text, target.is_pattern) == (path, folder, as_text, False)


@pytest.mark.parametrize(
    ("path", "pattern", "parsed"),
    [
        ("pub/*.iso", True, "pub/*.iso"),
        ("pub/%2A.iso", False, "pub/*.iso"),
        ("pub/%2A*%20x", True, "pub/[*]* x"),
        ("p*b/a", False, "p*b/a"),
        ("pub/a?", True, "pub/a?"),
        ("pub/%5Ba%5D", False, "pub/[a]"),
    ],
)
def test_only_unencoded_characters_of_the_last_component_make_a_pattern(path: str, pattern: bool, parsed: str) -> None:
    target = context().parse(f"ftp://h/{path}", allow_patterns=True)
    assert (target.is_pattern, target.path) == (pattern, parsed)
    assert not context().parse(f"ftp://h/{path}").is_pattern


@pytest.mark.parametrize("text", ["h/a;type=d", "h/a%zz", "h/a%0d%0aDELE x", "h/a%00", "http://h/a"])
def test_parse_rejects_malformed_targets(text: str) -> None:
    with pytest.raises(MalformedTarget):
        context().parse(text)


@pytest.mark.parametrize(
    ("tls", "text", "port"),
    [
        (None, "h/a", 21),
        (None, "ftpes://h/a", 21),
        (None, "ftps://h/a", 990),
        ("implicit", "h/a", 990),
        ("explicit", "h/a", 21),
        ("off", "h/a", 21),
        ("implicit", "ftp://h:2121/a", 2121),
    ],
)
def test_scheme_and_option_set_the_port(tls: str | None, text: str, port: int) -> None:
    assert context(tls=tls).parse(text).location.port == port


@pytest.mark.parametrize(("verify", "resume"), [(True, False), (False, True)])
def test_forbid_text(verify: bool, resume: bool) -> None:
    text, plain = (WorkingFolder(context(), context().parse(f"ftp://h/a{kind}")) for kind in (";type=a", ""))
    with pytest.raises(Usage, match=";type=a"):
        text.forbid_text(verify=verify, resume=resume)
    text.forbid_text(verify=False, resume=False)
    plain.forbid_text(verify=verify, resume=resume)
    assert text.known_fields() == {"path": "a"}
