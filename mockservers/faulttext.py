"""Faults as text and as JSON, there and back.

    text    = [SERVER ":"] TRIGGER ["+" SKIP] ":" FAULT ["x" TIMES]
    FAULT   = NAME ["(" ARGS ")"] ["@" BYTES]
    TRIGGER = "connect" | "data" | a command ("RETR", "RETR a.bin") | a request ("GET /x") |
              a question ("www.example.test/A") | "*"

Read from the right: the last ":" whose right side is a fault ends the trigger; `reply(...)` runs to its last closing
parenthesis. SKIP and TIMES count over all connections; without TIMES a fault fires always. Arguments are separated by
commas, except that a text, always the last one, runs to the end; in a text `\\r`, `\\n`, `\\t`, `\\\\`, `\\xNN`,
`\\uNNNN` mean what they mean in Python. A `*` within a trigger stands for anything (`GET /api/*`).

    ftp:RETR:rst@4096x1      ftp:SIZE:reply(550 no, sorry)      nntp:connect:delay(0.5)      tls:connect:expired
"""

import re
from collections.abc import Mapping
from dataclasses import Field, fields
from typing import Any

from mockservers.families import known_server
from mockservers.faultkinds import FAULTS, Armed, BadFault, Fault, find_kind, near

_FAULT = re.compile(r"(?P<name>[a-z_]+)(?:\((?P<args>.*)\))?(?:@(?P<at>[0-9]+))?(?:x(?P<times>[0-9]+))?", re.DOTALL)
_TRIGGER = re.compile(r"(?P<trigger>.*)\+(?P<skip>[0-9]+)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[rnt\\])")
_JSON_KEYS = {"server", "trigger", "skip", "times", "name", "args"}


def parse_fault(text: str) -> Armed:
    """A fault from its text. `BadFault` says what is wrong, and names the near ones."""
    for at in range(len(text) - 1, 0, -1):
        match = _FAULT.fullmatch(text, at + 1) if text[at] == ":" else None
        kind = find_kind(match["name"]) if match else None
        if match and kind:
            server, trigger, skip = _parse_head(text[:at])
            fault = _parse_args(kind, match["args"], match["at"], text)
            return Armed(trigger, fault, skip, int(match["times"]) if match["times"] else None, server)
    tail = text.rpartition(":")[2]
    match = _FAULT.fullmatch(tail)
    name = match["name"] if match else re.split(r"[(@]", tail, maxsplit=1)[0]
    if find_kind(name):
        raise BadFault(f"{text}: expected TRIGGER:FAULT, such as connect:{tail}")
    raise BadFault(f"{text}: no fault is called {name!r}; {near(name, FAULTS)}")


def parse_fault_json(value: Mapping[str, Any]) -> Armed:
    """A fault from what `Armed.json` gives; all but `trigger` and `name` may be left out."""
    unknown = set(value) - _JSON_KEYS
    if unknown or not {"trigger", "name"} <= set(value):
        raise BadFault(f"{dict(value)}: expected trigger, name, and perhaps args, skip, times, server")
    kind = find_kind(value["name"])
    if kind is None:
        raise BadFault(f"no fault is called {value['name']!r}; {near(value['name'], FAULTS)}")
    known = {item.name: item for item in fields(kind)}
    given = value.get("args") or {}
    for name, arg in given.items():
        if name not in known:
            raise BadFault(f"{kind.name}: it has no {name}; {near(name, known)}")
        if type(arg) is not type(known[name].default) and not (type(arg) is int and _is_float(known[name])):
            raise BadFault(_unfit(kind, known[name], arg))
    server = value.get("server")
    return Armed(
        value["trigger"],
        kind(**{name: float(arg) if _is_float(known[name]) else arg for name, arg in given.items()}),
        value.get("skip") or 0,
        value.get("times"),
        None if server is None else known_server(server),
    )


def _parse_head(text: str) -> tuple[str | None, str, int]:
    """Server, trigger and SKIP."""
    match = _TRIGGER.fullmatch(text)
    trigger, skip = (match["trigger"], int(match["skip"])) if match else (text, 0)
    head, colon, tail = trigger.partition(":")
    if colon and head.isalpha():
        return known_server(head), tail, skip
    return None, trigger, skip


def _parse_args(kind: type[Fault], args: str | None, at: str | None, text: str) -> Fault:
    items = [item for item in fields(kind) if item.name != "at"]
    takes_text = bool(items) and isinstance(items[-1].default, str)
    given = (
        [] if args is None or (not args and not takes_text) else args.split(",", len(items) - 1 if takes_text else -1)
    )
    if len(given) > len(items):
        raise BadFault(f"{text}: {kind.name} takes {len(items)} arguments, got {len(given)}")
    values: dict[str, Any] = {}
    for number, (item, value) in enumerate(zip(items, given, strict=False)):
        values[item.name] = _parse_value(kind, item, value.removeprefix(" ") if number else value, text)
    if at is not None:
        if not any(item.name == "at" for item in fields(kind)):
            raise BadFault(f"{text}: {kind.name} takes no @BYTES")
        values["at"] = int(at)
    try:
        return kind(**values)
    except BadFault as error:
        raise BadFault(f"{text}: {error}") from None


def _parse_value(kind: type[Fault], item: "Field[Any]", value: str, text: str) -> object:
    """An argument as the type that its default has."""
    try:
        match item.default:
            case bool():
                return {"true": True, "false": False}[value.strip()]
            case float():
                return float(value)
            case int():
                return int(value)
            case _:
                return _ESCAPE.sub(lambda found: found[0].encode("ascii").decode("unicode_escape"), value)
    except (KeyError, ValueError):
        raise BadFault(f"{text}: {_unfit(kind, item, value)}") from None


def _unfit(kind: type[Fault], item: "Field[Any]", value: object) -> str:
    return f"{kind.name}: expected {item.name} as {type(item.default).__name__}, got {value!r}"


def _is_float(item: "Field[Any]") -> bool:
    return isinstance(item.default, float)
