"""The sources of user names and passwords, and the cases in which a source must not be used.

Every password is a canary: no error and no note may contain it.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from inetcli.errors import LocalRead, MalformedTarget, Usage
from inetcli.net.credentials import (
    CredentialOptions,
    Credentials,
    Login,
    PasswordFile,
    Scheme,
    clear_text_note,
    find_credentials,
    parse_login_target,
    read_password_file,
    resolve_login,
)
from inetcli.net.netrc import MAX_BYTES
from inetcli.net.session import Network, Session
from inetcli.net.trust import TlsMode
from inetcli.secret import Secret

CANARY = "c4n4ry"
HOST = "ftp.example.net"
NETRC = f"machine {HOST} login ada password {CANARY}\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder for the test, without a netrc file."""
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


def found(user: str, password: str | None, source: str) -> tuple[Credentials, list[str]]:
    return Credentials(user, None if password is None else Secret(password), source), []


# The order of the sources.


def test_no_source_gives_no_credentials() -> None:
    assert find() == (None, [])


def test_target_comes_first(home: Path, tmp_path: Path) -> None:
    write(home / ".netrc", NETRC)
    password_file = write(tmp_path / "password", "another")
    assert find(url_user="bob", url_password=CANARY, user="carl", password_file=password_file) == found(
        "bob", CANARY, "url"
    )


def test_option_comes_before_netrc(home: Path, tmp_path: Path) -> None:
    write(home / ".netrc", NETRC)
    password_file = write(tmp_path / "password", "another")
    assert find(user="ada", password_file=password_file) == found("ada", "another", "option")


def test_user_of_the_target_takes_the_password_file(tmp_path: Path) -> None:
    assert find(url_user="bob", password_file=write(tmp_path / "password", CANARY)) == found("bob", CANARY, "url")


def test_password_file_of_one_user_is_not_for_another(tmp_path: Path) -> None:
    password_file = write(tmp_path / "password", CANARY)
    assert find(url_user="bob", user="ada", password_file=password_file) == found("bob", None, "url")


def test_netrc_gives_user_and_password(home: Path) -> None:
    write(home / ".netrc", NETRC)
    assert find() == found("ada", CANARY, "netrc")


@pytest.mark.parametrize("where", ["url_user", "user"])
def test_netrc_gives_the_password_of_the_same_user_only(home: Path, where: str) -> None:
    write(home / ".netrc", f"machine {HOST} login eve password 666\n" + NETRC)
    assert find(**{where: "ada"}) == found("ada", CANARY, "netrc")  # type: ignore[arg-type]
    assert find(**{where: "bob"})[0] == Credentials("bob", None, "option" if where == "user" else "url")  # type: ignore[arg-type]


def test_netrc_user_takes_the_password_file(home: Path, tmp_path: Path) -> None:
    write(home / ".netrc", f"machine {HOST} login ada\n")
    assert find(password_file=write(tmp_path / "password", CANARY)) == found("ada", CANARY, "netrc")


def test_password_file_without_a_user_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(Usage, match="--password-file without a user name: expected --user NAME"):
        find(password_file=write(tmp_path / "password", CANARY))


def test_first_entry_of_a_host_wins(home: Path) -> None:
    write(home / ".netrc", NETRC + f"machine {HOST} login bob password 2\n")
    assert find() == found("ada", CANARY, "netrc")


def test_entry_without_a_login_is_skipped(home: Path) -> None:
    write(home / ".netrc", f"machine {HOST} password 666\n" + NETRC)
    assert find() == found("ada", CANARY, "netrc")


@pytest.mark.parametrize("user", ["a\r\nDELE x", "a\nb", "a\0"])
def test_user_name_that_could_inject_commands_is_wrong_usage(user: str) -> None:
    with pytest.raises(Usage, match="cannot contain a CR, LF or NUL"):
        find(user=user)


# The hosts and the cases for which netrc is used.


@pytest.mark.parametrize("host", ["FTP.example.NET", HOST])
def test_host_is_compared_without_case(home: Path, host: str) -> None:
    write(home / ".netrc", f"machine Ftp.Example.net login ada password {CANARY}\n")
    assert find(host=host) == found("ada", CANARY, "netrc")


