"""Which user name and password are found, and that none is found where it may not be. Every password is a canary: no
error and no note may show one."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from inetcli.errors import LocalRead, Usage
from inetcli.net.credentials import (
    CredentialOptions,
    Credentials,
    PasswordFile,
    clear_text_note,
    find_credentials,
    read_password_file,
)
from inetcli.net.netrc import MAX_BYTES, parse_netrc
from inetcli.secret import Secret

CANARY = "c4n4ry"
HOST = "ftp.example.net"
NETRC = f"machine {HOST} login ada password {CANARY}\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home of our own, without a netrc file."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.delenv("NETRC", raising=False)
    return folder


def write(path: Path, text: str, mode: int = 0o600) -> str:
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    path.chmod(mode)
    return str(path)


def find(
    *,
    host: str = HOST,
    url_user: str | None = None,
    url_password: str | None = None,
    user: str | None = None,
    password_file: str | None = None,
    netrc_file: str | None = None,
    insecure: bool = False,
    clear_text_ok: bool = True,
) -> tuple[Credentials | None, list[str]]:
    return find_credentials(
        host,
        url_user=url_user,
        url_password=None if url_password is None else Secret(url_password),
        options=CredentialOptions(user, PasswordFile(password_file) if password_file else None, netrc_file, insecure),
        clear_text_ok=clear_text_ok,
    )


def who(user: str, password: str | None, source: str) -> tuple[Credentials, list[str]]:
    return Credentials(user, None if password is None else Secret(password), source), []


# The order of the sources.


def test_nothing_given_is_nobody() -> None:
    assert find() == (None, [])


def test_target_comes_first(home: Path, tmp_path: Path) -> None:
    write(home / ".netrc", NETRC)
    password_file = write(tmp_path / "password", "another")
    assert find(url_user="bob", url_password=CANARY, user="carl", password_file=password_file) == who(
        "bob", CANARY, "url"
    )


def test_option_comes_before_netrc(home: Path, tmp_path: Path) -> None:
    write(home / ".netrc", NETRC)
    password_file = write(tmp_path / "password", "another")
    assert find(user="ada", password_file=password_file) == who("ada", "another", "option")


def test_user_of_the_target_takes_the_password_file(tmp_path: Path) -> None:
    assert find(url_user="bob", password_file=write(tmp_path / "password", CANARY)) == who("bob", CANARY, "url")


def test_password_file_of_one_user_is_not_for_another(tmp_path: Path) -> None:
    password_file = write(tmp_path / "password", CANARY)
    assert find(url_user="bob", user="ada", password_file=password_file) == who("bob", None, "url")


def test_netrc_gives_user_and_password(home: Path) -> None:
    write(home / ".netrc", NETRC)
    assert find() == who("ada", CANARY, "netrc")


@pytest.mark.parametrize("where", ["url_user", "user"])
def test_netrc_gives_the_password_of_the_same_user_only(home: Path, where: str) -> None:
    write(home / ".netrc", f"machine {HOST} login eve password 666\n" + NETRC)
    assert find(**{where: "ada"}) == who("ada", CANARY, "netrc")  # type: ignore[arg-type]
    assert find(**{where: "bob"})[0] == Credentials("bob", None, "option" if where == "user" else "url")  # type: ignore[arg-type]


def test_netrc_user_takes_the_password_file(home: Path, tmp_path: Path) -> None:
    write(home / ".netrc", f"machine {HOST} login ada\n")
    assert find(password_file=write(tmp_path / "password", CANARY)) == who("ada", CANARY, "netrc")


def test_password_file_without_a_user_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="--password-file: whose"):
        find(password_file=write(tmp_path / "password", CANARY))


def test_first_entry_of_a_host_wins(home: Path) -> None:
    write(home / ".netrc", NETRC + f"machine {HOST} login bob password 2\n")
    assert find() == who("ada", CANARY, "netrc")


def test_entry_without_a_login_is_passed_over(home: Path) -> None:
    write(home / ".netrc", f"machine {HOST} password 666\n" + NETRC)
    assert find() == who("ada", CANARY, "netrc")


@pytest.mark.parametrize("user", ["a\r\nDELE x", "a\nb", "a\0"])
def test_user_that_would_write_commands_is_wrong_usage(user: str) -> None:
    with pytest.raises(Usage, match="cannot hold a CR, LF or NUL"):
        find(user=user)


# For which host, and when, netrc is used.


@pytest.mark.parametrize("host", ["FTP.example.NET", HOST])
def test_host_is_compared_without_case(home: Path, host: str) -> None:
    write(home / ".netrc", f"machine Ftp.Example.net login ada password {CANARY}\n")
    assert find(host=host) == who("ada", CANARY, "netrc")


@pytest.mark.parametrize("host", ["example.net", "a.ftp.example.net", "ftp.example.net.", "ftp.example.ne", "ftp"])
def test_host_must_be_exactly_the_same(home: Path, host: str) -> None:
    write(home / ".netrc", NETRC)
    assert find(host=host) == (None, [])


def test_default_entry_is_never_used(home: Path) -> None:
    write(home / ".netrc", f"default login ada password {CANARY}\n")
    assert find() == (None, [])


def test_default_entry_does_not_change_the_machine_before_it(home: Path) -> None:
    write(home / ".netrc", f"{NETRC} default login eve password 666\n")
    assert find() == who("ada", CANARY, "netrc")


def test_netrc_is_not_used_with_insecure(home: Path) -> None:
    path = write(home / ".netrc", NETRC)
    assert find(insecure=True) == (None, [f"{path}: not used with --insecure"])
    assert find(insecure=True, netrc_file=path) == (None, [f"{path}: not used with --insecure"])


def test_netrc_is_not_used_in_clear_text_unasked(home: Path) -> None:
    path = write(home / ".netrc", NETRC)
    note = f"{path}: not used in clear text, unless the target or --tls off says so"
    assert find(clear_text_ok=False) == (None, [note])


def test_netrc_that_knows_nothing_of_the_host_is_not_mentioned(home: Path) -> None:
    write(home / ".netrc", NETRC)
    assert find(host="other.example", insecure=True) == (None, [])
    assert find(host="other.example", clear_text_ok=False) == (None, [])


def test_unfit_netrc_that_would_not_be_used_is_not_mentioned(home: Path) -> None:
    write(home / ".netrc", NETRC, 0o644)
    assert find(insecure=True) == (None, [])
    assert find(clear_text_ok=False) == (None, [])


def test_netrc_is_not_mentioned_when_the_password_is_known(home: Path) -> None:
    write(home / ".netrc", NETRC, 0o644)
    assert find(url_user="bob", url_password="x") == who("bob", "x", "url")


# Which file.


def test_environment_names_the_file(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home / ".netrc", f"machine {HOST} login eve password 666\n")
    monkeypatch.setenv("NETRC", write(tmp_path / "netrc", NETRC))
    assert find() == who("ada", CANARY, "netrc")


def test_option_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", write(tmp_path / "other", f"machine {HOST} login eve password 666\n"))
    assert find(netrc_file=write(tmp_path / "netrc", NETRC)) == who("ada", CANARY, "netrc")


def test_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(LocalRead, match="missing: cannot be read: No such file or directory") as caught:
        find(netrc_file=str(tmp_path / "missing"))
    assert caught.value.exit_code == 26


Spoil = Callable[[Path], object]
UNFIT: dict[str, tuple[Spoil, str]] = {
    "group-reads": (lambda path: path.chmod(0o640), "mode 0640 lets others at it; expected 0600"),
    "others-read": (lambda path: path.chmod(0o604), "mode 0604 lets others at it"),
    "others-write": (lambda path: path.chmod(0o602), "mode 0602 lets others at it"),
    "fifo": (lambda path: (path.unlink(), os.mkfifo(path, 0o600)), "expected a regular file"),
    "folder": (lambda path: (path.unlink(), path.mkdir(0o700)), "expected a regular file"),
    "dangling": (lambda path: (path.unlink(), path.symlink_to("nowhere")), "No such file or directory"),
    "no-netrc": (lambda path: path.write_text(f"password: {CANARY}\n"), "line 1: expected machine, default, login"),
    "too-large": (lambda path: path.write_text(NETRC * (MAX_BYTES // len(NETRC) + 1)), f"over {MAX_BYTES} bytes"),
}


@pytest.mark.parametrize(("spoil", "why"), UNFIT.values(), ids=UNFIT)
def test_unfit_file_is_passed_over_with_a_note(home: Path, spoil: Spoil, why: str) -> None:
    path = Path(write(home / ".netrc", NETRC))
    spoil(path)
    found, notes = find()
    assert found is None
    assert len(notes) == 1
    assert notes[0].startswith(f"not used: {path}: ")
    assert why in notes[0]
    assert CANARY not in notes[0]


@pytest.mark.parametrize(("spoil", "why"), UNFIT.values(), ids=UNFIT)
def test_unfit_file_that_was_named_is_an_error(tmp_path: Path, spoil: Spoil, why: str) -> None:
    path = Path(write(tmp_path / "netrc", NETRC))
    spoil(path)
    with pytest.raises(LocalRead) as caught:
        find(netrc_file=str(path))
    assert why in caught.value.message
    assert CANARY not in caught.value.message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_file_of_somebody_else_is_passed_over(home: Path) -> None:
    path = write(home / ".netrc", NETRC)
    os.chown(path, 65534, 65534)
    assert find() == (None, [f"not used: {path}: belongs to user 65534, not to us (0)"])


def test_link_to_a_fit_file_will_do(home: Path, tmp_path: Path) -> None:
    write(tmp_path / "netrc", NETRC)
    (home / ".netrc").symlink_to(tmp_path / "netrc")
    assert find() == who("ada", CANARY, "netrc")


def test_entries_and_credentials_do_not_show_the_password(home: Path) -> None:
    write(home / ".netrc", NETRC)
    assert CANARY not in f"{parse_netrc(NETRC)} {find()}"


# A password file.


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("x", "x"),
        ("x\n", "x"),
        ("x\r\n", "x"),
        ("x\nuser: y\n", "x"),
        (" x \n", " x "),
        ("\tx#\"'\\\n", "\tx#\"'\\"),
        ("pässwörd\n", "pässwörd"),
        ("\udcff\n", "\udcff"),
        ("x" * 100_000 + "\n", "x" * 100_000),
    ],
)
def test_password_is_the_first_line(tmp_path: Path, text: str, password: str) -> None:
    assert read_password_file(write(tmp_path / "p", text)).reveal() == password


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "expected a password in the first line, which is empty"),
        ("\n" + CANARY, "expected a password in the first line, which is empty"),
        ("\r\n" + CANARY, "expected a password in the first line, which is empty"),
        (f"{CANARY}\rDELE x\n", "a password cannot hold a CR or NUL"),
        (f"{CANARY}\0\n", "a password cannot hold a CR or NUL"),
        ("x" * (MAX_BYTES + 1), f"over {MAX_BYTES} bytes"),
    ],
)
def test_password_file_that_holds_none(tmp_path: Path, text: str, why: str) -> None:
    path = write(tmp_path / "p", text)
    with pytest.raises(LocalRead) as caught:
        read_password_file(path)
    assert caught.value.message == f"{path}: {why}"


def test_password_file_that_cannot_be_read(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(LocalRead, match="missing: cannot be read: No such file or directory"):
        find(user="ada", password_file=str(tmp_path / "missing"))
    with pytest.raises(LocalRead, match="cannot be read: Is a directory"):
        find(user="ada", password_file=str(tmp_path))
    assert len(os.listdir("/proc/self/fd")) == before


def test_password_file_may_be_readable_to_all(tmp_path: Path) -> None:
    """It was named on the command line: what it is worth is the user's to know (/run/secrets is often 0444)."""
    assert read_password_file(write(tmp_path / "p", CANARY, 0o444)).reveal() == CANARY


