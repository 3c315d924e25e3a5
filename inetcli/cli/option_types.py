"""The types of option values, with completion of file and folder names.

Each type reports the expected and the received value. Nothing of the network is imported here, because help and
completion load this module.
"""

from typing import TYPE_CHECKING, Any

import click

from inetcli.wire.quantity import format_size, parse_seconds, parse_size

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Seconds(click.ParamType[float]):
    """A duration: `5s`, `2m`, `1h`, `3d` or plain seconds. `allow_zero`: 0 is valid."""

    name = "seconds"

    def __init__(self, *, allow_zero: bool = False) -> None:
        self._allow_zero = allow_zero

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = parse_seconds(str(value))
        except ValueError as error:
            self.fail(f"{error}", param, ctx)
        if not seconds and not self._allow_zero:
            self.fail(f"expected more than 0 seconds, got {value!r}", param, ctx)
        return seconds


class Size(click.ParamType[int]):
    """A number of bytes: `1.5M`, `6MB`, `1GiB` or plain. `allow_zero`: 0 is valid; `maximum`: the largest
    valid value."""

    name = "size"

    def __init__(self, *, allow_zero: bool = False, maximum: int | None = None) -> None:
        self._allow_zero = allow_zero
        self._maximum = maximum

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            size = parse_size(str(value))
        except ValueError as error:
            self.fail(f"{error}", param, ctx)
        if not size and not self._allow_zero:
            self.fail(f"expected at least 1 byte, got {value!r}", param, ctx)
        if self._maximum is not None and size > self._maximum:
            self.fail(
                f"expected at most {self._maximum} bytes ({format_size(self._maximum)}), got {value!r}", param, ctx
            )
        return size


class HostPort(click.ParamType[tuple[str, int]]):
    """A host and a port: HOST:PORT."""

    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        from inetcli.errors import MalformedTarget
        from inetcli.wire.target import parse_host_port

        try:
            return parse_host_port(value, None)
        except MalformedTarget as error:
            self.fail(error.message, param, ctx)


class Pin(click.ParamType[str]):
    """A hash of a public key: sha256//BASE64."""

    name = "pin"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from base64 import b64decode

        prefix, _, digest = str(value).partition("//")
        try:
            fits = prefix == "sha256" and len(b64decode(digest, validate=True)) == 32
        except ValueError:
            fits = False
        if not fits:
            self.fail(f"expected sha256// and the base64 of 32 bytes, got {value!r}", param, ctx)
        return str(value)


class FileName(click.ParamType[str]):
    """The name of a local file, completed by the shell. A missing file is reported when it is opened."""

    name = "file"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem[str]]":
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type=self.name)]


class FolderName(FileName):
    """The name of a local folder, completed by the shell."""

    name = "dir"
