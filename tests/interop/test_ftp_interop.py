"""FTP: our client against vsftpd, ProFTPD and pure-ftpd; curl, lftp and wget against our server."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from foreign import UNPACKED, missing, program, root, run, serving
from program import inetcli

from mockservers import FtpServer

DATA = os.urandom(1_500_000)


@pytest.fixture
def tree() -> Iterator[Path]:
    """A folder with something to get, readable for whatever user the server becomes: tmp_path is for ours alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        (path / "root" / "pub").mkdir(parents=True)
        (path / "root" / "pub" / "a.bin").write_bytes(DATA)
        (path / "root").chmod(0o555)
        (path / "empty").mkdir()
        yield path


VSFTPD = """listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
anonymous_enable=YES
anon_root={tree}/root
ftp_username=ftp
nopriv_user=nobody
no_anon_password=NO
secure_chroot_dir={tree}/empty
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
xferlog_enable=NO
"""
VSFTPD_TLS = """ssl_enable=YES
allow_anon_ssl=YES
force_anon_data_ssl=YES
force_anon_logins_ssl=YES
rsa_cert_file={cert}
rsa_private_key_file={cert}
require_ssl_reuse=YES
ssl_ciphers=HIGH
"""
PROFTPD = """{modules}ServerName t
ServerType standalone
DefaultAddress 127.0.0.1
Port {port}
SocketBindTight on
UseIPv6 off
UseReverseDNS off
PidFile {tree}/pid
ScoreboardFile none
DelayEngine off
WtmpLog off
TransferLog none
SystemLog {tree}/sys.log
AuthPAM off
RequireValidShell off
User nobody
Group nogroup
{tls}
<Anonymous {tree}/root>
 User ftp
 Group nogroup
 UserAlias anonymous ftp
 RequireValidShell off
</Anonymous>
"""
PROFTPD_TLS = """LoadModule mod_tls.c
TLSEngine on
TLSRequired on
TLSRSACertificateFile {cert}
TLSRSACertificateKeyFile {cert}
TLSProtocol TLSv1.2 TLSv1.3
"""