def test_password_from_a_pipe_does_not_wait_for_its_end() -> None:
    reading, writing = os.pipe()
    os.write(writing, f"{CANARY}\nmore".encode())
    try:
        assert read_password_file(f"/dev/fd/{reading}").reveal() == CANARY
    finally:
        os.close(reading)
        os.close(writing)


def test_password_from_a_pipe_may_come_in_pieces(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")

    def send() -> None:
        with open(tmp_path / "p", "wb", buffering=0) as fifo:
            fifo.writelines(bytes([byte]) for byte in CANARY.encode() + b"\n")

    sender = threading.Thread(target=send)
    sender.start()
    assert read_password_file(str(tmp_path / "p")).reveal() == CANARY
    sender.join()


def test_password_from_a_pipe_is_for_all_targets() -> None:
    """`<(pass x)` gives its line once; targets and retries ask again and again, on several threads."""
    code = f"""
from concurrent.futures import ThreadPoolExecutor
from inetcli.net.credentials import CredentialOptions, PasswordFile, find_credentials
import sys
options = CredentialOptions("ada", PasswordFile(sys.argv[1]))
def find(host):
    return find_credentials(host, url_user=None, url_password=None, options=options, clear_text_ok=True)[0]
with ThreadPoolExecutor(4) as pool:
    print(*[found.password.reveal() == {CANARY!r} for found in pool.map(find, "abcdefgh")])
"""
    ran = subprocess.run(
        ["bash", "-c", f'exec "{sys.executable}" -c "$0" <(echo {CANARY})', code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.stdout.split(), ran.stderr) == (["True"] * 8, "")


# The note about clear text.


@pytest.mark.parametrize(
    ("credentials", "peer", "note"),
    [
        (None, "192.0.2.1", None),
        (Credentials("ada", None, "url"), "192.0.2.1", None),
        (Credentials("ada", Secret(CANARY), "url"), "127.0.0.1", None),
        (Credentials("ada", Secret(CANARY), "url"), "127.9.9.9", None),
        (Credentials("ada", Secret(CANARY), "url"), "::1", None),
        (Credentials("ada", Secret(CANARY), "url"), "192.0.2.1", "the password goes in clear text to 192.0.2.1"),
        (Credentials("ada", Secret(CANARY), "url"), "2001:db8::1", "the password goes in clear text to 2001:db8::1"),
    ],
)
def test_password_in_clear_text_is_told(credentials: Credentials | None, peer: str, note: str | None) -> None:
    assert clear_text_note(credentials, peer) == note
