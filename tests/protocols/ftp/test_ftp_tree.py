"""Patterns and walks: matching, found and skipped entries, and the limits of a walk."""

import re
from fnmatch import translate
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.program import inetcli

from inetcli.errors import Denied, Incomplete, InetError, LocalRead, NotFound, Refused, TooLarge
from inetcli.protocols.ftp.directory import Contents
from inetcli.protocols.ftp.model import Entry, EntryType, ListingCommand
from inetcli.protocols.ftp.tree import RemoteFile, Skipped, Walk, WalkLimits, has_glob, join, local_files, match_glob
from mockservers import FtpServer

FILE, DIR, LINK, OTHER = EntryType

MATCHES = [
    ("*", "a", True),
    ("*", "", True),
    ("*", ".hidden", False),
    (".*", ".hidden", True),
    ("?hidden", ".hidden", False),
    ("[.]hidden", ".hidden", False),
    ("*.iso", "a.iso", True),
    ("*.iso", "a.iso.part", False),
    ("*.iso", "A.ISO", False),
    ("**", "a b", True),
    ("a**b", "ab", True),
    ("a?c", "abc", True),
    ("a?c", "ac", False),
    ("a?c", "a\ud800c", True),
    ("[a-c]x", "bx", True),
    ("[a-c]x", "dx", False),
    ("[!a-c]x", "dx", True),
    ("[!a-c]x", "ax", False),
    ("[]]", "]", True),
    ("[!]]", "]", False),
    ("[!]]", "a", True),
    ("[a-]", "-", True),
    ("[-a]", "-", True),
    ("[z-a]", "m", False),
    ("[!z-a]", "m", True),
    ("[*]", "*", True),
    ("[*]", "a", False),
    ("[", "[", True),
    ("a[b", "a[b", True),
    ("[]", "[]", True),
    ("[!]", "[!]", True),
    ("a\\*", "a\\b", True),
    ("", "", True),
    ("", "a", False),
    ("a", "ab", False),
    ("*a*b*c", "xaybzc", True),
    ("*a*b*c", "xaybzcd", False),
    ("line\nbreak*", "line\nbreak", True),
    ("*", "line\nbreak", True),
]


@pytest.mark.parametrize(("pattern", "name", "expected"), MATCHES)
def test_match_glob(pattern: str, name: str, expected: bool) -> None:
    assert match_glob(pattern, name) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a*", True),
        ("a?", True),
        ("[ab]", True),
        ("a[b", False),
        ("a]b", False),
        ("[]", False),
        ("", False),
        ("a", False),
    ],
)
def test_has_glob(text: str, expected: bool) -> None:
    assert has_glob(text) is expected


@given(st.text("ab-c*?[]!.^\n", max_size=12), st.text("abc-]!.^[\n", max_size=10))
@example("*a*a*b", "aaaaaaaab")
@example("[!-a]", "-")
def test_match_glob_equals_fnmatch_except_for_leading_dots(pattern: str, name: str) -> None:
    hidden = name.startswith(".") and not pattern.startswith(".")
    assert match_glob(pattern, name) is (bool(re.match(translate(pattern), name)) and not hidden)


@given(st.text(max_size=8))
def test_name_without_a_glob_matches_only_itself(name: str) -> None:
    if not has_glob(name):
        assert match_glob(name, name)
        assert not match_glob(name, name + "x")


@pytest.mark.parametrize("stars", ["*a", "*?", "*[a]", "**a", "?*", "*[!b]"])
@pytest.mark.parametrize("times", [10, 100, 1000])
def test_match_glob_is_fast_for_hostile_names(stars: str, times: int) -> None:
    """A name has at most 255 characters in a file system, and at most 8192 in a row of a listing."""
    for length in (255, 8192):
        assert not match_glob(stars * times + "b", "a" * length)
        assert not match_glob(stars * times + "[b]", "a" * (length - 1) + "c")


def test_match_glob_does_not_backtrack() -> None:
    """A matcher that backtracks at every star would need 2^100 steps and reach the time limit of the suite."""
    assert not match_glob("*a" * 100 + "b", "a" * 4000)
    assert not match_glob("*?" * 100 + "[b]", "a" * 4000)
    assert match_glob("[" * 8000, "[" * 8000)


