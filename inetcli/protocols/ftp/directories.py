"""Remote folders as a whole: make a folder, check whether a folder exists, and remove a folder with its contents.

    DELE path              removes a file, or a link itself; servers refuse to remove a folder
    if refused             the entries of the folder, the deepest first, and then RMD path

A listing does not always distinguish a link from a folder: a target may be a link, and some servers list a link as the
thing to which it leads. Therefore a folder is listed only after the server refused DELE for it, and a refusal because
of missing rights ends the removal: the path may be a link that may not be removed, and leads to another user's folder.
"""

from typing import Protocol

from inetcli.defaults import MAX_DEPTH
from inetcli.errors import Incomplete, NotFound, Refused, TooLarge
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.directory import Contents
from inetcli.protocols.ftp.errors import expect_reply, name_error, reply_error
from inetcli.protocols.ftp.model import EntryType, ListingCommand
from inetcli.protocols.ftp.tree import is_unsafe_name, join


def make_folder(control: Control, path: str) -> None:
    """Make one folder: MKD. `Denied`, `Refused`."""
    expect_reply(control.ask("MKD", path), 2, lambda reply: name_error(f"{path}: cannot be made", reply))


def make_folders(control: Control, path: str) -> None:
    """Make a folder and the missing folders above it; an existing folder is no error. `Denied`, `Refused`.

    The deepest folder is tried first, because usually all folders above it exist. A refusal does not tell its reason,
    so that only then each folder is made, beginning with the topmost.
    """
    if control.ask("MKD", path).first == 2 or folder_exists(control, path):
        return
    root = "/" if path.startswith("/") else ""
    names = [name for name in path.split("/") if name]
    for depth in range(1, len(names) + 1):
        folder = root + "/".join(names[:depth])
        reply = control.ask("MKD", folder)
        if reply.first != 2 and not folder_exists(control, folder):
            raise name_error(f"{folder}: cannot be made", reply)


def folder_exists(control: Control, path: str) -> bool:
    """Return whether a path is a folder that CWD can enter, and change back to the login folder. `Refused`."""
    login_folder = control.login_folder()
    exists = control.ask("CWD", path).first == 2
    if exists:
        reply = control.ask("CWD", login_folder)
        expect_reply(reply, 2, lambda reply: reply_error(f"cannot change back to {login_folder}", reply))
    return exists


class RemovalCommands(Protocol):
    """The part of a client that `remove_all` needs."""

    def list(self, path: str) -> Contents:
        """List a folder."""

    def remove(self, path: str) -> None:
        """Remove a file."""

    def remove_folder(self, path: str) -> None:
        """Remove an empty folder."""


def remove_all(ftp: RemovalCommands, path: str, depth: int = MAX_DEPTH) -> None:
    """Remove a file, a link, or a folder with its contents.

    Errors: `NotFound`, `Denied`, `Refused`, `Incomplete` for a name that cannot be sent, `TooLarge`.
    """
    try:
        ftp.remove(path)
        return
    except (NotFound, Refused) as error:
        refusal = error
    if not depth:
        raise TooLarge(f"{path}: deeper than {MAX_DEPTH} folders: the folder was not removed")
    contents = ftp.list(path)
    if contents.is_file:
        raise refusal
    for entry in contents.entries:
        if is_unsafe_name(entry.name):
            raise Incomplete(f"{path}: the server lists the unusable name {entry.name!r}: the folder was not removed")
        if entry.type is EntryType.DIR or entry.source is ListingCommand.NLST:
            remove_all(ftp, join(path, entry.name), depth - 1)
        else:
            ftp.remove(join(path, entry.name))
    ftp.remove_folder(path)
