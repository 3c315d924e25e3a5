"""Honest and faulty servers for integration tests: FTP, NNTP, HTTP, TLS, DNS and timestamps.

    from mockservers import FtpServer, fault

    with FtpServer(files={"a.bin": b"x" * 9000}) as ftp:      # listens on return, on a port of the kernel's choice
        ftp.on("RETR").fault(fault.rst(at=4096), times=1)
        fetch(ftp.url + "/a.bin")                             # the client under test
        print(ftp.transcript())

The names below are loaded when they are used: importing this package costs nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockservers.core import Server as Server
    from mockservers.dns.server import DnsServer as DnsServer
    from mockservers.families import faults as faults
    from mockservers.faultkinds import Armed as Armed
    from mockservers.faultkinds import BadFault as BadFault
    from mockservers.faultkinds import fault as fault
    from mockservers.faulttext import parse_fault as parse_fault
    from mockservers.ftp.pyftpd import PyftpdlibServer as PyftpdlibServer
    from mockservers.ftp.server import FtpServer as FtpServer
    from mockservers.http.message import HttpRequest as HttpRequest
    from mockservers.http.message import HttpResponse as HttpResponse
    from mockservers.http.server import HttpServer as HttpServer
    from mockservers.log import Kind as Kind
    from mockservers.log import Reason as Reason
    from mockservers.nntp.oddnews import odd_articles as odd_articles
    from mockservers.nntp.server import NntpServer as NntpServer
    from mockservers.timestamps import TimeServer as TimeServer
    from mockservers.tls.server import TlsServer as TlsServer

_PLACES = {
    "Armed": "faultkinds",
    "BadFault": "faultkinds",
    "DnsServer": "dns.server",
    "FtpServer": "ftp.server",
    "HttpRequest": "http.message",
    "HttpResponse": "http.message",
    "HttpServer": "http.server",
    "Kind": "log",
    "NntpServer": "nntp.server",
    "PyftpdlibServer": "ftp.pyftpd",
    "Reason": "log",
    "Server": "core",
    "TimeServer": "timestamps",
    "TlsServer": "tls.server",
    "fault": "faultkinds",
    "faults": "families",
    "odd_articles": "nntp.oddnews",
    "parse_fault": "faulttext",
}

__all__ = [
    "Armed",
    "BadFault",
    "DnsServer",
    "FtpServer",
    "HttpRequest",
    "HttpResponse",
    "HttpServer",
    "Kind",
    "NntpServer",
    "PyftpdlibServer",
    "Reason",
    "Server",
    "TimeServer",
    "TlsServer",
    "fault",
    "faults",
    "odd_articles",
    "parse_fault",
]


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"mockservers.{place}"), name)