def entry(name: str, kind: EntryType = FILE, source: ListingCommand = ListingCommand.MLSD) -> Entry:
    return Entry(name, kind, 1, None, None, None, source)


def walk(tree: dict[str, object], *, limits: WalkLimits | None = None, folders: tuple[str, ...] = ()) -> Walk:
    """A walk over `tree`: the entries of each folder, or the error of listing it. Each may be listed once."""
    left = dict(tree)

    def list_folder(path: str) -> Contents:
        found = left.pop(path)
        if isinstance(found, InetError):
            raise found
        return found if isinstance(found, Contents) else Contents(list(found))  # type: ignore[call-overload]

    return Walk(list_folder, lambda path: path in folders, limits or WalkLimits())


def described(items) -> list[str]:
    return [
        f"{item.path} -> {'/'.join(item.names)}" if isinstance(item, RemoteFile) else f"{item.path}: {item.reason}"
        for item in items
    ]


def test_every_folder_is_listed_once_its_own_files_first() -> None:
    tree = {
        "pub": [entry("b"), entry("sub", DIR), entry("a"), entry("empty", DIR)],
        "pub/sub": [entry("c"), entry("deep", DIR)],
        "pub/sub/deep": [entry("d")],
        "pub/empty": [],
    }
    assert described(walk(tree).files_below("pub")) == [
        "pub/b -> b",
        "pub/a -> a",
        "pub/sub/c -> sub/c",
        "pub/sub/deep/d -> sub/deep/d",
    ]


@pytest.mark.parametrize(("folder", "path"), [("", "a"), ("/", "/a"), ("pub/", "pub/a"), ("/pub", "/pub/a")])
def test_join(folder: str, path: str) -> None:
    assert join(folder, "a") == path


def test_walk_of_a_file_yields_the_file() -> None:
    tree = {"pub/a": Contents([entry("a")], is_file=True)}
    assert described(walk(tree).files_below("pub/a")) == ["pub/a -> a"]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../up", "the name cannot be sent in a command"),
        ("/etc/passwd", "the name cannot be sent in a command"),
        ("a\rDELE b", "the name cannot be sent in a command"),
        ("a\nb", "the name cannot be sent in a command"),
        ("a\0b", "the name cannot be sent in a command"),
        ("..", '".." cannot be used as a local file name: the name is reserved for a folder'),
        ("", '"" cannot be used as a local file name: the name is empty'),
        ("x" * 256, f'"{"x" * 80}..." cannot be used as a local file name: the name has 256 bytes, the limit is 255'),
    ],
)
@pytest.mark.parametrize("kind", [FILE, DIR, LINK])
def test_unusable_name_is_skipped_for_every_type(name: str, why: str, kind: EntryType) -> None:
    items = list(walk({"p": [entry(name, kind), entry("good")]}).files_below("p"))
    assert described(items) == [f"p/{name}: {why}", "p/good -> good"]
    assert isinstance(items[0], Skipped)
    assert items[0].unsafe


def test_control_characters_are_encoded_in_local_names() -> None:
    (found,) = walk({"p": [entry("\x1b[31mred")]}).files_below("p")
    assert isinstance(found, RemoteFile)
    assert (found.path, found.names) == ("p/\x1b[31mred", ("%1B[31mred",))


def test_links_and_special_files_are_skipped() -> None:
    tree = {"p": [entry("to", LINK), entry("pipe", OTHER), entry("to", DIR)], "p/to": [entry("a")]}
    assert described(walk(tree).files_below("p")) == [
        "p/to: a link, which is not followed",
        "p/pipe: neither a file nor a folder",
        "p/to/a -> to/a",
    ]


def test_entries_of_nlst_are_checked_with_is_folder() -> None:
    tree = {"p": [entry("d", OTHER, ListingCommand.NLST), entry("f", OTHER, ListingCommand.NLST)], "p/d": []}
    assert described(walk(tree, folders=("p/d",)).files_below("p")) == ["p/f -> f"]


# Ends


