"""Commands about who and how secure: USER PASS ACCT REIN QUIT HOST, AUTH PBSZ PROT CCC (RFC 959, 4217, 7151)."""

from mockservers.ftp.session import Protection, Session, State
from mockservers.passwords import ANONYMOUS


async def user(session: Session, argument: str) -> None:
    """USER"""
    if session.server.require_tls and not session.client.tls:
        await session.say(530, "TLS first")
        return
    session.state = State(user=argument)
    await session.say(331, "password please")


async def password(session: Session, argument: str) -> None:
    """PASS"""
    state = session.state
    if not state.user or state.logged_in:
        await session.say(503, "USER first")
        return
    anonymous = session.server.anonymous and state.user in ANONYMOUS
    state.logged_in = anonymous or session.server.users.get(state.user) == argument
    if state.logged_in:
        await session.say(230, "welcome")
    else:
        state.user = ""
        await session.say(530, "wrong user or password")


async def account(session: Session, _argument: str) -> None:
    """ACCT"""
    await session.say(202, "no account is needed")


async def reinitialize(session: Session, _argument: str) -> None:
    """REIN: as at the beginning, but for TLS, which cannot be undone."""
    session.state = State()
    session.port.forget()
    await session.say(220, "as at the beginning")


async def leave(session: Session, _argument: str) -> None:
    """QUIT"""
    session.done = True
    await session.say(221, "bye")


async def host(session: Session, _argument: str) -> None:
    """HOST: every name is ours (RFC 7151); only before a login."""
    if session.state.user:
        await session.say(503, "HOST comes before USER")
    else:
        await session.say(220, "that is here")


async def secure(session: Session, argument: str) -> None:
    """AUTH TLS, RFC 4217 section 4: what was set before counts no more."""
    security = session.server.security
    if session.server.tls != "explicit" or security is None:
        await session.say(502, "AUTH: not here")
    elif argument.upper() not in ("TLS", "TLS-C", "SSL", "TLS-P"):
        await session.say(504, "AUTH TLS is what there is")
    elif session.client.tls:
        await session.say(503, "TLS is spoken already")
    else:
        session.client.discard()  # whoever put it there: what came in clear is never obeyed inside TLS
        await session.say(234, "go on")
        await session.client.start_tls(security)
        session.state = State()
        session.protection = Protection()


async def buffer_size(session: Session, argument: str) -> None:
    """PBSZ: TLS knows only 0."""
    if not session.client.tls:
        await session.say(503, "AUTH first")
    elif not argument.isdecimal():
        await session.say(501, "PBSZ takes a number")
    else:
        session.protection.sized = True
        await session.say(200, "PBSZ=0")


async def protect(session: Session, argument: str) -> None:
    """PROT: P or C, for data connections."""
    level = argument.upper()
    if not session.protection.sized:
        await session.say(503, "PBSZ first")
    elif level in ("S", "E"):
        await session.say(536, "TLS does not have that level")
    elif level not in ("C", "P"):
        await session.say(504, "PROT takes C or P")
    elif level == "C" and session.server.require_tls:
        await session.say(534, "data only in private here")
    else:
        session.protection.private = level == "P"
        await session.say(200, f"data is {'private' if level == 'P' else 'clear'} from now on")


async def clear_command(session: Session, _argument: str) -> None:
    """CCC: refused, as RFC 4217 section 13.2 lets a server do; it opens the door to what TLS keeps out."""
    await session.say(534 if session.client.tls else 533, "commands stay inside TLS")
