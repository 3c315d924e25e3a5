"""The grammar of netrc files, as curl reads it, and the checks of the file. A comment marks a difference from curl."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inetcli.errors import LocalRead
from inetcli.net.netrc import MAX_BYTES, open_to_read, parse_netrc, read_chunks, read_netrc
from inetcli.secret import Secret

CANARY = "c4n4ry"
"""A password that no error may contain."""


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("", []),
        ("# nothing\n\n", []),
        ("machine h", [("h", None, None)]),
        ("machine h login a password b account c", [("h", "a", "b")]),
        ("machine h account c password b login a", [("h", "a", "b")]),
        ("machine h\n\tlogin a\r\n\tpassword b\r\n", [("h", "a", "b")]),
        ("machine h login a password b machine g login c password d", [("h", "a", "b"), ("g", "c", "d")]),
        ("machine\nh\nlogin\na\npassword\nb\n", [("h", "a", "b")]),
        ("machine h # login z\n login a # password z\n password b # end", [("h", "a", "b")]),
        ("machine h login a password b#c", [("h", "a", "b#c")]),
        (
            "machine h login a password #c\nmachine g",
            [("h", "a", "#c"), ("g", None, None)],
        ),  # curl reads no password here
        ('machine "h" login "a b" password "b \\"c\\" \\\\"', [("h", "a b", 'b "c" \\')]),
        ('machine h login a password "b\\tc"', [("h", "a", "b\tc")]),
        ('machine h login a password ""', [("h", "a", "")]),
        ('machine h login a password "#b"', [("h", "a", "#b")]),
        ('machine h login a password p"q', [("h", "a", 'p"q')]),
        ('machine h login a password b\\"c', [("h", "a", 'b\\"c')]),
        ("machine h login machine password password", [("h", "machine", "password")]),
        ("machine h login macdef password b\n\nmachine g", [("h", "macdef", "b"), ("g", None, None)]),
        ("machine h login a password b\u00a0c\u2003d", [("h", "a", "b\u00a0c\u2003d")]),
        ("machine h login a password \udcff", [("h", "a", "\udcff")]),
        ("default login z password z", []),
        ("machine h login a default login z password z", [("h", "a", None)]),
        ("default login z machine h login a", [("h", "a", None)]),
        ("login z password z machine h", [("h", None, None)]),
        ("macdef m\nmachine g login z\n\nmachine h login a", [("h", "a", None)]),
        ("macdef m\r\nmachine g login z\r\n\r\nmachine h login a", [("h", "a", None)]),
        ('machine h login a\nmacdef m\nput "x\nmachine g', [("h", "a", None)]),
    ],
)
def test_parse_netrc(text: str, entries: list[tuple[str, str | None, str | None]]) -> None:
    parsed = parse_netrc(text)
    assert [(e.machine, e.login, e.password and e.password.reveal()) for e in parsed] == entries


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"\nmachine h {CANARY}", "n: line 2: expected machine, default, login, password, account or macdef"),
        (f"machine h\n{CANARY} machine", "n: line 2: expected machine, default, login, password, account or macdef"),
        (f"machine h login {CANARY} password\n\n", "n: line 1: expected a word after password"),
        ("#\n\nmachine", "n: line 3: expected a word after machine"),
        (f'machine h\npassword "{CANARY}\nlogin a', "n: line 2: a quoted word without its closing quote"),
        (f'machine h password "{CANARY}\\', "n: line 1: a quoted word without its closing quote"),
        (f'machine h\npassword "{CANARY}\\nDELE x"', "n: line 2: a password cannot contain a CR, LF or NUL"),
        (f'machine h login "{CANARY}\\r"', "n: line 1: a login cannot contain a CR, LF or NUL"),
        (f"machine h password {CANARY}\0", "n: line 1: a password cannot contain a CR, LF or NUL"),
    ],
)
def test_parse_netrc_names_the_line_and_never_the_word(text: str, message: str) -> None:
    with pytest.raises(LocalRead) as caught:
        parse_netrc(text, "n")
    assert caught.value.message == message


@given(
    st.lists(
        st.one_of(
            st.sampled_from(["machine ", "login ", "password ", "default ", "macdef ", "#", '"', "\\", "\n", "\r\n"]),
            st.text(max_size=5),
        ),
        max_size=30,
    )
)
def test_parse_netrc_of_anything_is_entries_or_one_error(pieces: list[str]) -> None:
    try:
        entries = parse_netrc("".join(pieces))
    except LocalRead:
        return
    for entry in entries:
        words = [entry.machine, entry.login or "", entry.password.reveal() if entry.password else ""]
        assert not any(bad in word for word in words for bad in "\r\n\0")


@given(st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"])))
def test_quoted_password_comes_back(password: str) -> None:
    quoted = password.replace("\\", "\\\\").replace('"', '\\"')
    (entry,) = parse_netrc(f'machine h password "{quoted}" login a\n')
    assert entry.password == Secret(password)
    assert entry.login == "a"


def test_read_netrc_takes_a_private_file_and_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "netrc"
    path.write_bytes(b"machine h login a password \xff")
    path.chmod(0o600)
    assert [(entry.machine, entry.login, entry.password) for entry in read_netrc(str(path))] == [
        ("h", "a", Secret("\udcff"))
    ]
    path.chmod(0o640)
    with pytest.raises(LocalRead, match=str(path)):
        read_netrc(str(path))


def test_read_netrc_has_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "netrc"
    path.touch(0o600)
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(LocalRead, match=str(path)):
        read_netrc(str(path))


def test_entries_do_not_show_the_password() -> None:
    assert CANARY not in str(parse_netrc(f"machine h login ada password {CANARY}\n"))


def test_a_private_file_is_read_and_its_descriptor_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "netrc"
    path.write_bytes(b"machine h login ad\xe9 password x\n")
    path.chmod(0o600)
    before = len(os.listdir("/proc/self/fd"))
    (entry,) = read_netrc(str(path))
    assert (entry.machine, entry.login) == ("h", "ad\udce9")
    path.chmod(0o640)
    with pytest.raises(LocalRead, match="mode 0640 gives other users access"):
        read_netrc(str(path))
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_fifo_without_a_writer_is_an_error_and_does_not_block(tmp_path: Path) -> None:
    path = tmp_path / "netrc"
    os.mkfifo(path, 0o600)
    with pytest.raises(LocalRead, match="expected a regular file"):
        read_netrc(str(path))


def test_chunks_end_with_an_error_beyond_the_size_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(MAX_BYTES))
    with open_to_read(str(path)) as descriptor:
        assert sum(map(len, read_chunks(descriptor, "file"))) == MAX_BYTES
    path.write_bytes(bytes(MAX_BYTES + 1))
    with pytest.raises(LocalRead, match=f"^file: over {MAX_BYTES} bytes$"), open_to_read(str(path)) as descriptor:
        list(read_chunks(descriptor, "file"))


def test_an_error_while_reading_is_local_read(tmp_path: Path) -> None:
    with (
        pytest.raises(LocalRead, match="cannot be read: Is a directory"),
        open_to_read(str(tmp_path)) as descriptor,
    ):
        list(read_chunks(descriptor, "folder"))