def test_max_depth_ends_an_endlessly_deep_tree() -> None:
    class Endless(dict):
        def __missing__(self, _: str) -> list[Entry]:
            return [entry("a"), entry("d", DIR)]

        def pop(self, path: str) -> list[Entry]:  # type: ignore[override]
            return self[path]

    endless = Walk(lambda path: Contents(Endless()[path]), lambda _: False, WalkLimits(depth=3))
    items = described(endless.files_below("p"))
    assert items[-1] == "p/d/d/d/d: deeper than 3 folders (--max-depth)"
    assert len(items) == 5


@pytest.mark.parametrize("kind", [FILE, DIR])
def test_max_files_ends_an_endlessly_wide_tree(kind: EntryType) -> None:
    """A tree of nothing but folders has no end either."""

    def list_folder(_: str) -> Contents:
        return Contents([entry(str(number), kind) for number in range(20 if kind is DIR else 30)])

    endless = Walk(list_folder, lambda _: False, WalkLimits(depth=64, files=25))
    with pytest.raises(TooLarge, match=r"more than 25 files and folders \(--max-files\)"):
        list(endless.files_below("p"))


@pytest.mark.parametrize("error", [Denied("p/shut: not listed"), NotFound("p/shut: not listed")])
def test_folder_that_cannot_be_listed_is_skipped(error: InetError) -> None:
    tree = {"p": [entry("shut", DIR), entry("open", DIR)], "p/shut": error, "p/open": [entry("a")]}
    items = list(walk(tree).files_below("p"))
    assert described(items) == ["p/shut: p/shut: not listed", "p/open/a -> open/a"]
    assert isinstance(items[0], Skipped)
    assert items[0].error is error


@pytest.mark.parametrize("error", [Refused("421"), Incomplete("cut"), TooLarge("endless")])
def test_any_other_failure_to_list_ends_the_walk(error: InetError) -> None:
    tree = {"p": [entry("bad", DIR), entry("open", DIR)], "p/bad": error, "p/open": [entry("a")]}
    with pytest.raises(type(error)):
        list(walk(tree).files_below("p"))


@pytest.mark.parametrize("error", [Denied("no"), NotFound("no")])
def test_the_folder_itself_must_be_listed(error: InetError) -> None:
    with pytest.raises(type(error)):
        list(walk({"p": error}).files_below("p"))


# Patterns


@pytest.mark.parametrize(
    ("pattern", "recursive", "expected"),
    [
        ("p/*.iso", False, ["p/a.iso -> a.iso", "p/d.iso: a folder, which needs -r"]),
        ("p/*.iso", True, ["p/a.iso -> a.iso", "p/d.iso/x -> d.iso/x"]),
        ("p/[bc]*", False, ["p/b.txt -> b.txt"]),
        ("p/?.txt", False, ["p/b.txt -> b.txt"]),
    ],
)
def test_patterns(pattern: str, recursive: bool, expected: list[str]) -> None:
    tree = {"p": [entry("a.iso"), entry("b.txt"), entry("d.iso", DIR)], "p/d.iso": [entry("x")]}
    assert described(walk(tree).files_matching(pattern, recursive=recursive)) == expected


@pytest.mark.parametrize(("pattern", "listed"), [("*", ""), ("/*", "/"), ("//*", "/")])
def test_patterns_at_the_top(pattern: str, listed: str) -> None:
    (found,) = walk({listed: [entry("a")]}).files_matching(pattern, recursive=False)
    assert found.path == join(listed, "a")


def test_pattern_without_a_match() -> None:
    with pytest.raises(NotFound, match=r"p/\*\.iso: no file matches"):
        list(walk({"p": [entry("a")]}).files_matching("p/*.iso", recursive=False))


# Local trees


