"""Making folders, and finding out whether one is there."""

from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.errors import expect_reply, name_error, reply_error


def make_folder(control: Control, path: str) -> None:
    """MKD: one folder. `Denied`, `Refused`."""
    expect_reply(control.ask("MKD", path), 2, lambda reply: name_error(f"{path}: not made", reply))


def make_folders(control: Control, path: str) -> None:
    """A folder and those above it; one that is there already is no failure. `Denied`, `Refused`.

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
