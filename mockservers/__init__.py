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
    from mockservers.dnsserver import DnsServer as DnsServer
    from mockservers.families import faults as faults
    from mockservers.faultkinds import fault as fault
    from mockservers.ftpserver import FtpServer as FtpServer
    from mockservers.httpmessage import HttpRequest as HttpRequest
    from mockservers.httpmessage import HttpResponse as HttpResponse
    from mockservers.httpserver import HttpServer as HttpServer
    from mockservers.nntpserver import NntpServer as NntpServer
    from mockservers.pyftpd import PyftpdlibServer as PyftpdlibServer
    from mockservers.timestamps import TimeServer as TimeServer
    from mockservers.tlsserver import TlsServer as TlsServer

_PLACES = {
    "DnsServer": "dnsserver",
    "FtpServer": "ftpserver",
    "HttpRequest": "httpmessage",
    "HttpResponse": "httpmessage",
    "HttpServer": "httpserver",
    "NntpServer": "nntpserver",
    "PyftpdlibServer": "pyftpd",
    "Server": "core",
    "TimeServer": "timestamps",
    "TlsServer": "tlsserver",
    "fault": "faultkinds",
    "faults": "families",
}

__all__ = [
    "DnsServer",
    "FtpServer",
    "HttpRequest",
    "HttpResponse",
    "HttpServer",
    "NntpServer",
    "PyftpdlibServer",
    "Server",
    "TimeServer",
    "TlsServer",
    "fault",
    "faults",
]


def __getattr__(name: str) -> Any:
    place = _PLACES.get(name)
    if place is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"mockservers.{place}"), name)
