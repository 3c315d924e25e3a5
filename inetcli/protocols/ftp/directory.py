"""The contents of a remote folder: MLSD, else LIST, else NLST, all in one form.

    MLSD path -> 150, facts, 226     a standard, with sizes, and times in UTC
    500 | 502 | 504                  this server has none: it is not asked again
    CWD path, LIST -a, CWD back      a dialect; LIST is not given the path, which it may take for options or a pattern
    LIST                             where -a is taken for a name: then nothing came
    NLST                             where there is no LIST, or not a line of it is understood: names alone

A path that is a file gives its one entry: MLSD refuses it, and MLST tells of it, or LIST lists it.
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
"""The replies to a command that the server does not have (RFC 959 section 4.2.1)."""

_REFUSALS = (NotFound, Denied, Refused)


@dataclass(frozen=True, slots=True)
class Contents:
    """The entries of a folder in the server's order; or `of_file`, the one of the file that the path is."""

    entries: list[Entry]
    of_file: bool = False


def list_folder(control: Control, path: str) -> Contents:
    """List what is at a path; an empty one is the folder of the login.

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
                entry, reply = _describe(control, path)
                if entry and entry.type is not EntryType.DIR:
                    return Contents([entry], of_file=True)
                if entry is None and control.server_state.mlsd:
                    # 501 says that it is no folder (RFC 3659 section 7.2.1), also of what is not there.
                    if (code, reply.code) == (501, 550):
                        raise path_error(f"{path}: not listed", reply) from error
                    raise
    return _list(control, path)


def base_name(path: str) -> str:
    """The last component of a path."""
    return path.rstrip("/").rpartition("/")[2]


def _describe(control: Control, path: str) -> tuple[Entry | None, Reply]:
    """Ask MLST for a path: the entry, None when it is refused; and the reply. There is MLST where there is MLSD."""
    reply = control.ask("MLST", path)
    if reply.code in UNKNOWN_COMMAND:
        control.server_state.mlsd = False
    if reply.code != 250 or len(reply.lines) < 3:
        return None, reply
    row = reply.lines[1].lstrip(" ").encode("utf-8", "surrogateescape")
    entry = parse_mlsx(row, control.encoding)
    return replace(entry, name=base_name(path)) if entry else None, reply


def _list(control: Control, path: str) -> Contents:
    home = _home(control) if path else ""
    entered = control.ask("CWD", path) if path and home else None
    inside = not path or (entered is not None and entered.first == 2)
    # A path in front of which there is nothing else could be taken for options.
    argument = "" if inside else f"./{path}" if path.startswith("-") else path
    try:
        entries, strange = _read_all(control, argument, path) if inside else _read(control, "LIST", argument, path)
        if strange and not entries:
            entries, _ = _read(control, "NLST", argument, path)
    except _REFUSALS as error:
        if error.reply_code in UNKNOWN_COMMAND:
            entries, _ = _read(control, "NLST", argument, path)
        elif not inside or error.reply_code not in (450, 550):
            raise
        else:
            entries = []  # some servers say of a folder with nothing in it that there are no files
    finally:
        if path and inside and home:
            _go_back(control, home)
    if inside or entered is None:
        return Contents(entries)
    # Some servers take a name for a pattern, and list what matches.
    entries = [replace(entry, name=base_name(path)) for entry in entries if base_name(entry.name) == base_name(path)]
    if not entries:
        raise path_error(f"{path}: not listed", entered)
    return Contents(entries[:1], of_file=True)


def _home(control: Control) -> str | None:
    """Return the folder of the login; None = the server does not tell, and there would be no way back."""
    try:
        return control.home()
    except Refused:
        return None


def _go_back(control: Control, home: str) -> None:
    """Go to the folder of the login; a connection that does not get there is not reused."""
    try:
        if control.usable and control.ask("CWD", home).first == 2:
            return
    except InetError:
        pass
    control.forbid_reuse()


def _read_all(control: Control, argument: str, path: str) -> tuple[list[Entry], int]:
    """LIST with the names that begin with a dot, which MLSD gives, too, if the server passes -a on to its ls."""
    try:
        entries, strange = _read(control, "LIST", "-a", path)
        if entries or strange:
            return entries, strange
    except _REFUSALS:
        if not control.usable:
            raise
    return _read(control, "LIST", argument, path)


def _read(control: Control, verb: str, argument: str, path: str) -> tuple[list[Entry], int]:
    """Read one listing: its entries, and how many of its rows were not understood; a note tells of these."""
    today = control.session.network.clock.now().date()
    listing = Listing(ListingCommand(verb.lower()), today, control.encoding)
    entries: list[Entry] = []
    for rows in retrieve_rows(control, Command(verb, argument), f"{path or 'the folder'}: not listed"):
        entries += listing.entries(rows)
    if listing.note:
        control.session.note(listing.note)
    return entries, listing.strange
