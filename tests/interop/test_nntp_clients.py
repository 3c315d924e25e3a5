"""News readers that others wrote, against our server: they find all that there is, and each command is understood."""

import mailbox
from contextlib import closing
from pathlib import Path

import pytest
from support.foreign import program, run, wait_for_goodbyes
from support.program import Finished

from mockservers import NntpServer

NUMBERS = [1, 2, 3, 4, 5]
DOTS = b".\n..two dots\n.one dot\nthe end\n"


def client(home: Path, *command: str, stdin: bytes = b"") -> Finished:
    """Run it with a home of its own."""
    return run("env", f"HOME={home}", "TERM=xterm", "LC_ALL=C.UTF-8", program(command[0]), *command[1:], stdin=stdin)


def conversation(server: NntpServer) -> list[str]:
    """What was said; every command was understood, and nothing went wrong."""
    wait_for_goodbyes(server)
    said = server.log.commands()
    assert said[-1].upper() == "QUIT"
    replies = [event.data[:3] for event in server.log.events() if event.kind.value == "S>"]
    assert not {b"500", b"503"} & set(replies), server.transcript()
    assert server.problems() == []
    return said


def test_slrnpull_pulls_the_groups(tmp_path: Path) -> None:
    (tmp_path / "slrnpull.conf").write_text("misc.test 0\nmisc.empty 0\nmisc.cancelled 0\n")
    with NntpServer() as server:
        place = f"{server.host}:{server.port}"
        done = client(tmp_path, "slrnpull", "-d", str(tmp_path), "-h", place, "--logfile", str(tmp_path / "log"))
        assert done.code == 0, done.err
        said = conversation(server)
    # Its HEADs come in one packet.
    assert [line for line in said if line.startswith("head")] == [f"head {number}" for number in [*NUMBERS, 1]]
    pulled = tmp_path / "news" / "misc"
    assert sorted(path.name for path in (pulled / "test").glob("[0-9]*")) == list(map(str, NUMBERS))
    assert (pulled / "test" / "4").read_bytes().endswith(b"\n\n" + DOTS)
    assert [path.name for path in (pulled / "cancelled").glob("[0-9]*")] == ["1"]
    assert list((pulled / "empty").glob("[0-9]*")) == []


def test_suck_fetches_by_message_id(tmp_path: Path) -> None:
    (tmp_path / "sucknewsrc").write_text("misc.test 0\nmisc.empty 0\nmisc.cancelled 0\n")
    (tmp_path / "m").mkdir()
    with NntpServer() as server:
        folders = ["-dd", str(tmp_path), "-dt", str(tmp_path), "-dm", str(tmp_path / "m")]
        done = client(tmp_path, "suck", server.host, "-N", str(server.port), *folders, "-m", "-K", "-q")
        assert done.code == 0, done.out
        said = conversation(server)
    assert len([line for line in said if line.startswith("article <")]) == 6
    articles = [path.read_bytes() for path in (tmp_path / "m").iterdir()]
    assert len(articles) == 6
    assert any(text.endswith(b"\n\n" + DOTS) for text in articles)


def test_tin_looks_for_unread_articles_and_saves_them(tmp_path: Path) -> None:
    (tmp_path / ".newsrc").write_text("misc.test: \nmisc.empty: \n")
    with NntpServer() as server:
        place = ["-r", "-g", server.host, "-p", str(server.port), "-n"]
        assert client(tmp_path, "tin", *place, "-Z").code == 2  # there is something unread
        said = conversation(server)
        assert said[0] == "CAPABILITIES"
        assert {"LIST OVERVIEW.FMT", "LISTGROUP misc.test", "OVER 1-5"} <= set(said)
        done = client(tmp_path, "tin", *place, "-S", "-c")
        assert done.code == 0, done.err
        assert [f"ARTICLE {number}" for number in NUMBERS] == [
            line for line in conversation(server) if line.startswith("ARTICLE")
        ]
    saved = tmp_path / "News" / "misc" / "test"
    assert sorted(path.name for path in saved.glob("[0-9]*")) == list(map(str, NUMBERS))
    with NntpServer({"misc.test": {}}) as server:
        assert client(tmp_path, "tin", "-r", "-g", server.host, "-p", str(server.port), "-n", "-Z").code == 0


