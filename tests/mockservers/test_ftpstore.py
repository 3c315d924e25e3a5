"""The two trees of the FTP server: the same answers from both, and nothing outside a folder is ever touched."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mockservers import FtpServer
from mockservers.ftp.folder import DirectoryStore
from mockservers.ftp.memory import MemoryStore
from mockservers.ftp.store import MAX_HOPS, PIECE, FileType, Refusal, Store, normal

NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
FILES = {"/a": b"0123", "/d/b": b"bb", "/d/e/c": b"c"}
LINKS = {
    "/to-a": "a",
    "/to-d": "d",
    "/d/up": "../a",
    "/d/e/far": "../../to-d/b",
    "/out": "../../etc/passwd",
    "/absolute": "/etc/passwd",
    "/loop": "loop2",
    "/loop2": "loop",
    "/dangling": "nowhere",
}


@pytest.fixture(params=["memory", "directory"])
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "memory":
        store = MemoryStore(lambda: NOW)
        store.fill(FILES, links=LINKS, modified=NOW)
        yield store
        return
    root = tmp_path / "root"
    for path, data in FILES.items():
        (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (root / path[1:]).write_bytes(data)
    for path, target in LINKS.items():
        (root / path[1:]).symlink_to(target)
    folder = DirectoryStore(root)
    yield folder
    folder.close()


def read(store: Store, path: str, offset: int = 0) -> bytes:
    return b"".join(store.read(path, offset))


def write(store: Store, path: str, data: bytes, offset: int | None = None, limit: int = 100) -> None:
    upload = store.upload(path, offset, limit=limit)
    try:
        upload.write(data)
    finally:
        upload.close()


@pytest.mark.parametrize(
    ("given", "folder", "path"),
    [
        ("a", "/", "/a"),
        ("a", "/b", "/b/a"),
        ("/a//b/", "/c", "/a/b"),
        ("../../x", "/a", "/x"),
        ("./.", "/a", "/a"),
        ("", "/a", "/a"),
        ("/..", "/a", "/"),
    ],
)
def test_paths_never_climb_out(given: str, folder: str, path: str) -> None:
    assert normal(given, folder) == path


def test_links_are_followed_inside_the_tree(tree: Store) -> None:
    assert [read(tree, path) for path in ("/to-a", "/to-d/b", "/d/up", "/d/e/far", "/to-d/e/far")] == [
        *(b"0123", b"bb", b"0123", b"bb", b"bb")
    ]
    found = {entry.name: (entry.type, entry.target) for entry in tree.entries("/to-d")}
    assert found == {
        "b": (FileType.FILE, None),
        "e": (FileType.FOLDER, None),
        "up": (FileType.LINK, "../a"),
    }
    assert sorted(tree.walk()) == sorted(FILES)


@pytest.mark.parametrize("path", ["/out", "/absolute", "/loop", "/dangling", "/a/b", "/nope", "/nope/x", "/d"])
def test_what_leads_out_or_nowhere_is_not_read(tree: Store, path: str) -> None:
    with pytest.raises(Refusal) as refused:
        read(tree, path)
    assert refused.value.code == 550


@pytest.mark.parametrize("path", ["/out", "/absolute", "/loop", "/nope/x", "/d", "/", "/a\0b", "/a\rb"])
def test_what_leads_out_or_is_no_file_is_not_written(tree: Store, path: str) -> None:
    with pytest.raises(Refusal) as refused:
        write(tree, path, b"x")
    assert refused.value.code in (550, 553)
    assert sorted(tree.walk()) == sorted(FILES)


def test_uploads_begin_go_on_and_have_a_limit(tree: Store) -> None:
    write(tree, "/new", b"12345")
    write(tree, "/new", b"xy", offset=3)
    assert read(tree, "/new") == b"123xy"
    write(tree, "/new", b"z")
    assert read(tree, "/new") == b"z"
    write(tree, "/to-a", b"new")
    assert read(tree, "/a") == b"new"
    assert tree.link("/to-a") == "a"
    taken = sum(map(len, FILES.values())) - 4 + 3 + 1 if isinstance(tree, MemoryStore) else 0
    with pytest.raises(Refusal, match="552"):
        write(tree, "/more", b"abcdef", limit=taken + 4)
    assert read(tree, "/more") == b"abcd"


def test_big_files_come_in_pieces(tree: Store) -> None:
    data = os.urandom(2 * PIECE + 5)
    write(tree, "/big", data, limit=len(data) + 100)
    assert [len(piece) for piece in tree.read("/big")] == [PIECE, PIECE, 5]
    assert read(tree, "/big", PIECE + 1) == data[PIECE + 1 :]
    assert read(tree, "/big", len(data)) == b""


def test_links_are_removed_and_renamed_themselves(tree: Store) -> None:
    tree.remove("/to-d")
    assert read(tree, "/d/b") == b"bb"
    tree.rename("/to-a", "/d/to-a")
    assert tree.link("/d/to-a") == "a"
    with pytest.raises(Refusal):
        tree.remove_folder("/loop")


def test_folders_move_with_all_that_is_in_them(tree: Store) -> None:
    tree.rename("/d", "/moved")
    assert sorted(tree.walk()) == ["/a", "/moved/b", "/moved/e/c"]
    tree.rename("/a", "/moved/b")
    assert read(tree, "/moved/b") == b"0123"
    for source, target in (
        ("/moved", "/moved/x"),
        ("/moved/b", "/nope/x"),
        ("/moved/b", "/moved/e"),
        ("/moved", "/\r"),
    ):
        with pytest.raises(Refusal, match="553"):
            tree.rename(source, target)


def test_times_modes_and_identity(tree: Store) -> None:
    moment = datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)
    before = tree.entry("/a")
    tree.set_modified("/to-a", moment)
    tree.set_mode("/a", 0o600)
    after = tree.entry("/a")
    assert (after.modified, after.mode, after.size, after.unique) == (moment, 0o600, 4, before.unique)
    assert tree.entry("/d/b").unique != before.unique


def test_too_many_links_are_not_followed() -> None:
    store = MemoryStore(lambda: NOW)
    chain = {f"/{number}": str(number + 1) for number in range(MAX_HOPS + 1)}
    store.fill({f"/{MAX_HOPS + 1}": b"end"}, links=chain, modified=NOW)
    assert read(store, "/1") == b"end"
    with pytest.raises(Refusal, match="too many links"):
        read(store, "/0")


@pytest.mark.parametrize("name", ["a\nb", "a\0", "\r", "", "/", "a/b"])
def test_files_that_cannot_be_are_refused_at_once(name: str) -> None:
    with pytest.raises(ValueError, match=r"cannot hold|of that name|not a folder"):
        FtpServer({"a": b"", name: b""})


def test_a_folder_swapped_for_a_link_leads_nowhere(tmp_path: Path) -> None:
    """Between the look at the path and its opening, somebody may be faster: the walk itself follows nothing."""
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (root / "d").mkdir(parents=True)
    (root / "d" / "secret").write_text("public")

    class Late(DirectoryStore):
        def real(self, path: str, *, follow: bool = True) -> str:
            found = super().real(path, follow=follow)
            if not (root / "d").is_symlink():
                (root / "d").rename(root / "old")
                (root / "d").symlink_to(outside)
            return found

    attempts: list[Callable[[Store], object]] = [
        lambda store: read(store, "/d/secret"),
        lambda store: write(store, "/d/secret", b"x"),
        lambda store: write(store, "/d/new", b"x"),
        lambda store: store.remove("/d/secret"),
        lambda store: store.make_folder("/d/new"),
        lambda store: store.rename("/d/secret", "/stolen"),
        lambda store: store.rename("/old/secret", "/d/secret"),
        lambda store: store.set_modified("/d/secret", NOW),
        lambda store: store.set_mode("/d/secret", 0),
        lambda store: store.entries("/d"),
    ]
    for attempt in attempts:
        store = Late(root)
        with pytest.raises(Refusal):
            attempt(store)
        store.close()
        if (root / "old").exists():
            (root / "d").unlink()
            (root / "old").rename(root / "d")
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_text() == "secret"


def test_only_plain_files_of_a_folder_are_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "new\nline").write_text("x")
    store = DirectoryStore(tmp_path)
    for attempt in (lambda: read(store, "/fifo"), lambda: write(store, "/fifo", b"x")):
        with pytest.raises(Refusal, match="not a plain file"):
            attempt()
    assert [entry.name for entry in store.entries("/")] == ["fifo"]
    store.close()


def test_a_server_of_a_folder_keeps_no_descriptor(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with FtpServer(directory=tmp_path) as server:
            server.files["x/y"] = b"1"
            assert (tmp_path / "x" / "y").read_bytes() == b"1"
    with pytest.raises(ValueError, match="directory serves what is in it"):
        FtpServer({}, directory=tmp_path)
    with pytest.raises(FileNotFoundError):
        FtpServer(directory=tmp_path / "nope")
    assert len(os.listdir("/proc/self/fd")) == before
