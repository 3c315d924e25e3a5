"""Removing a folder with all that is in it, and nothing else.

    DELE path              a file goes, and so does a link, whatever it leads to; a folder is refused
    then, for a folder: its entries, the deepest first, and RMD path

A listing does not tell a link from a folder everywhere: a target may be a link, and some servers list links as what
they lead to. So nothing is listed that DELE has not refused first, and a refusal for want of rights ends it: behind a
link that may not be removed lies somebody else's folder.
"""

from inetcli.errors import Incomplete, NotFound, Refused, TooLarge
from inetcli.protocols.ftp.client import Ftp
from inetcli.protocols.ftp.model import EntryType, ListingCommand
from inetcli.protocols.ftp.tree import MAX_DEPTH, is_unsafe_name, join


def remove_all(ftp: Ftp, path: str, depth: int = MAX_DEPTH) -> None:
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
