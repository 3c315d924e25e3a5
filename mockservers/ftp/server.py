"""FTP, whole and scriptable: files in memory or of a folder, TLS, active and passive data, faults everywhere.

RFC 959, 2228, 2389, 2428, 3659, 4217 and 7151, and the drafts of MFMT and HASH; `COMMANDS` is the list. The trigger
`data` is about the data connection, a command about its reply; on a command with a data connection faults act on the
data, since that is where the bytes are.

`tls="explicit"` offers AUTH TLS, `tls="implicit"` begins with it, data private unless told otherwise. `require_tls`
refuses USER before it and data without PROT P; `require_reuse` wants the data connection to resume the control
connection's TLS session, as vsftpd and ProFTPD do.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime

from mockservers.connection import Connection
from mockservers.content import FTP_FOLDERS, FTP_TIME, PASSWORD, USER, ftp_files
from mockservers.core import Server
from mockservers.faultkinds import Armed
from mockservers.ftp import access as ftpaccess
from mockservers.ftp import exchange as ftpexchange
from mockservers.ftp import files as ftpfiles
from mockservers.ftp import info as ftpinfo
from mockservers.ftp import lists as ftplists
from mockservers.ftp import ports as ftpports
from mockservers.ftp.folder import DirectoryStore
from mockservers.ftp.listing import STYLES
from mockservers.ftp.memory import MemoryStore
from mockservers.ftp.session import Command, Session, encode_reply
from mockservers.ftp.store import Files, Refusal, Store, normal, utc
from mockservers.tls.handshake import Tls

MAX_UPLOAD = 256 << 20
"""Bytes that a file may grow to; in memory, all files together."""

COMMANDS: dict[str, Command] = {
    "USER": Command(ftpaccess.user, login=False),
    "PASS": Command(ftpaccess.password, login=False),
    "ACCT": Command(ftpaccess.account, login=False),
    "REIN": Command(ftpaccess.reinitialize, login=False),
    "QUIT": Command(ftpaccess.leave, login=False),
    "HOST": Command(ftpaccess.host, login=False),
    "AUTH": Command(ftpaccess.secure, login=False),
    "PBSZ": Command(ftpaccess.buffer_size, login=False),
    "PROT": Command(ftpaccess.protect, login=False),
    "CCC": Command(ftpaccess.clear_command, login=False),
    "SYST": Command(ftpinfo.system, login=False),
    "FEAT": Command(ftpinfo.features, login=False),
    "OPTS": Command(ftpinfo.options, login=False),
    "HELP": Command(ftpinfo.help_, login=False),
    "STAT": Command(ftpinfo.status, login=False),
    "NOOP": Command(ftpinfo.nothing, login=False),
    "CLNT": Command(ftpinfo.client_name, login=False),
    "TYPE": Command(ftpinfo.type_),
    "MODE": Command(ftpinfo.mode),
    "STRU": Command(ftpinfo.structure),
    "ALLO": Command(ftpinfo.allocate),
    "PWD": Command(ftpfiles.where),
    "CWD": Command(ftpfiles.change_folder),
    "CDUP": Command(ftpfiles.up),
    "SIZE": Command(ftpfiles.size),
    "MDTM": Command(ftpfiles.modified),
    "MFMT": Command(ftpfiles.modify),
    "MLST": Command(ftpfiles.one_facts),
    "DELE": Command(ftpfiles.delete),
    "MKD": Command(ftpfiles.make_folder),
    "RMD": Command(ftpfiles.remove_folder),
    "RNFR": Command(ftpfiles.rename_from),
    "RNTO": Command(ftpfiles.rename_to),
    "HASH": Command(ftpfiles.digest),
    "SITE": Command(ftpfiles.site),
    "EPSV": Command(ftpports.extended_passive),
    "PASV": Command(ftpports.passive),
    "EPRT": Command(ftpports.extended_port),
    "PORT": Command(ftpports.port),
    "REST": Command(ftpexchange.restart),
    "RETR": Command(ftpexchange.retrieve),
    "STOR": Command(ftpexchange.store),
    "STOU": Command(ftpexchange.store_unique),
    "APPE": Command(ftpexchange.append),
    "LIST": Command(ftplists.long_list),
    "NLST": Command(ftplists.names),
    "MLSD": Command(ftplists.machine_list, feature="MLST"),
    "ABOR": Command(ftpexchange.abort),
}
"""What there is. `feature`: switched off together with that one."""

ALIASES = {"XPWD": "PWD", "XCWD": "CWD", "XCUP": "CDUP", "XMKD": "MKD", "XRMD": "RMD"}
"""Names from before RFC 959, which RFC 1123 section 4.1.3.1 keeps alive."""

SWITCHES = frozenset((*COMMANDS, *ftpinfo.FEATURES))
"""What `features=` can switch."""


class FtpServer(Server):
    """An FTP server.

    `files`: paths and their bytes, relative ones from "/"; `links`: symbolic links, path to target; `times`: when
    something was modified. Or `directory`: a folder of the disk, served as it is, and nothing outside it. `files` is
    also what a test looks into afterwards: a live mapping of absolute paths to bytes.

    `users` and `anonymous`: who may come; everybody may write unless `read_only`. `listing`: the style of LIST, `unix`,
    `dos` or `eplf`. `announce`: the 150 tells the size, as vsftpd's does. `features`: what FEAT does not tell and
    commands that are refused, as in `{"MLST": False}`. `greeting`: the text of the 220, several lines by LF. `clock`:
    what time it is, for uploads and LIST.
    """

    def __init__(
        self,
        files: Mapping[str, bytes] | None = None,
        *,
        directory: str | os.PathLike[str] | None = None,
        links: Mapping[str, str] | None = None,
        times: Mapping[str, datetime] | None = None,
        users: Mapping[str, str] | None = None,
        anonymous: bool = True,
        read_only: bool = False,
        tls: str | None = None,
        require_tls: bool = False,
        require_reuse: bool = False,
        greeting: str = "mock FTP server ready",
        listing: str = "unix",
        announce: bool = False,
        features: Mapping[str, bool] | None = None,
        max_upload: int = MAX_UPLOAD,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        host: str = "127.0.0.1",
        port: int = 0,
        faults: Iterable[str | Armed] = (),
    ) -> None:
        if tls not in (None, "explicit", "implicit"):
            raise ValueError(f"tls: expected None, 'explicit' or 'implicit', got {tls!r}")
        if (require_tls or require_reuse) and not tls:
            raise ValueError("require_tls and require_reuse need tls='explicit' or 'implicit'")
        if listing not in STYLES:
            raise ValueError(f"listing: expected one of {', '.join(STYLES)}, got {listing!r}")
        if unknown := sorted(set(features or {}) - SWITCHES):
            raise ValueError(f"features: no {', '.join(unknown)} here; known: {', '.join(sorted(SWITCHES))}")
        self._off = frozenset(name for name, on in (features or {}).items() if not on)
        self._clock = clock
        self.users = dict({USER: PASSWORD} if users is None else users)
        self.anonymous = anonymous
        self.read_only = read_only
        self.require_tls = require_tls
        self.require_reuse = require_reuse
        self.greeting = greeting
        self.listing = listing
        self.announce = announce
        self.max_upload = max_upload
        self.tls = tls
        self.security = Tls() if tls else None
        self.name = self.scheme = {"explicit": "ftpes", "implicit": "ftps"}.get(tls or "", "ftp")
        self.store = self._make_store(files, directory, links)
        try:
            for path, moment in (times or {}).items():
                self.store.set_modified(normal(path), utc(moment))
            self.files = Files(self.store)
            self.bait = MemoryStore(self.now)
            super().__init__(host=host, port=port, faults=faults)
            self.log.add_passwords(self.users)
        except BaseException:
            self.store.close()
            raise

    def _make_store(
        self,
        files: Mapping[str, bytes] | None,
        directory: str | os.PathLike[str] | None,
        links: Mapping[str, str] | None,
    ) -> Store:
        if directory is not None:
            if files is not None or links is not None:
                raise ValueError("directory serves what is in it: files and links are for a tree in memory")
            return DirectoryStore(directory)
        store = MemoryStore(self.now)
        store.fill(ftp_files() if files is None else files, folders=FTP_FOLDERS, links=links, modified=FTP_TIME)
        return store

    @property
    def ca_file(self) -> str | None:
        return self.security.ca_file if self.security else None

    def env(self) -> dict[str, str]:
        user, password = next(iter(self.users.items()), ("", ""))
        prefix = f"MOCK_{self.name.upper()}"
        return super().env() | {f"{prefix}_USER": user, f"{prefix}_PASSWORD": password}

    def now(self) -> datetime:
        """The time by the clock of this server, in UTC."""
        return utc(self._clock())

    def modified(self, path: str) -> datetime:
        """When a path was modified, for the test that owns the server. KeyError when it is not there."""
        try:
            return self.store.entry(normal(path)).modified
        except Refusal:
            raise KeyError(path) from None

    def offers(self, name: str) -> bool:
        """Whether a command or a line of FEAT is not switched off."""
        return name not in self._off

    def tree(self, path: str) -> Store:
        """The store that has something there; the bait of hostile listings only when the own one has not."""
        for store in (self.store, self.bait):
            try:
                store.entry(path)
            except Refusal:
                continue
            return store
        return self.store

    def check_writable(self) -> None:
        """`Refusal` when nobody may change anything here."""
        if self.read_only:
            raise Refusal(550, "permission denied: nothing may be changed here")

    def stop(self) -> None:
        try:
            super().stop()
        finally:
            self.store.close()

    async def serve(self, client: Connection) -> None:
        if self.tls == "implicit" and self.security:
            await client.start_tls(self.security)
        await client.send(encode_reply(220, self.greeting))
        commands = COMMANDS | {alias: COMMANDS[verb] for alias, verb in ALIASES.items()}
        session = Session(self, client, commands)
        session.protection.private = self.tls == "implicit"
        await session.converse()
