"""The common options: accepted values, and the resulting settings."""

import operator
from dataclasses import fields
from typing import Any

import click
import pytest
from click.testing import CliRunner

from inetcli.cli.app import GROUPS, cli
from inetcli.cli.options import Options, ProtocolCommand, shared_options
from inetcli.net.resolve import ANY, IPV4, IPV6

KEY = "sha256//" + "A" * 43 + "="


def chosen(*arguments: str, env: dict[str, str] | None = None, **offers: Any) -> dict[str, Any]:
    """The options as a command gets them."""
    kept: list[Options] = []

    @click.command(cls=ProtocolCommand)
    @shared_options(**{"tls": True, "credentials": True, **offers})
    def command(options: Options) -> None:
        kept.append(options)

    result = CliRunner().invoke(command, list(arguments), env=env)
    assert result.exit_code == 0, result.output
    return {field.name: getattr(kept[0], field.name) for field in fields(Options)}


def refused(*arguments: str, env: dict[str, str] | None = None, **offers: Any) -> str:
    """What is said about a command line that cannot be."""

    @click.command(cls=ProtocolCommand)
    @shared_options(**{"tls": True, "credentials": True, **offers})
    def command(options: Options) -> None:
        raise AssertionError("it ran")

    result = CliRunner().invoke(command, list(arguments), env=env)
    assert result.exit_code == 2, result.output
    return result.output.splitlines()[-1]


def test_defaults_are_those_of_the_contract() -> None:
    assert chosen() == {
        "connect_timeout": 15.0,
        "timeout": 30.0,
        "min_rate": 16,
        "max_time": None,
        "retries": 0,
        "wait": 0.0,
        "connect_to": None,
        "ipv4": False,
        "ipv6": False,
        "json": False,
        "verbose": False,
        "timing": False,
        "quiet": False,
        "color": "auto",
        "input": None,
        "jobs": 4,
        "unordered": False,
        "fail_early": False,
        "ca": None,
        "insecure": False,
        "pin": (),
        "cert": None,
        "key": None,
        "user": None,
        "password_file": None,
        "netrc_file": None,
    }


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (["--connect-timeout", "0.5"], "connect_timeout", 0.5),
        (["--connect-timeout", "5s"], "connect_timeout", 5.0),
        (["--timeout", "3"], "timeout", 3.0),
        (["--timeout", "2m"], "timeout", 120.0),
        (["--min-rate", "0"], "min_rate", 0),
        (["--min-rate", "1.5K"], "min_rate", 1500),
        (["--min-rate", "2KiB"], "min_rate", 2048),
        (["--max-time", "1e3"], "max_time", 1000.0),
        (["--max-time", "3d"], "max_time", 259200.0),
        (["--wait", "0"], "wait", 0.0),
        (["--wait", "1.5h"], "wait", 5400.0),
        (["--connect-to", "127.0.0.1:8080"], "connect_to", ("127.0.0.1", 8080)),
        (["--connect-to", "[::1]:80"], "connect_to", ("::1", 80)),
        (["-4"], "ipv4", True),
        (["--ipv6"], "ipv6", True),
        (["-i", "-"], "input", "-"),
        (["-j", "9"], "jobs", 9),
        (["--pin", KEY, "--pin", KEY], "pin", (KEY, KEY)),
        (["--color", "never"], "color", "never"),
        (["--user", "ada"], "user", "ada"),
    ],
)
def test_options_become_values(arguments: list[str], name: str, value: object) -> None:
    assert chosen(*arguments)[name] == value


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--timeout", "0"], "expected more than 0 seconds, got '0'"),
        (["--timeout", "0m"], "expected more than 0 seconds, got '0m'"),
        (["--timeout", "-1"], "expected seconds, or a number with s, m, h or d behind it as in 2m, got '-1'"),
        (["--timeout", "nan"], "expected seconds, or a number with s, m, h or d behind it as in 2m, got 'nan'"),
        (["--max-time", "inf"], "got 'inf'"),
        (["--max-time", "1e400"], "got '1e400'"),
        (["--connect-timeout", "soon"], "got 'soon'"),
        (["--wait", "-0.1"], "expected seconds"),
        (["--retries", "-1"], "--retries"),
        (["--retries", "1.5"], "--retries"),
        (["--min-rate", "-1"], "expected a number of bytes, plain or with a unit as in 1.5M, 6MB or 1GiB, got '-1'"),
        (["--min-rate", "1.5"], "got '1.5'"),
        (["-j", "0"], "--jobs"),
        (["-j", "1025"], "--jobs"),
        (["--connect-to", "host"], "port missing"),
        (["--connect-to", "host:"], "host:"),
        (["--connect-to", "host:0"], "host:0"),
        (["--connect-to", "host:65536"], "host:65536"),
        (["--connect-to", "::1:80"], "::1:80"),
        (["--pin", "sha256//short"], "expected sha256// and the base64 of 32 bytes"),
        (["--pin", "sha1//" + "A" * 43 + "="], "expected sha256//"),
        (["--pin", "A" * 43 + "="], "expected sha256//"),
        (["--color", "sometimes"], "sometimes"),
        (["-4", "-6"], "-4 and -6 cannot be used together"),
        (["--key", "k.pem"], "--key needs --cert"),
        (["--user", "ada:secret"], "--password-file"),
    ],
)
def test_invalid_values_are_refused(arguments: list[str], words: str) -> None:
    said = refused(*arguments)
    assert words in said
    assert "secret" not in said


