"""Listings: the commands that return one, and the possible replies of a server."""

import re
from pathlib import Path

import pytest
from support.ftpdata import FtpScript

from inetcli.errors import Denied, Incomplete, InetError, NotFound, ReceiveFailed, Refused, TimedOut, TooLarge
from inetcli.protocols.ftp.model import EntryType, ListingCommand
from mockservers import FtpServer

LOGIN = """
    S 220 hello
    C USER anonymous
    C PASS anonymous@
    C EPSV
    S 230 in
    S 230 in
    S 229 (|||{port}|)
"""
EPSV = "C EPSV\nS 229 (|||{port}|)\n"
NO_MLSD = f"{LOGIN}\nC MLSD pub\nS 500 what?\n"
HOME = 'C PWD\nS 257 "/home"\nC CWD pub\nS 250 there\n'
BACK = "C CWD /home\nS 250 back\nC QUIT"
ROW = "-rw-r--r-- 1 a b 5 Nov 24 10:05"


def listing(verb: str, rows: str, end: str = "226 done") -> str:
    """One listing; no data connection where `rows` is a refusal."""
    if re.match(r"\d{3} ", rows):
        return f"{EPSV}C {verb}\nS {rows}\n"
    return f"{EPSV}C {verb}\nS 150 here\nD {rows}\nS {end}\n"


def listed(user, path: str = "pub") -> list[tuple[str, str, str]]:
    return [(entry.name, entry.type.value, entry.source.value) for entry in user.ftp().list(path).entries]


def check(client, script: str, expected: list[tuple[str, str, str]], path: str = "pub") -> list[str]:
    with FtpScript(script) as server, client(server) as user:
        assert listed(user, path) == expected
        return user.notes


def test_mlsd_takes_two_round_trips(client) -> None:
    script = f"""{LOGIN}
        C MLSD pub
        S 150 here
        D type=cdir; .\\r\\ntype=dir; sub\\r\\ntype=file;size=5; a b\\r\\n
        S 226 done
        C QUIT
    """
    assert check(client, script, [("sub", "dir", "mlsd"), ("a b", "file", "mlsd")]) == []


@pytest.mark.parametrize("reply", ["500 what?", "502 not here", "504 no"])
def test_list_with_hidden_names_replaces_mlsd_from_then_on(client, reply: str) -> None:
    script = (
        NO_MLSD.replace("500 what?", reply)
        + HOME
        + listing("LIST -a", f"{ROW} .h\\r\\n{ROW} a\\r\\n")
        + """
        C CWD /home
        S 250 back
    """
    )
    again = "C CWD pub\nS 250 there\n" + listing("LIST -a", f"{ROW} a\\r\\n") + BACK
    with FtpScript(script + again) as server, client(server) as user:
        assert listed(user) == [(".h", "file", "list"), ("a", "file", "list")]
        assert listed(user) == [("a", "file", "list")]
        assert user.notes == []


@pytest.mark.parametrize("nothing", ["", "450 no files", "550 -a: no such file", "501 no options"])
def test_list_without_options_is_used_if_options_list_nothing(client, nothing: str) -> None:
    script = NO_MLSD + HOME + listing("LIST -a", nothing) + listing("LIST", f"{ROW} a\\r\\n") + BACK
    assert check(client, script, [("a", "file", "list")]) == []


@pytest.mark.parametrize("nothing", ["", "450 no files", "550 no files found"])
def test_empty_folder_in_all_forms(client, nothing: str) -> None:
    script = NO_MLSD + HOME + listing("LIST -a", "") + listing("LIST", nothing) + BACK
    assert check(client, script, []) == []


def test_nlst_is_used_if_list_cannot_be_parsed(client) -> None:
    lists = listing("LIST -a", "gibberish\\r\\nmore\\r\\n") + listing("NLST", "a\\r\\nb c\\r\\n")
    (note,) = check(client, NO_MLSD + HOME + lists + BACK, [("a", "other", "nlst"), ("b c", "other", "nlst")])
    assert note == '2 lines of the listing were not understood, the first: "gibberish"'


def test_nlst_is_used_if_list_is_not_supported(client) -> None:
    lists = listing("LIST -a", "502 no") + listing("LIST", "502 no") + listing("NLST", "a\\r\\n")
    assert check(client, NO_MLSD + HOME + lists + BACK, [("a", "other", "nlst")]) == []


@pytest.mark.parametrize("path", ["pub/a", "/pub/a"])
def test_a_path_that_is_a_file_gives_its_entry_by_mlst(client, path: str) -> None:
    script = f"""{LOGIN}
        C MLSD {path}
        S 501 not a folder
        C MLST {path}
        S 250-this
        S  type=file;size=5;modify=20261122180411; /pub/a
        S 250 is it
        C QUIT
    """
    with FtpScript(script) as server, client(server) as user:
        contents = user.ftp().list(path)
    assert contents.is_file
    (entry,) = contents.entries
    assert (entry.name, entry.type, entry.size, entry.source) == ("a", EntryType.FILE, 5, ListingCommand.MLSD)