def test_sinntp_lists_pulls_gets_and_pushes(tmp_path: Path) -> None:
    with NntpServer() as server:
        place = f"{server.host}:{server.port}"
        listed = client(tmp_path, "nntp-list", "-S", place)
        assert listed.out.split() == ["misc.cancelled", "misc.empty", "misc.test"]
        member = client(tmp_path, "nntp-list", "-S", place, "-U", "user", "-P", "password")
        assert "private.test" in member.out.split()
        target = tmp_path / "mbox"
        assert client(tmp_path, "nntp-pull", "-S", place, f"misc.test>{target}").code == 0
        got = client(tmp_path, "nntp-get", "-S", place, "<4.misc.test@example.test>")
        assert got.stdout.replace(b"\r", b"").rstrip(b"\n").endswith(DOTS.rstrip(b"\n"))
        article = b"From: a@b.invalid\nSubject: pushed\nNewsgroups: misc.empty\n\n.dot\n"
        pushed = client(tmp_path, "nntp-push", "-S", place, "misc.empty", stdin=b"From x\n" + article)
        assert pushed.code == 0, pushed.err
        conversation(server)
        assert client(tmp_path, "nntp-pull", "-S", place, f"misc.empty>{tmp_path / 'pushed'}").code == 0
    with closing(mailbox.mbox(target)) as box:
        assert len(box) == 5
    assert b"\n\n.dot\n" in (tmp_path / "pushed").read_bytes()


@pytest.mark.parametrize("command", ["openssl", "gnutls-cli"])
@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_tls_clients_talk(command: str, tls: str) -> None:
    with NntpServer(tls=tls) as server:
        assert server.ca_file
        if command == "openssl":
            start = ["-starttls", "nntp"] if tls == "starttls" else []
            trust = ["-CAfile", server.ca_file, "-verify_return_error", "-verify_hostname", "localhost"]
            options = ["s_client", "-connect", f"{server.host}:{server.port}", *start, *trust, "-quiet"]
        else:
            start = ["--starttls-proto=nntp"] if tls == "starttls" else []
            trust = [f"--x509cafile={server.ca_file}", "--verify-hostname=localhost"]
            options = [*trust, *start, "-p", str(server.port), server.host]
        done = run(command, *options, stdin=b"GROUP misc.test\r\nSTAT 5\r\nQUIT\r\n")
        assert "211 5 1 5 misc.test" in done.out, done.err
        assert "223 5 <5.misc.test@example.test> status" in done.out
        wait_for_goodbyes(server)
        assert [line for line in server.log.commands() if "CAPABILITIES" not in line][-3:] == [
            *("GROUP misc.test", "STAT 5", "QUIT")
        ]


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_openssl_refuses_a_certificate_for_another_host(tls: str) -> None:
    with NntpServer(tls=tls, faults=["connect:wrong_host"]) as server:
        assert server.ca_file
        start = ["-starttls", "nntp"] if tls == "starttls" else []
        trust = ["-CAfile", server.ca_file, "-verify_return_error", "-verify_hostname", "localhost"]
        done = run("openssl", "s_client", "-connect", f"{server.host}:{server.port}", *start, *trust, stdin=b"QUIT\n")
        assert done.code != 0
        assert "hostname mismatch" in done.err.lower() + done.out.lower()
        assert server.problems() == []


def test_openssl_sees_clear_text_behind_the_382() -> None:
    with NntpServer(tls="starttls", faults=["STARTTLS:plaintext"]) as server:
        done = run("openssl", "s_client", "-connect", f"{server.host}:{server.port}", "-starttls", "nntp")
        assert done.code != 0
        wait_for_goodbyes(server)
        assert "STARTTLS" in server.log.commands()
        assert server.problems() == []


def test_openssl_starts_tls_where_there_are_no_capabilities() -> None:
    """It did not before openssl/openssl#7722."""
    with NntpServer(tls="starttls", faults=["connect:without(CAPABILITIES)"]) as server:
        done = run("openssl", "s_client", "-connect", f"{server.host}:{server.port}", "-starttls", "nntp")
        assert "382" in done.out + done.err
        wait_for_goodbyes(server)
        assert server.log.commands() == ["CAPABILITIES", "STARTTLS"]
        assert server.problems() == []
