"""The types of option values: conversion, error messages, completion."""

import click
import pytest

from inetcli.cli.option_types import FileName, FolderName, HostPort, Pin, Seconds, Size

KEY = "sha256//" + "A" * 43 + "="


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Seconds(), "1.5m", 90.0),
        (Seconds(), 15, 15.0),  # a default
        (Seconds(allow_zero=True), "0", 0.0),
        (Size(), "1.5M", 1_500_000),
        (Size(allow_zero=True), "0", 0),
        (Size(allow_zero=True), 16, 16),
        (Size(maximum=1 << 20), "1MiB", 1 << 20),
        (HostPort(), "[::1]:80", ("::1", 80)),
        (Pin(), KEY, KEY),
        (FileName(), "no such file", "no such file"),
        (FolderName(), "-", "-"),
    ],
)
def test_a_value_is_converted(kind: click.ParamType[object], text: object, value: object) -> None:
    assert kind.convert(text, None, None) == value


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (Seconds(), "soon", "expected seconds, or a number with s, m, h or d behind it as in 2m, got 'soon'"),
        (Seconds(), "0s", "expected more than 0 seconds, got '0s'"),
        (Size(), "big", "expected a number of bytes, plain or with a unit as in 1.5M, 6MB or 1GiB, got 'big'"),
        (Size(), "0K", "expected at least 1 byte, got '0K'"),
        (Size(maximum=1 << 20), "1.1MiB", "expected at most 1048576 bytes (1.0 MiB), got '1.1MiB'"),
        (HostPort(), "host", "host: port missing; expected host:port"),
        (Pin(), "sha256//x", "expected sha256// and the base64 of 32 bytes, got 'sha256//x'"),
    ],
)
def test_invalid_value_is_refused_with_the_expected_form(kind: click.ParamType[object], text: str, said: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        kind.convert(text, None, None)
    assert caught.value.message == said


@pytest.mark.parametrize(("kind", "offered"), [(FileName(), "file"), (FolderName(), "dir")])
def test_names_are_left_to_the_shell(kind: FileName, offered: str) -> None:
    param = click.Option(["--x"], type=kind)
    with click.Context(click.Command("c", params=[param])) as ctx:
        (item,) = param.shell_complete(ctx, "pub/a")
    assert (item.type, item.value) == (offered, "pub/a")
