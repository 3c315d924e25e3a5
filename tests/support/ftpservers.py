"""FTP servers of other projects: vsftpd, ProFTPD and pure-ftpd, each without and with TLS.

The servers use the defaults of their packages, with write access added: anonymous logins may write (vsftpd, ProFTPD),
or a user with a password (pure-ftpd, which does not allow anonymous users to write). vsftpd and ProFTPD require TLS
session reuse, which is their default.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.foreign import UNPACKED, missing, program, root, serving
from support.program import Finished, inetcli

KINDS = ("vsftpd", "proftpd", "pure-ftpd")
USER, PASSWORD = "user", "a password"
NOBODY = pwd.getpwnam("nobody").pw_uid

VSFTPD = """listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
anonymous_enable=YES
anon_root={tree}/root
ftp_username=ftp
nopriv_user=nobody
no_anon_password=NO
anon_umask=022
anon_world_readable_only=NO
secure_chroot_dir={tree}/empty
seccomp_sandbox=NO
isolate=NO
isolate_network=NO
xferlog_enable=NO
"""
VSFTPD_WRITES = """write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
"""
VSFTPD_CHANGES = "anon_other_write_enable=YES\n"
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
ScoreboardFile {tree}/scoreboard
DelayEngine off
WtmpLog off
TransferLog none
SystemLog {tree}/sys.log
AuthPAM off
RequireValidShell off
User nobody
Group nogroup
LoadModule mod_digest.c
DigestEngine on
{more}
<Anonymous {tree}/root>
 User ftp
 Group nogroup
 UserAlias anonymous ftp
 RequireValidShell off
 AllowOverwrite on
 AllowStoreRestart on
 AllowRetrieveRestart on
</Anonymous>
"""
PROFTPD_TLS = """LoadModule mod_tls.c
TLSEngine on
TLSRequired on
TLSRSACertificateFile {cert}
TLSRSACertificateKeyFile {cert}
TLSProtocol TLSv1.2 TLSv1.3
"""


@dataclass(frozen=True)
class Wanted:
    """The settings of a server.

    `tls`: the version that the client speaks, None = clear text. `passive`: the ports of the data connections. `host`:
    the address that the server announces for them. `per_client`: the maximum number of connections from one address.
    `drop_box`: anonymous users may upload files, and may not rename or remove them.
    """

    kind: str
    tls: str | None = None
    passive: range | None = None
    per_client: int | None = None
    drop_box: bool = False
    host: str | None = None


@dataclass(frozen=True)
class FtpPeer:
    """A running server. `root`: the folder of the login, with the folder `pub` to read and `up` to write."""

    wanted: Wanted
    port: int
    root: Path
    options: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    ca_file: Path | None = None

    @property
    def kind(self) -> str:
        """The name of the server program."""
        return self.wanted.kind

    def url(self, path: str = "", *, host: str = "127.0.0.1", port: int | None = None) -> str:
        """Return the URL of a path on the server."""
        if self.kind != "pure-ftpd":
            who = ""
        elif self.wanted.drop_box:
            who, path = "", f"{self.root.name}/{path}"
        else:
            who = f"{USER}@"
        return f"{'ftpes' if self.wanted.tls else 'ftp'}://{who}{host}:{port or self.port}/{path}"

    def run(self, command: str, *arguments: str, **how: object) -> Finished:
        """Run `inetcli ftp COMMAND` with the options and the environment that the server needs."""
        return inetcli("ftp", command, *self.options, *arguments, env=self.env, **how)  # type: ignore[arg-type]