def test_a_path_that_is_a_file_gives_its_entry_by_list(client) -> None:
    script = (
        NO_MLSD.replace("pub", "pub/a")
        + """
        C PWD
        S 257 "/home"
        C CWD pub/a
        S 550 not a folder
    """
        + listing("LIST pub/a", f"{ROW} pub/a\\r\\n")
        + "C QUIT"
    )
    with FtpScript(script) as server, client(server) as user:
        contents = user.ftp().list("pub/a")
    assert contents.is_file
    assert [(entry.name, entry.size) for entry in contents.entries] == [("a", 5)]


def test_path_with_a_leading_dash_is_not_sent_as_options(client) -> None:
    script = (
        NO_MLSD.replace("pub", "-la")
        + """
        C PWD
        S 257 "/home"
        C CWD -la
        S 550 not a folder
    """
        + listing("LIST ./-la", f"{ROW} -la\\r\\n")
        + "C QUIT"
    )
    assert check(client, script, [("-la", "file", "list")], "-la") == []


@pytest.mark.parametrize(
    ("reply", "error"),
    [("550 no such file", NotFound), ("550 Permission denied", Denied), ("550 access is denied", Denied)],
)
def test_missing_path_by_mlsd(client, reply: str, error: type[InetError]) -> None:
    script = f"{LOGIN}\nC MLSD pub\nS {reply}\nC MLST pub\nS {reply}\nC QUIT"
    with FtpScript(script) as server, client(server) as user, pytest.raises(error, match=reply):
        user.ftp().list("pub")


@pytest.mark.parametrize("rows", ["", "550 no such file"])
def test_missing_path_by_list(client, rows: str) -> None:
    script = NO_MLSD + 'C PWD\nS 257 "/home"\nC CWD pub\nS 550 no such folder\n' + listing("LIST pub", rows) + "C QUIT"
    with FtpScript(script) as server, client(server) as user, pytest.raises(NotFound, match="no such"):
        user.ftp().list("pub")


@pytest.mark.parametrize(("reply", "code"), [("425 no data", 425), ("450 busy", 450)])
def test_temporary_failure_has_no_fallback(client, reply: str, code: int) -> None:
    script = f"{LOGIN}\nC MLSD pub\nS {reply}\nC QUIT"
    with FtpScript(script) as server, client(server) as user:
        with pytest.raises(Refused) as caught:
            user.ftp().list("pub")
        assert (caught.value.reply_code, caught.value.transient) == (code, True)


def test_421_during_a_listing_is_reported(client) -> None:
    script = NO_MLSD + HOME + f"{EPSV}C LIST -a\nS 421 shutting down\nX"
    with FtpScript(script) as server, client(server) as user:
        with pytest.raises(Refused) as caught:
            user.ftp().list("pub")
        assert caught.value.reply == "421 shutting down"


# Whether a listing is whole


@pytest.mark.parametrize(
    ("end", "error", "message"),
    [
        ("S 426 cut\nC QUIT", Incomplete, 'pub: cannot be listed: the listing is incomplete: "426 cut"'),
        ("S 451 disk\nC QUIT", Incomplete, 'the listing is incomplete: "451 disk"'),
        ("S 226 done (truncated to 2000)\nC QUIT", Incomplete, "the listing is incomplete"),
        ("X", Incomplete, "the listing may be incomplete: no final reply"),
        ("R", Incomplete, "the listing may be incomplete: no final reply"),
        ("S 421 bye\nX", Refused, "421 bye"),
        ("C QUIT", TimedOut, "silent"),
    ],
)
def test_listing_without_positive_final_reply_is_incomplete(
    client, end: str, error: type[InetError], message: str
) -> None:
    script = f"{LOGIN}\nC MLSD pub\nS 150 here\nD type=file; a\\r\\n\n{end}"
    with FtpScript(script) as server, client(server, limits={"silence_s": 0.3}) as user, pytest.raises(error) as caught:
        user.ftp().list("pub")
    assert message in caught.value.message


def test_listing_with_a_reset_is_incomplete(client) -> None:
    script = f"{LOGIN}\nC MLSD pub\nS 150 here\nDR type=file; a\\r\\n\nC QUIT"
    with FtpScript(script) as server, client(server) as user, pytest.raises((ReceiveFailed, Incomplete)):
        user.ftp().list("pub")


def test_250_is_accepted_in_place_of_226(client) -> None:
    script = f"{LOGIN}\nC MLSD pub\nS 150 here\nD type=file; a\\r\\n\nS 250 done\nC QUIT"
    assert check(client, script, [("a", "file", "mlsd")]) == []