def test_command_can_override_defaults() -> None:
    values = chosen(jobs=256, timeout=3)
    assert (values["jobs"], values["timeout"], values["connect_timeout"]) == (256, 3.0, 15.0)
    assert chosen()["jobs"] == 4


@pytest.mark.parametrize("offers", [{"many_targets": False}, {"parallel": False}])
def test_targets_run_one_after_another_without_jobs_option(offers: dict[str, bool]) -> None:
    assert chosen(**offers)["jobs"] == 1


def test_environment_variables_are_defaults_and_options_beat_them() -> None:
    env = {
        "INETCLI_TIMEOUT": "1",
        "INETCLI_CONNECT_TIMEOUT": "2",
        "INETCLI_MAX_TIME": "3",
        "INETCLI_RETRIES": "4",
        "INETCLI_JOBS": "5",
        "INETCLI_COLOR": "always",
    }
    values = chosen("--timeout", "9", env=env)
    names = ("timeout", "connect_timeout", "max_time", "retries", "jobs", "color")
    assert [values[name] for name in names] == [9.0, 2.0, 3.0, 4, 5, "always"]
    assert "expected seconds" in refused(env={"INETCLI_TIMEOUT": "never"})
    assert chosen(env={"INETCLI_TIMEOUT": ""})["timeout"] == 30.0


def test_no_variable_lowers_safety() -> None:
    """Only limits and looks can be set from outside; not trust, not credentials, not where to connect."""
    context = click.Context(cli)
    found = set()
    for group in GROUPS:
        command = cli.get_command(context, group)
        inner = list(command.commands.values()) if isinstance(command, click.Group) else []
        for param in (param for each in inner for param in each.params):
            if param.envvar:
                found.add((param.name, param.envvar))
    assert found == {
        ("timeout", "INETCLI_TIMEOUT"),
        ("connect_timeout", "INETCLI_CONNECT_TIMEOUT"),
        ("max_time", "INETCLI_MAX_TIME"),
        ("retries", "INETCLI_RETRIES"),
        ("jobs", "INETCLI_JOBS"),
        ("color", "INETCLI_COLOR"),
    }


@pytest.mark.parametrize(
    ("offers", "arguments"),
    [
        ({"tls": False}, ["--insecure"]),
        ({"tls": False}, ["--ca", "x"]),
        ({"credentials": False}, ["--user", "x"]),
        ({"netrc": False}, ["--netrc-file", "x"]),
        ({"many_targets": False}, ["-i", "x"]),
        ({"many_targets": False}, ["-j", "2"]),
        ({"parallel": False}, ["-j", "2"]),
        ({"parallel": False}, ["--unordered"]),
    ],
)
def test_command_without_tls_or_credentials_offers_no_options_for_them(
    offers: dict[str, bool], arguments: list[str]
) -> None:
    assert "No such option" in refused(*arguments, **offers)


@pytest.mark.parametrize(
    ("options", "place", "value"),
    [
        (Options(connect_timeout=1.0), "timeouts.connect_s", 1.0),
        (Options(timeout=2.0), "timeouts.silence_s", 2.0),
        (Options(max_time=3.0), "timeouts.max_time_s", 3.0),
        (Options(), "timeouts.max_time_s", None),
        (Options(wait=4.0), "timeouts.wait_s", 4.0),
        (Options(min_rate=5), "timeouts.min_rate", 5),
        (Options(connect_to=("h", 1)), "connect_to", ("h", 1)),
        (Options(), "family", ANY),
        (Options(ipv4=True), "family", IPV4),
        (Options(ipv6=True), "family", IPV6),
        (Options(ca="a"), "trust.ca_file", "a"),
        (Options(), "trust.insecure", False),
        (Options(insecure=True), "trust.insecure", True),
        (Options(pin=(KEY,)), "trust.pins", (KEY,)),
        (Options(cert="c"), "trust.certificate", "c"),
        (Options(key="k"), "trust.key", "k"),
    ],
)
def test_options_become_the_use_of_the_network(options: Options, place: str, value: object) -> None:
    network = options.network()
    network.cancel.close()
    assert operator.attrgetter(place)(network) == value
