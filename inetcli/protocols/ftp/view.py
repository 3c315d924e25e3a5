"""A download as the line people see, and as JSON."""

from inetcli.protocols.ftp.model import Download
from inetcli.wire.escape import escape
from inetcli.wire.quantity import show_size


def show_download(download: Download) -> str:
    """`nightly.iso  700.0 MiB  6.2 s  113 MiB/s  size verified, 226 seen, TLS 1.3, data session resumed`."""
    if download.skipped:
        return f"{escape(download.path)}  skipped: it is there already"
    rate = int(download.bytes / download.seconds) if download.seconds > 0 else 0
    checked = "size verified" if download.verified else "size not known"
    facts = [checked, f"{download.final} seen" if download.final != "none" else "no final reply"]
    if download.tls:
        facts.append(str(download.tls["version"]).replace("TLSv", "TLS "))
    if download.data_resumed:
        facts.append("data session resumed")
    size, seconds = show_size(download.bytes), f"{download.seconds:.1f} s"
    return "  ".join([escape(download.path), size, seconds, f"{show_size(rate)}/s", ", ".join(facts)])


def download_record(download: Download) -> dict[str, object]:
    """The keys of `ftp get` beside the common ones; `tls` is one of those."""
    return {
        "path": download.path,
        "bytes": download.bytes,
        "size": download.size,
        "sha256": download.sha256,
        "resumed_from": None,
        "verified": download.verified,
        "skipped": download.skipped,
    }
