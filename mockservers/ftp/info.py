"""Commands about the server and the form of data, RFC 959 and RFC 2389.

SYST FEAT OPTS HELP STAT NOOP CLNT, TYPE MODE STRU ALLO
"""

from mockservers.ftp.files import DIGESTS
from mockservers.ftp.listing import FACTS, STYLES
from mockservers.ftp.session import Session
from mockservers.ftp.store import FileType

FEATURES = {
    "AUTH": "AUTH TLS",
    "CLNT": "CLNT",
    "EPRT": "EPRT",
    "EPSV": "EPSV",
    "HASH": "",
    "HOST": "HOST",
    "MDTM": "MDTM",
    "MFMT": "MFMT",
    "MLST": "",
    "PBSZ": "PBSZ",
    "PROT": "PROT",
    "REST": "REST STREAM",
    "SIZE": "SIZE",
    "TVFS": "TVFS",
    "UTF8": "UTF8",
}
"""The lines of FEAT; those of HASH and MLST depend on what the client has chosen."""

SECURITY = ("AUTH", "PBSZ", "PROT")


async def features(session: Session, _argument: str) -> None:
    """FEAT, RFC 2389: a line for each, indented by one blank."""
    chosen = {
        "MLST": "MLST " + "".join(f"{name}{'*' if name in session.state.facts else ''};" for name in FACTS),
        "HASH": "HASH " + ";".join(f"{name}{'*' if name == session.state.digest else ''}" for name in DIGESTS),
    }
    offered = [
        chosen.get(name, line)
        for name, line in FEATURES.items()
        if session.server.offers(name) and (name not in SECURITY or session.server.tls)
    ]
    if session.server.tls == "implicit":
        offered.remove("AUTH TLS")
    await session.say(211, "Features:", *(f" {line}" for line in offered), "End")


async def options(session: Session, argument: str) -> None:
    """OPTS UTF8 ON, OPTS MLST type;size;, OPTS HASH SHA-1"""
    name, _, value = argument.partition(" ")
    match name.upper():
        case "UTF8" | "UTF-8" if session.server.offers("UTF8") and value.upper() in ("", "ON", "NLST"):
            await session.say(200, "names are UTF-8, always")
        case "MLST" if session.server.offers("MLST"):
            wanted = [fact.lower() for fact in value.split(";")]
            session.state.facts = tuple(fact for fact in FACTS if fact in wanted)
            await session.say(200, f"MLST OPTS {''.join(f'{fact};' for fact in session.state.facts)}".rstrip())
        case "HASH" if session.server.offers("HASH"):
            if value and value.upper() not in DIGESTS:
                await session.say(501, f"known: {', '.join(DIGESTS)}")
                return
            session.state.digest = value.upper() or session.state.digest
            await session.say(200, session.state.digest)
        case _:
            await session.say(501, f"{name}: has no such options")


async def system(session: Session, _argument: str) -> None:
    """SYST"""
    await session.say(215, "Windows_NT" if session.server.listing == "dos" else "UNIX Type: L8")


async def help_(session: Session, argument: str) -> None:
    """HELP"""
    known = sorted(verb for verb in session.commands if session.server.offers(verb))
    if not argument:
        await session.say(214, "These are understood:", f" {' '.join(known)}", "End")
    elif argument.upper() in known:
        await session.say(214, f"{argument.upper()} is understood")
    else:
        await session.say(501, f"{argument}: not a command")


async def status(session: Session, argument: str) -> None:
    """STAT: of the session, or a listing on the control connection."""
    if not argument:
        state = session.state
        who = state.user if state.logged_in else "nobody yet"
        kind = "I" if state.binary else "A"
        secure = "inside TLS" if session.client.tls else "in clear"
        await session.say(211, "Status:", f" {who}, TYPE {kind}, {secure}", "End")
        return
    if not session.state.logged_in:
        await session.say(530, "log in first")
        return
    path = session.path(argument)
    entry = session.store.entry(path)
    entries = session.store.entries(path) if entry.type is FileType.FOLDER else [entry]
    row = STYLES[session.server.listing]
    # A blank in front: a row that begins with digits would be taken for the end of the reply.
    rows = [f" {row(entry, session.now)}" for entry in entries]
    await session.say(213 if entry.type is FileType.FILE else 212, f"Status of {argument}:", *rows, "End")


async def nothing(session: Session, _argument: str) -> None:
    """NOOP"""
    await session.say(200, "yes")


async def client_name(session: Session, _argument: str) -> None:
    """CLNT: noted."""
    await session.say(200, "noted")


async def type_(session: Session, argument: str) -> None:
    """TYPE: A (lines end in CRLF on the way), I and L 8 (bytes as they are)."""
    match argument.upper().split():
        case ["A"] | ["A", "N"]:
            session.state.binary = False
        case ["I"] | ["L", "8"]:
            session.state.binary = True
        case ["A" | "E" | "L", *_]:
            await session.say(504, "TYPE is A, I or L 8")
            return
        case _:
            await session.say(501, "TYPE takes A, I or L 8")
            return
    await session.say(200, f"TYPE is {'I' if session.state.binary else 'A'}")


async def mode(session: Session, argument: str) -> None:
    """MODE: stream is what there is."""
    await session.say(*((200, "MODE is S") if argument.upper() == "S" else (504, "MODE is S and nothing else")))


async def structure(session: Session, argument: str) -> None:
    """STRU: file is what there is."""
    await session.say(*((200, "STRU is F") if argument.upper() == "F" else (504, "STRU is F and nothing else")))


async def allocate(session: Session, _argument: str) -> None:
    """ALLO"""
    await session.say(202, "there is no need to")