def rsa_certificate(tree: Path) -> str:
    """ProFTPD's RSA directives want an RSA key: one of our own for localhost, signed by itself, is its own CA."""
    path = tree / "rsa.pem"
    key, cert = tree / "rsa.key", tree / "rsa.crt"
    subprocess.run(
        [
            *(program("openssl"), "req", "-new", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    path.write_bytes(key.read_bytes() + cert.read_bytes())
    path.chmod(0o600)
    return str(path)


def ftp_home() -> Path:
    """The home of the user ftp: vsftpd wants it to be there, pure-ftpd serves it to everybody."""
    import pwd

    try:
        home = Path(pwd.getpwnam("ftp").pw_dir)
    except KeyError:
        missing("there is no user ftp")
        raise
    home.mkdir(parents=True, exist_ok=True)
    return home


@pytest.fixture(params=["vsftpd", "vsftpd-tls", "proftpd", "proftpd-tls", "pure-ftpd"])
def server(request: pytest.FixtureRequest, tree: Path) -> Iterator[tuple[str, list[str]]]:
    """A real server: its name, and the options and scheme that it takes."""
    root()
    home = ftp_home()
    kind = str(request.param)
    name = program(kind.removesuffix("-tls"))
    cert = rsa_certificate(tree) if kind.endswith("-tls") else ""

    def command(port: int) -> list[str]:
        config = tree / "config"
        match kind:
            case "vsftpd" | "vsftpd-tls":
                text = VSFTPD.format(port=port, tree=tree)
                config.write_text(text + (VSFTPD_TLS.format(cert=cert) if cert else ""))
                config.chmod(0o600)
                return [name, str(config)]
            case "proftpd" | "proftpd-tls":
                unpacked = os.environ.get(UNPACKED)
                modules = f"ModulePath {unpacked}/usr/lib/proftpd\n" if unpacked else ""
                tls = PROFTPD_TLS.format(cert=cert) if cert else ""
                config.write_text(PROFTPD.format(port=port, tree=tree, modules=modules, tls=tls))
                return [name, "-n", "-c", str(config)]
            case _:
                return [name, "-S", f"127.0.0.1,{port}", "-e", "-H"]

    if kind == "pure-ftpd":
        if home == Path("/"):
            missing("the user ftp lives in /, which is no place for test files")
        (home / "pub").mkdir(exist_ok=True)
        (home / "pub" / "a.bin").write_bytes(DATA)
    with serving(tree, command) as running, ExitStack() as stack:
        if kind == "pure-ftpd":
            stack.callback(shutil.rmtree, home / "pub")
        options = ["--ca", str(tree / "rsa.crt")] if cert else []
        yield kind, [*options, f"{'ftpes' if cert else 'ftp'}://localhost:{running.port}"]


def test_our_client_gets_files_from_servers_that_we_did_not_write(
    server: tuple[str, list[str]], tmp_path: Path
) -> None:
    kind, (*options, url) = server
    down = tmp_path / "down"
    down.mkdir()
    done = inetcli("ftp", "get", "--json", *options, f"{url}/pub/a.bin", cwd=down)
    assert done.code == 0, done.err
    assert (down / "a.bin").read_bytes() == DATA
    assert (done.row["verified"], done.row["size"]) == ("size", len(DATA))
    assert done.row.get("tls", {}).get("peer_verified", True) is True
    absent = inetcli("ftp", "get", *options, f"{url}/pub/nope", cwd=down)
    assert (absent.code, absent.err.count("\n")) == (78, 1)
    denied = inetcli("ftp", "get", *options, "--user", "nobody-here", "--password-file", "/etc/hostname", f"{url}/x")
    assert denied.code == (78 if kind == "pure-ftpd" else 67)  # with -e it takes everybody for anonymous
    several = inetcli("ftp", "get", "-P", "more", *options, f"{url}/pub/a.bin", f"{url}/nope", cwd=down)
    assert several.code == 78
    assert (down / "more" / "a.bin").read_bytes() == DATA


@pytest.mark.parametrize("tls", [None, "explicit"])
def test_curl_gets_what_our_server_has(tls: str | None, tmp_path: Path) -> None:
    with FtpServer({"a.bin": DATA}, tls=tls) as mock:
        trust = ["--ssl-reqd", "--cacert", str(mock.ca_file)] if tls else []
        done = run("curl", "-sS", *trust, f"ftp://127.0.0.1:{mock.port}/a.bin")
        assert (done.code, done.stdout) == (0, DATA), done.err
        assert run("curl", "-sS", *trust, f"ftp://127.0.0.1:{mock.port}/nope").code == 78
        upload = run("curl", "-sS", *trust, "-T", "-", f"ftp://127.0.0.1:{mock.port}/incoming/up", stdin=b"uploaded")
        assert upload.code == 0, upload.err
        assert mock.files["/incoming/up"] == b"uploaded"
        assert b"a.bin" in run("curl", "-sS", *trust, f"ftp://127.0.0.1:{mock.port}/").stdout


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("RETR:fin@100", 18),
        ("RETR:reply(550 no)", 78),
        ("PASS:reply(530 no)", 67),
        ("connect:refuse", 7),
    ],
)
def test_what_curl_sees_of_our_faults(fault: str, code: int) -> None:
    with FtpServer({"a.bin": DATA}, faults=[fault]) as mock:
        assert run("curl", "-sS", f"ftp://127.0.0.1:{mock.port}/a.bin").code == code


def test_wget_and_lftp_get_what_our_server_has(tmp_path: Path) -> None:
    with FtpServer({"pub/a.bin": DATA}) as mock:
        done = run("wget", "-q", "-O", "-", f"ftp://127.0.0.1:{mock.port}/pub/a.bin")
        assert (done.code, done.stdout) == (0, DATA)
        script = f"set net:max-retries 1; open ftp://127.0.0.1:{mock.port}; get pub/a.bin -o {tmp_path}/b.bin"
        done = run("lftp", "-c", script)
        assert done.code == 0, done.err
        assert (tmp_path / "b.bin").read_bytes() == DATA
    with FtpServer({"pub/a.bin": DATA}, tls="explicit", require_tls=True, require_reuse=True) as mock:
        secure = f"set ssl:ca-file {mock.ca_file}; set ftp:ssl-force true; set ftp:ssl-allow-anonymous true; "
        script = f"{secure}set net:max-retries 1; open ftp://localhost:{mock.port}; get pub/a.bin -o {tmp_path}/c.bin"
        done = run("lftp", "-c", script)
        assert done.code == 0, done.err
        assert (tmp_path / "c.bin").read_bytes() == DATA