@contextmanager
def tree() -> Iterator[Path]:
    """Make a folder that the user of a server can read; tmp_path is private to the user of the tests."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o755)
        (path / "root" / "pub").mkdir(parents=True)
        (path / "root" / "up").mkdir()
        (path / "root" / "up").chmod(0o777)
        (path / "root").chmod(0o555)
        (path / "empty").mkdir()
        yield path


@contextmanager
def ftp_server(wanted: Wanted) -> Iterator[FtpPeer]:
    """Start a server with an empty tree of its own, for the time of the `with`."""
    root()
    home = ftp_home()
    name = program(wanted.kind)
    with tree() as folder:
        cert = rsa_certificate(folder) if wanted.tls else None
        make = {"vsftpd": _vsftpd, "proftpd": _proftpd, "pure-ftpd": _pure_ftpd}[wanted.kind]
        command, options = make(name, folder, wanted, str(cert) if cert else "")
        if cert:
            options += ["--ca", str(cert.with_suffix(".crt"))]
        served = folder / "root"
        if wanted.kind == "pure-ftpd" and wanted.drop_box:
            served = _anonymous_folder(home)
        try:
            with serving(folder, command) as running:
                ca_file = cert.with_suffix(".crt") if cert else None
                yield FtpPeer(wanted, running.port, served, options, _at_most(folder, wanted.tls), ca_file)
        finally:
            if served.parent == home:
                shutil.rmtree(served)


def ftp_home() -> Path:
    """Return the home folder of the user ftp, which vsftpd requires and which pure-ftpd serves to anonymous users."""
    try:
        home = Path(pwd.getpwnam("ftp").pw_dir)
    except KeyError:
        missing("there is no user ftp")
        raise
    home.mkdir(parents=True, exist_ok=True)
    return home


def rsa_certificate(folder: Path) -> Path:
    """Make a self-signed certificate with an RSA key, as ProFTPD's directives require. Its CA file is `rsa.crt`."""
    path = folder / "rsa.pem"
    key, cert = folder / "rsa.key", folder / "rsa.crt"
    subprocess.run(
        [
            *(program("openssl"), "req", "-new", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    path.write_bytes(key.read_bytes() + cert.read_bytes())
    path.chmod(0o600)
    return path


def _at_most(folder: Path, version: str | None) -> dict[str, str]:
    """Return an environment that limits OpenSSL in the client to a TLS version."""
    if version is None:
        return {}
    config = folder / "openssl.cnf"
    config.write_text(
        "openssl_conf = conf\n[conf]\nssl_conf = ssl\n[ssl]\nsystem_default = system\n"
        f"[system]\nMaxProtocol = {version}\n"
    )
    return {"OPENSSL_CONF": str(config)}


Start = Callable[[int], list[str]]


def _vsftpd(name: str, folder: Path, wanted: Wanted, cert: str) -> tuple[Start, list[str]]:
    def command(port: int) -> list[str]:
        config = folder / "config"
        text = VSFTPD.format(port=port, tree=folder) + VSFTPD_WRITES
        text += "" if wanted.drop_box else VSFTPD_CHANGES
        text += VSFTPD_TLS.format(cert=cert) if cert else ""
        text += f"max_per_ip={wanted.per_client}\n" if wanted.per_client else ""
        text += f"pasv_address={wanted.host}\n" if wanted.host else ""
        if wanted.passive:
            text += f"pasv_min_port={wanted.passive[0]}\npasv_max_port={wanted.passive[-1]}\n"
        config.write_text(text)
        config.chmod(0o600)
        return [name, str(config)]

    return command, []


def _proftpd(name: str, folder: Path, wanted: Wanted, cert: str) -> tuple[Start, list[str]]:
    def command(port: int) -> list[str]:
        unpacked = os.environ.get(UNPACKED)
        more = PROFTPD_TLS.format(cert=cert) if cert else ""
        more += f"MaxClientsPerHost {wanted.per_client}\n" if wanted.per_client else ""
        more += f"PassivePorts {wanted.passive[0]} {wanted.passive[-1]}\n" if wanted.passive else ""
        more += f"MasqueradeAddress {wanted.host}\n" if wanted.host else ""
        modules = f"ModulePath {unpacked}/usr/lib/proftpd\n" if unpacked else ""
        config = folder / "config"
        config.write_text(PROFTPD.format(port=port, tree=folder, modules=modules, more=more))
        return [name, "-n", "-c", str(config)]

    return command, []


def _pure_ftpd(name: str, folder: Path, wanted: Wanted, cert: str) -> tuple[Start, list[str]]:
    options: list[str] = []
    who = ["-e"]
    if not wanted.drop_box:
        users, database, secret = folder / "users", folder / "users.pdb", folder / "secret"
        secret.write_text(f"{PASSWORD}\n")
        # The hash is not made by `pure-pw useradd`, because that hash takes seconds for each login.
        made = subprocess.run(
            [program("openssl"), "passwd", "-6", PASSWORD], check=True, capture_output=True, text=True
        )
        users.write_text(f"{USER}:{made.stdout.strip()}:{NOBODY}:{NOBODY}::{folder}/root/./::::::::::::\n")
        subprocess.run([_pure_pw(), "mkdb", str(database), "-f", str(users)], check=True, capture_output=True)
        who = ["-E", "-l", f"puredb:{database}"]
        options = ["--password-file", str(secret)]

    def command(port: int) -> list[str]:
        more = ["--tls=2", f"--certfile={cert}"] if cert else []
        more += ["-C", str(wanted.per_client)] if wanted.per_client else []
        more += ["-p", f"{wanted.passive[0]}:{wanted.passive[-1]}"] if wanted.passive else []
        more += ["-P", wanted.host] if wanted.host else []
        return [name, "-S", f"127.0.0.1,{port}", "-H", *who, *more]

    return command, options


def _pure_pw() -> str:
    unpacked = os.environ.get(UNPACKED)
    found = shutil.which("pure-pw", path=f"{unpacked}/usr/bin" if unpacked else None)
    if found is None:
        missing("pure-pw is not installed")
    return str(found)


def _anonymous_folder(home: Path) -> Path:
    """Make a folder for this server in the home of the user ftp, which pure-ftpd serves to anonymous users."""
    if home == Path("/"):
        missing("the user ftp lives in /, which is no place for test files")
    folder = Path(tempfile.mkdtemp(dir=home))
    for inside in (folder, folder / "pub", folder / "up"):
        inside.mkdir(exist_ok=True)
        inside.chmod(0o777)
    return folder