@pytest.mark.parametrize("host", ["example.net", "a.ftp.example.net", "ftp.example.net.", "ftp.example.ne", "ftp"])
def test_host_must_be_exactly_the_same(home: Path, host: str) -> None:
    write(home / ".netrc", NETRC)
    assert find(host=host) == (None, [])


def test_default_entry_is_never_used(home: Path) -> None:
    write(home / ".netrc", f"default login ada password {CANARY}\n")
    assert find() == (None, [])


def test_default_entry_does_not_change_the_machine_before_it(home: Path) -> None:
    write(home / ".netrc", f"{NETRC} default login eve password 666\n")
    assert find() == found("ada", CANARY, "netrc")


def test_netrc_is_not_used_with_insecure(home: Path) -> None:
    path = write(home / ".netrc", NETRC)
    assert find(insecure=True) == (None, [f"{path}: not used with --insecure"])
    assert find(insecure=True, netrc_file=path) == (None, [f"{path}: not used with --insecure"])


def test_netrc_is_not_used_in_clear_text_unless_allowed(home: Path) -> None:
    path = write(home / ".netrc", NETRC)
    note = f"{path}: not used in clear text; a URL with its scheme, or --tls off, allows it"
    assert find(clear_text_ok=False) == (None, [note])


def test_netrc_without_the_host_is_not_in_the_notes(home: Path) -> None:
    write(home / ".netrc", NETRC)
    assert find(host="other.example", insecure=True) == (None, [])
    assert find(host="other.example", clear_text_ok=False) == (None, [])


def test_unfit_netrc_that_would_not_be_used_is_not_in_the_notes(home: Path) -> None:
    write(home / ".netrc", NETRC, 0o644)
    assert find(insecure=True) == (None, [])
    assert find(clear_text_ok=False) == (None, [])


def test_netrc_is_not_in_the_notes_when_the_password_is_known(home: Path) -> None:
    write(home / ".netrc", NETRC, 0o644)
    assert find(url_user="bob", url_password="x") == found("bob", "x", "url")


# The choice of the netrc file.


def test_environment_names_the_file(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home / ".netrc", f"machine {HOST} login eve password 666\n")
    monkeypatch.setenv("NETRC", write(tmp_path / "netrc", NETRC))
    assert find() == found("ada", CANARY, "netrc")


def test_option_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETRC", write(tmp_path / "other", f"machine {HOST} login eve password 666\n"))
    assert find(netrc_file=write(tmp_path / "netrc", NETRC)) == found("ada", CANARY, "netrc")


def test_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(LocalRead, match="missing: cannot be read: No such file or directory") as caught:
        find(netrc_file=str(tmp_path / "missing"))
    assert caught.value.exit_code == 26


