"""The output of downloads, uploads and listings: as text lines and as dicts for JSON."""

from collections.abc import Mapping

from inetcli.protocols.ftp.model import Download, Entry, Upload
from inetcli.wire.escape import escape
from inetcli.wire.quantity import format_size


def format_download(download: Download) -> str:
    """Format a download: `nightly.iso  700.0 MiB  6.2 s  113 MiB/s  size verified, 226 seen, TLS 1.3`."""
    if download.skipped:
        return f"{escape(download.path)}  skipped: the file exists"
    checked = f"{download.verified} verified" if download.verified else "size not known"
    facts = [checked, f"{download.final} seen" if download.final != "none" else "no final reply"]
    if download.resumed_from:
        facts.append(f"resumed from {download.resumed_from}")
    if download.tls:
        facts.append(str(download.tls["version"]).replace("TLSv", "TLS "))
    if download.data_resumed:
        facts.append("data session resumed")
    return _format_transfer(download.path, download.bytes - (download.resumed_from or 0), download.seconds, facts)


def download_to_json(download: Download) -> dict[str, object]:
    """Return the keys of `ftp get` in addition to the common ones; `tls` is a common key."""
    return {
        "path": download.path,
        "bytes": download.bytes,
        "size": download.size,
        "sha256": download.sha256,
        "resumed_from": download.resumed_from,
        "verified": download.verified,
        "skipped": download.skipped,
    }


def format_upload(upload: Upload) -> str:
    """Format an upload: `nightly.iso  700.0 MiB  6.2 s  113 MiB/s  size verified`."""
    checked = f"{upload.verified} verified" if upload.verified else "size not checked"
    return _format_transfer(upload.path, upload.bytes, upload.seconds, [checked])


def upload_to_json(upload: Upload) -> dict[str, object]:
    """Return the keys of `ftp put` in addition to the common ones."""
    return {"path": upload.path, "bytes": upload.bytes, "verified": upload.verified}


def format_entry(entry: Entry, *, long: bool) -> str:
    """Format an entry: its name; with `long` type, size, time and name, separated by TAB, `-` for an unknown fact."""
    name = escape(entry.name)
    if not long:
        return name
    target = f" -> {escape(entry.link_target)}" if entry.link_target else ""
    size = "-" if entry.size is None else str(entry.size)
    return "\t".join((entry.type, size, format_time(entry) or "-", name + target))


def format_time(entry: Entry) -> str | None:
    """Format the modification time: ISO 8601 in UTC with the precision of the listing; None = unknown."""
    if entry.modified is None:
        return None
    formats: Mapping[int, str] = {86400: "%Y-%m-%d", 60: "%Y-%m-%dT%H:%MZ"}
    return entry.modified.strftime(formats.get(entry.resolution, "%Y-%m-%dT%H:%M:%SZ"))


def entry_to_json(entry: Entry) -> dict[str, object]:
    """Return the keys of a row of `ftp ls`."""
    return {
        "name": entry.name,
        "type": entry.type.value,
        "size": entry.size,
        "modified": format_time(entry),
        "perm": entry.perm,
        "link_target": entry.link_target,
        "source": entry.source.value,
    }


def _format_transfer(path: str, size: int, seconds: float, facts: list[str]) -> str:
    rate = int(size / seconds) if seconds > 0 else 0
    return "  ".join([escape(path), format_size(size), f"{seconds:.1f} s", f"{format_size(rate)}/s", ", ".join(facts)])