def test_local_files_are_sorted_without_links(tmp_path: Path) -> None:
    for name in ("b/x", "b/.h", "a", "c/d/e"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to("/etc")
    (tmp_path / "b" / "up").symlink_to("..")
    assert [("/".join(names), is_folder) for names, is_folder in local_files(str(tmp_path))] == [
        ("a", False),
        ("b", True),
        ("b/.h", False),
        ("b/x", False),
        ("c", True),
        ("c/d", True),
        ("c/d/e", False),
        ("empty", True),
    ]


@pytest.mark.parametrize(("name", "why"), [("missing", "No such file"), ("file", "Not a directory")])
def test_local_files_of_an_unreadable_folder(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LocalRead, match=why):
        list(local_files(str(tmp_path / name)))


# Whole commands

TREE = {
    "pub/a.bin": b"a" * 1000,
    "pub/sub/b.bin": b"b" * 2000,
    "pub/sub/deep/c": b"",
    "pub/sub/grün": b"g",
    "other": b"not this",
}


def tree_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


WANTED = {path.removeprefix("pub/"): data for path, data in TREE.items() if path.startswith("pub/")}


@pytest.mark.parametrize("jobs", ["1", "4"])
@pytest.mark.parametrize("features", [{}, {"MLST": False}])
def test_a_second_run_fetches_only_what_is_new(tmp_path: Path, jobs: str, features: dict[str, bool]) -> None:
    """LIST's times are not exact: then each file is asked about."""
    with FtpServer(TREE, features=features) as server:
        command = ["ftp", "get", "-r", "-j", jobs, "-P", "mirror", f"{server.url}/pub"]
        first = inetcli(*command, "--json", cwd=tmp_path)
        assert (first.code, first.err) == (0, "")
        assert tree_of(tmp_path / "mirror") == WANTED
        *rows, whole = first.rows
        assert {row["path"]: row["bytes"] for row in rows} == {f"mirror/{path}": len(WANTED[path]) for path in WANTED}
        assert {key: whole[key] for key in ("path", "files", "bytes", "skipped", "failed", "exit_code")} == {
            "path": "mirror",
            "files": 4,
            "bytes": 3001,
            "skipped": 0,
            "failed": 0,
            "exit_code": 0,
        }
        before = len([line for line in server.log.commands() if line.startswith("RETR")])
        second = inetcli(*command, "--json", cwd=tmp_path)
        assert len([line for line in server.log.commands() if line.startswith("RETR")]) == before == 4
        assert (second.code, second.rows[-1]["skipped"], second.rows[-1]["files"]) == (0, 4, 0)
        assert all(row["skipped"] for row in second.rows[:-1])
        server.files["/pub/new"] = b"new"
        third = inetcli(*command, "--json", cwd=tmp_path)
        assert (third.code, third.rows[-1]["skipped"], third.rows[-1]["files"]) == (0, 4, 1)
    assert tree_of(tmp_path / "mirror") == {**WANTED, "new": b"new"}


def test_different_local_file_is_kept_without_force(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"mine")
    with FtpServer(TREE) as server:
        done = inetcli("ftp", "get", "-r", "--json", f"{server.url}/pub", cwd=tmp_path)
        assert done.code == 73
        assert done.rows[-1]["error"]["message"].startswith("1 of 4 files failed, the first: ")
        assert (tmp_path / "a.bin").read_bytes() == b"mine"
        assert tree_of(tmp_path) == {**WANTED, "a.bin": b"mine"}
        assert inetcli("ftp", "get", "-r", "--force", f"{server.url}/pub", cwd=tmp_path).code == 0
    assert tree_of(tmp_path) == WANTED


HOSTILE = ["climbs", "absolute", "of_itself", "escapes", "cr", "nul", "raw_bytes", "link_then_folder"]


@pytest.mark.parametrize("fault", HOSTILE)
@pytest.mark.parametrize("jobs", ["1", "3"])
def test_remote_names_cannot_leave_the_folder(tmp_path: Path, fault: str, jobs: str) -> None:
    """The rest is fetched, nothing is outside, and what could not be had is told."""
    inside = tmp_path / "one" / "two" / "mirror"
    inside.mkdir(parents=True)
    with FtpServer(TREE, features={"MLST": False}, faults=[f"LIST:listing_{fault}"]) as server:
        done = inetcli("ftp", "get", "-r", "-j", jobs, "--json", "--max-depth", "3", f"{server.url}/pub", cwd=inside)
        assert server.problems() == []
    unsafe = fault in ("climbs", "absolute", "cr", "nul")
    assert done.code == (18 if unsafe else 0), done.err
    assert {str(path.relative_to(tmp_path)).split("/")[0] for path in tmp_path.iterdir()} == {"one"}
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["two"]
    assert [path.name for path in (tmp_path / "one" / "two").iterdir()] == ["mirror"]
    fetched = tree_of(inside)
    assert {path: fetched[path] for path in WANTED} == WANTED
    assert not [path for path in inside.rglob("*") if path.is_symlink()]
    assert not any("\x1b" in row.get("path", "") for row in done.rows)
    if unsafe:
        assert any("skipped" in note for note in done.rows[-1]["notes"])


def test_local_link_is_not_followed(tmp_path: Path) -> None:
    """Another user may write into the folder: a link that leads out of it is not followed."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / "sub").symlink_to(outside)
    with FtpServer(TREE) as server:
        done = inetcli("ftp", "get", "-r", "--force", "-P", "mirror", f"{server.url}/pub", cwd=tmp_path)
    assert done.code == 23
    assert list(outside.iterdir()) == []
    assert (tmp_path / "mirror" / "a.bin").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "files"),
    [
        (["--max-depth", "1"], 0, {"a.bin", "sub/b.bin", "sub/grün"}),
        (["--max-depth", "0"], 0, {"a.bin"}),
        (["--max-files", "1"], 63, {"a.bin"}),
        (["--max-size", "1500"], 63, {"a.bin", "sub/deep/c", "sub/grün"}),
    ],
)
def test_limits(tmp_path: Path, arguments: list[str], code: int, files: set[str]) -> None:
    with FtpServer(TREE) as server:
        done = inetcli("ftp", "get", "-r", *arguments, f"{server.url}/pub", cwd=tmp_path)
    assert done.code == code, done.err
    assert set(tree_of(tmp_path)) == files


def test_folder_that_cannot_be_listed_is_reported_at_the_end(tmp_path: Path) -> None:
    with FtpServer(TREE, faults=["MLSD pub/sub:reply(550 Permission denied)"]) as server:
        server.on("MLST").reply("502 no")
        server.on("CWD pub/sub").reply("550 Permission denied")
        server.on("LIST pub/sub").reply("550 Permission denied")
        done = inetcli("ftp", "get", "-r", "--json", f"{server.url}/pub", cwd=tmp_path)
    assert done.code == 9, done.err
    assert tree_of(tmp_path) == {"a.bin": TREE["pub/a.bin"]}
    assert done.rows[-1]["files"] == 1


@pytest.mark.parametrize("jobs", ["1", "4"])
def test_failure_of_one_file_does_not_affect_the_others(tmp_path: Path, jobs: str) -> None:
    with FtpServer(TREE, faults=["RETR pub/sub/b.bin:rst@100"]) as server:
        done = inetcli("ftp", "get", "-r", "-j", jobs, "--json", f"{server.url}/pub", cwd=tmp_path)
    assert done.code == 18
    assert set(tree_of(tmp_path)) == set(WANTED) - {"sub/b.bin"}
    assert [row["exit_code"] for row in done.rows[:-1] if row["path"].endswith("b.bin")] == [18]


def test_each_file_has_its_own_retries(tmp_path: Path) -> None:
    with FtpServer(TREE, faults=["RETR pub/sub/b.bin:rst@100x1", "RETR pub/a.bin:rst@100x1"]) as server:
        done = inetcli("ftp", "get", "-r", "--retries", "1", "-q", f"{server.url}/pub", cwd=tmp_path)
    assert (done.code, done.err) == (0, "")
    assert tree_of(tmp_path) == WANTED


def test_globs_on_the_command_line(tmp_path: Path) -> None:
    with FtpServer({"p/a.iso": b"1", "p/b.iso": b"2", "p/*.iso": b"3", "p/c.txt": b"4"}) as server:
        assert inetcli("ftp", "get", f"{server.url}/p/*.iso", cwd=tmp_path).code == 0
        assert set(tree_of(tmp_path)) == {"a.iso", "b.iso", "*.iso"}
        (tmp_path / "x").mkdir()
        assert inetcli("ftp", "get", f"{server.url}/p/%2A.iso", cwd=tmp_path / "x").code == 0
        assert set(tree_of(tmp_path / "x")) == {"*.iso"}
        none = inetcli("ftp", "get", f"{server.url}/p/*.zip", cwd=tmp_path)
        assert (none.code, none.err.count("\n")) == (78, 1)
        assert inetcli("ftp", "get", "-o", "x", f"{server.url}/p/*.iso", cwd=tmp_path).code == 2
