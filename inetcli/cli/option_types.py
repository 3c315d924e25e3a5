"""The types of option values, and which of them the shell completes as names of files and folders.

Each type says what was expected and what came. Nothing of the network is imported here, because help and completion
come this far.
"""

from typing import TYPE_CHECKING, Any

import click

from inetcli.wire.quantity import format_size, parse_seconds, parse_size

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem


class Seconds(click.ParamType[float]):
    """A span of time: `5s`, `2m`, `1h`, `3d` or plain seconds. `zero`: 0 is allowed."""

    name = "seconds"

    def __init__(self, *, zero: bool = False) -> None:
        self._zero = zero

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        try:
            seconds = parse_seconds(str(value))
        except ValueError as error:
            self.fail(f"{error}", param, ctx)
        if not seconds and not self._zero:
            self.fail(f"expected more than 0 seconds, got {value!r}", param, ctx)
        return seconds


class Size(click.ParamType[int]):
    """A number of bytes: `1.5M`, `6MB`, `1GiB` or plain. `zero`: 0 is allowed; `most`: the greatest one."""

    name = "size"

    def __init__(self, *, zero: bool = False, most: int | None = None) -> None:
        self._zero = zero
        self._most = most

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            size = parse_size(str(value))
        except ValueError as error:
            self.fail(f"{error}", param, ctx)
        if not size and not self._zero:
            self.fail(f"expected at least 1 byte, got {value!r}", param, ctx)
        if self._most is not None and size > self._most:
            self.fail(f"expected at most {self._most} bytes ({format_size(self._most)}), got {value!r}", param, ctx)
        return size


class HostPort(click.ParamType[tuple[str, int]]):
    """HOST:PORT."""

    name = "host:port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        from inetcli.errors import MalformedTarget
        from inetcli.wire.target import parse_host_port

        try:
            return parse_host_port(value, None)
        except MalformedTarget as error:
            self.fail(error.message, param, ctx)


class Pin(click.ParamType[str]):
    """sha256//BASE64 of a public key."""

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
    """The name of a local file, which the shell completes. Whether there is one is told when it is opened."""

    name = "file"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> "list[CompletionItem[str]]":
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type=self.name)]


class FolderName(FileName):
    """The name of a local folder, likewise."""

    name = "dir"
