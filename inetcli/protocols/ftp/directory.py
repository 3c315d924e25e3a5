"""The listing of a remote folder with MLSD, LIST or NLST, in one format.

    MLSD path -> 150, facts, 226     a standard format, with sizes, and times in UTC
    500 | 502 | 504                  the server does not support MLSD: MLSD is not sent to the server again
    CWD path, LIST -a, CWD back      a dialect; without the path, which LIST may take for options or a pattern
    LIST                             if LIST -a listed nothing, because the server took -a for a name
    NLST                             names alone: without LIST, or if no line of LIST was understood

A path of a file gives its one entry: the server refuses MLSD for it, and MLST describes it, or LIST lists it.
"""

from dataclasses import dataclass, replace

from inetcli.errors import Denied, InetError, NotFound, Refused
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.errors import path_error
from inetcli.protocols.ftp.listing import Listing, parse_mlsx
from inetcli.protocols.ftp.model import Entry, EntryType, ListingCommand
from inetcli.protocols.ftp.transfer import retrieve_rows
from inetcli.protocols.ftp.wire import Command
from inetcli.wire.replies import Reply

UNKNOWN_COMMAND = (500, 502, 504)
"""The replies to a command that the server does not support (RFC 959 section 4.2.1)."""

_REFUSALS = (NotFound, Denied, Refused)


@dataclass(frozen=True, slots=True)
class Contents:
    """The entries of a folder in the server's order. `is_file`: the path is a file, and `entries` has its one entry."""

    entries: list[Entry]
    is_file: bool = False


def list_folder(control: Control, path: str) -> Contents:
    """List the folder or file at a path; an empty path is the login folder.

    Errors: `NotFound`, `Denied`, `Incomplete`, `TooLarge`, `Refused`, those of streams.
    """
    if control.server_state.mlsd:
        try:
            return Contents(_read(control, "MLSD", path, path)[0])
        except _REFUSALS as error:
            code = error.reply_code or 0
            if code in UNKNOWN_COMMAND:
                control.server_state.mlsd = False
            elif code // 100 != 5:
                raise
            else:
                entry, reply = _read_entry(control, path)
                if entry and entry.type is not EntryType.DIR:
                    return Contents([entry], is_file=True)
                if entry is None and control.server_state.mlsd:
                    # 501 means that the path is no folder (RFC 3659 section 7.2.1), even if nothing is there.
                    if (code, reply.code) == (501, 550):
                        raise path_error(f"{path}: cannot be listed", reply) from error
                    raise
    return _list(control, path)


def base_name(path: str) -> str:
    """Return the last component of a path."""
    return path.rstrip("/").rpartition("/")[2]


def _read_entry(control: Control, path: str) -> tuple[Entry | None, Reply]:
    """Request the entry of a path with MLST; return the entry (None = refused) and the reply.

    Servers with MLSD also support MLST.
    """
    reply = control.ask("MLST", path)
    if reply.code in UNKNOWN_COMMAND:
        control.server_state.mlsd = False
    if reply.code != 250 or len(reply.lines) < 3:
        return None, reply
    row = reply.lines[1].lstrip(" ").encode("utf-8", "surrogateescape")
    entry = parse_mlsx(row, control.encoding)
    return replace(entry, name=base_name(path)) if entry else None, reply


def _list(control: Control, path: str) -> Contents:
    login_folder = _login_folder_or_none(control) if path else ""
    cwd_reply = control.ask("CWD", path) if path and login_folder else None
    is_folder = not path or (cwd_reply is not None and cwd_reply.first == 2)
    # The server could take a path that begins with a dash for options.
    argument = "" if is_folder else f"./{path}" if path.startswith("-") else path
    try:
        if is_folder:
            entries, unparsed_count = _read_with_hidden(control, argument, path)
        else:
            entries, unparsed_count = _read(control, "LIST", argument, path)
        if unparsed_count and not entries:
            entries, _ = _read(control, "NLST", argument, path)
    except _REFUSALS as error:
        if error.reply_code in UNKNOWN_COMMAND:
            entries, _ = _read(control, "NLST", argument, path)
        elif not is_folder or error.reply_code not in (450, 550):
            raise
        else:
            entries = []  # Some servers reply to LIST of an empty folder with an error.
    finally:
        if path and is_folder and login_folder:
            _change_back(control, login_folder)
    if is_folder or cwd_reply is None:
        return Contents(entries)
    # Some servers use a name as a pattern and list all names that match.
    entries = [replace(entry, name=base_name(path)) for entry in entries if base_name(entry.name) == base_name(path)]
    if not entries:
        raise path_error(f"{path}: cannot be listed", cwd_reply)
    return Contents(entries[:1], is_file=True)


def _login_folder_or_none(control: Control) -> str | None:
    """Return the login folder; None = the server does not tell it, so that the client could not change back to it."""
    try:
        return control.login_folder()
    except Refused:
        return None


def _change_back(control: Control, login_folder: str) -> None:
    """Change to the login folder; if this fails, the connection is not reused."""
    try:
        if control.usable and control.ask("CWD", login_folder).first == 2:
            return
    except InetError:
        pass
    control.forbid_reuse()


def _read_with_hidden(control: Control, argument: str, path: str) -> tuple[list[Entry], int]:
    """Read a listing with hidden names: LIST -a, else LIST.

    MLSD always lists the names that begin with a dot. LIST does so only if the server passes -a to its `ls`.
    """
    try:
        entries, unparsed_count = _read(control, "LIST", "-a", path)
        if entries or unparsed_count:
            return entries, unparsed_count
    except _REFUSALS:
        if not control.usable:
            raise
    return _read(control, "LIST", argument, path)


def _read(control: Control, verb: str, argument: str, path: str) -> tuple[list[Entry], int]:
    """Read one listing; return its entries and the number of rows that could not be parsed, which a note reports."""
    today = control.session.network.clock.now().date()
    listing = Listing(ListingCommand(verb.lower()), today, control.encoding)
    entries: list[Entry] = []
    for rows in retrieve_rows(control, Command(verb, argument), f"{path or 'the folder'}: cannot be listed"):
        entries += listing.entries(rows)
    if listing.note:
        control.session.note(listing.note)
    return entries, listing.unparsed_count