Spoil = Callable[[Path], object]
UNFIT: dict[str, tuple[Spoil, str]] = {
    "group-reads": (lambda path: path.chmod(0o640), "mode 0640 gives other users access; expected 0600"),
    "others-read": (lambda path: path.chmod(0o604), "mode 0604 gives other users access"),
    "others-write": (lambda path: path.chmod(0o602), "mode 0602 gives other users access"),
    "fifo": (lambda path: (path.unlink(), os.mkfifo(path, 0o600)), "expected a regular file"),
    "folder": (lambda path: (path.unlink(), path.mkdir(0o700)), "expected a regular file"),
    "dangling": (lambda path: (path.unlink(), path.symlink_to("nowhere")), "No such file or directory"),
    "no-netrc": (lambda path: path.write_text(f"password: {CANARY}\n"), "line 1: expected machine, default, login"),
    "too-large": (lambda path: path.write_text(NETRC * (MAX_BYTES // len(NETRC) + 1)), f"over {MAX_BYTES} bytes"),
}


@pytest.mark.parametrize(("spoil", "why"), UNFIT.values(), ids=UNFIT)
def test_unfit_file_is_skipped_with_a_note(home: Path, spoil: Spoil, why: str) -> None:
    path = Path(write(home / ".netrc", NETRC))
    spoil(path)
    credentials, notes = find()
    assert credentials is None
    assert len(notes) == 1
    assert notes[0].startswith(f"netrc not used: {path}: ")
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
def test_file_of_another_user_is_skipped_with_a_note(home: Path) -> None:
    path = write(home / ".netrc", NETRC)
    os.chown(path, 65534, 65534)
    assert find() == (None, [f"netrc not used: {path}: owned by user 65534; expected the current user (0)"])


def test_link_to_a_private_file_is_used(home: Path, tmp_path: Path) -> None:
    write(tmp_path / "netrc", NETRC)
    (home / ".netrc").symlink_to(tmp_path / "netrc")
    assert find() == found("ada", CANARY, "netrc")


def test_credentials_do_not_show_the_password(home: Path) -> None:
    write(home / ".netrc", NETRC)
    assert CANARY not in str(find())


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
        ("", "expected a password in the first line, got nothing"),
        ("\n" + CANARY, "expected a password in the first line, got nothing"),
        ("\r\n" + CANARY, "expected a password in the first line, got nothing"),
        (f"{CANARY}\rDELE x\n", "a password cannot contain a CR or NUL"),
        (f"{CANARY}\0\n", "a password cannot contain a CR or NUL"),
        ("x" * (MAX_BYTES + 1), f"over {MAX_BYTES} bytes"),
    ],
)
def test_password_file_without_a_password(tmp_path: Path, text: str, why: str) -> None:
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
    """The mode of a file that the user names is not checked: files in /run/secrets often have mode 0444."""
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


def test_password_from_a_pipe_is_used_for_all_targets() -> None:
    """A pipe such as `<(pass x)` can be read once; targets and retries need the password again, on several threads."""
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
        (Credentials("ada", Secret(CANARY), "url"), "192.0.2.1", "sending the password in clear text to 192.0.2.1"),
        (Credentials("ada", Secret(CANARY), "url"), "2001:db8::1", "sending the password in clear text to 2001:db8::1"),
    ],
)
def test_password_in_clear_text_gives_a_note(credentials: Credentials | None, peer: str, note: str | None) -> None:
    assert clear_text_note(credentials, peer) == note


# Targets of protocols with logins, and the login for them.

SCHEMES = {
    "ftp": Scheme(21, TlsMode.OFF),
    "ftpes": Scheme(21, TlsMode.EXPLICIT),
    "ftps": Scheme(990, TlsMode.IMPLICIT),
}


@pytest.mark.parametrize(
    ("text", "tls", "scheme", "port"),
    [
        ("host/a", None, "ftp", 21),
        ("host/a", TlsMode.OFF, "ftp", 21),
        ("host/a", TlsMode.EXPLICIT, "ftpes", 21),
        ("host/a", TlsMode.IMPLICIT, "ftps", 990),
        ("host:2121/a", TlsMode.IMPLICIT, "ftps", 2121),
        ("ftps://host/a", None, "ftps", 990),
        ("ftp://host/a", TlsMode.IMPLICIT, "ftp", 21),  # A scheme in the target decides the port.
    ],
)
def test_the_tls_mode_gives_a_target_without_a_scheme_its_port(
    text: str, tls: TlsMode | None, scheme: str, port: int
) -> None:
    target = parse_login_target(text, SCHEMES, tls)
    assert (target.scheme, target.port) == (scheme, port)


def test_the_first_scheme_is_the_default_where_none_has_the_tls_mode() -> None:
    target = parse_login_target("host/a", {"nntp": Scheme(119, TlsMode.EXPLICIT)}, TlsMode.IMPLICIT)
    assert (target.scheme, target.port) == ("nntp", 119)


def test_a_scheme_of_another_protocol_is_a_malformed_target() -> None:
    with pytest.raises(MalformedTarget):
        parse_login_target("http://host/a", SCHEMES, None)