def test_last_row_without_line_end_counts_after_226(client) -> None:
    script = f"{LOGIN}\nC MLSD pub\nS 150 here\nD type=file; a\\r\\ntype=file; b\nS 226 done\nC QUIT"
    assert check(client, script, [("a", "file", "mlsd"), ("b", "file", "mlsd")]) == []


# Hostile ones


@pytest.mark.parametrize("fault", ["MLSD:listing_endless", "LIST:listing_endless"])
@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [
        ("MAX_ROWS", 5000, "the listing exceeds 5000 lines"),
        ("MAX_LISTING", 100_000, "the listing exceeds 100000 bytes"),
    ],
)
def test_listing_over_the_limits_is_too_large(
    client, monkeypatch: pytest.MonkeyPatch, fault: str, limit: str, value: int, message: str
) -> None:
    monkeypatch.setattr(f"inetcli.protocols.ftp.transfer.{limit}", value)
    features = {"MLST": False} if fault.startswith("LIST") else {}
    with FtpServer(features=features, faults=[fault]) as server, pytest.raises(TooLarge, match=message):
        client(server).ftp().list("pub")


def test_row_over_the_limit_is_too_large(client) -> None:
    script = f"{LOGIN}\nC MLSD pub\nS 150 here\nD $long\nC QUIT"
    with (
        FtpScript(script, data={"long": b"x" * 20_000}) as server,
        client(server) as user,
        pytest.raises(TooLarge) as caught,
    ):
        user.ftp().list("pub")
    assert caught.value.message == "a line of the listing exceeds 8192 bytes"


@pytest.mark.parametrize("fault", ["MLSD", "LIST"])
def test_many_entries(client, fault: str) -> None:
    features = {"MLST": False} if fault == "LIST" else {}
    with FtpServer({"pub/a": b""}, features=features, faults=[f"{fault}:listing_huge(20000)"]) as server:
        entries = client(server).ftp().list("pub").entries
    assert len({entry.name for entry in entries}) == len(entries) == 20_001


@pytest.mark.parametrize("verb", ["MLSD", "LIST", "NLST"])
@pytest.mark.parametrize("tls", [None, "explicit"])
def test_listing_of_the_mock_server_by_each_command(client, verb: str, tls: str | None) -> None:
    faults = {
        "MLSD": [],
        "LIST": ["MLSD:reply(500 no)"],
        "NLST": ["MLSD:reply(500 no)", "LIST:reply(502 no)"],
    }[verb]
    with FtpServer({"pub/a": b"12345", "pub/sub/b": b"", "pub/gr\u00fcn": b""}, tls=tls, faults=faults) as server:
        entries = {entry.name: entry for entry in client(server).ftp().list("pub").entries}
    assert set(entries) == {"a", "sub", "gr\u00fcn"}
    assert {entry.source.value for entry in entries.values()} == {verb.lower()}
    if verb != "NLST":
        assert (entries["a"].size, entries["a"].type, entries["sub"].type) == (5, EntryType.FILE, EntryType.DIR)


def test_names_that_are_not_utf_8_are_sent_back_unchanged(client, tmp_path: Path) -> None:
    """A Latin-1 name of a listing is requested with the same byte."""
    script = f"""{LOGIN}
        C MLSD pub
        S 150 here
        D type=file; gr\\xfcn\\r\\n
        S 226 done
        C FEAT
        C OPTS UTF8 ON
        S 502 no
        S 502 no
        C DELE pub/gr\\xfcn
        S 250 gone
        C QUIT
    """
    with FtpScript(script) as server, client(server) as user:
        (entry,) = user.ftp().list("pub").entries
        assert entry.name == "gr\udcfcn"
        user.ftp().remove(f"pub/{entry.name}")


def test_name_is_not_used_as_a_pattern(client) -> None:
    """vsftpd lists all names that match `x-*`, although the path is the name of a file."""
    with (
        FtpScript("""
        S 220 hello
        C USER anonymous
        C PASS anonymous@
        C EPSV
        S 230 in
        S 230 in
        S 229 (|||{port}|)
        C MLSD x-*
        S 500 what?
        C PWD
        S 257 "/"
        C CWD x-*
        S 550 no
        C EPSV
        S 229 (|||{port}|)
        C LIST x-*
        S 150 here
        D -rw-r--r-- 1 ftp ftp 5 Nov 22 18:04 x-one\\r\\n-rw-r--r-- 1 ftp ftp 5 Nov 22 18:04 x-two\\r\\n
        S 226 done
        C QUIT
    """) as server,
        client(server) as user,
        pytest.raises(NotFound),
    ):
        user.ftp().list("x-*")
