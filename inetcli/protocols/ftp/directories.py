"""Remote folders as a whole: making them, finding out whether one is there, and removing one with all that is in it.

    DELE path              a file goes, and so does a link, whatever it leads to; a folder is refused
    then, for a folder: its entries, the deepest first, and RMD path

A listing does not tell a link from a folder everywhere: a target may be a link, and some servers list links as what
they lead to. So nothing is listed that DELE has not refused first, and a refusal for want of rights ends the removal:
behind a link that may not be removed lies another owner's folder.
"""

from typing import Protocol

from inetcli.errors import Incomplete, NotFound, Refused, TooLarge
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.directory import Contents
from inetcli.protocols.ftp.errors import expect_reply, name_error, reply_error
from inetcli.protocols.ftp.model import EntryType, ListingCommand
from inetcli.protocols.ftp.tree import MAX_DEPTH, is_unsafe_name, join


def make_folder(control: Control, path: str) -> None:
    """Make one folder: MKD. `Denied`, `Refused`."""
    expect_reply(control.ask("MKD", path), 2, lambda reply: name_error(f"{path}: not made", reply))


def make_folders(control: Control, path: str) -> None:
    """Make a folder and those above it; one that is there already is no failure. `Denied`, `Refused`.

    The deepest is tried first: usually all but it are there. A refusal does not say why, so the way down is looked for
    from the top only then.
    """
    if control.ask("MKD", path).first == 2 or folder_is_there(control, path):
        return
    root = "/" if path.startswith("/") else ""
    names = [name for name in path.split("/") if name]
    for depth in range(1, len(names) + 1):
        folder = root + "/".join(names[:depth])
        reply = control.ask("MKD", folder)
        if reply.first != 2 and not folder_is_there(control, folder):
            raise name_error(f"{folder}: not made", reply)


def folder_is_there(control: Control, path: str) -> bool:
    """Whether a path is a folder, that is, whether it can be entered; and back again. `Refused`."""
    home = control.home()
    there = control.ask("CWD", path).first == 2
    if there:
        expect_reply(control.ask("CWD", home), 2, lambda reply: reply_error(f"{home}: no way back there", reply))
    return there


class RemovalCommands(Protocol):
    """The part of a client that a removal needs."""

    def list(self, path: str) -> Contents:
        """List a folder."""

    def remove(self, path: str) -> None:
        """Remove a file."""

    def remove_folder(self, path: str) -> None:
        """Remove an empty folder."""


def remove_all(ftp: RemovalCommands, path: str, depth: int = MAX_DEPTH) -> None:
    """Remove a file, a link, or a folder with all that is in it.

    Errors: `NotFound`, `Denied`, `Refused`, `Incomplete` for a name that cannot be sent, `TooLarge`.
    """
    try:
        ftp.remove(path)
        return
    except (NotFound, Refused) as error:
        refused = error
    if not depth:
        raise TooLarge(f"{path}: deeper than {MAX_DEPTH} folders: nothing is removed there")
    contents = ftp.list(path)
    if contents.of_file:
        raise refused
    for entry in contents.entries:
        if is_unsafe_name(entry.name):
            raise Incomplete(f"{path}: the server lists {entry.name!r}, which is no name: nothing is removed there")
        if entry.type is EntryType.DIR or entry.source is ListingCommand.NLST:
            remove_all(ftp, join(path, entry.name), depth - 1)
        else:
            ftp.remove(join(path, entry.name))
    ftp.remove_folder(path)
