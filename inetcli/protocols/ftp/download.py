"""One download: the remote file into its local place, from the first byte or from where an earlier try was cut.

ask what there is to know
if the first bytes are here, and the remote file is still the one that they are of:
    REST 64 KiB before their end, and compare those once more      else start over
RETR, judge, HASH where it is asked for, the time of modification
commit: the file has its name
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
    """Fetch a file into `local`, and give it its name.

    Errors: those of `retrieve`, `LocalWrite`, `FileExists`; `local` may then be used for another try.
    """
    session = control.session
    begun = session.trace.elapsed()
    algorithm = choose_hash(control) if options.verify else None
    try:
        fetched = _fetch(control, path, local, options, progress, algorithm)
    except BrokenPipeError as error:
        if local.local_path.descriptor is not None:
            raise  # standard output's: the program ends
        raise local.destination.failure(error) from error
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
        seconds=session.trace.elapsed() - begun,
        verified=verified,
        final=result.final,
        tls=session.attempt.tls,
        data_resumed=result.data_resumed,
    )


@dataclass(frozen=True, slots=True)
class _Fetched:
    """The bytes that were fetched: their digests, and where the transfer began, None = at the first byte."""

    result: TransferResult
    digests: Digests
    resumed_from: int | None


def _fetch(
    control: Control, path: str, local: LocalFile, options: DownloadOptions, progress: Progress, algorithm: str | None
) -> _Fetched:
    """Fetch the file; from the first byte, where what is here turns out to be of no use."""
    try:
        return _fetch_rest(control, path, local, options, progress, algorithm)
    except (ContentMismatch, NoResume) as trouble:
        changed = "what is here is not how the remote file begins"
        control.session.note(f"{trouble.message if isinstance(trouble, NoResume) else changed}: starting over")
        local.forget()
        return _fetch_rest(control, path, local, options, progress, algorithm)


def _fetch_rest(
    control: Control, path: str, local: LocalFile, options: DownloadOptions, progress: Progress, algorithm: str | None
) -> _Fetched:
    """Fetch what is not here yet."""
    attempt = control.session.attempt
    with request_retrieval(control, path, text=options.text, max_size=options.max_size) as request:
        if note := local.begin(request.remote, text=options.text):
            control.session.note(note)
        local.check_space()
        digests = Digests({*([HASHES[algorithm]] if algorithm else ()), *(["sha256"] if options.sha256 else ())})
        digests.catch_up(local.read, local.size_present)
        overlap = local.tail()
        resumed_from = local.size_present or None
        sink = ReceiveSink(
            descriptor=local.destination.fd,
            name=local.destination.path,
            progress=progress if local.destination.discards_on_failure else _Irrevocable(progress, attempt),
            observer=digests.observer,
            converter=FromNetAscii() if options.text else None,
            rate=options.rate,
        )
        result = retrieve(request, sink, offset=local.size_present - len(overlap), overlap=overlap)
    return _Fetched(result, digests, resumed_from)


@dataclass(frozen=True, slots=True)
class _Irrevocable:
    """The progress of bytes that cannot be taken back: once there is one, another try is forbidden."""

    progress: Progress
    attempt: Attempt

    def expect(self, total: int | None) -> None:
        self.progress.expect(total)

    def advance(self, size: int) -> None:
        if size:
            self.attempt.forbid_retry("bytes have been written where they cannot be taken back")
        self.progress.advance(size)
