"""One download: a remote file to a local file, from the first byte or from where an earlier attempt ended.

request size, modification time and hash algorithm
if a part is present, and size and time show the same remote file:
    REST 64 KiB before the end of the part, and compare these bytes      else start over
RETR, check of the transfer, HASH if requested, modification time
commit: the file gets its name
"""

from dataclasses import dataclass

from inetcli.errors import NoResume
from inetcli.net.attempt import Attempt
from inetcli.net.copy import ReceiveSink
from inetcli.net.progress import Progress
from inetcli.protocols.ftp.control import Control
from inetcli.protocols.ftp.hashes import Digests, choose_hash, compare_hash
from inetcli.protocols.ftp.local_file import LocalFile
from inetcli.protocols.ftp.model import HASHES, Download, DownloadOptions
from inetcli.protocols.ftp.transfer import ContentMismatch, TransferResult, request_retrieval, retrieve
from inetcli.wire.netascii import FromNetAscii


def download(control: Control, path: str, local: LocalFile, options: DownloadOptions, progress: Progress) -> Download:
    """Download a file to `local` and give it its name.

    Errors: those of `retrieve`, `LocalWrite`, `FileExists`. After an error, `local` may be used for another attempt.
    """
    session = control.session
    start_s = session.trace.elapsed()
    algorithm = choose_hash(control) if options.verify else None
    try:
        fetched = _fetch(control, path, local, options, progress, algorithm)
    except BrokenPipeError as error:
        if local.local_path.descriptor is not None:
            raise  # The pipe at standard output is closed, and the program ends.
        raise local.destination.write_error(error) from error
    result = fetched.result
    verified = None if result.size is None else "size"
    if algorithm:
        compare_hash(control, path, algorithm, fetched.digests[HASHES[algorithm]], result.bytes)
        verified = "hash"
    if result.note:
        session.note(result.note)
    local.finish()
    return Download(
        path=local.local_path.path,
        bytes=result.bytes,
        size=result.size,
        sha256=fetched.digests["sha256"] if options.sha256 else None,
        resumed_from=fetched.resumed_from,
        seconds=session.trace.elapsed() - start_s,
        verified=verified,
        final=result.final,
        tls=session.attempt.tls,
        data_resumed=result.data_resumed,
    )


@dataclass(frozen=True, slots=True)
class _Fetched:
    """The result of a transfer: the digests of the file, and the start of the transfer, None = at the first byte."""

    result: TransferResult
    digests: Digests
    resumed_from: int | None


def _fetch(
    control: Control, path: str, local: LocalFile, options: DownloadOptions, progress: Progress, algorithm: str | None
) -> _Fetched:
    """Fetch the file; if the part that is present cannot be used, start over at the first byte."""
    try:
        return _fetch_rest(control, path, local, options, progress, algorithm)
    except (ContentMismatch, NoResume) as error:
        reason = error.message if isinstance(error, NoResume) else "the local part differs from the remote file"
        control.session.note(f"{reason}: starting over")
        local.start_over()
        return _fetch_rest(control, path, local, options, progress, algorithm)


def _fetch_rest(
    control: Control, path: str, local: LocalFile, options: DownloadOptions, progress: Progress, algorithm: str | None
) -> _Fetched:
    """Fetch the bytes that are not present."""
    attempt = control.session.attempt
    with request_retrieval(control, path, text=options.text, max_size=options.max_size) as request:
        if note := local.begin(request.remote, text=options.text):
            control.session.note(note)
        local.check_space()
        digests = Digests({*([HASHES[algorithm]] if algorithm else ()), *(["sha256"] if options.sha256 else ())})
        digests.hash_prefix(local.read, local.size_present)
        overlap = local.read_tail()
        resumed_from = local.size_present or None
        sink = ReceiveSink(
            descriptor=local.destination.fd,
            name=local.destination.path,
            progress=progress if local.destination.discards_on_failure else _NoRetryProgress(progress, attempt),
            observer=digests.observer,
            converter=FromNetAscii() if options.text else None,
            rate=options.rate,
        )
        result = retrieve(request, sink, offset=local.size_present - len(overlap), overlap=overlap)
    return _Fetched(result, digests, resumed_from)


@dataclass(frozen=True, slots=True)
class _NoRetryProgress:
    """A progress that forbids another attempt as soon as bytes were written that cannot be discarded."""

    progress: Progress
    attempt: Attempt

    def expect(self, total: int | None) -> None:
        self.progress.expect(total)

    def advance(self, size: int) -> None:
        if size:
            self.attempt.forbid_retry("bytes were written to an output that cannot be undone")
        self.progress.advance(size)
