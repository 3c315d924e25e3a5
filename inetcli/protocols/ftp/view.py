"""Files, uploads and listings as the lines people see, and as JSON."""

from collections.abc import Mapping

from inetcli.protocols.ftp.model import Download, Entry, Upload
from inetcli.wire.escape import escape
from inetcli.wire.quantity import format_size


def format_download(download: Download) -> str:
    """`nightly.iso  700.0 MiB  6.2 s  113 MiB/s  size verified, 226 seen, TLS 1.3, data session resumed`."""
    if download.skipped:
        return f"{escape(download.path)}  skipped: it is there already"
    checked = f"{download.verified} verified" if download.verified else "size not known"
    facts = [checked, f"{download.final} seen" if download.final != "none" else "no final reply"]
    if download.resumed_from:
        facts.append(f"resumed from {download.resumed_from}")
    if download.tls:
        facts.append(str(download.tls["version"]).replace("TLSv", "TLS "))
    if download.data_resumed:
        facts.append("data session resumed")
    return _transfer(download.path, download.bytes - (download.resumed_from or 0), download.seconds, facts)


def download_to_json(download: Download) -> dict[str, object]:
    """The keys of `ftp get` beside the common ones; `tls` is one of those."""
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
    """`nightly.iso  700.0 MiB  6.2 s  113 MiB/s  size verified`."""
    checked = f"{upload.verified} verified" if upload.verified else "size not checked"
    return _transfer(upload.path, upload.bytes, upload.seconds, [checked])


def upload_to_json(upload: Upload) -> dict[str, object]:
    """The keys of `ftp put` beside the common ones."""
    return {"path": upload.path, "bytes": upload.bytes, "verified": upload.verified}


def format_entry(entry: Entry, *, long: bool) -> str:
    """A name; with `long` its type, size, time and name, separated by TAB, `-` for what is not known."""
    name = escape(entry.name)
    if not long:
        return name
    target = f" -> {escape(entry.link_target)}" if entry.link_target else ""
    size = "-" if entry.size is None else str(entry.size)
    return "\t".join((entry.type, size, format_time(entry) or "-", name + target))


def format_time(entry: Entry) -> str | None:
    """When it was modified, ISO 8601 in UTC, as exactly as it is known; None = it is not."""
    if entry.modified is None:
        return None
    kinds: Mapping[int, str] = {86400: "%Y-%m-%d", 60: "%Y-%m-%dT%H:%MZ"}
    return entry.modified.strftime(kinds.get(entry.resolution, "%Y-%m-%dT%H:%M:%SZ"))


def entry_to_json(entry: Entry) -> dict[str, object]:
    """The keys of a row of `ftp ls`."""
    return {
        "name": entry.name,
        "type": entry.type.value,
        "size": entry.size,
        "modified": format_time(entry),
        "perm": entry.perm,
        "link_target": entry.link_target,
        "source": entry.source.value,
    }


def _transfer(path: str, size: int, seconds: float, facts: list[str]) -> str:
    rate = int(size / seconds) if seconds > 0 else 0
    return "  ".join([escape(path), format_size(size), f"{seconds:.1f} s", f"{format_size(rate)}/s", ", ".join(facts)])