def login(
    text: str, *, tls: TlsMode | None = None, session: Session | None = None, **options: object
) -> tuple[Login, list[str]]:
    """Resolve the login for a target. Returns it with the notes of the session."""
    session = session or Network().session()
    target = parse_login_target(text, SCHEMES, tls)
    resolved = resolve_login(session, target, SCHEMES, tls, CredentialOptions(**options))  # type: ignore[arg-type]
    return resolved, session.attempt.notes


@pytest.mark.parametrize(
    ("text", "tls", "mode"),
    [
        ("host/a", None, TlsMode.OFF),
        ("ftpes://host/a", None, TlsMode.EXPLICIT),
        ("ftps://host/a", None, TlsMode.IMPLICIT),
        ("ftp://host/a", TlsMode.EXPLICIT, TlsMode.EXPLICIT),
        ("ftps://host/a", TlsMode.OFF, TlsMode.OFF),
    ],
)
def test_the_option_has_precedence_over_the_scheme_for_the_tls_mode(
    text: str, tls: TlsMode | None, mode: TlsMode
) -> None:
    assert login(text, tls=tls) == (Login(mode, None), [])


@pytest.mark.parametrize(
    ("text", "tls"),
    [
        (f"ftp://{HOST}/a", None),
        (f"ftpes://{HOST}/a", None),
        (f"{HOST}/a", TlsMode.OFF),
        (f"{HOST}/a", TlsMode.EXPLICIT),
    ],
)
def test_netrc_is_used_with_tls_or_where_the_user_chose_clear_text(home: Path, text: str, tls: TlsMode | None) -> None:
    write(home / ".netrc", NETRC)
    resolved, notes = login(text, tls=tls)
    assert resolved.credentials == Credentials("ada", Secret(CANARY), "netrc")
    assert notes == []


def test_netrc_is_not_used_in_clear_text_for_a_target_without_a_scheme(home: Path) -> None:
    path = write(home / ".netrc", NETRC)
    resolved, notes = login(f"{HOST}/a")
    assert resolved == Login(TlsMode.OFF, None)
    assert notes == [f"{path}: not used in clear text; a URL with its scheme, or --tls off, allows it"]


def test_netrc_can_be_off_without_a_note(home: Path) -> None:
    write(home / ".netrc", NETRC)
    assert login(f"ftp://{HOST}/a", netrc=False) == (Login(TlsMode.OFF, None), [])


@pytest.mark.parametrize(
    ("user", "masked"), [("ada", True), ("anonymous", False), ("Anonymous", False), ("ftp", False), ("FTP", False)]
)
def test_the_password_is_masked_unless_the_login_is_anonymous(user: str, masked: bool) -> None:
    session = Network().session()
    resolved, _ = login(f"ftp://{user}:{CANARY}@{HOST}/a", session=session)
    assert resolved.credentials == Credentials(user, Secret(CANARY), "url")
    assert (CANARY not in session.network.secrets.mask(f"530 no entry for {CANARY}")) is masked


def test_a_login_has_the_errors_of_its_credentials(tmp_path: Path) -> None:
    with pytest.raises(LocalRead, match="missing: cannot be read"):
        login("ftp://host/a", netrc_file=str(tmp_path / "missing"))


# The file of --password-file.


def test_a_password_file_is_read_once_at_its_first_use(tmp_path: Path) -> None:
    path = tmp_path / "p"
    file = PasswordFile(str(path))
    with pytest.raises(LocalRead, match="cannot be read"):
        file.password()
    write(path, "first")
    assert file.password().reveal() == "first"
    write(path, "second")
    assert file.password().reveal() == "first"


def test_threads_that_ask_at_the_same_time_read_a_password_file_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    file = PasswordFile(str(tmp_path / "p"))
    passwords: list[str] = []
    readers = [threading.Thread(target=lambda: passwords.append(file.password().reveal())) for _ in range(4)]
    for reader in readers:
        reader.start()
    with open(tmp_path / "p", "wb", buffering=0) as fifo:
        fifo.write(f"{CANARY}\n".encode())
    for reader in readers:
        reader.join(20)
    assert passwords == [CANARY] * 4
